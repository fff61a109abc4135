// Asking an origin: attempts, timeouts, and the origin group that takes the second origin when the first one fails. Bodies are never
// held here: they flow from one connection to the other.

import http from 'node:http';
import { Failure } from './failure.mjs';
import { bytes, ofResponse, toNode } from './headers.mjs';
import { FAIL_OVER_METHODS, FAIL_OVER_STATUSES, KEEP_ALIVE_S, RESPONSE_HEAD_BYTES_MAX } from './limits.mjs';

// Only heads are read into memory, and a little more than is allowed, so that it can be said what was wrong.
const PARSED_HEAD_BYTES_MAX = 4 * RESPONSE_HEAD_BYTES_MAX;

const kept = new http.Agent({ keepAlive: true, timeout: KEEP_ALIVE_S * 1_000 });
// For bodies, which cannot be sent twice: a kept connection may be closed by its other end just now.
const fresh = new http.Agent({ keepAlive: false });

export function closeConnections() {
    kept.destroy();
    fresh.destroy();
}

// Runs `tryOne` for the first origin and, if that fails or answers badly, for the second one.
export async function throughGroup(method, origins, tryOne) {
    const [first, second] = origins;
    const mayFailOver = second !== undefined && FAIL_OVER_METHODS.includes(method);
    try {
        const answer = await tryOne(first);
        if (!mayFailOver || !answer.stream || !FAIL_OVER_STATUSES.includes(answer.status)) {
            return answer;
        }
        answer.stream.destroy();
    } catch (error) {
        if (!mayFailOver || !error.isOrigins) {
            throw error;
        }
    }
    return tryOne(second);
}

// Sends a visit to an origin. Connecting is tried again for every method, waiting for an answer only for GET and HEAD:
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorCustomOrigin.html#request-custom-request-timeout
export async function ask(visit, origin, times) {
    const mayWaitAgain = ['GET', 'HEAD'].includes(visit.method);
    for (let attempt = 1; ; attempt += 1) {
        const progress = { isSent: false };
        try {
            return await askOnce(visit, origin, times, progress);
        } catch (error) {
            if (attempt >= times.attempts || (progress.isSent && !mayWaitAgain) || !error.isOrigins) {
                throw error;
            }
        }
    }
}

function askOnce(visit, origin, times, progress) {
    const { promise, resolve, reject } = withResolvers();
    const { body } = visit;
    const outgoing = http.request({
        agent: body ? fresh : kept, host: origin.domainName, port: origin.port, method: visit.method, headers: toNode(visit.headers),
        path: escaped(origin.path + visit.uri + (visit.querystring && `?${visit.querystring}`)), maxHeaderSize: PARSED_HEAD_BYTES_MAX, setHost: false,
    });
    const connecting = setTimeout(() => {
        outgoing.destroy(new Failure(504, "CloudFront wasn't able to connect to the origin in time.", { isOrigins: true }));
    }, times.connectionMs);
    const send = () => {
        clearTimeout(connecting);
        progress.isSent = true;
        // Until the answer begins, and again from packet to packet.
        outgoing.setTimeout(times.responseMs, () => {
            outgoing.destroy(new Failure(504, "CloudFront wasn't able to get an answer from the origin in time.", { isOrigins: true }));
        });
        if (body) {
            body.pipe(outgoing);
            body.once('close', () => body.complete || outgoing.destroy());
        } else {
            outgoing.end();
        }
    };
    outgoing.once('socket', (socket) => (socket.connecting ? socket.once('connect', send) : send()));
    outgoing.once('response', (incoming) => {
        if (bytes(incoming.rawHeaders) > RESPONSE_HEAD_BYTES_MAX) {
            outgoing.destroy();
            reject(new Failure(502, 'The headers of the origin are larger than the limit.', { isOrigins: true }));
            return;
        }
        resolve({ status: incoming.statusCode, statusText: incoming.statusMessage, headers: ofResponse(incoming.rawHeaders), stream: incoming });
    });
    outgoing.on('error', (error) => {
        clearTimeout(connecting);
        body?.unpipe(outgoing);
        reject(error instanceof Failure ? error : new Failure(502, "CloudFront wasn't able to connect to the origin.", { isOrigins: true }));
    });
    return promise;
}

// Characters beyond ASCII arrive as such from few programs; Node sends none, so they are escaped.
function escaped(path) {
    return path.replace(/[^\x21-\x7e]/gu, encodeURIComponent);
}

function withResolvers() {
    const out = {};
    out.promise = new Promise((resolve, reject) => Object.assign(out, { resolve, reject }));
    return out;
}
