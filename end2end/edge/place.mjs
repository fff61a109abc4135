// A shop with an edge before it, on free ports of this machine, and what all rows ask with.
import { randomBytes } from "node:crypto";
import { request as plainRequest } from "node:http";
import { openFront } from "../front.mjs";
import { freePort, startShop } from "../shop.mjs";
import { tap } from "../tap.mjs";

/** Opens shops and their edge. `front`: which one. `prepare`: where a shop of several has its data, and what it is told besides. `tapped`: the
 * edge reaches each shop by a way that can be made slow or cut, in `place.ways`. */
export async function open(name, { front = "workers", count = 1, variables = {}, table, tapped = false, prepare = async () => ({}) } = {}) {
  const edgeKey = randomBytes(24).toString("hex");
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const tablePort = table ? Number(new URL(table).port) : await freePort();
  const place = { front, url, shops: [], ways: [], way: await tap(tablePort) };
  place.variables = {
    NEXTGEN_URL: url, NEXTGEN_EDGE_KEY: edgeKey, NEXTGEN_TRUSTED_PROXIES: "127.0.0.1",
    ...(!table && { NEXTGEN_DYNAMODB_LISTEN: `127.0.0.1:${tablePort}` }), ...variables,
  };
  let edge;
  place.close = async () => {
    await edge?.close();
    for (const shop of place.shops) await shop.stop();
    for (const way of [place.way, ...place.ways]) way.close();
  };
  try {
    for (let turn = 0; turn < count; turn += 1) {
      const { more = {}, data } = await prepare(turn, place.shops);
      place.shops.push(await startShop(count > 1 ? `${name}-${turn + 1}` : name, { ...place.variables, ...more }, { data }));
    }
    place.origin = place.shops[0].url;
    if (tapped) for (const shop of place.shops) place.ways.push(await tap(shop.port));
    const told = { origins: (tapped ? place.ways : place.shops).map(({ url }) => url), url, table: place.way.url, edgeKey };
    place.told = told;
    edge = await openFront(front, { ...told, port });
    /** One more edge before the same shops, which knows nothing yet; `country`: where its visitors come from. */
    place.another = (more) => openFront(front, { ...told, ...more });
    await until(async () => (await get(`${url}/en-us`)).template === "hit", "the edge does not come to keep its first page");
    return place;
  } catch (error) {
    await place.close();
    throw error;
  }
}

export function check(holds, what) {
  if (!holds) throw new Error(what);
}

/** CloudFront's handler remembers for two seconds which origin is ready. */
export const forgets = (front) => settle(front === "cdn" ? 2_100 : 0);

export const settle = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Tries until it holds, 20 s at most; says how many milliseconds that took. */
export async function until(holds, otherwise) {
  const begun = performance.now();
  while (!(await holds())) {
    check(performance.now() - begun < 20_000, otherwise);
    await settle(25);
  }
  return performance.now() - begun;
}

/** A page: status, headers, text, and how its template was come by. */
export async function get(url, headers = {}, more = {}) {
  const answer = await fetch(url, { redirect: "manual", headers, ...more });
  return { status: answer.status, headers: answer.headers, template: answer.headers.get("x-template"), text: await answer.text() };
}

/** The same with a path and headers exactly as they are written, which `fetch` would mend. */
export function raw(base, path, headers = {}, method = "GET") {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const request = plainRequest({ hostname, port, path, method, headers, agent: false }, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part)).on("error", reject);
      answer.on("end", () => resolve({ status: answer.statusCode, headers: answer.headers, template: answer.headers["x-template"], text: Buffer.concat(parts).toString() }));
    });
    request.on("error", reject).end();
  });
}

/** CloudFront's viewer function refuses addresses that no shop has before anybody else sees them, or they are too long for CloudFront. */
export const isRefused = (front, { status, headers }) => front === "cdn" && [400, 413].includes(status) && (headers["x-cache"] ?? "").includes("cloudfront");

/** A page without what differs in every answer: nonces and mutation ids. */
export const alike = (html) => html.replace(/nonce="[^"]*"/g, 'nonce=""').replace(/name="mutation" value="[^"]*"/g, 'name="mutation" value=""');

/** Where two texts part, for a message. */
export function parting(one, other) {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at += 1;
  return `${JSON.stringify(one.slice(Math.max(0, at - 40), at + 80))} or ${JSON.stringify(other.slice(Math.max(0, at - 40), at + 80))}`;
}
