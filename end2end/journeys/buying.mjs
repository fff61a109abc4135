// Home → category → filter → product → variant → cart → checkout → pay → "Paid", as a shopper walks it: with script, without, in every
// locale, and on real stores. What was bought is missing from the stock that the product page shows.
import assert from "node:assert/strict";
import { journey, settled } from "../browser.mjs";
import { addresses, cards, fillIn } from "../addresses.mjs";
import { Shelf } from "../catalogue.mjs";
import { locales, words } from "../words.mjs";

/** A shop's shelf is shared by the journeys on it. */
const shelves = new WeakMap();
const shelfOf = (shop) => shelves.get(shop) ?? shelves.set(shop, new Shelf()).get(shop);

export async function fillCart(page, locale, script, thing) {
  const say = words[locale];
  await page.goto(`/${locale}`);
  await page.getByRole("banner").getByRole("navigation").first().getByRole("link", { name: thing.category, exact: true }).click();
  await page.waitForURL(`**/${locale}/c/**`);
  await filterByColour(page, say, thing.choices[0].value);
  await page.getByRole("main").getByRole("link", { name: thing.title, exact: false }).first().click();
  await page.waitForURL(`**/${locale}/p/**`);
  await settled(page, script);
  for (const { option, value } of thing.choices) {
    await page.getByRole("group", { name: option }).getByRole("radio", { name: value }).first().check({ force: true });
  }
  await page.getByLabel(say.quantity, { exact: true }).fill(String(thing.quantity));
  await page.getByRole("main").getByRole("button", { name: say.add }).first().click();
  if (script) {
    await page.getByRole("banner").getByRole("link", { name: new RegExp(`${say.cart}.*${thing.quantity}`) }).waitFor();
    await page.getByRole("banner").getByRole("link", { name: say.cart }).click();
  }
  await page.waitForURL(`**/${locale}/cart*`);
}

async function filterByColour(page, say, colour) {
  const filters = page.getByRole("main").getByRole("form", { name: say.filter });
  const choice = filters.getByRole("checkbox", { name: colour }).first();
  await filters.locator("details").filter({ has: page.locator('input[name="o.colour"]') }).locator("summary").click();
  await choice.check();
  await filters.getByRole("button", { name: say.apply }).first().click();
  await page.waitForURL(/o\.colour=/);
}

/** Does what leads to another document, and waits until that is there. */
export async function andLoads(page, act) {
  const loaded = page.waitForEvent("load");
  await act();
  await loaded;
}

/** From the cart to the hosted payment page. */
export async function order(page, locale) {
  const say = words[locale];
  await page.getByRole("main").getByRole("link", { name: say.checkout }).click();
  await page.waitForURL(`**/${locale}/checkout`);
  await fillIn(page, addresses[locale.slice(3)]);
  await andLoads(page, () => page.getByRole("button", { name: say.place }).click());
  // Where tax depends on the address, the sum with tax is shown before it is owed, and is agreed to once more.
  if (new URL(page.url()).pathname.endsWith("/checkout")) await andLoads(page, () => page.getByRole("button", { name: say.place }).click());
  await page.locator('input[autocomplete~="cc-number"]').waitFor();
}

/** The provider's own page, then back to the order. */
export async function payWith(page, locale, card) {
  await fillIn(page, card);
  await page.getByRole("button", { name: words[locale].pay }).click();
  await page.waitForURL(`**/${locale}/orders/**`);
}

export async function pay(page, locale) {
  await order(page, locale);
  await payWith(page, locale, cards.pays);
  await hearsPaid(page, words[locale]);
}

/** The webhook may come a moment after the shopper. */
export async function hearsPaid(page, say) {
  const paid = page.getByText(say.paid, { exact: true }).first();
  for (let tries = 0; tries < 20; tries += 1) {
    if (await paid.isVisible()) return;
    await page.waitForTimeout(250);
    await page.reload();
  }
  assert.fail(`the order page does not say "${say.paid}"`);
}

async function stockIsDown(page, locale, thing) {
  const query = thing.choices.map(({ slug, valueSlug }) => `${slug}=${valueSlug}`).join("&");
  const product = page.url();
  assert.ok(product.includes("/orders/"));
  await page.goto(`/${locale}`);
  await page.getByRole("banner").getByRole("navigation").first().getByRole("link", { name: thing.category, exact: true }).click();
  await page.getByRole("main").getByRole("link", { name: thing.title, exact: false }).first().click();
  await page.waitForURL(`**/${locale}/p/**`);
  const wanted = words[locale].left(thing.left);
  // Price and stock are live within a second.
  for (let tries = 0; tries < 8; tries += 1) {
    await page.goto(`${new URL(page.url()).pathname}?${query}`);
    if (await page.getByRole("main").getByText(wanted, { exact: false }).first().isVisible()) return;
    await page.waitForTimeout(250);
  }
  assert.fail(`the product page does not say "${wanted}"`);
}

async function buy(browser, shop, locale, script) {
  const shelf = shelfOf(shop);
  const thing = shelf.pick(locale);
  await journey(browser, shop, { javaScriptEnabled: script, locale }, async (page) => {
    await fillCart(page, locale, script, thing);
    await pay(page, locale);
    shelf.sold(thing);
    await stockIsDown(page, locale, thing);
  });
}

const named = (locale, script) => `a shopper buys in ${locale} ${script ? "with" : "without"} script`;

const buysIn = (locale) => [true, false].map((script) => [named(locale, script), (browser, shop) => buy(browser, shop, locale, script)]);
export const everywhere = locales.flatMap(buysIn);

export const realStores = [true, false].map((script) => [
  `${named("de-de", script)} on PostgreSQL and DynamoDB Local`,
  (browser, shop) => buy(browser, shop, "de-de", script),
]);

/** After a decline the cart is whole, and paying again works, this time through the bank's own question. */
async function declined(browser, shop) {
  const locale = "en-gb";
  const shelf = shelfOf(shop);
  const thing = shelf.pick(locale);
  await journey(browser, shop, { javaScriptEnabled: false, locale }, async (page) => {
    await fillCart(page, locale, false, thing);
    await order(page, locale);
    await payWith(page, locale, cards.declines);
    const address = page.url();
    await page.getByRole("main").getByText("Payment declined", { exact: true }).waitFor();
    await page.goto(`/${locale}/cart`);
    await page.getByRole("main").getByText(thing.title).first().waitFor();
    await page.goto(address);
    await page.getByRole("button", { name: /^Try again/ }).click();
    await fillIn(page, cards.challenges);
    await page.getByRole("button", { name: words[locale].pay }).click();
    await page.getByRole("button", { name: "Confirm payment" }).click();
    await page.waitForURL(`**/${locale}/orders/**`);
    await hearsPaid(page, words[locale]);
    shelf.sold(thing);
    await page.goto(`/${locale}/cart`);
    assert.equal(await page.getByRole("main").getByText(thing.title).count(), 0, "what was paid has left the cart");
  });
}

export const refusals = [["a declined payment keeps the cart, and paying again works", declined]];
