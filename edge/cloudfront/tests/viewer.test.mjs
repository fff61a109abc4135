// What the CloudFront Function lets past, drops and refuses, in njs (the engine that CloudFront's runtime grew from) and in V8.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import vm from 'node:vm';

const SOURCE = readFileSync(new URL('../cloudfront-function.js', import.meta.url), 'utf8');
// What is uploaded, where it was built.
const SHIPPED = process.env.CDN_BUNDLE && readFileSync(join(process.env.CDN_BUNDLE, 'cloudfront-function.js'), 'utf8');
const FUNCTION_BYTES_MAX = 10_240;

function event({ method = 'GET', uri = '/en-us', querystring = {}, headers = {}, cookies = {} }) {
    return { version: '1.0', context: { eventType: 'viewer-request' }, viewer: { ip: '192.0.2.1' }, request: { method, uri, querystring, headers, cookies } };
}

const engines = {
    njs(source, events) {
        const folder = mkdtempSync(join(tmpdir(), 'viewer-'));
        try {
            // Escaped, so that the file's own encoding plays no part.
            const json = JSON.stringify(JSON.stringify(events)).replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
            writeFileSync(join(folder, 'run.js'), `${source}
                var out = JSON.stringify(JSON.parse(${json}).map(function (event) { return handler(event); }));
                // njs prints no more than 2,048 bytes in one go.
                for (var at = 0; at < out.length; at += 500) { console.log(out.slice(at, at + 500)); }\n`);
            return JSON.parse(execFileSync('njs', [join(folder, 'run.js')], { encoding: 'utf8' }).replaceAll('\n', ''));
        } catch (error) {
            throw error.code === 'ENOENT' ? new Error('njs is not on the PATH: install the package njs', { cause: error }) : error;
        } finally {
            rmSync(folder, { recursive: true });
        }
    },
    V8(source, events) {
        const context = vm.createContext({ events: JSON.stringify(events) });
        return JSON.parse(vm.runInContext(`${source}\nJSON.stringify(JSON.parse(events).map(handler))`, context));
    },
};

const field = (value) => ({ value });
const repeated = (...values) => ({ value: values[0], multiValue: values.map(field) });

