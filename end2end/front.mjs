// What can stand before shops on this machine: the Workers build in workerd (EDGE_BUNDLE), and the CloudFront build behind its stand-in
// (CDN_BUNDLE), both as they are shipped.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { start } from "../edge/workers/serve.mjs";
import { leftBehind } from "./shop.mjs";

const at = (path) => new URL(path, import.meta.url).pathname;
export const bundles = { workers: process.env.EDGE_BUNDLE ?? at("../target/edge/workers"), cdn: process.env.CDN_BUNDLE ?? at("../target/edge/cloudfront") };
/** Addresses of assets, which the site's build wrote. */
export const assets = () => JSON.parse(readFileSync(join(process.env.JOURNEY_BINARY ?? at("../target/release/nextgen"), "../site/manifest.json"), "utf8"));

/** Opens a front: `kind` is `workers` or `cdn`, `origins` and `table` are addresses, `port` 0 is any. `url` is what pages say they are at. `more`
 * goes into its configuration. */
export async function openFront(kind, { origins, url, table, edgeKey, port = 0, country = "US", more }) {
  const config = { origins, url, assets: assets(), table: { name: "nextgen", region: "eu-central-1", endpoint: table }, ...more };
  return kind === "cdn" ? cdn(port, config, edgeKey, country) : workers(port, config, edgeKey, country);
}

async function workers(port, config, edgeKey, country) {
  const edge = await start({ bundle: bundles.workers, port, config, edgeKey, cf: { country } });
  return { url: (await edge.ready).origin, close: () => edge.dispose() };
}

/** The bundle in a folder of its own, told where these shops are. */
async function cdn(port, config, edgeKey, country) {
  const folder = mkdtempSync(join(tmpdir(), "nextgen-cdn-"));
  cpSync(bundles.cdn, folder, { recursive: true });
  writeFileSync(join(folder, "config.json"), JSON.stringify({ ...config, edge_key: edgeKey }));
  const words = ["--listen", `127.0.0.1:${port}`, "--origins", config.origins.slice(0, 2).join(), "--viewer", join(folder, "cloudfront-function.js"), "--handler", join(folder, "index.mjs"), "--country", country];
  // What the README tells a distribution: a region that is gone is not waited for.
  const child = spawn(process.execPath, [at("../edge/cloudfront/stand-in.mjs"), ...words, "--connection-attempts", "1", "--connection-timeout-s", "2"], {
    env: { ...process.env, AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stderr.pipe(createWriteStream(join(leftBehind, "cdn.log"), { flags: "a" }));
  const exited = once(child, "exit");
  process.once("exit", () => child.kill("SIGTERM"));
  const close = async () => {
    child.kill("SIGTERM");
    await exited;
    rmSync(folder, { recursive: true, force: true });
  };
  const line = await Promise.race([once(child.stdout, "data").then(String), exited.then(() => "")]);
  const listening = /^stand-in listening on (\S+)\n$/.exec(line)?.[1];
  if (listening) return { url: listening, close };
  await close();
  throw new Error(`the stand-in for CloudFront does not start; see ${leftBehind}/cdn.log`);
}
