// The Lambda@Edge handler by itself, beside a pretended Wasm module and real origins.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { pathToFileURL } from 'node:url';
import zlib from 'node:zlib';
import { bundle, nobody, origin } from './stage.mjs';

const PAGE = '() => ({ status: 200, headers: [["Content-Type", "text/html"], ["x-template", "hit"], ["x-template", "again"]], body: "<p>hello" })';

async function handlerOf(t, { origins = ['http://127.0.0.1:1'], near, answer = PAGE, withoutOrigin } = {}) {
    const { handler } = await import(pathToFileURL(bundle(t, { origins, near, answer, withoutOrigin })).href);
    return handler;
}

function event({ method = 'GET', uri = '/en-us', querystring = '', headers = {}, origin: address = 'https://eu.example' } = {}) {
    const { hostname, port, protocol } = new URL(address);
    const custom = {
        customHeaders: { 'x-secret': [{ key: 'X-Secret', value: 's' }] }, domainName: hostname, keepaliveTimeout: 5, path: '', port: Number(port) || 443,
        protocol: protocol.slice(0, -1), readTimeout: 30, sslProtocols: ['TLSv1.2'],
    };
    const lambda = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [{ key: name, value }]]));
    return { Records: [{ cf: { config: { eventType: 'origin-request' }, request: { clientIp: '192.0.2.1', method, uri, querystring, headers: lambda, origin: { custom } } } }] };
}

const passes = (result, sent) => assert.equal(result, sent.Records[0].cf.request);

it('a page from the edge takes the shape that CloudFront wants', async (t) => {
    const handler = await handlerOf(t);
    assert.deepEqual(await handler(event()), {
        status: '200', statusDescription: 'OK', body: '<p>hello', bodyEncoding: 'text',
        headers: { 'content-type': [{ key: 'Content-Type', value: 'text/html' }], 'x-template': [{ key: 'x-template', value: 'hit' }, { key: 'x-template', value: 'again' }] },
    });
});

it('the edge is told method, path, query and every header', async (t) => {
    const handler = await handlerOf(t, { answer: '(...all) => ({ status: 200, headers: [], body: JSON.stringify(all) })' });
    const { body } = await handler(event({ uri: '/de-de/c/licht', querystring: 'page=2&page=3', headers: { cookie: 'cart_count=3', 'cloudfront-viewer-country': 'DE' } }));
    assert.deepEqual(JSON.parse(body), ['GET', '/de-de/c/licht', 'page=2&page=3', [['cookie', 'cart_count=3'], ['cloudfront-viewer-country', 'DE']]]);
});

it('only GET and HEAD of what may be a page ask the edge', async (t) => {
    const handler = await handlerOf(t, { answer: '() => { throw new Error("asked") }' });
    const quiet = t.mock.method(console, 'error', () => {});
    for (const uri of ['/assets/a.js', '/media/a.jpg', '/locale/de-de', '/ops', '/sitemap.xml', '/robots.txt', '/webhooks/stripe', '/readyz', '/en-usa', '/english']) {
        const sent = event({ uri });
        passes(await handler(sent), sent);
    }
    const options = event({ method: 'OPTIONS' });
    passes(await handler(options), options);
    assert.equal(quiet.mock.callCount(), 0);
    for (const uri of ['/', '/en-us', '/en-us/', '/ko-kr/p/lamp', '/en-xa/all']) {
        const sent = event({ uri });
        passes(await handler(sent), sent);
    }
    assert.equal(quiet.mock.callCount(), 5);
});

it('what the edge leaves to the origin passes unchanged, and so does what it fails at', async (t) => {
    for (const answer of ['() => undefined', 'async () => { throw new Error("no table") }']) {
        t.mock.method(console, 'error', () => {});
        const handler = await handlerOf(t, { answer });
        const sent = event();
        const before = structuredClone(sent.Records[0].cf.request);
        passes(await handler(sent), sent);
        assert.deepEqual(sent.Records[0].cf.request, before);
    }
});

it('an edge that does not come to an end is not waited for', async (t) => {
    t.mock.method(console, 'error', () => {});
    const handler = await handlerOf(t, { answer: '() => new Promise(() => {})' });
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const sent = event();
    const result = handler(sent);
    await Promise.resolve();
    t.mock.timers.tick(5_000);
    passes(await result, sent);
});

it('a page that is too large for CloudFront comes from the origin', async (t) => {
    const handler = await handlerOf(t, { answer: '(method, path) => ({ status: 200, headers: [["x", "y"]], body: "é".repeat(Number(path.slice(7))) })' });
    const fits = await handler(event({ uri: '/en-us/499900' }));
    assert.equal(fits.status, '200');
    const sent = event({ uri: '/en-us/500000' });
    passes(await handler(sent), sent);
});

