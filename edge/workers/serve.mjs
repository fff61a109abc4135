// The Workers build in workerd on this machine, by miniflare:
//   node serve.mjs --bundle FOLDER --listen HOST:PORT
// with the configuration as JSON in EDGE_CONFIG (else the bundle's own), the key that origins know the edge by in EDGE_KEY, and credentials for
// the table in AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN (else made up: the embedded table takes any). Also a module:
// `start` for tests and figures.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Miniflare } from "miniflare";

/** Starts workerd and answers when it listens. */
export async function start({ bundle, host = "127.0.0.1", port = 0, config, edgeKey, credentials = {}, ...more }) {
  const settings = JSON.parse(readFileSync(resolve(bundle, "wrangler.json"), "utf8"));
  const miniflare = new Miniflare({
    host,
    port,
    // By content: paths of this machine appear nowhere, and the bundle may lie anywhere.
    modules: [
      { type: "ESModule", path: settings.main, contents: readFileSync(resolve(bundle, settings.main), "utf8") },
      { type: "CompiledWasm", path: "edge.wasm", contents: readFileSync(resolve(bundle, "edge.wasm")) },
    ],
    compatibilityDate: settings.compatibility_date,
    bindings: {
      ...settings.vars,
      ...(config && { EDGE_CONFIG: typeof config === "string" ? config : JSON.stringify(config) }),
      ...(edgeKey && { EDGE_KEY: edgeKey }),
      AWS_ACCESS_KEY_ID: credentials.accessKeyId ?? "local",
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey ?? "local",
      ...(credentials.sessionToken && { AWS_SESSION_TOKEN: credentials.sessionToken }),
    },
    // No look-up of this machine's place in the world over the network.
    cf: { country: "US" },
    ...more,
  });
  await miniflare.ready;
  return miniflare;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const option = (name) => {
    const at = process.argv.indexOf(name);
    if (at < 0 || !process.argv[at + 1]) throw new Error(`${name} is missing`);
    return process.argv[at + 1];
  };
  const [, host, port] = /^(.*):(\d+)$/.exec(option("--listen")) ?? [];
  if (!port) throw new Error("--listen takes HOST:PORT");
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, EDGE_CONFIG, EDGE_KEY } = process.env;
  const credentials = { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY, sessionToken: AWS_SESSION_TOKEN };
  const miniflare = await start({ bundle: option("--bundle"), host, port: Number(port), config: EDGE_CONFIG, edgeKey: EDGE_KEY, credentials });
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => miniflare.dispose().then(() => process.exit(0)));
}
