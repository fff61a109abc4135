// The race gate: what broke other shops, replayed over HTTP against a running one. `node races.mjs [part of a name]` starts a shop and a payment
// provider of its own, prints a table, and ends with 0 only if every row passed. Each row names where the failure was published.
import { createHmac, randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startShop } from "./shop.mjs";
import { Buyer, attempt, cards, field, settle } from "./buyer.mjs";

/** How many do the same at the same time. */
const CROWD = 24;
/** Where Britain's pieces are. At most five are counted in words on the page, so no row needs more. */
const PLACE = "rotterdam";
const wanted = process.argv[2] ?? process.env.RACE ?? "";

/** [name, where it was published, the row]. A row returns what it counted and throws what went wrong. */
const rows = [
  ["stock race", "vendurehq/vendure#3508, saleor/saleor#543", stockRace],
  ["coupon cap race", "woocommerce/woocommerce#13505, shopperlabs/shopper#510", couponRace],
  ["confirm versus webhook", "medusajs/medusa#13301", confirmVersusWebhook],
  ["pay in two tabs", "shopware/shopware#19943, Automattic/woocommerce-payments#5678", twoTabs],
  ["refresh on pay", "thelia/thelia#2324", refreshOnPay],
  ["cart kept after the order", "elcodi/bamboo#195", cartKept],
  ["refund more than paid", "juspay/hyperswitch#13182, craftcms/commerce#1098", refundMoreThanPaid],
  ["duplicate webhooks", "Pinelab-studio/pinelab-vendure-plugins#620", duplicateWebhooks],
  ["forged webhooks", "Carrington-dev/dj-payfast#30", forgedWebhooks],
  ["yen times 100", "cartalyst/stripe#59, Paymenter/Paymenter#1258", yenTimes100],
  ["release on failure", "woocommerce/woocommerce#66244", releaseOnFailure],
  ["import that resurrects stock", "open-mercato/open-mercato#4105", importResurrects],
];

function check(holds, what) {
  if (!holds) throw new Error(what);
}

/** Waits until pages say that so many pieces are left, which follows the books within a second. */
async function keeps(shop, thing, pieces) {
  let left;
  for (let tries = 0; tries < 40; tries += 1) {
    left = await shop.left(thing);
    if (left === pieces) return;
    await settle(100);
  }
  check(false, `${left} pieces are left instead of ${pieces}`);
}

/** 24 people want 5 pieces. */
async function stockRace(shop) {
  const thing = await shop.stocked("city-backpack", "colour", "slate", 5);
  const buyers = await Promise.all(Array.from({ length: CROWD }, () => Buyer.withCart(shop, thing)));
  const placed = await Promise.all(buyers.map((buyer) => attempt(() => buyer.place())));
  const winners = placed.filter((buyer) => buyer?.page);
  await Promise.all(winners.map((buyer) => buyer.pay(cards.pays)));
  await Promise.all(winners.map((buyer) => buyer.sees("Paid")));
  const captured = (await shop.ledger()).sessions.filter(({ number, state }) => state.state === "captured" && placed.some((buyer) => buyer?.number === number));
  check(winners.length === 5, `${winners.length} orders were taken for 5 pieces`);
  check(captured.length === 5, `${captured.length} captures for 5 pieces`);
  return `${CROWD} buyers, 5 pieces, ${winners.length} orders, ${captured.length} captures`;
}

