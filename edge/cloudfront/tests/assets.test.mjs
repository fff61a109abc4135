// Files through the stand-in: what is kept, for whom, and in which pieces.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { join } from 'node:path';
import zlib from 'node:zlib';
import { ask, folder, origin, standIn } from './stage.mjs';

const TEXT = 'let lamp = 1;'.repeat(100);

// An origin whose script has two compressed variants, as the shop's built files do.
function files(control = 'public, max-age=31536000, immutable') {
    return (request, response) => {
        const encoding = ['br', 'gzip'].find((name) => (request.headers['accept-encoding'] ?? '').includes(name));
        response.setHeader('cache-control', control).setHeader('etag', '"v1"').setHeader('vary', 'accept-encoding');
        if (request.headers['if-none-match'] === '"v1"') {
            response.writeHead(304).end();
            return;
        }
        const body = encoding === 'br' ? zlib.brotliCompressSync(TEXT) : encoding === 'gzip' ? zlib.gzipSync(TEXT) : Buffer.from(TEXT);
        if (encoding) {
            response.setHeader('content-encoding', encoding);
        }
        const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
        if (from) {
            response.writeHead(206, { 'content-range': `bytes ${from}-${to}/${body.length}` }).end(body.subarray(Number(from), Number(to) + 1));
        } else {
            response.end(body);
        }
    };
}

async function cdnOver(t, shops, more = []) {
    const handler = join(folder(t, { 'index.mjs': 'export const handler = async () => ({ status: "500", body: "the handler ran" });' }), 'index.mjs');
    const { url } = await standIn(t, { origins: shops.map((shop) => shop.url), handler, more });
    return (path, headers = {}, method = 'GET') => ask(url + path, { headers, method });
}

it('a file is kept by its path alone, without running the handler', async (t) => {
    const shop = await origin(t, files());
    const get = await cdnOver(t, [shop]);
    const first = await get('/assets/shop.js?a=1', { cookie: 'cart=secret', 'user-agent': 'Somebody' });
    const second = await get('/assets/shop.js?a=2', { cookie: 'cart=other' });
    assert.deepEqual([first.text, second.text], [TEXT, TEXT]);
    assert.deepEqual([first, second].map(({ headers }) => headers['x-cache']), ['Miss from cloudfront', 'Hit from cloudfront']);
    assert.ok(Number(second.headers.age) >= 0);
    assert.equal(shop.seen.length, 1);
    const [{ url, headers }] = shop.seen;
    assert.equal(url, '/assets/shop.js');
    assert.equal(headers.cookie, undefined);
    assert.equal(headers['user-agent'], 'Amazon CloudFront');
});

it('pictures and the files of the root are kept as well, pages never', async (t) => {
    const shop = await origin(t, files());
    const get = await cdnOver(t, [shop]);
    for (const path of ['/media/a/b.webp', '/favicon.ico', '/icon-192.png', '/licences/font.txt', '/manifest.webmanifest']) {
        await get(path);
        assert.equal((await get(path)).headers['x-cache'], 'Hit from cloudfront', path);
    }
    assert.equal((await get('/en-us/assets/shop.js')).text, 'the handler ran');
});

it('each compressed variant is kept for those who take it', async (t) => {
    const shop = await origin(t, files());
    const get = await cdnOver(t, [shop]);
    const accepted = ['gzip, deflate, br, zstd', 'br;q=1, gzip', 'gzip', 'GZIP;q=0.5, br;q=0', 'identity', undefined];
    const answers = [];
    for (const encoding of accepted) {
        answers.push(await get('/assets/shop.js', encoding ? { 'accept-encoding': encoding } : {}));
    }
    assert.deepEqual(answers.map(({ headers }) => headers['content-encoding']), ['br', 'br', 'gzip', 'gzip', undefined, undefined]);
    assert.deepEqual(shop.seen.map(({ headers }) => headers['accept-encoding']), ['br,gzip', 'gzip', undefined]);
});

