// What the edge answers is what the origin answers, and what is not everybody's comes from the origin.
import { publicRoutes } from "../routes.mjs";
import { alike, check, get, isRefused, parting, raw } from "./place.mjs";

const LOCALES = ["en-us", "de-de", "fr-ca", "ja-jp", "ko-kr", "ar-xb"];
const SAID = ["content-type", "cache-control", "x-store", "referrer-policy", "x-content-type-options", "permissions-policy", "cross-origin-opener-policy"];

/** Byte for byte but for nonces and mutation ids, with a visitor's badge in it. */
export async function same({ url, origin }) {
  const headers = { cookie: "cart_count=2; bucket=3" };
  let count = 0;
  for (const page of LOCALES.flatMap((locale) => publicRoutes(locale).map(([, page]) => page))) {
    const [here, there] = [await get(url + page, headers), await get(origin + page, headers)];
    if (there.status !== 200) {
      check(here.status === there.status, `${page}: ${here.status}, the origin says ${there.status}`);
      continue;
    }
    check(here.status === 200 && Boolean(here.template) === Boolean(there.template), `${page}: ${here.status}, x-template ${here.template}`);
    check(alike(here.text) === alike(there.text), `${page} differs: ${parting(alike(here.text), alike(there.text))}`);
    for (const name of SAID) check(here.headers.get(name) === there.headers.get(name), `${page}: ${name} is ${here.headers.get(name)}`);
    const policy = here.headers.get("content-security-policy") ?? "";
    const nonce = /nonce="([^"]+)"/.exec(here.text)?.[1];
    check(nonce && policy.includes(`'nonce-${nonce}'`), `${page}: its policy does not name its nonce`);
    check(!here.template || (await get(url + page, headers)).template === "hit", `${page} is not kept`);
    count += 1;
  }
  check(count >= 90, `only ${count} pages could be compared`);
  return `${count} pages in ${LOCALES.length} locales alike`;
}

/** Statuses, headers and bytes of what an edge does not make. */
export async function passed({ front, url, origin }) {
  const asset = /\/assets\/[^"']+\.css/.exec((await get(`${url}/en-us`)).text)?.[0];
  const picture = /\/media\/[^"' ]+/.exec((await get(`${url}/en-us/p/canvas-tote`)).text)?.[0];
  check(asset && picture, "the pages name no style sheet or no picture");
  const paths = [
    "/en-us/cart", "/de-de/checkout", "/en-us/orders/find", "/en-us/orders/0123456789abcdefghij", "/ops", "/ops/orders", "/sitemap.xml", "/robots.txt",
    "/locale/de-de/p/canvas-tote", "/en-us/p/there-is-no-such-thing", "/en-us/p/%ff", "/nowhere", "/_edge/items", asset, picture, "/media/none.jpg",
  ];
  for (const path of paths) {
    const [here, there] = [await raw(url, path), await raw(origin, path)];
    if (isRefused(front, here)) continue;
    check(here.status === there.status, `${path}: ${here.status}, the origin says ${there.status}`);
    check(here.template === there.template, `${path}: x-template ${here.template}, the origin says ${there.template}`);
    for (const name of ["content-type", "cache-control", "location"]) check(here.headers[name] === there.headers[name], `${path}: ${name} is ${here.headers[name]}`);
    // An order that is not found has a reference number of its own.
    if (path === asset || path === picture) check(here.text === there.text, `${path}: other bytes`);
  }
  const root = await raw(url, "/?utm_source=x", { "accept-language": "ja" });
  check(root.status === 303 && root.headers.location === "/ja-jp?utm_source=x" && root.headers["cache-control"] === "no-store", `/ leads to ${root.headers.location}`);
  const head = await raw(url, "/en-us", {}, "HEAD");
  check(head.status === 200 && head.text === "", `HEAD answers ${head.status} and ${head.text.length} bytes`);
  const moved = await raw(url, "/EN-us/P/canvas-tote/");
  check(moved.status === 301 && moved.headers.location === "/en-us/p/canvas-tote", `another spelling leads to ${moved.headers.location}`);
  return `${paths.length} addresses as at the origin`;
}