const functions = [['the viewer function', SOURCE], ...SHIPPED ? [['the viewer function as it is shipped', SHIPPED]] : []];
for (const [name, source, engine, runIn] of functions.flatMap((one) => Object.entries(engines).map((engine) => [...one, ...engine]))) {
    describe(`${name} in ${engine}`, () => {
        const run = (events) => runIn(source, events);
        const one = (request) => run([event(request)])[0];
        const all = (requests) => run(requests.map(event));

        it('passes what a shop is asked for as it came', () => {
            const requests = [
                { uri: '/' },
                { uri: '/en-us/p/lamp', querystring: { colour: field('red'), size: field('xl') } },
                { uri: '/ja-jp/c/%E7%85%A7%E6%98%8E' },
                { uri: '/ja-jp/c/照明' },
                { uri: '/media/a%20picture%2050%25.jpg' },
                { uri: '/en-us/search', querystring: { q: field('a%2Fb+..%5C%0A'), sort: repeated('newest', 'price'), colour: repeated('red', 'blue') } },
                { uri: '/en-us/search', querystring: { q: field('caf%E9'), utm_source: field('%ff') } },
                { method: 'POST', uri: '/en-us/cart/lines', headers: { host: field('shop.example'), origin: field('https://shop.example'), 'content-length': field('12') } },
                { uri: '/webhooks/stripe', method: 'POST', headers: { 'stripe-signature': field('t=1'), 'idempotency-key': field('a') } },
                { cookies: { cart: field('abc'), analytics: field('x') }, headers: { cookie2: field('x'), 'accept-language': field('de') } },
            ];
            for (const [at, result] of all(requests).entries()) {
                assert.deepEqual(result, event(requests[at]).request);
            }
        });

        it('refuses paths that some programs read otherwise than others', () => {
            const paths = [
                '/en-us/../ops', '/en-us/./p', '/..', '/en-us/%2e%2e/ops', '/en-us/%2E./ops', '/en-us/.%2e', '/%252e%252e/ops',
                '/en-us%2Fp', '/en-us%2fp', '/en-us%252fp', '/en-us%25252Fp', '/en-us%5Cp', '/en-us\\p', '/en-us/%255cp',
                '/en-us/%00', '/en-us/p%0d%0aset-cookie:x', '/en-us/%7f', '/en-us/%2500', '/en-us/p\u0001',
                '/en-us/%ff', '/en-us/%c3', '/en-us/%c0%ae', '/en-us/%ed%a0%80', '/en-us/%zz', '/en-us/%',
                '/\ue000', '/\ue001', '/\ue002', '/%EE%80%80', '/%ee%80%81', '/%Ee%80%82', '/%25EE%2580%2580', '/%2525ee%252580%252581',
            ];
            for (const [at, result] of all(paths.map((uri) => ({ uri }))).entries()) {
                assert.equal(result.statusCode, 400, paths[at]);
                assert.equal(result.headers['cache-control'].value, 'no-store');
            }
        });

        it('refuses the marks of holes and zero bytes in a query, under any name and behind any repetition', () => {
            const mark = '%EE%80%80price%EE%80%81';
            const queries = [{ q: field(mark) }, { q: field('\ue000') }, { [mark]: field('') }, { q: repeated('a', 'b', mark) }, { q: field('%25ee%2580%2582') }, { q: field('a%00') }, { q: field('a\u0000') }];
            for (const [at, result] of all(queries.map((querystring) => ({ querystring }))).entries()) {
                assert.equal(result.statusCode, 400, JSON.stringify(queries[at]));
            }
            assert.equal(one({ uri: '/%EE%80%83' }).uri, '/%EE%80%83', "the characters beside them are nobody's marks");
        });

        it('drops what only a proxy or this edge may say', () => {
            const bad = [
                'x-edge-locale', 'x-template', 'x-store', 'x-forwarded-host', 'x-forwarded-for', 'x-forwarded-port', 'x-forwarded-prefix', 'x-forwarded-server', 'forwarded',
                'x-original-url', 'x-original-host', 'x-rewrite-url', 'x-amz-security-token', 'x-amzn-trace-id', 'x-host', 'x-http-method-override', 'x-http-method',
                'x-method-override', 'cf-connecting-ip', 'cf-ipcountry', 'true-client-ip', 'x-client-ip', 'cloudfront-viewer-address', 'cloudfront-is-mobile-viewer', 'proxy',
            ];
            const good = ['host', 'via', 'accept', 'accept-encoding', 'accept-language', 'origin', 'sec-fetch-site', 'range', 'if-none-match', 'user-agent', 'save-data', 'cloudfront-viewer-country'];
            const headers = Object.fromEntries([...bad, ...good].map((name) => [name, field('x')]));
            assert.deepEqual(Object.keys(one({ headers }).headers).sort(), [...good].sort());
        });

        it("keeps the shop's own cookies when all together are too many", () => {
            const cookies = { analytics: field('x'.repeat(5_000)), cart: repeated('mine', "another path's"), cart_count: field('3'), locale: field('de-de'), order_pass: field('p'), staff: field('s') };
            assert.deepEqual(one({ cookies }).cookies, { cart: field('mine'), cart_count: field('3'), locale: field('de-de'), order_pass: field('p'), staff: field('s') });
            const few = { analytics: field('x'.repeat(4_000)), cart: field('mine') };
            assert.deepEqual(one({ cookies: few }).cookies, few);
        });

        it('refuses cookies that are too large even so', () => {
            const result = one({ cookies: { cart: field('x'.repeat(4_100)) } });
            assert.equal(result.statusCode, 431);
            assert.match(result.body.data, /Delete the cookies/);
        });
    });
}

describe("the viewer function's source", () => {
    it('is small enough for CloudFront', () => {
        assert.ok(Buffer.byteLength(SOURCE) <= FUNCTION_BYTES_MAX);
    });

    it('has nothing that the runtime does not know', () => {
        const code = SOURCE.replace(/\/\/.*$/gm, '').replace(/'(?:[^'\\\n]|\\.)*'/g, "''").replace(/= \/.*\/i?;$/gm, '= REGEX;');
        const forbidden = {
            destructuring: /\b(?:var|let|const)\s*[[{]|\(\s*[{[][^()]*[}\]]\s*\)\s*(?:=>|\{)/,
            spread: /\.\.\./,
            'for-of': /\bfor\s*\([^;)]*\bof\b/,
            classes: /\bclass\b/,
            'optional chaining': /\?\.(?!\d)|\?\?/,
            'default parameters': /\bfunction\b[^(]*\([^)]*=/,
            modules: /\b(?:import|export|require)\b/,
            'code from text': /\beval\b|\bnew Function\b/,
        };
        for (const [what, pattern] of Object.entries(forbidden)) {
            assert.doesNotMatch(code, pattern, what);
        }
    });

    it('names the cookies that the shop sets', () => {
        const sources = ['server/src/users/carts.rs', 'server/src/http/cart.rs', 'server/src/http/link.rs', 'server/src/http/ops/mod.rs', 'edge/core/src/visitor.rs'];
        const set = sources.flatMap((path) => {
            const text = readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
            return [...text.matchAll(/const [A-Z_]*COOKIE: &str = "(\w+)"/g)].map(([, name]) => name);
        });
        const [, needed] = /COOKIES_NEEDED = \[(.*)\]/.exec(SOURCE);
        assert.deepEqual(needed.match(/\w+/g).sort(), [...new Set(set)].sort());
    });
});