it('a part of a kept file is cut from it, and a part of another is asked for', async (t) => {
    const shop = await origin(t, files());
    const get = await cdnOver(t, [shop]);
    const asked = await get('/media/clip', { range: 'bytes=4-7' });
    assert.deepEqual([asked.status, asked.text], [206, 'lamp']);
    assert.equal(shop.seen[0].headers.range, 'bytes=4-7');
    await get('/media/clip');
    for (const [range, text, content] of [['bytes=4-7', 'lamp', `bytes 4-7/${TEXT.length}`], ['bytes=-2', '1;', `bytes ${TEXT.length - 2}-${TEXT.length - 1}/${TEXT.length}`]]) {
        const part = await get('/media/clip', { range });
        assert.deepEqual([part.status, part.text, part.headers['content-range']], [206, text, content]);
    }
    assert.equal((await get('/media/clip', { range: 'bytes=99999-' })).status, 416);
    for (const headers of [{ range: 'bytes=7-4' }, { range: 'bytes=0-1,4-5' }, { range: 'bytes=4-7', 'if-range': '"v0"' }]) {
        assert.equal((await get('/media/clip', headers)).status, 200);
    }
    assert.equal(shop.seen.length, 2);
});

it('a browser that has the file is told so, and HEAD has no body', async (t) => {
    const shop = await origin(t, files());
    const get = await cdnOver(t, [shop]);
    await get('/assets/shop.js');
    const unchanged = await get('/assets/shop.js', { 'if-none-match': 'W/"v1"' });
    assert.deepEqual([unchanged.status, unchanged.text], [304, '']);
    assert.equal((await get('/assets/shop.js', { 'if-none-match': '"v0"' })).status, 200);
    const head = await get('/assets/shop.js', {}, 'HEAD');
    assert.deepEqual([head.headers['content-length'], head.text], [String(TEXT.length), '']);
});

it('what is past its time is asked about, and shown on while no origin answers', async (t) => {
    const shop = await origin(t, files('public, max-age=1'));
    const get = await cdnOver(t, [shop]);
    await get('/media/a.webp');
    await new Promise((resolve) => { setTimeout(resolve, 1_100); });
    assert.equal((await get('/media/a.webp')).headers['x-cache'], 'RefreshHit from cloudfront');
    assert.equal(shop.seen[1].headers['if-none-match'], '"v1"');
    await new Promise((resolve) => { setTimeout(resolve, 1_100); });
    shop.server.closeAllConnections();
    shop.server.close();
    const stale = await get('/media/a.webp');
    assert.deepEqual([stale.status, stale.text], [200, TEXT]);
});

it('what must not be kept is not, and nothing is with the cache off', async (t) => {
    for (const [control, more] of [['no-store', []], ['private, max-age=60', []], ['public, max-age=60', ['--assets-cache', 'off']]]) {
        const shop = await origin(t, files(control));
        const get = await cdnOver(t, [shop], more);
        await get('/assets/shop.js');
        assert.equal((await get('/assets/shop.js')).headers['x-cache'], 'Miss from cloudfront', control);
        assert.equal(shop.seen.length, 2);
    }
});

it('a file that broke off is not kept', async (t) => {
    let broken = true;
    const shop = await origin(t, (request, response) => {
        if (broken) {
            response.writeHead(200, { 'content-length': 100, 'cache-control': 'max-age=60' }).write('part');
            setTimeout(() => response.destroy(), 50);
        } else {
            files()(request, response);
        }
    });
    const get = await cdnOver(t, [shop]);
    await assert.rejects(get('/assets/shop.js'));
    broken = false;
    assert.equal((await get('/assets/shop.js')).text, TEXT);
});

it('a file comes from the second origin when the first is down', async (t) => {
    const [first, second] = [await origin(t, (request, response) => response.writeHead(502).end()), await origin(t, files())];
    const get = await cdnOver(t, [first, second]);
    assert.equal((await get('/assets/shop.js')).text, TEXT);
    assert.equal((await get('/assets/shop.js')).headers['x-cache'], 'Hit from cloudfront');
});