it('headers that would make CloudFront refuse the page are left out', async (t) => {
    const names = ['Connection', 'Transfer-Encoding', 'Content-Length', 'Via', 'X-Cache', 'X-Edge-Id', 'X-Amz-Cf-Id', 'X-Accel-Buffering', 'X-Amzn-RequestId', 'Keep-Alive', 'X-Real-IP'];
    const handler = await handlerOf(t, { answer: `() => ({ status: 200, headers: ${JSON.stringify([...names, 'ETag', 'x-amz-meta'].map((name) => [name, 'x']))}, body: "" })` });
    assert.deepEqual(Object.keys((await handler(event())).headers), ['etag', 'x-amz-meta']);
});

it('a page is compressed for whoever takes it, and says that it varies', async (t) => {
    const text = '<p>lamp</p>'.repeat(500);
    const handler = await handlerOf(t, { answer: `() => ({ status: 200, headers: [["vary", "cookie"]], body: ${JSON.stringify(text)} })` });
    const decoders = { br: zlib.brotliDecompressSync, gzip: zlib.gunzipSync };
    for (const [accepted, encoding] of [['gzip, deflate, br', 'br'], ['gzip;q=1.0', 'gzip'], ['br;q=0, gzip', 'gzip']]) {
        const response = await handler(event({ headers: { 'accept-encoding': accepted } }));
        assert.equal(response.headers['content-encoding'][0].value, encoding);
        assert.equal(decoders[encoding](Buffer.from(response.body, 'base64')).toString(), text);
        assert.deepEqual(response.headers.vary.map(({ value }) => value), ['cookie', 'accept-encoding']);
    }
    const plain = await handler(event());
    assert.equal(plain.body, text);
    assert.equal(plain.headers.vary.length, 2);
});

it('HEAD has the headers of a page and no body', async (t) => {
    const handler = await handlerOf(t);
    const response = await handler(event({ method: 'HEAD' }));
    assert.equal(response.status, '200');
    assert.equal(response.body, undefined);
});

it('the edge is configured once, and again when the credentials changed', async (t) => {
    const before = { ...process.env };
    t.after(() => { process.env = before; });
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' });
    delete process.env.AWS_SESSION_TOKEN;
    const handler = await handlerOf(t);
    await handler(event());
    await handler(event());
    process.env.AWS_SESSION_TOKEN = 'c';
    await handler(event());
    const told = globalThis.configured;
    assert.deepEqual(told.map(({ credentials }) => credentials), [
        { access_key_id: 'a', secret_access_key: 'b', session_token: null },
        { access_key_id: 'a', secret_access_key: 'b', session_token: 'c' },
    ]);
    assert.equal(told[0].table.name, 'shop');
});

it('a form goes to the first origin that is ready, which is remembered for two seconds', async (t) => {
    const [down, first, second] = [await nobody(), await origin(t), await origin(t)];
    const handler = await handlerOf(t, { origins: [down, first.url, second.url] });
    const post = async () => (await handler(event({ method: 'POST', uri: '/en-us/cart/lines', headers: { host: 'eu.example' } }))).origin.custom.port;
    const port = (address) => Number(new URL(address).port);
    assert.equal(await post(), port(first.url));
    assert.equal(await post(), port(first.url));
    assert.equal(first.seen.length, 1);
    first.server.isReady = false;
    let now = performance.now();
    t.mock.method(performance, 'now', () => now);
    now += 1_900;
    assert.equal(await post(), port(first.url));
    now += 200;
    assert.equal(await post(), port(second.url));
    second.server.isReady = false;
    now += 2_100;
    assert.equal(await post(), port(first.url), 'one that lives, if none is ready: it says what it cannot take');
    [first, second].forEach(({ server }) => { server.isAlive = false; });
    now += 2_100;
    assert.equal(await post(), port(down), 'the first of all if none lives, and nothing can be said');
});

it('what is told for the region that the function runs in comes before what is told for all', async (t) => {
    const [eu, us] = [await origin(t), await origin(t)];
    const near = { 'us-east-1': { region: 'us-east-1', origins: [us.url, eu.url] } };
    const region = process.env.AWS_REGION;
    t.after(() => (region === undefined ? delete process.env.AWS_REGION : (process.env.AWS_REGION = region)));
    for (const [runs, first, table] of [['us-east-1', us, 'us-east-1'], ['eu-west-3', eu, 'eu-central-1'], ['constructor', eu, 'eu-central-1']]) {
        process.env.AWS_REGION = runs;
        const handler = await handlerOf(t, { origins: [eu.url, us.url], near });
        assert.equal((await handler(event({ method: 'POST' }))).origin.custom.port, Number(new URL(first.url).port), runs);
        await handler(event());
        const told = globalThis.configured.at(-1);
        assert.equal(told.table.region, table, runs);
        assert.deepEqual([told.origins[0], told.near], [first.url, undefined], runs);
    }
    // CloudFront asks the group's first origin first, wherever that is: it is not the last hope because it is far.
    process.env.AWS_REGION = 'us-east-1';
    const gone = await nobody();
    const words = '() => ({ status: 503, headers: [], body: "your cart is kept" })';
    const handler = await handlerOf(t, { origins: [gone, us.url], near: { 'us-east-1': { region: 'us-east-1', origins: [us.url, gone] } }, answer: '() => undefined', withoutOrigin: words });
    const cart = event({ uri: '/en-us/cart', origin: gone });
    passes(await handler(cart), cart);
});

