// A CloudFront for this machine: the viewer function, cached files, the Lambda@Edge handler, an origin group, and the limits that AWS
// documents. What it proves and what it cannot is in README.md.
//
//   node stand-in.mjs --listen 127.0.0.1:8080 --origins http://127.0.0.1:3000,http://127.0.0.1:3001 \
//     --viewer cloudfront-function.js --handler …/index.mjs [--instances 4] [--assets-cache on|off] [--country DE] \
//     [--error-page unavailable.html]

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { EdgeCache, isAsset } from './stand-in/assets.mjs';
import { Failure, failurePage, sendFailure } from './stand-in/failure.mjs';
import { bytes, ofRequest, toNode, value, without } from './stand-in/headers.mjs';
import { Instances } from './stand-in/instances.mjs';
import { CONNECTION_ATTEMPTS, CONNECTION_TIMEOUT_S, FUNCTION_TIMEOUT_S, METHODS, REQUEST_BYTES_MAX, RESPONSE_TIMEOUT_S, URL_BYTES_MAX } from './stand-in/limits.mjs';
import { customOrigin, originEvent, resultOf } from './stand-in/origin-request.mjs';
import { ask, closeConnections, throughGroup } from './stand-in/origins.mjs';
import { viewerFunction } from './stand-in/viewer.mjs';

// Browsers keep connections; they, not this end, should close them first.
const VIEWER_KEEP_ALIVE_MS = 60_000;
// A head is read beyond its limit, so that the answer is CloudFront's and not the parser's.
const PARSED_HEAD_BYTES_MAX = 4 * REQUEST_BYTES_MAX;
// How long answers that are under way may take when the process is asked to end.
const END_MS = 1_000;
// Names an edge in Via headers and events.
const DISTRIBUTION = 'standin.cloudfront.net';
const VIA = `1.1 ${DISTRIBUTION} (CloudFront)`;
// The statuses for which a distribution has a page of its own. Not 503: that is how a shop that is there says what to do.
const ERROR_PAGE_STATUSES = [502, 504];
const LOOPBACK = ['127.0.0.1', 'localhost'];

function settings() {
    const text = { type: 'string' };
    const { values } = parseArgs({
        options: {
            listen: text, origins: text, viewer: text, handler: text, country: text, 'error-page': text, instances: { ...text, default: '4' }, 'assets-cache': { ...text, default: 'on' },
            'connection-attempts': { ...text, default: String(CONNECTION_ATTEMPTS) }, 'connection-timeout-s': { ...text, default: String(CONNECTION_TIMEOUT_S) },
            'response-timeout-s': { ...text, default: String(RESPONSE_TIMEOUT_S) }, 'function-timeout-s': { ...text, default: String(FUNCTION_TIMEOUT_S) },
        },
    });
    const missing = ['listen', 'origins', 'viewer', 'handler'].filter((name) => values[name] === undefined);
    if (missing.length > 0) {
        throw new Error(`say ${missing.map((name) => `--${name}`).join(', ')}`);
    }
    const listen = new URL(`http://${values.listen}`);
    const origins = values.origins.split(',');
    if ([listen, ...origins.map((origin) => new URL(origin))].some(({ hostname }) => !LOOPBACK.includes(hostname))) {
        throw new Error(`the stand-in listens on ${LOOPBACK.join(' or ')} only, and so must its origins`);
    }
    return {
        ...values, host: listen.hostname, port: Number(listen.port), origins, instances: Number(values.instances),
        times: { attempts: Number(values['connection-attempts']), connectionMs: Number(values['connection-timeout-s']) * 1_000, responseMs: Number(values['response-timeout-s']) * 1_000 },
        functionMs: Number(values['function-timeout-s']) * 1_000,
    };
}

function start(set) {
    const viewer = viewerFunction(set.viewer);
    const instances = new Instances(set.handler, set.instances, set.functionMs);
    const errorPage = set['error-page'] && readFileSync(set['error-page']);
    const cache = new EdgeCache(set['assets-cache'] === 'on');

    async function answerTo(visit) {
        const seen = viewer(visit);
        if (seen.answer) {
            return seen.answer;
        }
        // A function that changes the path does not change the behaviour.
        return isAsset(visit.uri) ? file(onward(seen.visit)) : page(onward(seen.visit));
    }

    // Everything that is no file: nothing is kept, so the handler runs for each request, and again for the second origin.
    function page(visit) {
        return throughGroup(visit.method, set.origins, async (origin) => {
            const result = resultOf(await instances.invoke(originEvent(visit, origin)), visit, origin);
            return result.answer ?? ask(result.visit, result.origin, set.times);
        });
    }

    function file(visit) {
        if (!['GET', 'HEAD'].includes(visit.method)) {
            throw new Failure(403, 'This distribution is not configured to allow the HTTP request method that was used for this request.');
        }
        const fetch = (headers) => throughGroup(visit.method, set.origins, (origin) => ask({ ...visit, querystring: '', headers }, customOrigin(origin), set.times));
        return cache.answer(visit, fetch);
    }

    const server = http.createServer({ maxHeaderSize: PARSED_HEAD_BYTES_MAX, keepAliveTimeout: VIEWER_KEEP_ALIVE_MS }, async (incoming, outgoing) => {
        const id = randomBytes(24).toString('base64url');
        try {
            const visit = visitOf(incoming, id, set.country);
            const answer = await answerTo(visit);
            if (errorPage && answer.stream && ERROR_PAGE_STATUSES.includes(answer.status)) {
                answer.stream.destroy();
                throw new Failure(answer.status, 'The origin failed.');
            }
            await send(outgoing, visit, answer);
        } catch (error) {
            const failure = error instanceof Failure ? error : new Failure(500, 'The stand-in itself failed.');
            if (failure !== error) {
                console.error('the stand-in failed:', error);
            }
            sendFailure(outgoing, failure, { id, via: VIA, closes: failure.status === 413, ownPage: ERROR_PAGE_STATUSES.includes(failure.status) ? errorPage : undefined });
        }
    });
    server.maxHeadersCount = 0;
    server.on('clientError', refuseUnreadable);
    server.listen(set.port, set.host, () => console.log(`stand-in listening on http://${set.host}:${server.address().port}`));
    const end = async () => {
        const closed = new Promise((resolve) => {
            server.close(resolve);
        });
        server.closeIdleConnections();
        const timer = setTimeout(() => server.closeAllConnections(), END_MS);
        await closed;
        clearTimeout(timer);
        closeConnections();
        await instances.end();
    };
    process.once('SIGTERM', end);
    process.once('SIGINT', end);
}

