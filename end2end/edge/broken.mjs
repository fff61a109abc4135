// The Wasm instance breaks while requests wait for it, as after a panic: they are passed to the origin, and the next ones get a new instance.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { start } from "../../edge/workers/serve.mjs";
import { assets, bundles } from "../front.mjs";
import { alike, check, get, parting, settle } from "./place.mjs";

const KEPT = "/en-gb/p/canvas-tote";
const WAITS = "/en-gb/c/bags-travel";

export async function broken({ front, way, origin, told }) {
  const config = { origins: told.origins, url: told.url, assets: assets(), table: { name: "nextgen", region: "eu-central-1", endpoint: told.table } };
  const edge = front === "cdn" ? await lambda({ ...config, edge_key: told.edgeKey }) : await worker(config, told.edgeKey);
  try {
    check((await edge.get(KEPT)).template === "miss" && (await edge.get(KEPT)).template === "hit", "the edge does not keep its first page");
    way.slow(5_000);
    const waiting = edge.get(WAITS);
    await settle(200);
    await edge.breaks();
    const begun = performance.now();
    const passed = await waiting;
    const ms = performance.now() - begun;
    way.heal();
    // The instance itself would have waited for the table for longer.
    check(passed.isPassed && ms < 500, `who waited is answered by the broken instance, with ${passed.status} after ${ms.toFixed(0)} ms`);
    if (passed.text !== undefined) {
      const there = await get(origin + WAITS);
      check(passed.status === 200 && alike(passed.text) === alike(there.text), `who waited is answered ${passed.status}: ${parting(alike(passed.text), alike(there.text))}`);
    }
    const anew = await edge.get(KEPT);
    check(anew.status === 200 && anew.template === "miss", `the new instance answers ${anew.status}, x-template ${anew.template}`);
    check((await edge.get(KEPT)).template === "hit", "the new instance keeps nothing");
    return `who waited passed after ${ms.toFixed(0)} ms, and the next one got a new instance`;
  } finally {
    way.heal();
    await edge.close();
  }
}

/** In workerd, below an entry of ours that lets a test say what a panic says. */
async function worker(config, edgeKey) {
  const read = (name, encoding) => readFileSync(join(bundles.workers, name), encoding);
  const { main } = JSON.parse(read("wrangler.json", "utf8"));
  const entry = `import shop from "./${main}";
    export default { fetch(request, env, context) {
      if (new URL(request.url).pathname !== "/break") return shop.fetch(request, env, context);
      globalThis.edgePanicked("a test says so");
      return new Response("broken");
    } };`;
  const modules = [
    { type: "ESModule", path: "entry.mjs", contents: entry },
    { type: "ESModule", path: main, contents: read(main, "utf8") },
    { type: "CompiledWasm", path: "edge.wasm", contents: read("edge.wasm") },
  ];
  const edge = await start({ bundle: bundles.workers, config, edgeKey, modules });
  const { origin: url } = await edge.ready;
  return {
    // An origin has templates of its own, but says so only where it renders: what was passed has another instance's word.
    get: async (path) => ({ ...(await get(url + path)), isPassed: true }),
    breaks: () => get(`${url}/break`),
    close: () => edge.dispose(),
  };
}

/** In a thread of its own, as Lambda calls it. What passes is the request itself. */
async function lambda(config) {
  const folder = mkdtempSync(join(tmpdir(), "nextgen-lambda-"));
  cpSync(bundles.cdn, folder, { recursive: true });
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  const program = `const { parentPort, workerData } = require("node:worker_threads");
    const loaded = import(workerData);
    parentPort.on("message", async ({ number, event }) => {
      if (event === undefined) return globalThis.edgePanicked("a test says so");
      const answer = await (await loaded).handler(event);
      const isPassed = answer === event.Records[0].cf.request;
      parentPort.postMessage({ number, isPassed, status: Number(answer.status), template: answer.headers["x-template"]?.[0].value });
    });`;
  const keys = { AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local" };
  const thread = new Worker(program, { eval: true, workerData: pathToFileURL(join(folder, "index.mjs")).href, env: { ...process.env, ...keys } });
  const { hostname: domainName, port } = new URL(config.origins[0]);
  const custom = { customHeaders: {}, domainName, keepaliveTimeout: 5, path: "", port: Number(port), protocol: "http", readTimeout: 30, sslProtocols: ["TLSv1.2"] };
  const waiting = new Map();
  thread.on("message", (answer) => waiting.get(answer.number)(answer));
  const get = (uri) => {
    const request = { clientIp: "192.0.2.1", method: "GET", uri, querystring: "", headers: {}, origin: { custom } };
    const number = waiting.size;
    thread.postMessage({ number, event: { Records: [{ cf: { config: { eventType: "origin-request" }, request } }] } });
    return new Promise((resolve, reject) => (waiting.set(number, resolve), thread.once("error", reject)));
  };
  return { get, breaks: async () => thread.postMessage({}), close: () => thread.terminate().then(() => rmSync(folder, { recursive: true, force: true })) };
}
