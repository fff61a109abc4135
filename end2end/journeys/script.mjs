// What script adds and what it costs: the budget as a browser counts it, nothing with Save-Data, and the same page with and without it.
import assert from "node:assert/strict";
import { journey, settled, visitor } from "../browser.mjs";
import { words } from "../words.mjs";

const BUDGET_BYTES = 100_000;

async function budget(browser, shop) {
  const { context, page, complaints } = await visitor(browser, shop);
  const sizes = [];
  page.on("requestfinished", async (request) => {
    const path = new URL(request.url()).pathname;
    if (/\.(js|wasm)$/.test(path)) sizes.push({ path, bytes: (await request.sizes()).responseBodySize });
  });
  await page.goto("/en-us/p/canvas-tote");
  await settled(page, true);
  await page.waitForTimeout(300);
  await context.close();
  assert.deepEqual(complaints, []);
  const sum = sizes.reduce((total, { bytes }) => total + bytes, 0);
  console.log(`        script and Wasm on a product page: ${(sum / 1000).toFixed(1)} kB sent (${sizes.map(({ path, bytes }) => `${path} ${bytes}`).join(", ")})`);
  assert.ok(sizes.some(({ path }) => path.endsWith(".wasm")), "a product page has islands");
  assert.ok(sum <= BUDGET_BYTES, `${sum} bytes are over the budget of ${BUDGET_BYTES}`);
}

async function saveData(browser, shop) {
  const { context, page } = await visitor(browser, shop, { extraHTTPHeaders: { "Save-Data": "on" } });
  await context.addInitScript(() => Object.defineProperty(Object.getPrototypeOf(navigator.connection), "saveData", { get: () => true }));
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await page.goto("/en-us/p/canvas-tote", { waitUntil: "networkidle" });
  await context.close();
  assert.deepEqual(asked.filter((path) => /\.(js|wasm)$/.test(path)), [], "with Save-Data no script and no Wasm is loaded");
}

/** The badge counts up in place, a status says so, and the page stays. */
async function badge(browser, shop) {
  await journey(browser, shop, {}, async (page) => {
    await page.goto("/en-us/p/canvas-tote");
    await settled(page, true);
    const before = page.url();
    for (const count of [1, 2]) {
      await page.getByRole("main").getByRole("button", { name: words["en-us"].add }).first().click();
      await page.getByRole("banner").getByRole("link", { name: new RegExp(`\\b${count}\\b`) }).first().waitFor();
    }
    assert.equal(page.url(), before);
    assert.ok(await page.getByRole("status").first().textContent());
  });
}

/** A page that Back brings out of the browser's memory shows how many pieces there are by now. (Playwright's Chromium keeps no such pages.) */
async function badgeAfterBack(browser, shop) {
  await journey(browser, shop, {}, async (page, context) => {
    await page.goto("/en-us/p/canvas-tote");
    await settled(page, true);
    const other = await context.newPage();
    await other.goto("/en-us/p/canvas-tote");
    await settled(other, true);
    await other.getByRole("main").getByRole("button", { name: words["en-us"].add }).first().click();
    await other.getByRole("banner").getByRole("link", { name: /\b1\b/ }).first().waitFor();
    assert.equal(await page.locator(".bag b").textContent(), "");
    await page.evaluate(() => window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
    await page.getByRole("banner").getByRole("link", { name: /\b1\b/ }).first().waitFor();
  });
}

/** A double click is one wish. */
async function doubleClick(browser, shop, script) {
  await journey(browser, shop, { javaScriptEnabled: script }, async (page) => {
    await page.goto("/en-us/p/canvas-tote");
    await settled(page, script);
    await page.getByRole("main").getByRole("button", { name: words["en-us"].add }).first().dblclick();
    await page.waitForTimeout(700);
    await page.goto("/en-us/cart");
    await page.getByRole("banner").getByRole("link", { name: /\b1\b/ }).first().waitFor();
  });
}

/** The switch keeps the page, works without script, and is remembered where no address says a country. */
async function localeSwitch(browser, shop) {
  await journey(browser, shop, { javaScriptEnabled: false }, async (page) => {
    await page.goto("/en-us/p/canvas-tote");
    const banner = page.getByRole("banner");
    await banner.locator("details.where > summary").click();
    await banner.locator("details.where").getByRole("link", { name: /deutsch/i }).first().click();
    await page.waitForURL("**/de-de/p/**");
    await page.getByRole("button", { name: words["de-de"].add }).first().waitFor();
    await page.goto("/");
    assert.equal(new URL(page.url()).pathname, "/de-de");
  });
}

export const journeys = [
  ["script and Wasm of a product page keep to the budget", budget],
  ["Save-Data loads no script and no Wasm", saveData],
  ["the badge counts up in place", badge],
  ["the badge is right after Back", badgeAfterBack],
  ...[true, false].map((script) => [`a double click adds one piece ${script ? "with" : "without"} script`, (browser, shop) => doubleClick(browser, shop, script)]),
  ["the country switch keeps the page and is remembered, without script", localeSwitch],
];
