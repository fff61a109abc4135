// What is there while an origin is not, and that nothing is lost or done twice.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Buyer, cards } from "../buyer.mjs";
import { startShop } from "../shop.mjs";
import { check, forgets, get, settle, until } from "./place.mjs";
import { Visitor } from "./visitor.mjs";

/** What the edge says about a cart that is out of reach. */
const KEPT = { "en-gb": "Your basket is kept", "de-de": "Ihr Warenkorb bleibt erhalten", "fr-fr": "Votre panier est conservé", "ja-jp": "カートの中身は保存されています" };
const NAVY = "/en-gb/p/canvas-tote?colour=navy";
/** How long a page may take while its table hangs: a deadline, then the origin is asked. */
const TABLE_WAIT_MS = 3_000;
const left = ({ text }) => /<span class="v v\d+">\s*<span class="stock[^"]*">([^<]*)/.exec(text)?.[1];
const PAGES = ["", "/p/canvas-tote", "/c/bags-travel"];

/** The only shop, and with it its table, dies as in a power cut, and comes back. */
export async function originGone(place) {
  const { url, shops: [shop] } = place;
  const buyer = new Buyer({ url }, "en-gb");
  check((await buyer.add({ slug: "insulated-bottle", option: "colour", value: "sage" })).status === 303, "nothing can be put into the cart");
  const form = await buyer.form();
  const kept = Object.keys(KEPT).flatMap((locale) => PAGES.map((page) => `/${locale}${page}`));
  kept.push("/en-gb/search?q=tote", "/en-gb/all?sort=price-asc");
  for (const page of kept) await get(url + page);
  await shop.kill();
  await forgets(place.front);
  const sources = new Set();
  const look = async (...allowed) => {
    for (const page of kept) {
      const answer = await get(url + page);
      check(answer.status === 200, `${page} answers ${answer.status} without its origin`);
      check(allowed.includes(answer.template), `${page}: x-template ${answer.template}, not ${allowed.join(" or ")}`);
      sources.add(answer.template);
    }
  };
  await look("hit", "stale");
  // What nobody has seen cannot be made, once what was read is over a second old: a page says so, in the visitor's language.
  await settle(1_200);
  for (const path of ["/de-de/search?q=niemand", "/de-de/p/insulated-bottle?colour=sage"]) {
    const answer = await get(url + path);
    check(answer.status === 503 && answer.headers.get("retry-after") && /lang="de-DE"/i.test(answer.text), `${path} answers ${answer.status} without its origin`);
  }
  for (const [locale, words] of Object.entries(KEPT)) {
    for (const path of ["cart", "checkout"]) {
      const answer = await get(`${url}/${locale}/${path}`, { cookie: "cart_count=1" });
      check(answer.status === 503 && answer.headers.get("retry-after"), `/${locale}/${path} answers ${answer.status} without its origin`);
      check(answer.text.includes(words), `/${locale}/${path} does not say "${words}"`);
      check(answer.headers.get("cache-control") === "no-store", `/${locale}/${path} may be kept`);
    }
  }
  const refused = await buyer.submit(form);
  check(refused.status === 503 && refused.text.includes(KEPT["en-gb"]), `an order is answered ${refused.status} without its origin`);
  // No longer fresh: what cannot be made anew is sent for a day, and says that it is stale. Computed lists are fresh for ten seconds.
  await settle(11_000);
  await look("stale");
  place.shops[0] = await startShop("edge", place.variables, { port: shop.port, data: shop.data });
  await until(async () => (await buyer.get("/en-gb/cart")).status === 200, "the cart does not come back");
  check((await buyer.cart()).includes("insulated-bottle"), "the cart was not kept");
  await buyer.submit(form).then((answer) => {
    check(answer.status === 303 && answer.to.includes("/pay/"), `the order that was refused is answered ${answer.status} to ${answer.to}`);
    buyer.page = answer.to;
  });
  await buyer.pay(cards.pays);
  await buyer.sees("Paid");
  return `${kept.length} pages kept (${[...sources].join(", ")}), ${Object.keys(KEPT).length * 2 + 1} clear refusals, then paid`;
}

/** The table takes its time, then nobody gets through to it: the origin is read instead. */
export async function tableGone({ url, shops: [shop], way }) {
  const pages = Object.keys(KEPT).flatMap((locale) => PAGES.map((page) => `/${locale}${page}`));
  const visitor = new Visitor(url, "en-gb");
  const says = [];
  const look = async (what) => {
    let slowest = 0;
    for (const page of [...pages, "/en-gb/p/insulated-bottle", "/en-gb/p/city-backpack"]) {
      const begun = performance.now();
      const answer = await get(url + page);
      slowest = Math.max(slowest, performance.now() - begun);
      check(answer.status === 200, `${page} answers ${answer.status} while its table is ${what}`);
      // Hits and misses of the hot cache alternate.
      await settle(50);
    }
    check(what !== "slow" || slowest > 700, `the table was not slow: the slowest page took ${slowest.toFixed(0)} ms`);
    check(slowest < TABLE_WAIT_MS, `a page took ${slowest.toFixed(0)} ms while its table is ${what}`);
    check((await visitor.add(await visitor.form("canvas-tote", "colour", "rust"))).status === 303, `nothing can be put into the cart while the table is ${what}`);
    says.push(`${what}: ${pages.length + 2} pages, the slowest ${slowest.toFixed(0)} ms`);
  };
  const shows = async (words, what) => {
    const ms = await until(async () => left(await get(`${url}${NAVY}`))?.startsWith(words), `"${words}" is not seen while the table is ${what}`);
    says.push(`a change seen in ${ms.toFixed(0)} ms`);
  };
  const keepBack = (pieces) => shop.run("stock", "safety", "rotterdam", String(pieces));
  const file = join(shop.data, "three.csv");
  writeFileSync(file, "Handle,Title,Option1 Value,Variant Inventory Qty\ncanvas-tote,,Navy,3\n");
  await shop.run("import", file, "--location", "rotterdam");
  await until(async () => left(await get(`${url}${NAVY}`))?.startsWith("3 left"), "three pieces are not seen");
  try {
    way.slow(10_000);
    await look("slow");
    await keepBack(1);
    await shows("2 left", "slow");
    way.cut();
    await look("cut off");
    await keepBack(0);
    await shows("3 left", "cut off");
  } finally {
    way.heal();
  }
  await settle(3_000);
  await look("back");
  return says.join("; ");
}
