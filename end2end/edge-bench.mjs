// Figures of the Workers build in workerd, beside a plain JavaScript worker in the same run: `node edge-bench.mjs`. The bundle is in EDGE_BUNDLE.
// CPU time is workerd's own, from /proc; the load comes from this process. Nothing fails on a slow day but the crowd, whose bodies are checked.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { start } from "../edge/workers/serve.mjs";
import { crowd } from "./edge/crowd.mjs";
import { check, get, open, settle } from "./edge/place.mjs";
import { bundles } from "./front.mjs";

const bundle = bundles.workers;
const TICK_MS = 1000 / Number(execFileSync("getconf", ["CLK_TCK"]));
const LOCALES = ["en-us", "en-ca", "fr-ca", "en-gb", "de-de", "fr-fr", "ja-jp", "ko-kr", "ar-xb"];
/** The first pages of the whole shop are full: 24 products each. */
const PAGES = LOCALES.map((locale) => `/${locale}/all`);
/** A template is fresh for 2 s. */
const STALE_AFTER_MS = 2_100;
const ROUNDS = 5;
const WARM = 1_500;
const REQUESTS = 3_000;
const STALE_ROUNDS = 12;
/** Renderings are few, and the clock of CPU time ticks every 10 ms: they are counted together. */
const RENDER_ROUNDS = 16;
const RENDERINGS = 500;
const CONNECTIONS = 4;
const VISITORS_REQUESTS = 10_000;

const median = (figures) => figures.toSorted((one, other) => one - other)[Math.floor(figures.length / 2)];
const share = (figures, part) => figures.toSorted((one, other) => one - other)[Math.min(figures.length - 1, Math.floor(figures.length * part))];
const ms = (figure, places = 2) => `${figure.toFixed(places)} ms`;

/** The workerd processes that this one started. */
function workerds() {
  const pids = readdirSync("/proc/self/task").flatMap((task) => readFileSync(`/proc/self/task/${task}/children`, "utf8").trim().split(" "));
  return pids.filter((pid) => pid && readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("workerd"));
}

function cpuMs(pid) {
  // After the name, which may have anything in it: utime and stime are the 12th and 13th.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Starts something, and finds the workerd that it runs in. */
async function watched(begin) {
  const before = new Set(workerds());
  const made = await begin();
  const pid = workerds().find((pid) => !before.has(pid));
  check(pid, "workerd is not to be found among this process's children");
  return { made, pid };
}

const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

/** One request: how its template was come by, and milliseconds from sending to the last byte. */
function ask(url) {
  return new Promise((resolve, reject) => {
    const begun = performance.now();
    const sent = request(url, { agent, headers: { cookie: "cart_count=2; bucket=3" } }, (answer) => {
      answer.on("data", () => {}).on("error", reject);
      answer.on("end", () => {
        if (answer.statusCode === 200) resolve({ template: answer.headers["x-template"], took: performance.now() - begun });
        else reject(new Error(`${url} answers ${answer.statusCode}`));
      });
    });
    sent.on("error", reject).end();
  });
}

/** Asks for `count` of these addresses, in turn, over some connections. */
async function load(addresses, count) {
  let next = 0;
  const answers = [];
  const client = async () => {
    while (next < count) answers.push(await ask(addresses[next++ % addresses.length]));
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, client));
  return answers;
}

/** CPU-ms a request. */
async function cost(pid, addresses, count) {
  const before = cpuMs(pid);
  const answers = await load(addresses, count);
  return { each: (cpuMs(pid) - before) / count, answers };
}

async function hello() {
  const folder = mkdtempSync(join(tmpdir(), "nextgen-hello-"));
  const wasm = join(folder, "edge.wasm");
  writeFileSync(wasm, Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
  writeFileSync(join(folder, "worker.js"), 'export default { fetch() { return new Response("hello", { headers: { "content-type": "text/html" } }); } };');
  const { compatibility_date } = JSON.parse(readFileSync(join(bundle, "wrangler.json"), "utf8"));
  writeFileSync(join(folder, "wrangler.json"), JSON.stringify({ main: "worker.js", compatibility_date }));
  const worker = await start({ bundle: folder });
  rmSync(folder, { recursive: true });
  return { worker, url: (await worker.ready).href };
}

function sizes() {
  const packed = ["worker.js", "edge.wasm"].map((file) => brotliCompressSync(readFileSync(join(bundle, file))).length);
  console.log(`module                     ${((packed[0] + packed[1]) / 1000).toFixed(1)} kB brotli (script ${(packed[0] / 1000).toFixed(1)}, Wasm ${(packed[1] / 1000).toFixed(1)}); at most 400 kB`);
}

/** From nothing to the first page, beside from nothing to the first hello. */
async function cold(place) {
  const ours = [];
  const theirs = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const edge = await watched(() => place.another());
    await ask(`${edge.made.url}/en-us/all`);
    ours.push(cpuMs(edge.pid));
    await edge.made.close();
    const plain = await watched(hello);
    await ask(plain.made.url);
    theirs.push(cpuMs(plain.pid));
    await plain.made.worker.dispose();
  }
  const [one, other] = [median(ours), median(theirs)];
  console.log(`cold start, first page     ${ms(one, 0)} CPU, a plain worker's ${ms(other, 0)}: ${ms(one - other, 0)} more; aim 60 ms`);
}

