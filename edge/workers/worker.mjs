// The worker's entry: hands each request to Wasm, and to an origin if Wasm fails. Only `fetch` is exposed.

import wasm from "./edge.wasm";
import { initSync, fetch as answer, __wbg_reset_state as reset } from "./edge.js";

// A panic ends the Wasm instance: what it had begun will never be answered. Each of these is told, and the next request gets a new one.
const waiting = new Set();
let isBroken = false;

function fail(reason) {
  if (isBroken) return;
  isBroken = true;
  console.error(`the edge failed: ${reason}`);
  for (const tell of waiting) tell(reason);
  waiting.clear();
}

// Called by the panic hook in lib.rs.
globalThis.edgePanicked = fail;
// Traps that are no panics, such as a stack that is full.
addEventListener("error", (event) => {
  if (event.error instanceof WebAssembly.RuntimeError || event.error instanceof RangeError) fail(event.error);
});

initSync({ module: wasm });

export default {
  async fetch(request, env, context) {
    if (isBroken) {
      reset();
      isBroken = false;
    }
    let tell;
    const failure = new Promise((_, reject) => waiting.add((tell = reject)));
    try {
      return await Promise.race([answer(request, env, context), failure]);
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) fail(error);
      return await passPlainly(request, env, error);
    } finally {
      waiting.delete(tell);
    }
  },
};

// What a visitor may not send through: `DROPPED` in edge/core/src/pass.rs, which a test compares.
const DROPPED = [
  "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto", "x-forwarded-prefix",
  "x-original-host", "x-original-url", "x-rewrite-url", "x-http-method-override", "x-real-ip", "true-client-ip", "client-ip",
  "x-visitor-country", "cf-ipcountry", "cloudfront-viewer-country", "host", "connection", "keep-alive", "proxy-authorization",
  "proxy-connection", "te", "trailer", "upgrade",
];

// Without Wasm: to the first origin that answers, and only what is known not to have been sent yet.
async function passPlainly(request, env, reason) {
  console.error(`passing plainly: ${reason}`);
  const { pathname, search } = new URL(request.url);
  // A form without a body may have been sent already, and nobody can tell.
  if (!request.bodyUsed && (request.body || ["GET", "HEAD", "OPTIONS"].includes(request.method))) {
    const headers = new Headers(request.headers);
    for (const name of DROPPED) headers.delete(name);
    if (request.cf?.clientAcceptEncoding === "") headers.set("accept-encoding", "identity");
    const address = request.headers.get("cf-connecting-ip");
    if (address) headers.set("x-forwarded-for", address);
    if (request.cf?.country) headers.set("x-visitor-country", request.cf.country);
    const { origins, near = {} } = JSON.parse(env.EDGE_CONFIG);
    const here = Object.hasOwn(near, request.cf?.continent ?? "") ? near[request.cf.continent].origins : origins;
    for (const origin of here) {
      try {
        return await fetch(origin + pathname + search, { method: request.method, headers, body: request.body, redirect: "manual" });
      } catch (error) {
        console.error(`${origin}: ${error}`);
        if (request.body) break;
      }
    }
  }
  return new Response("The shop cannot be reached right now. Your cart is kept. Please try again in a minute.\n", {
    status: 503,
    headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store", "retry-after": "10" },
  });
}
