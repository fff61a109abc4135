// The Lambda@Edge handler for origin requests: asks the edge for a page, and passes to the origin whatever the edge does not answer.
// Decisions about pages are made in Wasm; here are CloudFront's shapes and limits, and which origin a form is sent to. Between requests
// only the readiness of origins and the credentials are remembered, nothing of a visitor.

import { readFileSync } from 'node:fs';
import { STATUS_CODES } from 'node:http';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { answer, configure, withoutOrigin } from './edge.js';

// Lambda@Edge has no variables of ours: what the edge is told lies beside it. In which region it runs, Lambda says.
const TOLD = JSON.parse(readFileSync(new URL('./config.json', import.meta.url), 'utf8'));
const CONFIG = nearest(TOLD, process.env.AWS_REGION);
// The origin group has one order, wherever this runs.
const LAST_OF_GROUP = TOLD.origins[1] ?? TOLD.origins[0];
// A page of the shop: `/` or a path that begins with a locale. `/locale/…` sets a cookie, and files and feeds are the origin's.
const MAY_BE_PAGE = /^\/(?:$|[a-z]{2}-[a-z]{2}(?:\/|$))/;
// CloudFront fails over by itself for these, if the first origin does not answer or answers 500, 502, 503 or 504:
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/high_availability_origin_failover.html
const FAILED_OVER_BY_CLOUDFRONT = ['GET', 'HEAD', 'OPTIONS'];
// "1 MB, including headers and body" (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html
// #limits-lambda-at-edge). It is not said whether that is 10^6 or 2^20: the smaller holds either way.
const GENERATED_BYTES_MAX = 1_000_000;
// Far below the 30 s after which CloudFront gives up on the function, so that the origin still has time to answer.
const ANSWER_DEADLINE_MS = 5_000;
const PROBE_DEADLINE_MS = 1_000;
const PROBE_KEPT_MS = 2_000;
// Compressing costs more than it saves below what fits into one packet.
const COMPRESSED_BYTES_MIN = 1_400;
// Pages are filled anew for everybody, so they are compressed anew, at the fastest level; with caching disabled CloudFront does not do it.
const ENCODINGS = [
    ['br', (body) => promisify(zlib.brotliCompress)(body, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } })],
    ['gzip', (body) => promisify(zlib.gzip)(body, { level: 1 })],
];
// What a function must not set, or what CloudFront works out by itself. One of them, and the visitor gets a 502:
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html#function-restrictions-headers
const NEVER_SET = new RegExp(
    '^(?:connection|expect|keep-alive|proxy-authenticate|proxy-authorization|proxy-connection|trailer|upgrade|x-accel-.*|x-amz-cf-.*|x-amzn-.*'
    + '|x-cache|x-edge-.*|x-forwarded-proto|x-real-ip|accept-encoding|content-length|if-modified-since|if-none-match|if-range'
    + '|if-unmodified-since|transfer-encoding|via)$',
);

// What is told for this part of the world: another replica of the table, and other origins first.
function nearest({ near = {}, ...config }, region) {
    const here = Object.hasOwn(near, region ?? '') && near[region];
    return here ? { ...config, origins: here.origins, table: { ...config.table, region: here.region } } : config;
}

export async function handler(event) {
    const { request } = event.Records[0].cf;
    const isRead = ['GET', 'HEAD'].includes(request.method);
    const page = isRead && await made(answer, request);
    if (page) {
        return page;
    }
    if (isRead) {
        return await isLastHopeGone(request) && await made(withoutOrigin, request) || request;
    }
    if (FAILED_OVER_BY_CLOUDFRONT.includes(request.method)) {
        return request;
    }
    const origin = await bestOrigin();
    if (!origin) {
        const told = await made(withoutOrigin, request);
        if (told) {
            return told;
        }
    }
    pointTo(request, origin ?? CONFIG.origins[0]);
    return request;
}

// What Wasm makes of a request, in CloudFront's shape; undefined if that is nothing, or nothing that CloudFront takes.
async function made(make, request) {
    if (!MAY_BE_PAGE.test(request.uri)) {
        return undefined;
    }
    try {
        configureAnew();
        const headers = Object.entries(request.headers).flatMap(([name, values]) => values.map(({ value }) => [name, value]));
        const page = await inTime(make(request.method, request.uri, request.querystring, headers));
        return page && await generatedResponse(page, request);
    } catch (error) {
        console.error('the edge could not answer, so the origin is asked:', error);
        return undefined;
    }
}

let configuredWith;

