// In each market from two product pages to the invoice, with a promotion, a code and express delivery: what every page says adds up, and says the
// same as the page before. Which tax is due where is held by server/src/tariffs; here it is that nobody is shown two totals.
// SHOTS=folder keeps a picture of each page, wide and narrow.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { journey, settled } from "../browser.mjs";
import { addresses, cards, fillIn } from "../addresses.mjs";
import { pdfText } from "../pdf.mjs";
import { words } from "../words.mjs";
import { andLoads, hearsPaid, payWith } from "./buying.mjs";

const sellers = new Map(
  JSON.parse(readFileSync(new URL("../../server/demo/legal_entities.json", import.meta.url), "utf8")).map(({ market, seller }) => [market, seller]),
);
const newYork = { ...addresses.us, "address-line1": "12 Bleecker Street", "address-level2": "New York", "address-level1": "NY", "postal-code": "10012" };
const montreal = {
  ...addresses.ca, "address-line1": "100, rue Sainte-Catherine Ouest", "address-level2": "Montréal", "address-level1": "QC", "postal-code": "H2X 1Z6",
};

/**
 * `taxes`: what each tax line says beside its amount. New York's clothing below $110 is free of the state's tax, and what towns and counties add is not
 * known, so both lines are estimates; Japan's has no reduced rate here, for the shop sells no food.
 */
const walks = [
  { locale: "en-us", script: true, address: newYork, taxes: [/0%/, /4%/], says: [/estimate/i] },
  { locale: "en-ca", script: true, address: addresses.ca, taxes: [/HST.*13%/] },
  { locale: "fr-ca", script: false, address: montreal, taxes: [/TPS.*5\s%/, /TVQ.*9,975\s%/] },
  { locale: "en-gb", script: false, address: addresses.gb, taxes: [/VAT.*20%/] },
  // A VAT number alone never removes tax (domain/src/tax.rs).
  { locale: "de-de", script: true, address: { ...addresses.de, organization: "Muster GmbH, USt-IdNr. DE123456788" }, taxes: [/19\s%/] },
  { locale: "fr-fr", script: true, address: addresses.fr, taxes: [/TVA.*20\s%/] },
  { locale: "ja-jp", script: false, address: addresses.jp, taxes: [/消費税.*10%/], number: /T\d{13}/ },
  { locale: "ko-kr", script: true, address: addresses.kr, taxes: [/10%/] },
];
const CODE = "WELCOME10";
/** Plenty of both lies everywhere, so that no other journey counts them. Of three caps one is free. */
const wanted = [
  { path: "baseball-cap?colour=navy", quantity: 3 },
  { path: "wireless-mouse?colour=graphite", quantity: 1 },
];

/** Minor units of an amount as it is written in any of the locales; a word, such as "Free", is nothing. */
const minor = (text) => {
  const figure = Number(text.replace(/\D/g, ""));
  return /^\s*[–-]/.test(text) ? -figure : figure;
};
const sum = (amounts) => amounts.reduce((all, one) => all + one, 0);
const without = (text) => text.replace(/\s/g, "");

/** The page's sums: the rows with their amounts, the total, and the taxes, which stand among the rows or, inside prices, below the total's name. */
async function sumsOf(page) {
  const { rows, total, included } = await page.locator("dl.sums").first().evaluate((list) => {
    const text = (element) => element.textContent.trim();
    const names = [...list.querySelectorAll("dt")];
    const row = (name) => ({ name: text(name.childNodes[0]), note: text(name), amount: text(name.nextElementSibling) });
    const last = names.find((name) => name.classList.contains("total"));
    return {
      rows: names.filter((name) => name !== last).map(row),
      total: text(last.nextElementSibling),
      included: [...last.querySelectorAll("small")].map(text),
    };
  });
  return { rows, total, included };
}

/** Rows add up to the total. */
function addsUp(where, { rows, total }) {
  assert.equal(sum(rows.map(({ amount }) => minor(amount))), minor(total), `${where}: ${rows.map(({ name, amount }) => `${name} ${amount}`).join(", ")} = ${total}`);
}

