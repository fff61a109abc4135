// Headers as a list of pairs with lower-case names, and which of them nobody may set, change or forward.

// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html#function-restrictions-disallowed-headers
const DISALLOWED = new Set([
    'connection', 'expect', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'trailer', 'upgrade', 'x-accel-buffering',
    'x-accel-charset', 'x-accel-limit-rate', 'x-accel-redirect', 'x-amzn-auth', 'x-amzn-cf-billing', 'x-amzn-cf-id', 'x-amzn-cf-xff', 'x-amzn-errortype',
    'x-amzn-fle-profile', 'x-amzn-header-count', 'x-amzn-header-order', 'x-amzn-lambda-integration-tag', 'x-amzn-requestid', 'x-cache',
    'x-forwarded-proto', 'x-real-ip',
]);

// The same page, #function-restrictions-read-only-headers: by the event in which they can be read, but not changed.
export const READ_ONLY = {
    viewerRequest: ['content-length', 'host', 'transfer-encoding', 'via'],
    originRequest: ['accept-encoding', 'content-length', 'if-modified-since', 'if-none-match', 'if-range', 'if-unmodified-since', 'transfer-encoding', 'via'],
};

// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorCustomOrigin.html#request-custom-headers-behavior
const REMOVED_FROM_REQUESTS = new Set([
    'connection', 'expect', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te', 'trailer', 'upgrade', 'x-forwarded-proto',
    'x-http-method-override', 'x-real-ip',
]);
// RFC 9110, 7.6.1; the connection to the visitor is another one.
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-authenticate', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade']);

export function isDisallowed(name) {
    return DISALLOWED.has(name) || name.startsWith('x-amz-cf-') || name.startsWith('x-edge-');
}

// From Node's flat list. Hop-by-hop headers and what a visitor cannot say are left out.
export function ofRequest(raw) {
    return pairs(raw).filter(([name]) => !REMOVED_FROM_REQUESTS.has(name) && !name.startsWith('x-edge-') && !name.startsWith('x-amz-cf-'));
}

export function ofResponse(raw) {
    return pairs(raw).filter(([name]) => !HOP_BY_HOP.has(name));
}

function pairs(raw) {
    return Array.from({ length: raw.length / 2 }, (_, at) => [raw[at * 2].toLowerCase(), raw[at * 2 + 1]]);
}

// All values of one name in one line; undefined if there is none.
export function value(headers, name) {
    const values = headers.filter(([known]) => known === name).map(([, one]) => one);
    return values.length > 0 ? values.join(name === 'cookie' ? '; ' : ', ') : undefined;
}

export function without(headers, ...names) {
    return headers.filter(([name]) => !names.includes(name));
}

// As the lines of a head on the wire: name, colon, space, value, line break.
export function bytes(raw) {
    return pairs(raw).reduce((sum, [name, text]) => sum + Buffer.byteLength(name) + Buffer.byteLength(text) + 4, 0);
}

// The case that CloudFront gives to names: the first letter of each word.
export function titled(name) {
    return name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

// For Node, which takes a list of values for a name.
export function toNode(headers) {
    const out = {};
    for (const [name, text] of headers) {
        (out[name] ??= []).push(text);
    }
    for (const [name, values] of Object.entries(out)) {
        out[name] = values.length === 1 ? values[0] : name === 'cookie' ? values.join('; ') : values;
    }
    return out;
}