/** 24 people have a code that holds 5 times, and order at once; one that is given up can be used again. */
async function couponRace(shop) {
  await shop.run("coupon", "add", "RACE5", "--percent", "10", "--title", "10% off", "--cap", "5");
  const thing = { slug: "insulated-bottle", option: "colour", value: "sage" };
  const buyers = await Promise.all(Array.from({ length: CROWD }, () => Buyer.withCart(shop, thing)));
  const full = (await buyers[0].form()) && buyers[0].shownTotal;
  await Promise.all(buyers.map((buyer) => buyer.post("/en-gb/cart/coupon", { code: "race5" })));
  const forms = await Promise.all(buyers.map((buyer) => buyer.form()));
  check(buyers.every((buyer) => buyer.shownTotal < full), "the code takes nothing off");
  const answers = await Promise.all(buyers.map((buyer, place) => buyer.submit(forms[place])));
  const winners = buyers.filter((_, place) => answers[place].status === 303 && answers[place].to.includes("/pay/"));
  check(winners.length === 5, `${winners.length} orders used a code that holds 5 times`);
  check(answers.every(({ status }) => [200, 303, 409, 422].includes(status)), `the checkout answers ${answers.map(({ status }) => status)}`);
  const given = winners[0];
  await given.empty();
  await given.add({ slug: "canvas-tote", option: "colour", value: "navy" });
  await given.post("/en-gb/cart/coupon", { intent: "remove" });
  await given.place();
  const next = buyers.find((buyer) => !winners.includes(buyer));
  await next.place();
  check(next.shownTotal < full, "a use that was given back cannot be used");
  return `${CROWD} buyers, 5 uses, ${winners.length} orders with the code; 1 given back, used by the next`;
}

/** The shopper comes back before, after and together with the webhook: one order, one sale, "Paid" at once. */
async function confirmVersusWebhook(shop) {
  const thing = await shop.stocked("canvas-tote", "colour", "olive", 5);
  let paid = 0;
  for (const faults of [{ hold_webhooks: true }, { delay_webhooks_ms: 1 }, { delay_replies_ms: 300 }, { duplicate_webhooks: true }]) {
    await shop.faults(faults);
    const buyer = await Buyer.withCart(shop, thing);
    await buyer.place();
    await Promise.all([buyer.pay(cards.pays), settle(40)]);
    const pages = await Promise.all(Array.from({ length: 6 }, () => buyer.look()));
    check(pages.every((page) => page.status === 200), "the order's page fails while the webhook comes");
    await buyer.sees("Paid");
    paid += 1;
  }
  await shop.faults({});
  await keeps(shop, thing, 1);
  return `${paid} orders in ${paid} orders of arrival, 1 of 5 pieces left`;
}

/** Two tabs, the same cart, both buttons at once; then both payment pages. */
async function twoTabs(shop) {
  const thing = await shop.stocked("canvas-tote", "colour", "rust", 5);
  const before = await shop.captures();
  for (let round = 0; round < 5; round += 1) {
    const buyer = await Buyer.withCart(shop, thing);
    const tabs = await Promise.all([buyer.form(), buyer.form()]);
    const answers = await Promise.all(tabs.map((form) => buyer.submit(form)));
    check(answers.every((answer) => answer.status === 303), `a tab was answered ${answers.map((answer) => answer.status)}`);
    const pages = [...new Set(answers.map((answer) => answer.to).filter((to) => to.includes("/pay/")))];
    check(pages.length === 1, `${pages.length} payment pages for one cart`);
    buyer.page = pages[0];
    await Promise.all([buyer.pay(cards.pays), attempt(() => buyer.pay(cards.pays))]);
    await buyer.sees("Paid");
  }
  await keeps(shop, thing, 0);
  const captures = (await shop.captures()) - before;
  check(captures === 5, `${captures} captures for 5 carts`);
  return `5 carts in two tabs each, 5 pieces sold, ${captures} captures`;
}

