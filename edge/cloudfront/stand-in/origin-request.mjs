// The origin-request event of Lambda@Edge: what the function is given, and what it may return.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-event-structure.html

import { Failure } from './failure.mjs';
import { READ_ONLY, isDisallowed, titled } from './headers.mjs';
import { FUNCTION_URI_BYTES_MAX, GENERATED_BYTES_MAX, KEEP_ALIVE_S, RESPONSE_TIMEOUT_S } from './limits.mjs';

// The body of a request is not included, as by default.
export function originEvent(visit, origin) {
    return {
        Records: [{
            cf: {
                config: { distributionDomainName: visit.distribution, distributionId: 'ESTANDIN', eventType: 'origin-request', requestId: visit.id },
                request: {
                    clientIp: visit.ip, headers: lambdaHeaders(visit.headers), method: visit.method, origin: { custom: customOrigin(origin) },
                    querystring: visit.querystring, uri: visit.uri,
                },
            },
        }],
    };
}

function lambdaHeaders(headers) {
    const out = {};
    for (const [name, value] of headers) {
        (out[name] ??= []).push({ key: titled(name), value });
    }
    return out;
}

export function customOrigin(address) {
    const origin = new URL(address);
    const protocol = origin.protocol.slice(0, -1);
    return {
        customHeaders: {}, domainName: origin.hostname, keepaliveTimeout: KEEP_ALIVE_S, path: '', port: Number(origin.port) || (protocol === 'https' ? 443 : 80),
        protocol, readTimeout: RESPONSE_TIMEOUT_S, sslProtocols: ['TLSv1.2'],
    };
}

// The function's result, checked: an answer, or the visit that goes on and the origin that it goes to.
export function resultOf(result, visit, origin) {
    if (result === null || typeof result !== 'object') {
        throw invalid('an invalid result: neither a request nor a response');
    }
    return 'status' in result ? { answer: generated(result, visit.method) } : passed(result, visit, origin);
}

// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-generating-http-responses.html
function generated(response, method) {
    const status = Number(response.status);
    if (!Number.isInteger(status) || status < 200 || status > 599) {
        throw invalid(`an invalid status: ${response.status}`);
    }
    const encoding = response.bodyEncoding ?? 'text';
    const text = response.body ?? '';
    if (!['text', 'base64'].includes(encoding) || typeof text !== 'string' || (encoding === 'base64' && !/^[A-Za-z0-9+/]*={0,2}$/.test(text))) {
        throw invalid('a body that is not encoded as it says');
    }
    if (status === 204 && text !== '') {
        throw invalid('a body with status 204');
    }
    const headers = fromLambda(response.headers ?? {});
    for (const [name] of headers) {
        if (isDisallowed(name) || READ_ONLY.originRequest.includes(name)) {
            throw invalid(`the header ${name}, which it must not set`);
        }
    }
    const size = headers.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value) + 4, Buffer.byteLength(text));
    if (size > GENERATED_BYTES_MAX) {
        throw invalid(`a response of ${size} bytes, which is larger than the limit`);
    }
    const body = Buffer.from(text, encoding === 'base64' ? 'base64' : 'utf8');
    return { status, statusText: response.statusDescription, headers, body: method === 'HEAD' ? Buffer.alloc(0) : body, source: 'LambdaGeneratedResponse' };
}

function passed(request, visit, address) {
    const querystring = request.querystring ?? '';
    if (request.method !== visit.method) {
        throw invalid('another method');
    }
    if (typeof request.uri !== 'string' || !request.uri.startsWith('/') || request.uri.length + querystring.length >= FUNCTION_URI_BYTES_MAX || /[\s#]/.test(querystring)) {
        throw invalid('an address that cannot be sent');
    }
    const headers = fromLambda(request.headers ?? {});
    const read = (list, name) => JSON.stringify(list.filter(([known]) => known === name).map(([, value]) => value));
    for (const name of READ_ONLY.originRequest) {
        if (read(headers, name) !== read(visit.headers, name)) {
            throw invalid(`a change of the read-only header ${name}`);
        }
    }
    const bad = headers.find(([name]) => isDisallowed(name));
    if (bad) {
        throw invalid(`the header ${bad[0]}, which it must not set`);
    }
    const origin = request.origin?.custom ?? customOrigin(address);
    checkOrigin(origin);
    return { visit: { ...visit, uri: request.uri, querystring, headers }, origin };
}

function fromLambda(headers) {
    return Object.entries(headers).flatMap(([name, values]) => {
        if (!Array.isArray(values) || name !== name.toLowerCase() || values.some((one) => typeof one?.value !== 'string' || /[\r\n]/.test(one.value) || (one.key ?? name).toLowerCase() !== name)) {
            throw invalid(`an invalid entry in the headers object: ${name}`);
        }
        return values.map((one) => [name, one.value]);
    });
}

// The fields of a custom origin and their ranges: the event structure's page. CloudFront allows no IPv4 address as a name, and this
// allows nothing but this machine.
function checkOrigin({ domainName, port, protocol, path, readTimeout, keepaliveTimeout, sslProtocols }) {
    const isPort = port === 80 || port === 443 || (port >= 1024 && port <= 65_535);
    const isPath = path === '' || (/^\/.*[^/]$/.test(path) && path.length <= 255);
    const areTimes = readTimeout >= 1 && readTimeout <= 120 && keepaliveTimeout >= 1 && keepaliveTimeout <= 120;
    if (!['127.0.0.1', 'localhost'].includes(domainName) || !isPort || !['http', 'https'].includes(protocol) || !isPath || !areTimes || !Array.isArray(sslProtocols)) {
        throw invalid('an invalid origin');
    }
}

// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/http-502-bad-gateway.html: what fails validation.
function invalid(what) {
    return new Failure(502, `The Lambda function returned ${what}.`);
}
