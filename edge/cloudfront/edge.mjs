// The Wasm of a Lambda@Edge function, loaded from beside it: `configure` once, then `answer` for each request. What fails rejects, and the
// next call gets a new Wasm instance; the handler then passes the request to its origin.

import { readFileSync } from "node:fs";
import { initSync, configure as configureInstance, answer as ask, __wbg_reset_state as reset } from "./glue.js";

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

export async function answer(method, path, query, headers) {
  if (isBroken) {
    reset();
    isBroken = false;
    configureInstance(configuration);
  }
  let tell;
  const failure = new Promise((_, reject) => waiting.add((tell = reject)));
  try {
    return await Promise.race([ask(method, path, query, headers), failure]);
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) fail(error);
    throw error;
  } finally {
    waiting.delete(tell);
  }
}
