// Runs the CloudFront Function for the viewer request: the event it gets, the engine it runs in, and what it may change.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-event-structure.html

import { readFileSync } from 'node:fs';
import vm from 'node:vm';
import { Failure } from './failure.mjs';
import { READ_ONLY, isDisallowed } from './headers.mjs';
import { FUNCTION_URI_BYTES_MAX, VIEWER_FUNCTION_BYTES_MAX, VIEWER_FUNCTION_MS_MAX } from './limits.mjs';

// Reads the function. What comes back takes a visit and yields the visit that goes on, or an answer.
export function viewerFunction(path) {
    const source = readFileSync(path);
    if (source.length > VIEWER_FUNCTION_BYTES_MAX) {
        throw new Error(`${path}: ${source.length} bytes; a CloudFront Function has at most ${VIEWER_FUNCTION_BYTES_MAX}`);
    }
    // Nothing of Node is in here, and code cannot be made from text, as in CloudFront's runtime.
    const context = vm.createContext(Object.create(null), { codeGeneration: { strings: false, wasm: false } });
    new vm.Script(source.toString(), { filename: path }).runInContext(context, { timeout: VIEWER_FUNCTION_MS_MAX });
    const call = new vm.Script('JSON.stringify(handler(JSON.parse(input)))');
    return (visit) => {
        const event = viewerEvent(visit);
        context.input = JSON.stringify(event);
        let result;
        try {
            result = JSON.parse(call.runInContext(context, { timeout: VIEWER_FUNCTION_MS_MAX }));
        } catch (error) {
            console.error('the viewer function failed:', error);
            throw new Failure(503, 'The CloudFront function associated with the CloudFront distribution is invalid or could not run.');
        }
        return result && 'statusCode' in result ? { answer: ofFunction(result) } : { visit: changed(visit, event.request, result) };
    };
}

function viewerEvent(visit) {
    return {
        version: '1.0',
        context: { distributionDomainName: visit.distribution, distributionId: 'ESTANDIN', eventType: 'viewer-request', requestId: visit.id },
        viewer: { ip: visit.ip },
        request: {
            method: visit.method,
            uri: visit.uri,
            querystring: collapsed(parameters(visit.querystring)),
            headers: collapsed(visit.headers.filter(([name]) => name !== 'cookie')),
            cookies: collapsed(cookies(visit.headers)),
        },
    };
}

function parameters(querystring) {
    return querystring.split('&').filter((part) => part !== '').map((part) => halves(part));
}

function cookies(headers) {
    const texts = headers.filter(([name]) => name === 'cookie').flatMap(([, text]) => text.split(';'));
    return texts.map((text) => text.trim()).filter((text) => text !== '').map((text) => halves(text));
}

function halves(text) {
    const at = text.indexOf('=');
    return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

// One field a name; those that come several times have all their values in `multiValue`.
function collapsed(pairs) {
    const fields = Object.create(null);
    for (const [name, value] of pairs) {
        const known = fields[name];
        if (known) {
            (known.multiValue ??= [{ value: known.value }]).push({ value });
        } else {
            fields[name] = { value };
        }
    }
    return fields;
}

function expanded(fields) {
    return Object.entries(fields).flatMap(([name, { value, multiValue }]) => (multiValue ?? [{ value }]).map((one) => [name, String(one.value)]));
}

// The visit as the function left it. Query and cookies go on as they came unless it changed them
// (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html#function-restrictions-encoding).
function changed(visit, before, after) {
    check(before, after);
    const isSame = (part) => JSON.stringify(before[part]) === JSON.stringify(after[part]);
    const querystring = isSame('querystring') ? visit.querystring : expanded(after.querystring).map(([name, value]) => `${name}=${value}`).join('&');
    const cookie = expanded(after.cookies).map(([name, value]) => `${name}=${value}`).join('; ');
    const cookieHeaders = isSame('cookies') ? visit.headers.filter(([name]) => name === 'cookie') : cookie === '' ? [] : [['cookie', cookie]];
    if (after.uri.length + querystring.length >= FUNCTION_URI_BYTES_MAX || /[\s#]/.test(querystring)) {
        throw invalid('an address that is too long or cannot be sent');
    }
    return { ...visit, uri: after.uri, querystring, headers: [...expanded(after.headers), ...cookieHeaders] };
}

function check(before, after) {
    if (!after || typeof after.uri !== 'string' || !after.uri.startsWith('/') || !after.headers || !after.cookies || !after.querystring) {
        throw invalid('neither a request nor a response');
    }
    if (after.method !== before.method) {
        throw invalid('another method');
    }
    for (const name of READ_ONLY.viewerRequest) {
        if (JSON.stringify(before.headers[name]) !== JSON.stringify(after.headers[name])) {
            throw invalid(`a change of the read-only header ${name}`);
        }
    }
    const bad = Object.keys(after.headers).find((name) => isDisallowed(name) || name !== name.toLowerCase());
    if (bad) {
        throw invalid(`the header ${bad}, which it must not set`);
    }
}

function invalid(what) {
    return new Failure(502, `The CloudFront function returned ${what}.`);
}

function ofFunction({ statusCode, statusDescription, headers = {}, body }) {
    const text = typeof body === 'string' ? { data: body, encoding: 'text' } : body ?? { data: '', encoding: 'text' };
    return {
        status: statusCode, statusText: statusDescription, headers: expanded(headers),
        body: Buffer.from(text.data, text.encoding === 'base64' ? 'base64' : 'utf8'), source: 'FunctionGeneratedResponse',
    };
}