/** "Place order" and "Pay" sent again and again, as an impatient reload does. */
async function refreshOnPay(shop) {
  const thing = await shop.stocked("canvas-tote", "colour", "natural", 5);
  const before = await shop.captures();
  const buyer = await Buyer.withCart(shop, thing);
  const form = await buyer.form();
  const answers = await Promise.all(Array.from({ length: 8 }, () => buyer.submit(form)));
  const pages = new Set(answers.map((answer) => answer.to));
  check(answers.every((answer) => answer.status === 303) && pages.size === 1, `one form led to ${[...pages].join(", ")}`);
  buyer.page = [...pages][0];
  await Promise.all(Array.from({ length: 8 }, () => attempt(() => buyer.pay(cards.pays))));
  await buyer.sees("Paid");
  await Promise.all(Array.from({ length: 4 }, () => buyer.again()));
  await keeps(shop, thing, 4);
  const captures = (await shop.captures()) - before;
  check(captures === 1, `${captures} captures for one form`);
  return `1 form sent 8 times, paid 8 times: 1 piece sold, ${captures} capture`;
}

/** After paying the cart is empty; after a decline it is whole. */
async function cartKept(shop) {
  const thing = { slug: "canvas-tote", option: "colour", value: "navy" };
  const paid = await Buyer.withCart(shop, thing);
  await paid.place();
  await paid.pay(cards.pays);
  await paid.sees("Paid");
  check(!(await paid.cart()).includes("canvas-tote"), "a paid cart is not empty");
  const declined = await Buyer.withCart(shop, thing);
  await declined.place();
  await declined.pay(cards.declines);
  await declined.sees("Payment declined");
  check((await declined.cart()).includes("canvas-tote"), "a declined payment emptied the cart");
  return "paid: empty; declined: whole";
}

/** Everybody at the operators' desk gives three fifths of an order back at once, then what is left: never more than was paid. */
async function refundMoreThanPaid(shop) {
  const buyer = await Buyer.withCart(shop, { slug: "canvas-tote", option: "colour", value: "navy" });
  await buyer.place();
  await buyer.pay(cards.pays);
  await buyer.sees("Paid");
  const { payment, amount } = await shop.session(buyer.number);
  const page = `/ops/orders/${buyer.number}`;
  const desk = await shop.staff("refunds@example.com");
  const refund = async (minor) => {
    const forms = await Promise.all(Array.from({ length: CROWD }, () => desk.get(page)));
    const sent = forms.map(({ text }) => desk.post(`${page}/refund`, { id: field(text, "id"), amount: (minor / 100).toFixed(2), reason: "service", sure: "yes" }));
    return (await Promise.all(sent)).map(({ status }) => status);
  };
  const part = Math.ceil(amount.minor * 0.6);
  const rounds = [];
  for (const minor of [part, amount.minor, amount.minor - part]) {
    const answers = await refund(minor);
    check(answers.every((status) => [303, 409, 422].includes(status)), `a refund was answered ${answers}`);
    rounds.push(answers.filter((status) => status === 303).length);
  }
  check(rounds.join() === "1,0,1", `of ${CROWD} refunds each ${rounds} were taken`);
  let back;
  for (let tries = 0; tries < 60; tries += 1) {
    const sent = (await shop.ledger()).refunds.filter((sent) => sent.payment === payment);
    back = sent.reduce((sum, { minor }) => sum + minor, 0);
    if (back >= amount.minor) break;
    await settle(100);
  }
  check(back === amount.minor, `${back} of ${amount.minor} went back`);
  return `${3 * CROWD} refunds asked for, ${rounds.reduce((sum, taken) => sum + taken)} taken: ${back} of ${amount.minor} back`;
}

/** Every webhook twice, and one by hand 20 times. */
async function duplicateWebhooks(shop) {
  const thing = await shop.stocked("travel-mug", "colour", "cream", 5);
  await shop.faults({ duplicate_webhooks: true });
  const buyers = await Promise.all(Array.from({ length: 3 }, () => Buyer.withCart(shop, thing)));
  for (const buyer of buyers) {
    await buyer.place();
    await buyer.pay(cards.pays);
    await buyer.sees("Paid");
  }
  await shop.faults({});
  const { payment, amount } = await shop.session(buyers[0].number);
  const body = JSON.stringify(shop.capture(payment, amount));
  const answers = await Promise.all(Array.from({ length: 20 }, () => shop.webhook(body, shop.sign(body))));
  check(answers.every((status) => status < 300), `a repeated webhook was answered ${answers}`);
  await keeps(shop, thing, 2);
  return `${buyers.length} orders, each webhook twice and one ${answers.length} times more, 2 of 5 pieces left`;
}