// What the parser of HTTP refuses before there is a request.
function refuseUnreadable(error, socket) {
    if (!socket.writable) {
        return;
    }
    const [status, words] = error.code === 'HPE_HEADER_OVERFLOW' ? [413, 'Request Entity Too Large'] : [400, 'Bad Request'];
    const page = failurePage(new Failure(status, 'Bad request.'), '-');
    socket.end(`HTTP/1.1 ${status} ${words}\r\nServer: CloudFront\r\nContent-Type: text/html\r\nContent-Length: ${page.length}\r\nConnection: close\r\n\r\n${page}`);
}

// A request as it goes through: where from, what for, and its body as a stream. Throws what CloudFront refuses by itself.
function visitOf(incoming, id, country) {
    const { method, url, rawHeaders } = incoming;
    const head = Buffer.byteLength(`${method} ${url} HTTP/1.1\r\n`) + bytes(rawHeaders) + 2;
    if (head > REQUEST_BYTES_MAX || Buffer.byteLength(`https://${incoming.headers.host ?? ''}${url}`) > URL_BYTES_MAX) {
        throw new Failure(413, 'Bad request. The request is larger than CloudFront allows.');
    }
    if (!METHODS.includes(method)) {
        throw new Failure(403, 'This distribution is not configured to allow the HTTP request method that was used for this request.');
    }
    const hasBody = 'transfer-encoding' in incoming.headers || Number(incoming.headers['content-length'] ?? 0) > 0;
    // https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorCustomOrigin.html#RequestCustom-get-body
    if (hasBody && ['GET', 'HEAD'].includes(method)) {
        throw new Failure(403, 'Bad request. A GET request must not have a body.');
    }
    if (!url.startsWith('/')) {
        throw new Failure(400, 'Bad request.');
    }
    const [uri, ...query] = utf8(url).split('?');
    const headers = ofRequest(rawHeaders);
    const from = value(headers, 'x-standin-country') ?? country;
    const own = without(headers, 'x-standin-country', 'cloudfront-viewer-country');
    return {
        id, method, uri, querystring: query.join('?'), distribution: DISTRIBUTION, ip: incoming.socket.remoteAddress.replace(/^::ffff:/, ''),
        headers: from ? [...own, ['cloudfront-viewer-country', from]] : own, body: hasBody ? incoming : undefined,
    };
}

// Bytes beyond ASCII are UTF-8, or taken for ISO 8859-1 if they are not:
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html#function-restrictions-encoding
function utf8(url) {
    try {
        return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(url, 'latin1'));
    } catch {
        return url;
    }
}

// What CloudFront adds on the way to an origin. Host stays the visitor's, as with a policy that forwards all headers of the viewer.
function onward(visit) {
    const chain = value(visit.headers, 'x-forwarded-for');
    const via = value(visit.headers, 'via');
    return {
        ...visit,
        headers: [...without(visit.headers, 'x-forwarded-for', 'via'), ['x-forwarded-for', chain ? `${chain}, ${visit.ip}` : visit.ip], ['via', via ? `${via}, ${VIA}` : VIA]],
    };
}

async function send(outgoing, visit, answer) {
    const cached = answer.source ?? (answer.status >= 400 ? 'Error' : 'Miss');
    const via = value(answer.headers, 'via');
    const added = [['via', via ? `${via}, ${VIA}` : VIA], ['x-cache', `${cached} from cloudfront`], ['x-amz-cf-pop', 'LOOP1-P1'], ['x-amz-cf-id', visit.id]];
    if (answer.stream) {
        outgoing.writeHead(answer.status, answer.statusText, toNode([...without(answer.headers, 'via', 'x-cache'), ...added]));
        outgoing.flushHeaders();
        // Whoever breaks off, visitor or origin, ends both connections.
        await pipeline(answer.stream, outgoing).catch(() => outgoing.destroy());
        return;
    }
    const length = [204, 304].includes(answer.status) ? [] : [['content-length', String(answer.length ?? answer.body.length)]];
    outgoing.writeHead(answer.status, answer.statusText, toNode([...without(answer.headers, 'via', 'content-length'), ...added, ...length]));
    outgoing.end(visit.method === 'HEAD' ? undefined : answer.body);
}

try {
    start(settings());
} catch (error) {
    console.error(error.message);
    process.exitCode = 1;
}