async function main() {
  sizes();
  const place = await open("edge-bench");
  const plain = await watched(hello);
  try {
    await cold(place);
    const edge = await watched(() => place.another());
    const url = edge.made.url;
    const pages = PAGES.map((page) => url + page);
    const misses = [];
    for (const page of pages) misses.push(await ask(page));
    check(misses.every(({ template }) => template === "miss"), "a page was kept before it was asked for");
    for (const page of pages) {
      const cards = new Set([...(await get(page)).text.matchAll(/href="(\/[a-z-]+\/p\/[^"?]+)/g)].map(([, product]) => product)).size;
      check(cards >= 24, `${page} has ${cards} products`);
    }

    const figures = { hello: [], hit: [], stale: [] };
    await load([plain.made.url], WARM);
    await load(pages.slice(0, 1), WARM);
    for (let round = 0; round < STALE_ROUNDS; round += 1) await stale(pages, edge.pid);
    const waits = { hit: [], stale: [] };
    for (let round = 0; round < ROUNDS; round += 1) {
      figures.hello.push((await cost(plain.pid, [plain.made.url], REQUESTS)).each);
      await load(pages.slice(0, 1), 10);
      const hit = await cost(edge.pid, pages.slice(0, 1), REQUESTS);
      figures.hit.push(hit.each);
      for (let turn = 0; turn < 200; turn += 1) waits.hit.push(await ask(pages[0]));
    }
    const rounds = [];
    for (let round = 0; round < RENDER_ROUNDS; round += 1) rounds.push(await stale(pages, edge.pid));
    figures.stale.push(rounds.reduce((sum, { each }) => sum + each, 0) / rounds.length);
    waits.stale.push(...rounds.flatMap(({ answers }) => answers).filter(({ template }) => template === "stale").map(({ took }) => took));
    const alone = await rendering(place);
    const [bare, hit, old] = [median(figures.hello), median(figures.hit), median(figures.stale)];
    console.log(`a plain worker             ${ms(bare, 3)} CPU a request`);
    console.log(`a page from its template   ${ms(hit, 3)} CPU: ${ms(hit - bare, 3)} more than the plain worker; aim for filling 0.2 ms`);
    console.log(`a page of 24, rendered     ${ms(alone - hit, 3)} CPU (${(alone / bare).toFixed(0)} times a plain worker's request); aim 1.0 ms`);
    console.log(`made anew after its time   ${ms(old - hit, 3)} CPU, its reads and keeping it included `);
    const hits = waits.hit.filter(({ template }) => template === "hit").map(({ took }) => took);
    for (const [name, took] of [["hit", hits], ["stale", waits.stale], ["miss", misses.map(({ took }) => took)]]) {
      console.log(`latency, ${name.padEnd(17)} p50 ${ms(share(took, 0.5))}, p95 ${ms(share(took, 0.95))} of ${took.length}, one at a time on this machine`);
    }
    await edge.made.close();
    console.log(`a crowd                    ${await crowd(place, VISITORS_REQUESTS)}`);
  } finally {
    await plain.made.worker.dispose();
    await place.close();
    agent.destroy();
  }
}

/** CPU-ms of a request for a page that no template is kept of; what it is made from was read a moment ago. */
async function rendering(place) {
  const { made, pid } = await watched(() => place.another({ more: { templates_max: 0 } }));
  const page = [`${made.url}/en-us/all`];
  await load(page, WARM);
  const figures = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const { each, answers } = await cost(pid, page, RENDERINGS);
    check(answers.every(({ template }) => template === "miss"), "a template was kept");
    figures.push(each);
  }
  await made.close();
  return median(figures);
}

/** Every page once, past its time: sent as it is, then rendered anew. */
async function stale(pages, pid) {
  await settle(STALE_AFTER_MS);
  const before = cpuMs(pid);
  const answers = [];
  for (const page of pages) answers.push(await ask(page));
  // The last renderings end after their answers.
  await settle(100);
  return { each: (cpuMs(pid) - before) / pages.length, answers };
}

await main();