it('a form that no origin can take is answered in words, a webhook is not', async (t) => {
    const down = await nobody();
    const withoutOrigin = '(method, path) => ({ status: 503, headers: [["retry-after", "30"]], body: `${method} ${path}: your cart is kept` })';
    const handler = await handlerOf(t, { origins: [down, await nobody()], withoutOrigin });
    const told = await handler(event({ method: 'POST', uri: '/de-de/checkout' }));
    assert.equal(told.status, '503');
    assert.equal(told.body, 'POST /de-de/checkout: your cart is kept');
    assert.equal(told.headers['retry-after'][0].value, '30');
    const webhook = await handler(event({ method: 'POST', uri: '/webhooks/payments' }));
    assert.equal(webhook.origin.custom.port, Number(new URL(down).port));
});

it('what is read is answered in words once the second origin failed to be ready, too', async (t) => {
    const [first, second] = [await origin(t), await origin(t)];
    const withoutOrigin = '() => ({ status: 503, headers: [], body: "your cart is kept" })';
    const handler = await handlerOf(t, { origins: [first.url, second.url], answer: '() => undefined', withoutOrigin });
    const cart = (address) => event({ uri: '/en-us/cart', origin: address });
    const at = async (address) => {
        const sent = cart(address);
        const result = await handler(sent);
        return result === sent.Records[0].cf.request ? 'passes' : result.status;
    };
    let now = performance.now();
    t.mock.method(performance, 'now', () => now);
    second.server.isReady = false;
    assert.equal(await at(second.url), 'passes', 'it lives');
    second.server.isAlive = false;
    now += 2_100;
    second.seen.length = 0;
    assert.equal(await at(first.url), 'passes');
    assert.equal(second.seen.length + first.seen.length, 0, 'nothing is asked while the first one answers');
    assert.equal(await at(second.url), '503');
    second.server.isReady = true;
    now += 2_100;
    assert.equal(await at(second.url), 'passes');
});

it('a page of an only origin that is gone is answered in words', async (t) => {
    const gone = await nobody();
    const withoutOrigin = '() => ({ status: 503, headers: [], body: "your cart is kept" })';
    const handler = await handlerOf(t, { origins: [gone], answer: '() => undefined', withoutOrigin });
    assert.equal((await handler(event({ uri: '/en-us/cart', origin: gone }))).status, '503');
    const file = event({ uri: '/assets/shop.js', origin: gone });
    passes(await handler(file), file);
});

it('a form keeps what the distribution says about its origin, and names the origin as before', async (t) => {
    const shop = await origin(t);
    const handler = await handlerOf(t, { origins: [shop.url] });
    const named = await handler(event({ method: 'POST', headers: { host: 'eu.example' } }));
    const { host, port, hostname } = new URL(shop.url);
    assert.deepEqual(named.origin.custom, {
        customHeaders: { 'x-secret': [{ key: 'X-Secret', value: 's' }] }, domainName: hostname, keepaliveTimeout: 5, path: '', port: Number(port), protocol: 'http',
        readTimeout: 30, sslProtocols: ['TLSv1.2'],
    });
    assert.equal(named.headers.host[0].value, host);
    const visitors = await handler(event({ method: 'POST', headers: { host: 'shop.example' } }));
    assert.equal(visitors.headers.host[0].value, 'shop.example');
});

it('an origin that does not say within a second whether it is ready is not', async (t) => {
    const [slow, quick] = [await origin(t), await origin(t)];
    slow.server.removeAllListeners('request');
    slow.server.on('request', () => {});
    const handler = await handlerOf(t, { origins: [slow.url, quick.url] });
    const started = performance.now();
    const { origin: { custom } } = await handler(event({ method: 'POST' }));
    assert.equal(custom.port, Number(new URL(quick.url).port));
    assert.ok(performance.now() - started < 5_000);
});

it('the Workers script drops what the edge drops when it passes without Wasm', () => {
    const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
    const [, rust] = /pub const DROPPED[^[]*\[([^\]]*)\]/.exec(read('core/src/pass.rs').replace(/&\[&str\]/, ''));
    const [, country] = /pub const COUNTRY: &str = "([^"]*)"/.exec(read('core/src/pass.rs'));
    const [, script] = /const DROPPED = \[([^\]]*)\]/.exec(read('workers/worker.mjs'));
    const names = (text) => text.replace('COUNTRY', `"${country}"`).match(/"[^"]+"/g);
    assert.deepEqual(names(script), names(rust));
});