/** Each row's reason can be read, and so can the promotion's and the code's. */
async function explains(where, page, { rows, included }) {
  const reasons = await page.locator("aside details.fold:not(.coupon) ul").first().locator("> li").allTextContents();
  for (const { name } of rows.filter(({ amount }) => /\d/.test(amount))) {
    assert.ok(reasons.some((reason) => reason.includes(name) && reason.length > name.length + 15), `${where} does not explain ${name}: ${reasons.join(" | ")}`);
  }
  assert.ok(included.every((tax) => reasons.some((reason) => without(reason).startsWith(without(tax)))), `${where}: ${included} in ${reasons.join(" | ")}`);
}

const shots = process.env.SHOTS;

async function shot(page, name) {
  if (!shots) return;
  for (const [width, height] of [[390, 844], [1280, 900]]) {
    await page.setViewportSize({ width, height });
    await page.screenshot({ path: join(shots, `${name}-${width}.png`), fullPage: true });
  }
}

async function fillCart(page, locale, script) {
  const say = words[locale];
  let pieces = 0;
  for (const { path, quantity } of wanted) {
    await page.goto(`/${locale}/p/${path}`);
    await settled(page, script);
    await page.getByLabel(say.quantity, { exact: true }).fill(String(quantity));
    await page.getByRole("main").getByRole("button", { name: say.add }).first().click();
    pieces += quantity;
    if (script) await page.getByRole("banner").getByRole("link", { name: new RegExp(`${say.cart}.*${pieces}`) }).waitFor();
    else await page.waitForURL(`**/${locale}/cart*`);
  }
  if (script) await page.goto(`/${locale}/cart`);
  await page.locator("details.coupon summary").click();
  await page.locator('input[name="code"]').fill(CODE);
  await andLoads(page, () => page.locator("details.coupon form button").click());
}

/** Fills the form in, with express delivery, and has the total made anew before it orders. */
async function checkOut(page, locale, address) {
  await page.getByRole("main").getByRole("link", { name: words[locale].checkout }).click();
  await page.waitForURL(`**/${locale}/checkout`);
  await fillIn(page, { ...address, email: `${locale}@example.com` });
  await page.locator('input[name="method"][value="express"]').check({ force: true });
  await andLoads(page, () => page.locator('button[name="intent"][value="update"]').click());
}

async function invoiceOf(page, number) {
  const link = page.getByRole("main").getByRole("link", { name: number });
  for (let tries = 0; tries < 40 && (await link.count()) === 0; tries += 1) {
    await page.waitForTimeout(250);
    await page.reload();
  }
  await link.first().click();
  await page.waitForURL("**/invoices/*");
}

/** Bodies of the invoice's tables, cell by cell: what was sold, and the taxes by rate. */
const tablesOf = (page) =>
  page.locator("main table").evaluateAll((tables) =>
    tables.map((table) => [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.textContent.trim()))));