/** Nobody who cannot sign, or signs for another body or another time, makes an order paid. */
async function forgedWebhooks(shop) {
  const thing = await shop.stocked("travel-mug", "colour", "pine", 5);
  const buyer = await Buyer.withCart(shop, thing);
  await buyer.place();
  const { payment, amount } = await shop.session(buyer.number);
  const body = JSON.stringify(shop.capture(payment, amount));
  const other = JSON.stringify(shop.capture(payment, { ...amount, minor: 1 }));
  const forged = [undefined, "", "t=1,v1=00", shop.sign(body, "another secret"), shop.sign(other), shop.sign(body, undefined, -600), shop.sign(body, undefined, 600)];
  const answers = await Promise.all(forged.map((signature) => shop.webhook(body, signature)));
  check(answers.every((status) => status === 401), `forged webhooks were answered ${answers}`);
  check((await shop.session(buyer.number)).state.state === "open", "the provider's page is not open");
  await buyer.pay(cards.declines);
  await buyer.sees("Payment declined");
  return `${forged.length} forged, ${forged.length} refused`;
}

/** What the page says in yen is what the provider is told: not a hundred times as much. */
async function yenTimes100(shop) {
  const asked = [];
  for (const locale of ["ja-jp", "ko-kr", "en-gb"]) {
    const buyer = await Buyer.withCart(shop, { slug: "insulated-bottle", option: "colour", value: "ink" }, locale);
    await buyer.place();
    const { amount } = await shop.session(buyer.number);
    const digits = locale === "en-gb" ? 2 : 0;
    const minor = Math.round(buyer.shownTotal * 10 ** digits);
    check(amount.minor === minor, `${locale} shows ${buyer.shownTotal} and asks for ${amount.minor} minor units`);
    asked.push(`${amount.currency} ${amount.minor}`);
    await buyer.pay(cards.pays);
  }
  return asked.join(", ");
}

/** A declined or abandoned order keeps nothing for ever: ordering something else from the same cart frees its pieces at once. */
async function releaseOnFailure(shop) {
  const thing = await shop.stocked("travel-mug", "colour", "terracotta", 1);
  const first = await Buyer.withCart(shop, thing);
  await first.place();
  await first.pay(cards.declines);
  await first.sees("Payment declined");
  const second = new Buyer(shop);
  await second.add(thing);
  check(!(await attempt(() => second.place())), "a piece that is kept for somebody was sold to another");
  await keeps(shop, thing, 0); // or the 1 below could be the one of before
  await first.empty();
  await first.add({ slug: "canvas-tote", option: "colour", value: "navy" });
  await first.place();
  await keeps(shop, thing, 1);
  const third = await Buyer.withCart(shop, thing);
  await third.place();
  await third.pay(cards.pays);
  await third.sees("Paid");
  return "kept for its buyer, free once given up, sold to the next";
}

/** The same file again after a sale does not bring sold pieces back. */
async function importResurrects(shop) {
  const thing = await shop.stocked("city-backpack", "colour", "black", 5);
  for (let sale = 0; sale < 2; sale += 1) {
    const buyer = await Buyer.withCart(shop, thing);
    await buyer.place();
    await buyer.pay(cards.pays);
    await buyer.sees("Paid");
  }
  await keeps(shop, thing, 3);
  for (let time = 0; time < 3; time += 1) await shop.run("import", thing.file, "--location", PLACE);
  await settle(1_500);
  await keeps(shop, thing, 3);
  return "2 of 5 pieces sold, the file imported 3 times more: 3 left";
}

