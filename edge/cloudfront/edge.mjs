// The Wasm of a Lambda@Edge function, loaded from beside it: `configure` once, then `answer` for each request, and
// `withoutOrigin` for one that no origin can take. What fails rejects, and the next call gets a new Wasm instance; the handler then passes
// the request to its origin.

import { readFileSync } from "node:fs";
import { initSync, configure as configureInstance, answer as ask, withoutOrigin as excuse, __wbg_reset_state as reset } from "./glue.js";

// Told once a panic ended the instance: its answers will never come.
const waiting = new Set();
let isBroken = false;
let configuration;

function fail(reason) {
  if (isBroken) return;
  isBroken = true;
  console.error(`the edge failed: ${reason}`);
  for (const tell of waiting) tell(new Error(String(reason)));
  waiting.clear();
}

// Called by the panic hook in lib.rs.
globalThis.edgePanicked = fail;
// A trap in a microtask would end the process, and with it the answers that are passed on.
process.on("uncaughtException", (error) => {
  if (!(error instanceof WebAssembly.RuntimeError || error instanceof RangeError)) throw error;
  fail(error);
});

initSync({ module: readFileSync(new URL("./edge.wasm", import.meta.url)) });

export function configure(json) {
  configuration = json;
  configureInstance(json);
}

export const answer = (...request) => asked(ask, request);

export const withoutOrigin = (...request) => asked(excuse, request);

async function asked(work, request) {
  if (isBroken) {
    reset();
    isBroken = false;
    configureInstance(configuration);
  }
  let tell;
  const failure = new Promise((_, reject) => waiting.add((tell = reject)));
  try {
    return await Promise.race([work(...request), failure]);
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) fail(error);
    throw error;
  } finally {
    waiting.delete(tell);
  }
}