async function buys(browser, shop, { locale, script, address, taxes, says = [], number = /./ }) {
  const market = locale.slice(3).toUpperCase();
  const seller = sellers.get(market);
  const onTop = ["US", "CA"].includes(market);
  await journey(browser, shop, { javaScriptEnabled: script, locale, reducedMotion: shots ? "reduce" : "no-preference" }, async (page) => {
    await fillCart(page, locale, script);
    const inCart = await sumsOf(page);
    addsUp("cart", inCart);
    assert.equal(inCart.rows.filter(({ amount }) => minor(amount) < 0).length, 2, "a promotion and a code take something off");
    assert.ok(inCart.rows.some(({ note }) => note.includes(CODE)), "the code stands beside what it takes off");
    await explains("cart", page, inCart);
    await shot(page, `${locale}-1-cart`);

    await checkOut(page, locale, address);
    const agreed = await sumsOf(page);
    addsUp("checkout", agreed);
    await explains("checkout", page, agreed);
    const taxed = onTop ? agreed.rows.slice(-taxes.length).map(({ note, amount }) => `${note} ${amount}`) : agreed.included;
    assert.equal(taxed.length, taxes.length, `the taxes are ${taxed.join(", ")}`);
    taxes.forEach((tax, at) => assert.match(taxed[at], tax));
    for (const words of says) assert.match(taxed.join(" "), words);
    await shot(page, `${locale}-2-checkout`);
    await andLoads(page, () => page.getByRole("button", { name: words[locale].place }).click());

    await page.locator('input[autocomplete~="cc-number"]').waitFor();
    assert.equal(minor((await sumsOf(page)).total), minor(agreed.total), "what is to be paid is what was agreed to");
    await payWith(page, locale, cards.pays);
    await hearsPaid(page, words[locale]);
    const ordered = await sumsOf(page);
    const plain = ({ rows, ...rest }) => ({ ...rest, rows: rows.map(({ name, amount }) => ({ name, amount })) });
    assert.deepEqual(plain(ordered), plain(agreed), "the order says what the checkout said");
    await explains("order", page, ordered);
    await shot(page, `${locale}-3-order`);

    await invoiceOf(page, new RegExp(`^${market}-\\d{4}-\\d{6}$`));
    await shot(page, `${locale}-4-invoice`);
    const text = await page.getByRole("main").innerText();
    const said = [seller.name, ...seller.address, ...seller.tax_ids.map((id) => id.number)];
    for (const part of said) assert.ok(without(text).includes(without(part)), `the invoice does not name ${part}`);
    assert.match(text, number);
    const sums = await sumsOf(page);
    addsUp("invoice", sums);
    assert.equal(sums.total, ordered.total, "the invoice is for what was paid");
    const amounts = (texts) => texts.map((tax) => minor(/[–-]?[^\s:：]*\d[\d.,\s]*[^\d]*$/.exec(tax)[0]));
    const due = onTop ? ordered.rows.slice(-taxes.length).map(({ amount }) => minor(amount)) : amounts(ordered.included);
    const levied = due.filter((tax) => tax !== 0);
    assert.deepEqual(sums.rows.slice(1).map(({ amount }) => minor(amount)).filter((tax) => tax !== 0), levied, "taxes of the invoice and the order");

    const [goods, rates] = await tablesOf(page);
    const unit = market === "GB" || market === "DE" || market === "FR" ? 3 : 2;
    for (const [name, pieces, ...cells] of goods.filter(([, pieces]) => pieces !== "")) {
      const off = cells.find((cell) => /^[–-]/.test(cell)) ?? "";
      assert.equal(minor(pieces) * minor(cells[unit - 2]) + minor(off), minor(cells.at(-1)), `${name}: ${cells.join(", ")}`);
    }
    assert.equal(sum(goods.map((row) => minor(row.at(-1)))), minor(onTop ? sums.rows[0].amount : sums.total), "rows of the invoice add up");
    for (const [name, net, tax, gross] of rates) assert.equal(minor(net) + minor(tax), minor(gross), name);
    assert.equal(sum(rates.map(([, , tax]) => minor(tax))), sum(levied), "taxes by rate");

    const pdf = await page.request.get(`${new URL(page.url()).pathname}.pdf`);
    assert.equal(pdf.headers()["content-type"], "application/pdf");
    const printed = without(pdfText(await pdf.body()));
    const shown = [...said, new URL(page.url()).pathname.split("/").at(-1), sums.total, ...sums.rows.map(({ amount }) => amount), ...goods.flat(), ...rates.flat()];
    for (const part of shown) assert.ok(printed.includes(without(part)), `the PDF does not say ${part}`);
  });
}

export const journeys = walks.map((walk) => [
  `from a product to its invoice in ${walk.locale} ${walk.script ? "with" : "without"} script`,
  (browser, shop) => buys(browser, shop, walk),
]);
