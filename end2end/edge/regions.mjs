// Two shops over one database and one table, as in two regions: one dies, one loses the writer, an answer is lost on its way.
import { cpSync, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Buyer, cards } from "../buyer.mjs";
import { startShop } from "../shop.mjs";
import { tap } from "../tap.mjs";
import { check, forgets, get, open, settle, until } from "./place.mjs";
import { Visitor } from "./visitor.mjs";

const { JOURNEY_DATABASE_URL: DATABASE, JOURNEY_DYNAMODB_ENDPOINT: TABLE } = process.env;
const BOTTLE = { slug: "insulated-bottle", option: "colour", value: "sage" };

/** Whether there is an engine for shops that share everything. */
export const canShare = Boolean(DATABASE && TABLE);

/** Opens both. `writers`: by which way each reaches the database. */
async function two(name, front, { writers = [], tapped = false } = {}) {
  const variables = {
    DATABASE_URL: DATABASE, NEXTGEN_DYNAMODB: "aws", AWS_ENDPOINT_URL_DYNAMODB: TABLE, NEXTGEN_DYNAMODB_TABLE: "nextgen",
    AWS_REGION: "eu-central-1", AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local",
  };
  const prepare = async (turn, [first]) => {
    const more = writers[turn] ? { DATABASE_URL: DATABASE.replace(new URL(DATABASE).host, new URL(writers[turn].url).host) } : {};
    if (turn === 0) return { more };
    // The same shop has the same keys, and the same test provider, which the first one starts.
    const data = mkdtempSync(join(tmpdir(), "nextgen-edge-2-"));
    for (const folder of ["keys", "test-provider"]) mkdirSync(join(data, folder), { mode: 0o700 });
    for (const file of ["keys/master", "test-provider/secret"]) cpSync(join(first.data, file), join(data, file));
    const buyer = await Buyer.withCart(first, BOTTLE);
    await buyer.place();
    return { data, more: { ...more, NEXTGEN_TEST_PROVIDER: new URL(buyer.page).origin } };
  };
  return open(name, { front, count: 2, variables, table: TABLE, tapped, prepare });
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
    await until(async () => (await visitor.pieces()) === 2, "the cart is another one at the origin that came back");
    return "6 forms of 2 wishes over two origins: 2 pieces, and every page";
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
    const buyer = await Buyer.withCart({ url: place.url }, BOTTLE);
    const form = await buyer.form();
    writers[0].cut();
    await forgets(front);
    const visitor = new Visitor(place.url, "en-gb");
    check((await visitor.add(await visitor.form("canvas-tote", "colour", "navy"))).status === 303, "nothing can be put into the cart while one has no writer");
    const placed = await buyer.submit(form);
    check(placed.status === 303 && placed.to.includes("/pay/"), `an order is answered ${placed.status} to ${placed.to} while one has no writer`);
    const other = await Buyer.withCart({ url: place.url }, BOTTLE);
    const wanted = await other.form();
    writers[1].cut();
    await forgets(front);
    // Carts are not in the writer's hands, and pages are read from the table.
    check((await visitor.add(await visitor.form("canvas-tote", "colour", "navy"))).status === 303, "nothing can be put into the cart without a writer");
    check((await visitor.pieces()) === 2, "the cart cannot be seen without a writer");
    check((await get(`${place.url}/en-gb/p/city-backpack`)).status === 200, "no page without a writer");
    const refused = await other.submit(wanted);
    check(refused.status === 503 && refused.text.includes("Your basket is kept"), `an order is answered ${refused.status} without a writer`);
    for (const writer of writers) writer.heal();
    await forgets(front);
    let again;
    await until(async () => (again = await other.submit(wanted)).status === 303, "the order that was refused is refused when the writer is back");
    check(again.to.includes("/pay/"), `the order that was refused leads to ${again.to}`);
    return "with one writer out of reach: cart and order; with both: cart and pages, the order is refused in words, and taken when one is back";
  } finally {
    await place?.close();
    for (const writer of writers) writer.close();
  }
}

/** An order's answer is lost on its way back: sent again, by the edge or by the shopper, it is the same order, whoever takes it. */
export async function answerLost(front) {
  const place = await two("edge-lost", front, { tapped: true });
  try {
    const buyer = await Buyer.withCart({ url: place.url }, BOTTLE);
    const form = await buyer.form();
    const stock = await buyer.left(BOTTLE);
    const [first, second] = place.ways;
    first.slow(3_000);
    const lost = buyer.submit(form);
    // It has arrived, and was carried out; the answer waits behind the delay.
    await settle(1_500);
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
    check(stock === Infinity || (await buyer.left(BOTTLE)) === stock - 1, "more than one piece was sold");
    return "one order after three forms at two origins, paid once";
  } finally {
    await place.close();
  }
}
