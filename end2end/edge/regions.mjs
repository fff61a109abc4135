// Two shops over one database and one table, as in two regions: one dies, one loses the writer, an answer is lost on its way.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Buyer, cards } from "../buyer.mjs";
import { startShop } from "../shop.mjs";
import { tap } from "../tap.mjs";
import { check, forgets, get, open, settle, until } from "./place.mjs";
import { Visitor } from "./visitor.mjs";

const { JOURNEY_DATABASE_URL: DATABASE, JOURNEY_DYNAMODB_ENDPOINT: TABLE } = process.env;
const BACKPACK = { slug: "city-backpack", option: "colour", value: "slate" };
const BOTTLE = { slug: "insulated-bottle", option: "colour", value: "sage" };

/** Whether there is an engine for shops that share everything. */
export const canShare = Boolean(DATABASE && TABLE);

/** Keys and the provider's ledger outlive a row, as the database does. */
const seed = mkdtempSync(join(tmpdir(), "nextgen-edge-seed-"));
const OUTLIVES = ["keys", "test-provider"];
process.on("exit", () => rmSync(seed, { recursive: true, force: true }));

/** Opens both. `writers`: by which way each reaches the database. `table`: by which way they reach the table. */
async function two(name, front, { writers = [], table, tapped = false } = {}) {
  const variables = {
    DATABASE_URL: DATABASE, NEXTGEN_DYNAMODB: "aws", AWS_ENDPOINT_URL_DYNAMODB: table?.url ?? TABLE, NEXTGEN_DYNAMODB_TABLE: "nextgen",
    AWS_REGION: "eu-central-1", AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local",
  };
  const folders = [];
  const prepare = async (turn, [first]) => {
    const more = writers[turn] ? { DATABASE_URL: DATABASE.replace(new URL(DATABASE).host, new URL(writers[turn].url).host) } : {};
    const data = mkdtempSync(join(tmpdir(), `nextgen-${name}-`));
    folders.push(data);
    if (turn === 0) {
      cpSync(seed, data, { recursive: true });
      return { data, more };
    }
    // The same shop has the same keys, and the same test provider, which the first one starts.
    const port = join(first.data, "test-provider/port");
    await until(async () => existsSync(port), "the provider does not start");
    for (const folder of OUTLIVES) mkdirSync(join(data, folder), { mode: 0o700 });
    for (const file of ["keys/master", "test-provider/secret"]) cpSync(join(first.data, file), join(data, file));
    return { data, more: { ...more, NEXTGEN_TEST_PROVIDER: `http://127.0.0.1:${readFileSync(port, "utf8").trim()}` } };
  };
  const place = await open(name, { front, count: 2, variables, table: TABLE, tapped, prepare });
  const { data } = place.shops[0];
  const close = place.close;
  place.close = async () => {
    for (const folder of OUTLIVES) cpSync(join(data, folder), join(seed, folder), { recursive: true });
    rmSync(join(seed, "test-provider/port"), { force: true });
    await close();
    // Shops that were killed leave theirs.
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  };
  return place;
}

/** The nearer one dies, and comes back. */
export async function twoOrigins(front) {
  const place = await two("edge-two", front);
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
    await place.shops.shift().kill();
    await until(async () => (await visitor.pieces().catch(() => 0)) === 2, "the cart is another one at the origin that came back");
    return "6 forms of 2 wishes over two origins: 2 pieces, and every page";
  } finally {
    await place.close();
  }
}

/** Every origin dies, and the table lives: pages that nobody has seen are rendered, and what needs an origin is refused in words. */
export async function originsGone(front) {
  const place = await two("edge-origins", front);
  try {
    const buyer = await Buyer.withCart({ url: place.url }, BACKPACK);
    const form = await buyer.form();
    for (const shop of place.shops.splice(0)) await shop.kill();
    await forgets(front);
    const pages = ["de-de", "ja-jp", "fr-ca"].flatMap((locale) => ["/p/city-backpack", "/c/bags-travel", "/help/returns"].map((page) => `/${locale}${page}`));
    for (const page of pages) {
      // A table that took its time once has nobody to stand in for it.
      let answer;
      await until(async () => (answer = await get(place.url + page)).status === 200, `${page} is not rendered without any origin`);
      check(answer.template === "miss", `${page}: x-template ${answer.template} without any origin`);
    }
    const list = await get(`${place.url}/de-de/search?q=tasche`);
    check(list.status === 503 && list.headers.get("retry-after"), `a list that nobody has computed answers ${list.status}`);
    const refused = await buyer.submit(form);
    check(refused.status === 503 && refused.text.includes("Your basket is kept"), `an order is answered ${refused.status} without any origin`);
    return `${pages.length} pages that nobody had seen, a list and an order refused in words`;
  } finally {
    await place.close();
  }
}

