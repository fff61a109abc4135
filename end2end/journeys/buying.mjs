// Home → category → filter → product → variant → cart → checkout → pay → "Paid", as a shopper walks it: with script, without, in every
// locale, and on real stores. What was bought is missing from the stock that the product page shows.
import assert from "node:assert/strict";
import { journey, settled } from "../browser.mjs";
import { fillIn } from "../addresses.mjs";
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
    const group = page.getByRole("group", { name: option });
    await group.getByRole("radio", { name: value, exact: false }).first().check({ force: true });
  }
  await page.getByLabel(say.quantity, { exact: true }).fill(String(thing.quantity));
  await page.getByRole("main").getByRole("button", { name: say.add }).first().click();
  if (script) {
    await page.getByRole("banner").getByRole("link", { name: new RegExp(`${say.cart}.*${thing.quantity}`) }).waitFor();
    await page.getByRole("banner").getByRole("link", { name: say.cart }).click();
  }
  await page.waitForURL(`**/${locale}/cart`);
}

async function filterByColour(page, say, colour) {
  const filters = page.getByRole("main").locator("form").filter({ has: page.getByRole("button", { name: say.apply }) }).first();
  const choice = filters.getByRole("checkbox", { name: colour, exact: false }).first();
  // Colours may be folded away under their name.
  if (!(await choice.isVisible())) await filters.locator("details").filter({ has: choice }).locator("summary").first().click();
  await choice.check({ force: true });
  await filters.getByRole("button", { name: say.apply }).first().click();
  await page.waitForURL(/[?&]/);
}

export async function pay(page, locale, script) {
  const say = words[locale];
  await page.getByRole("link", { name: say.checkout }).or(page.getByRole("button", { name: say.checkout })).first().click();
  await page.waitForURL(`**/${locale}/checkout*`);
  await fillIn(page, locale.slice(3));
  await agree(page);
  await page.getByRole("button", { name: say.place }).click();
  await page.getByRole("button", { name: "Pay", exact: false }).first().click();
  await page.waitForURL(`**/${locale}/orders/**`);
  await hearsPaid(page, say);
}

/** Where a market asks for it, the terms are agreed to. */
async function agree(page) {
  for (const box of await page.locator("input[type=checkbox][required]").all()) await box.check({ force: true });
}

/** The webhook may come a moment after the shopper. */
async function hearsPaid(page, say) {
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
    await pay(page, locale, script);
    shelf.sold(thing);
    await stockIsDown(page, locale, thing);
  });
}

const named = (locale, script) => `a shopper buys in ${locale} ${script ? "with" : "without"} script`;

export const everywhere = locales.flatMap((locale) =>
  [true, false].map((script) => [named(locale, script), (browser, shop) => buy(browser, shop, locale, script)]),
);

export const realStores = [true, false].map((script) => [
  `${named("de-de", script)} on PostgreSQL and DynamoDB Local`,
  (browser, shop) => buy(browser, shop, "de-de", script),
]);

/** After a decline the cart is whole, and paying again works. */
async function declined(browser, shop) {
  const locale = "en-us";
  const shelf = shelfOf(shop);
  const thing = shelf.pick(locale);
  await journey(browser, shop, { javaScriptEnabled: false, locale }, async (page) => {
    await fillCart(page, locale, false, thing);
    await page.getByRole("link", { name: words[locale].checkout }).first().click();
    await fillIn(page, "us");
    await agree(page);
    await page.getByRole("button", { name: words[locale].place }).click();
    await page.getByRole("button", { name: /decline/i }).first().click();
    await page.waitForURL(`**/${locale}/orders/**`);
    const order = page.url();
    await page.goto(`/${locale}/cart`);
    await page.getByRole("main").getByText(thing.title).first().waitFor();
    await page.goto(order);
    await page.getByRole("button", { name: /again|pay/i }).first().click();
    await page.getByRole("button", { name: "Pay", exact: false }).first().click();
    await page.waitForURL(`**/${locale}/orders/**`);
    await hearsPaid(page, words[locale]);
    shelf.sold(thing);
  });
}

export const refusals = [["a declined payment keeps the cart, and paying again works", declined]];
