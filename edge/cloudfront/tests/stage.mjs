// What the stories need around them: origins, the handler beside a pretended Wasm module, and the stand-in as a process of its own.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = (path) => fileURLToPath(new URL(path, import.meta.url));
// Two busy cores may take a while to start a process.
const START_MS_MAX = 20_000;

// An origin on a port of its own. `answer` is an ordinary handler of Node's; what came is remembered.
export async function origin(t, answer = (request, response) => response.end('from the origin')) {
    const seen = [];
    const server = http.createServer((request, response) => {
        seen.push({ method: request.method, url: request.url, headers: request.headers });
        if (request.url === '/readyz') {
            response.writeHead(server.isReady ? 200 : 503).end();
        } else if (request.url === '/healthz') {
            response.writeHead(server.isAlive ? 200 : 503).end();
        } else {
            answer(request, response);
        }
    });
    server.isReady = true;
    server.isAlive = true;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => close(server));
    return { url: `http://127.0.0.1:${server.address().port}`, seen, pages: () => seen.filter(({ url }) => !['/readyz', '/healthz'].includes(url)), server };
}

async function close(server) {
    server.closeAllConnections();
    server.close();
    await once(server, 'close').catch(() => {});
}

// An address where nobody listens.
export async function nobody() {
    const server = http.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${server.address().port}`;
    server.close();
    await once(server, 'close');
    return url;
}

// A folder that goes with the test, with files by name.
export function folder(t, files) {
    const path = mkdtempSync(join(tmpdir(), 'cloudfront-'));
    t.after(() => rmSync(path, { recursive: true, force: true }));
    for (const [name, text] of Object.entries(files)) {
        writeFileSync(join(path, name), text);
    }
    return path;
}

// handler.mjs beside an `edge.js` whose `answer` and `withoutOrigin` are the given texts of functions, as a bundle would have it. What `configure` was told
// is in `globalThis.configured`.
export function bundle(t, { origins, near, answer, withoutOrigin = '() => undefined' }) {
    const config = { origins, near, url: 'http://127.0.0.1', table: { name: 'shop', region: 'eu-central-1', endpoint: null }, assets: {} };
    const path = folder(t, {
        'package.json': '{"type": "module"}',
        'config.json': JSON.stringify(config),
        'edge.js': `globalThis.configured = [];
            export const configure = (json) => globalThis.configured.push(JSON.parse(json));
            export const answer = ${answer};
            export const withoutOrigin = ${withoutOrigin};`,
    });
    copyFileSync(HERE('../handler.mjs'), join(path, 'handler.mjs'));
    return join(path, 'handler.mjs');
}

// The stand-in as a process; it ends with the test.
export async function standIn(t, { origins, handler, more = [] }) {
    const process_ = spawn(process.execPath, [
        HERE('../stand-in.mjs'), '--listen', '127.0.0.1:0', '--origins', origins.join(','), '--viewer', HERE('../cloudfront-function.js'), '--handler', handler, ...more,
    ], { stdio: ['ignore', 'pipe', 'pipe'] });
    let log = '';
    process_.stderr.on('data', (chunk) => { log += chunk; });
    const exited = once(process_, 'exit');
    const end = async () => {
        process_.kill('SIGTERM');
        const [code] = await exited;
        return code;
    };
    t.after(end);
    const started = once(process_.stdout, 'data', { signal: AbortSignal.timeout(START_MS_MAX) });
    const [line] = await Promise.race([started, exited.then(() => { throw new Error(`the stand-in ended: ${log}`); })]);
    const url = /^stand-in listening on (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(String(line))?.[1];
    return { url, end, log: () => log };
}

// A request with every header as given; resolves with the whole answer.
export async function ask(url, { method = 'GET', headers = {}, body, path } = {}) {
    const target = new URL(url);
    const request = http.request({
        host: target.hostname, port: target.port, path: path ?? target.pathname + target.search, method, agent: false,
        headers: body === undefined ? headers : { 'content-length': Buffer.byteLength(body), ...headers },
    });
    request.end(body);
    const [response] = await once(request, 'response');
    const chunks = await response.toArray();
    return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks), text: Buffer.concat(chunks).toString() };
}