/** A shop with its own provider, and what a row asks of both. */
async function open() {
  const { JOURNEY_DATABASE_URL: database } = process.env;
  const shop = await startShop("races", database ? { DATABASE_URL: database } : {});
  const provider = () => `http://127.0.0.1:${readFileSync(join(shop.data, "test-provider/port"), "utf8").trim()}`;
  const secret = readFileSync(join(shop.data, "test-provider/secret"), "utf8");
  shop.faults = async (faults) => {
    const answer = await fetch(`${provider()}/_faults`, { method: "POST", body: JSON.stringify(faults) });
    check(answer.status === 204, `the provider answers ${answer.status}`);
  };
  shop.ledger = async () => (await fetch(`${provider()}/v1/ledger`, { headers: { authorization: `Bearer ${secret}` } })).json();
  shop.captures = async () => (await shop.ledger()).sessions.filter(({ state }) => state.state === "captured").length;
  shop.session = async (number) => {
    const found = (await shop.ledger()).sessions.filter((session) => session.number === number);
    check(found.length === 1, `the provider knows ${found.length} pages of ${number}`);
    return found[0];
  };
  shop.sign = (body, key = secret, shift = 0) => {
    const seconds = Math.floor(Date.now() / 1000) + shift;
    return `t=${seconds},v1=${createHmac("sha256", key).update(`${seconds}.${body}`).digest("hex")}`;
  };
  shop.capture = (payment, amount) => ({ id: `evt_${randomUUID()}`, notice: { about: "payment", payment, news: { state: "captured", amount } } });
  shop.webhook = async (body, signature) => {
    const headers = { "content-type": "application/json", ...(signature === undefined ? {} : { "webhook-signature": signature }) };
    return (await fetch(`${shop.url}/webhooks/test-provider`, { method: "POST", headers, body })).status;
  };
  /** Imports so many pieces of one variant, and waits until pages know. */
  shop.stocked = async (slug, option, value, pieces) => {
    const file = join(shop.data, `stock-${slug}-${value}.csv`);
    const thing = { slug, option, value, file };
    const capital = value[0].toUpperCase() + value.slice(1);
    writeFileSync(file, `Handle,Title,Option1 Value,Variant Inventory Qty\n${slug},,${capital},${pieces}\n`);
    await shop.run("import", file, "--location", PLACE);
    await keeps(shop, thing, pieces);
    return thing;
  };
  /** Somebody at the operators' desk, who may do everything. */
  shop.staff = async (email) => {
    const given = (await shop.run("staff", "add", email, "--role", "admin")).stdout.trim().split("\n").at(-1);
    const desk = new Buyer(shop);
    await desk.post("/ops/sign-in", { email, password: given });
    const changed = await desk.post("/ops/password", { current: given, chosen: "seven green umbrellas" });
    check(changed.status === 303, `a new password is answered ${changed.status}`);
    return desk;
  };
  /** How many pieces there are, as a shopper reads it. */
  shop.left = (thing) => new Buyer(shop).left(thing);
  return shop;
}

const shop = await open();
const results = [];
try {
  for (const [name, source, row] of rows.filter(([name]) => name.includes(wanted))) {
    const begun = Date.now();
    const outcome = await row(shop).then((counts) => ["pass", counts], (error) => ["FAIL", error.message]);
    results.push([name, ...outcome, `${((Date.now() - begun) / 1000).toFixed(1)} s`, source]);
    if (outcome[0] === "FAIL") await shop.faults({}).catch(() => {});
  }
} finally {
  await shop.stop();
}
const table = [["race", "", "counts", "time", "published"], ...results];
const widths = table[0].map((_, column) => Math.max(...table.map((line) => line[column].length)));
for (const line of table) console.log(line.map((cell, column) => cell.padEnd(widths[column])).join("  ").trimEnd());
const failed = results.filter(([, outcome]) => outcome !== "pass").length;
console.log(`\nraces: ${results.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 && results.length > 0 ? 0 : 1;
