// A shop of our own for a group of journeys: a fresh data folder, a free port, ended by its pid. Its words go to a log file.
import { execFile, spawn } from "node:child_process";
import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const binary = process.env.JOURNEY_BINARY ?? new URL("../target/release/nextgen", import.meta.url).pathname;
export const leftBehind = process.env.LEFT_BEHIND ?? mkdtempSync(join(tmpdir(), "nextgen-end2end-"));
/** First start imports the demo; two busy cores need a while. */
const READY_WITHIN_MS = 120_000;

const running = new Set();
const endAll = () => {
  for (const shop of running) {
    shop.process.kill("SIGTERM");
    rmSync(shop.data, { recursive: true, force: true });
  }
};
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    endAll();
    process.exit(130);
  });
}
process.on("exit", endAll);

export const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** `place`: the port and data folder of a shop that was killed, for one that goes on there. */
export async function startShop(name, variables = {}, place = {}) {
  const port = place.port ?? (await freePort());
  const data = place.data ?? mkdtempSync(join(tmpdir(), `nextgen-${name}-`));
  const address = `127.0.0.1:${port}`;
  const log = createWriteStream(join(leftBehind, `${name}.log`), { flags: "a" });
  const child = spawn(binary, ["serve", "--addr", address, "--data", data], {
    // Every journey comes from one address here, as no real crowd does: the limits have tests of their own.
    env: { ...process.env, NEXTGEN_RATE_LIMITS: "off", ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const shop = { name, url: `http://${address}`, port, data, process: child };
  /** Another command on this shop's data, such as an import. */
  shop.run = (...words) => promisify(execFile)(binary, ["--data", data, ...words], { env: { ...process.env, ...variables } });
  running.add(shop);
  let failure;
  child.once("error", (error) => (failure = error));
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  /** As a power cut does; the data stays. */
  shop.kill = async () => {
    child.kill("SIGKILL");
    await ended;
    running.delete(shop);
  };
  shop.stop = async () => {
    child.kill("SIGTERM");
    await ended;
    running.delete(shop);
    rmSync(data, { recursive: true, force: true });
  };
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    if (failure) throw failure;
    if (child.exitCode !== null) throw new Error(`the shop ended with ${child.exitCode}; see ${leftBehind}/${name}.log`);
    const ready = await fetch(`${shop.url}/readyz`).catch(() => undefined);
    if (ready?.ok) return shop;
    if (Date.now() > deadline) throw new Error(`the shop is not ready after ${READY_WITHIN_MS / 1000} s; see ${leftBehind}/${name}.log`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