// Credentials are the sandbox's own and may change while it lives.
function configureAnew() {
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env;
    const credentials = { access_key_id: AWS_ACCESS_KEY_ID ?? '', secret_access_key: AWS_SECRET_ACCESS_KEY ?? '', session_token: AWS_SESSION_TOKEN || null };
    const configuration = JSON.stringify({ ...CONFIG, credentials });
    if (configuration !== configuredWith) {
        configure(configuration);
        configuredWith = configuration;
    }
}

async function inTime(work) {
    let timer;
    const tooLate = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`no answer within ${ANSWER_DEADLINE_MS} ms`)), ANSWER_DEADLINE_MS);
    });
    try {
        return await Promise.race([work, tooLate]);
    } finally {
        clearTimeout(timer);
    }
}

// CloudFront's shape of an answer; undefined if it would be too large for it.
async function generatedResponse(page, request) {
    const headers = {};
    for (const [key, value] of page.headers) {
        const name = key.toLowerCase();
        if (!NEVER_SET.test(name)) {
            (headers[name] ??= []).push({ key, value });
        }
    }
    const response = { status: String(page.status), statusDescription: STATUS_CODES[page.status] ?? '', headers };
    if (request.method !== 'HEAD' && page.body) {
        Object.assign(response, await encodedBody(page.body, headers, request));
    }
    return responseBytes(response) <= GENERATED_BYTES_MAX ? response : undefined;
}

async function encodedBody(text, headers, request) {
    const plain = { body: text, bodyEncoding: 'text' };
    if (headers['content-encoding'] || Buffer.byteLength(text) < COMPRESSED_BYTES_MIN) {
        return plain;
    }
    (headers.vary ??= []).push({ key: 'vary', value: 'accept-encoding' });
    const accepted = (request.headers['accept-encoding'] ?? []).map(({ value }) => value).join(',');
    const encoding = ENCODINGS.find(([name]) => accepts(accepted, name));
    if (!encoding) {
        return plain;
    }
    const [name, compress] = encoding;
    headers['content-encoding'] = [{ key: 'content-encoding', value: name }];
    return { body: (await compress(text)).toString('base64'), bodyEncoding: 'base64' };
}

// RFC 9110, 12.5.3; what weighs nothing is refused.
function accepts(header, encoding) {
    return header.split(',').some((part) => {
        const [name, ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
        return name === encoding && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
    });
}

function responseBytes({ headers, body = '' }) {
    const headerBytes = Object.values(headers).flat().reduce((sum, { key, value }) => sum + key.length + Buffer.byteLength(value) + 4, 0);
    return headerBytes + Buffer.byteLength(body);
}

// CloudFront asks the group's second origin after the first one failed, and asks here again before it does. If that one is gone as well,
// or the only one, a page in the visitor's language says more than CloudFront's own.
async function isLastHopeGone(request) {
    return MAY_BE_PAGE.test(request.uri) && authority(request.origin.custom) === new URL(LAST_OF_GROUP).host && await state(LAST_OF_GROUP) === GONE;
}

// The first origin in order of preference that is ready, or else one that lives: it takes what needs no orders, and says what it cannot take.
async function bestOrigin() {
    const states = [];
    for (const origin of CONFIG.origins) {
        states.push(await state(origin));
        if (states.at(-1) === READY) {
            return origin;
        }
    }
    return CONFIG.origins[states.indexOf(ALIVE)];
}

const [READY, ALIVE, GONE] = ['ready', 'alive', 'gone'];
// By origin: when it was asked, and what it said.
const known = new Map();

async function state(origin) {
    const before = known.get(origin);
    if (before && performance.now() - before.at < PROBE_KEPT_MS) {
        return before.state;
    }
    const state = await says(origin, '/readyz') ? READY : await says(origin, '/healthz') ? ALIVE : GONE;
    known.set(origin, { at: performance.now(), state });
    return state;
}

async function says(origin, path) {
    try {
        const response = await fetch(new URL(path, origin), { redirect: 'manual', signal: AbortSignal.timeout(PROBE_DEADLINE_MS) });
        await response.body?.cancel();
        return response.ok;
    } catch {
        return false;
    }
}

// What else the distribution says about its origin (headers of its own, timeouts) stays.
function pointTo(request, address) {
    const origin = new URL(address);
    const protocol = origin.protocol.slice(0, -1);
    const before = request.origin.custom;
    const host = request.headers.host?.[0];
    if (host && host.value === authority(before)) {
        host.value = origin.host;
    }
    request.origin = {
        custom: { ...before, domainName: origin.hostname, port: Number(origin.port) || (protocol === 'https' ? 443 : 80), protocol, path: origin.pathname.replace(/\/$/, '') },
    };
}

// As in a Host header.
function authority({ domainName, port, protocol }) {
    return port === (protocol === 'https' ? 443 : 80) ? domainName : `${domainName}:${port}`;
}
