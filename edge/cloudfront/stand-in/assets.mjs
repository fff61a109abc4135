// The behaviours that cache: built assets, pictures and the files of the root, by path and by normalised Accept-Encoding, for as long
// as the origin's Cache-Control says. No function runs for them but the viewer's, no cookie and no query reaches the origin.

import { Transform, pipeline } from 'node:stream';
import { Failure } from './failure.mjs';
import { value, without } from './headers.mjs';
import { CACHED_FILE_BYTES_MAX, CACHE_BYTES_MAX, DEFAULT_TTL_S } from './limits.mjs';

// Path patterns, as a distribution would list them; the first that fits counts, and everything else is a page or a form.
const PATTERNS = ['/assets/*', '/media/*', '/licences/*', '/apple-touch-icon.png', '/favicon.ico', '/favicon.svg', '/icon-*.png', '/manifest.webmanifest', '/og.jpg'];
const ASSET = new RegExp(`^(?:${PATTERNS.map((pattern) => pattern.replaceAll('.', '\\.').replaceAll('*', '.*')).join('|')})$`);

export function isAsset(uri) {
    return ASSET.test(uri);
}

export class EdgeCache {
    #entries = new Map();
    #bytes = 0;

    constructor(isOn) {
        this.isOn = isOn;
    }

    // `fetch` asks the origin group with the headers that it is given.
    async answer(visit, fetch) {
        const encoding = normalisedEncoding(value(visit.headers, 'accept-encoding'));
        const key = `${encoding} ${visit.uri}`;
        const entry = this.#entries.get(key);
        if (entry && entry.expires > Date.now()) {
            return hit(entry, visit, 'Hit');
        }
        const headers = [...shared(visit), ...(encoding === '' ? [] : [['accept-encoding', encoding]])];
        return entry && visit.method === 'GET' ? this.#revalidated(key, entry, visit, headers, fetch) : this.#missed(key, visit, headers, fetch);
    }

    // A range that is not here is asked for as it is and not kept.
    async #missed(key, visit, headers, fetch) {
        const range = visit.headers.filter(([name]) => ['range', 'if-range'].includes(name));
        const answer = await fetch([...headers, ...range]);
        return this.#keeping(key, visit, answer);
    }

    // What the origin cannot replace is shown beyond its time:
    // https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html
    async #revalidated(key, entry, visit, headers, fetch) {
        const etag = value(entry.headers, 'etag');
        const modified = value(entry.headers, 'last-modified');
        const conditions = [...(etag ? [['if-none-match', etag]] : []), ...(modified ? [['if-modified-since', modified]] : [])];
        let answer;
        try {
            answer = await fetch([...headers, ...conditions]);
        } catch (error) {
            if (error instanceof Failure) {
                return hit(entry, visit, 'Error');
            }
            throw error;
        }
        if (answer.status >= 500) {
            answer.stream.destroy();
            return hit(entry, visit, 'Error');
        }
        if (answer.status === 304) {
            answer.stream.resume();
            const fresh = { ...entry, at: Date.now(), expires: Date.now() + ttlS(answer.headers) * 1_000 };
            this.#entries.set(key, fresh);
            return hit(fresh, visit, 'RefreshHit');
        }
        return this.#keeping(key, visit, answer);
    }

    // Sends the file on as it comes, and keeps it if it came whole.
    #keeping(key, visit, answer) {
        const seconds = ttlS(answer.headers);
        if (!this.isOn || visit.method !== 'GET' || answer.status !== 200 || seconds <= 0) {
            return answer;
        }
        const chunks = [];
        let size = 0;
        const keeper = new Transform({
            transform(chunk, _, done) {
                size += chunk.length;
                if (size <= CACHED_FILE_BYTES_MAX) {
                    chunks.push(chunk);
                }
                done(null, chunk);
            },
            flush: (done) => {
                if (size <= CACHED_FILE_BYTES_MAX) {
                    const { status, statusText, headers } = answer;
                    this.#store(key, { status, statusText, headers, body: Buffer.concat(chunks), at: Date.now(), expires: Date.now() + seconds * 1_000 });
                }
                done();
            },
        });
        // Cut short, the keeper is destroyed instead of flushed, and so is the visitor's connection.
        pipeline(answer.stream, keeper, () => {});
        return { ...answer, stream: keeper };
    }

    #store(key, entry) {
        this.#bytes += entry.body.length - (this.#entries.get(key)?.body.length ?? 0);
        this.#entries.delete(key);
        this.#entries.set(key, entry);
        for (const [oldest, { body }] of this.#entries) {
            if (this.#bytes <= CACHE_BYTES_MAX) {
                return;
            }
            this.#entries.delete(oldest);
            this.#bytes -= body.length;
        }
    }
}

// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/controlling-the-cache-key.html#cache-policy-compressed-objects
export function normalisedEncoding(header = '') {
    const accepted = header.split(',').map((part) => part.trim().toLowerCase()).filter((part) => !/;\s*q=0(?:\.0*)?$/.test(part)).map((part) => part.split(';')[0].trim());
    return ['br', 'gzip'].filter((encoding) => accepted.includes(encoding)).join(',');
}

// What reaches an origin for a file that everybody shares.
function shared(visit) {
    const kept = visit.headers.filter(([name]) => ['host', 'x-forwarded-for', 'via'].includes(name));
    return [...kept, ['user-agent', 'Amazon CloudFront']];
}

// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html#ExpirationDownloadDist
function ttlS(headers) {
    const control = (value(headers, 'cache-control') ?? '').toLowerCase();
    if (/no-store|no-cache|private/.test(control)) {
        return 0;
    }
    const [, seconds = DEFAULT_TTL_S] = /s-maxage=(\d+)/.exec(control) ?? /max-age=(\d+)/.exec(control) ?? [];
    return Number(seconds);
}

// RFC 9110, 13 and 14, from what is kept.
function hit(entry, visit, how) {
    const age = ['age', String(Math.floor((Date.now() - entry.at) / 1_000))];
    const headers = [...without(entry.headers, 'age', 'content-length'), age];
    const answer = { status: entry.status, statusText: entry.statusText, headers, source: how };
    if (isUnchanged(entry, visit)) {
        return { ...answer, status: 304, statusText: 'Not Modified', body: Buffer.alloc(0) };
    }
    const range = rangeOf(entry, visit);
    if (range === undefined) {
        return { ...answer, body: entry.body, length: entry.body.length };
    }
    const [start, end] = range;
    if (start >= entry.body.length) {
        return { ...answer, status: 416, statusText: 'Range Not Satisfiable', headers: [...headers, ['content-range', `bytes */${entry.body.length}`]], body: Buffer.alloc(0) };
    }
    const body = entry.body.subarray(start, end + 1);
    return { ...answer, status: 206, statusText: 'Partial Content', headers: [...headers, ['content-range', `bytes ${start}-${end}/${entry.body.length}`]], body };
}

function isUnchanged(entry, visit) {
    const wanted = value(visit.headers, 'if-none-match');
    if (wanted !== undefined) {
        const etag = value(entry.headers, 'etag')?.replace(/^W\//, '');
        return wanted.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag);
    }
    const since = Date.parse(value(visit.headers, 'if-modified-since') ?? '');
    return since >= Date.parse(value(entry.headers, 'last-modified') ?? '');
}

// One range of bytes; several, or one that makes no sense, get the whole file.
function rangeOf(entry, visit) {
    const condition = value(visit.headers, 'if-range');
    const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(value(visit.headers, 'range') ?? '') ?? [];
    const isStale = condition !== undefined && ![value(entry.headers, 'etag'), value(entry.headers, 'last-modified')].includes(condition);
    if (from === undefined || (from === '' && to === '') || isStale) {
        return undefined;
    }
    const last = entry.body.length - 1;
    const [start, end] = from === '' ? [Math.max(0, entry.body.length - Number(to)), last] : [Number(from), to === '' ? last : Math.min(Number(to), last)];
    return end < start && start <= last ? undefined : [start, end];
}
