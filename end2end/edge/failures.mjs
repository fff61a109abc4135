// What is there while an origin is not, and that nothing is lost or done twice.
import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Buyer, cards } from "../buyer.mjs";
import { startShop } from "../shop.mjs";
import { check, get, open, settle, until } from "./place.mjs";
import { Visitor } from "./visitor.mjs";

/** CloudFront's handler remembers for two seconds which origin is ready. */
const forgets = (front) => settle(front === "cdn" ? 2_100 : 0);

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
  for (const page of kept) await get(url + page);
  await shop.kill();
  await forgets(place.front);
  const sources = new Set();
  const look = async () => {
    for (const page of kept) {
      const answer = await get(url + page);
      check(answer.status === 200, `${page} answers ${answer.status} without its origin`);
      check(answer.template === "hit" || answer.template === "stale", `${page}: x-template ${answer.template}`);
      sources.add(answer.template);
    }
  };
  await look();
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
  // Older than what is merely stale at once: what cannot be made anew is sent for a day.
  await settle(3_000);
  await look();
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

/** Two shops over one database and one table; the nearer one dies. */
export async function twoOrigins(front) {
  const { JOURNEY_DATABASE_URL: database, JOURNEY_DYNAMODB_ENDPOINT: table } = process.env;
  const variables = {
    DATABASE_URL: database, NEXTGEN_DYNAMODB: "aws", AWS_ENDPOINT_URL_DYNAMODB: table, NEXTGEN_DYNAMODB_TABLE: "nextgen",
    AWS_REGION: "eu-central-1", AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local",
  };
  const prepare = async (turn, [first]) => {
    if (turn === 0) return {};
    // The same shop has the same keys; the test provider belongs to the first.
    const data = mkdtempSync(join(tmpdir(), "nextgen-edge-2-"));
    mkdirSync(join(data, "keys"), { mode: 0o700 });
    cpSync(join(first.data, "keys/master"), join(data, "keys/master"));
    return { data, more: { NEXTGEN_TEST_PROVIDER: "off" } };
  };
  const place = await open("edge-two", { front, count: 2, variables, table, prepare });
  try {
    const visitor = new Visitor(place.url, "en-gb");
    const first = await visitor.form("canvas-tote", "colour", "navy");
    check((await visitor.add(first)).status === 303 && (await visitor.pieces()) === 1, "nothing can be put into the cart");
    await place.shops[0].kill();
    await forgets(front);
    const dead = place.shops.shift();
    // The second origin is asked for what the first one did: under the same mutation it is the same wish.
    check((await visitor.add(first)).status === 303, "the repeated form is not taken");
    check((await visitor.pieces()) === 1, "a form that was sent twice counts twice");
    const second = await visitor.form("canvas-tote", "colour", "navy");
    for (let turn = 0; turn < 3; turn += 1) check((await visitor.add(second)).status === 303, "the cart does not go to the other origin");
    check((await visitor.pieces()) === 2, `${await visitor.pieces()} pieces after two wishes`);
    for (const page of ["/en-gb", "/en-gb/p/canvas-tote", "/en-gb/all?sort=price-asc", "/en-gb/search?q=bag", "/en-gb/checkout", "/robots.txt"]) {
      const { status } = await get(place.url + page, { cookie: visitor.cookie() });
      check(status === 200, `${page} answers ${status} with one origin`);
    }
    place.shops.push(await startShop("edge-two-1", { ...place.variables }, { port: dead.port, data: dead.data }));
    await until(async () => (await visitor.pieces()) === 2, "the cart is another one at the origin that came back");
    return "6 forms of 2 wishes over two origins: 2 pieces, and every page";
  } finally {
    await place.close();
  }
}