/** The processes live, and the writer is out of reach: of one of them, then of both. */
export async function writerGone(front) {
  const writers = [await tap(Number(new URL(DATABASE).port || 5_432)), await tap(Number(new URL(DATABASE).port || 5_432))];
  let place;
  try {
    place = await two("edge-writer", front, { writers });
    const buyer = await Buyer.withCart({ url: place.url }, BACKPACK);
    const form = await buyer.form();
    writers[0].cut();
    await forgets(front);
    const visitor = new Visitor(place.url, "en-gb");
    check((await visitor.add(await visitor.form("canvas-tote", "colour", "navy"))).status === 303, "nothing can be put into the cart while one has no writer");
    const placed = await buyer.submit(form);
    check(placed.status === 303 && placed.to.includes("/pay/"), `an order is answered ${placed.status} to ${placed.to} while one has no writer`);
    const other = await Buyer.withCart({ url: place.url }, BACKPACK);
    const wanted = await other.form();
    writers[1].cut();
    await forgets(front);
    // What goes into a cart is not in the writer's hands, only what it costs is; pages are read from the table.
    check((await visitor.add(await visitor.form("canvas-tote", "colour", "navy"))).status === 303, "nothing can be put into the cart without a writer");
    const cart = await visitor.get("/en-gb/cart");
    check(cart.status === 503 && cart.text.includes("Your basket is kept"), `the cart answers ${cart.status} without a writer`);
    check((await get(`${place.url}/en-gb/p/insulated-bottle`)).status === 200, "no page without a writer");
    const refused = await other.submit(wanted);
    check(refused.status === 503 && refused.text.includes("Your basket is kept"), `an order is answered ${refused.status} without a writer`);
    for (const writer of writers) writer.heal();
    await forgets(front);
    let again;
    await until(async () => (again = await other.submit(wanted)).status === 303, "the order that was refused is refused when the writer is back");
    check(again.to.includes("/pay/"), `the order that was refused leads to ${again.to}`);
    check((await visitor.pieces()) === 2, "what was put into the cart without a writer is lost");
    return "with one writer out of reach: cart and order; with both: cart and pages, the order is refused in words, and taken when one is back";
  } finally {
    await place?.close();
    for (const writer of writers) writer.close();
  }
}

/** The shops' own way to the table is cut: carts are there, and nothing says that they are empty. */
export async function cartsGone(front) {
  const table = await tap(Number(new URL(TABLE).port));
  let place;
  try {
    place = await two("edge-carts", front, { table });
    const visitor = new Visitor(place.url, "en-gb");
    const form = await visitor.form("canvas-tote", "colour", "navy");
    check((await visitor.add(form)).status === 303, "nothing can be put into the cart");
    table.cut();
    const says = [];
    for (const [what, answer] of [["the cart", await visitor.get("/en-gb/cart")], ["the checkout", await visitor.get("/en-gb/checkout")], ["a form", await visitor.add(form)]]) {
      check(answer.status === 503 && answer.text.includes("Your basket is kept"), `without its table ${what} answers ${answer.status}`);
      says.push(what);
    }
    check((await get(`${place.url}/en-gb/p/city-backpack`)).status === 200, "no page while the shops have no table");
    table.heal();
    await forgets(front);
    let cart;
    await until(async () => (cart = await visitor.cart().catch(() => ({}))).pieces === 1, "the cart does not come back");
    check(cart.things.join() === "canvas-tote", `another cart came back: ${cart.things}`);
    return `${says.join(", ")}: refused in words, and the cart was kept`;
  } finally {
    await place?.close();
    table.close();
  }
}

/** An order's answer is lost on its way back: sent again, by the edge or by the shopper, it is the same order, whoever takes it. */
export async function answerLost(front) {
  const place = await two("edge-lost", front, { tapped: true });
  try {
    const buyer = await Buyer.withCart({ url: place.url }, BOTTLE);
    const direct = new Buyer(place.shops[0]);
    const isLeft = (pieces, what) => until(async () => (await direct.left(BOTTLE)) === pieces, what);
    // What other rows sold counts as well: the file says so many more.
    const file = join(place.shops[0].data, "pieces.csv");
    for (let pieces = 4, left; (left = await direct.left(BOTTLE)) !== 4; pieces += 4 - left) {
      check(pieces < 200, "four pieces are not seen");
      if (left === Infinity) left = 4;
      writeFileSync(file, `Handle,Title,Option1 Value,Variant Inventory Qty\ninsulated-bottle,,Sage,${pieces}\n`);
      await place.shops[0].run("import", file, "--location", "rotterdam");
      await settle(1_000);
    }
    const form = await buyer.form();
    const [first, second] = place.ways;
    // CloudFront's handler remembers now that the first one is ready.
    await buyer.post("/en-gb/cart/coupon", { code: "no such code" });
    first.slow(15_000);
    const lost = buyer.submit(form);
    // It has arrived, and was carried out; the answer waits behind the delay.
    await isLeft(3, "the first origin does not carry the order out");
    first.cut();
    const told = await lost;
    await forgets(front);
    // Workers ask the other origin by themselves, for the form names its key; CloudFront never sends a form twice.
    if (front === "workers") check(told.status === 303 && told.to.includes("/pay/"), `the lost answer comes as ${told.status} to ${told.to}`);
    else check(told.status >= 502, `the lost answer comes as ${told.status}`);
    const again = await buyer.submit(form);
    check(again.status === 303 && again.to.includes("/pay/"), `the form sent again is answered ${again.status} to ${again.to}`);
    check(front !== "workers" || again.to === told.to, `two orders: ${told.to} and ${again.to}`);
    first.heal();
    second.cut();
    await forgets(front);
    let third;
    await until(async () => (third = await buyer.submit(form)).status === 303, "the first origin does not come back");
    check(third.to === again.to, `two orders: ${again.to} and ${third.to}`);
    second.heal();
    buyer.page = again.to;
    await buyer.pay(cards.pays);
    await buyer.sees("Paid");
    check((await direct.left(BOTTLE)) === 3, "more than one piece was sold");
    return "one order after three forms at two origins, paid once";
  } finally {
    await place.close();
  }
}
