// axe with the tags of WCAG 2.2 AA on every kind of page, light and dark, wide and narrow; on a filled cart, a checkout with errors, the payment
// page, an order in its states; from right to left, and in Japanese.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { visitor } from "../browser.mjs";
import { cards } from "../addresses.mjs";
import { gone, privateRoutes, publicRoutes } from "../routes.mjs";
import { words } from "../words.mjs";
import { andLoads, hearsPaid, order, payWith } from "./buying.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const looks = [1280, 390].flatMap((width) => ["light", "dark"].map((colorScheme) => ({ width, colorScheme })));

async function findings(page, name) {
  const { violations } = await page.evaluate((tags) => window.axe.run(document, { runOnly: tags }), TAGS);
  return violations.map(({ id, help, nodes }) => {
    const where = nodes.slice(0, 4).map((node) => `      ${node.target.join(" ")}: ${node.failureSummary.split("\n").slice(1).join(" ").trim()}`);
    return `${name}: ${id}, ${help} (${nodes.length})\n${where.join("\n")}`;
  });
}

/** Brings in a product that the shop no longer has, once a shop, and waits until its address says so. */
const retired = new WeakMap();
const retire = (shop) => retired.get(shop) ?? retired.set(shop, bringIn(shop)).get(shop);

async function bringIn(shop) {
  await shop.run("import", new URL("../retired.csv", import.meta.url).pathname);
  for (let tries = 0; tries < 40; tries += 1) {
    if ((await fetch(`${shop.url}${gone("en-us")}`)).status === 410) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`${gone("en-us")} never says that it is gone`);
}

const inLook = ({ width, colorScheme }) => ({ viewport: { width, height: 900 }, colorScheme, reducedMotion: "reduce" });

async function everyRoute(browser, shop, look, locale = "en-us") {
  await retire(shop);
  const { context, page } = await visitor(browser, shop, inLook(look));
  await context.addInitScript(axe);
  const found = [];
  for (const [name, path, status] of [...publicRoutes(locale), ["gone", gone(locale), 410]]) {
    const answer = await page.goto(path);
    if (answer.status() !== status) found.push(`${name}: ${path} answered ${answer.status()}, not ${status}`);
    found.push(...(await findings(page, name)));
  }
  await context.close();
  if (found.length > 0) throw new Error(`axe found on ${look.width} px, ${look.colorScheme}:\n    ${found.join("\n    ")}`);
}

async function theTill(browser, shop, look) {
  const { context, page } = await visitor(browser, shop, { ...inLook(look), javaScriptEnabled: true });
  await context.addInitScript(axe);
  const found = [];
  const lookAt = async (name) => found.push(...(await findings(page, name)));
  await page.goto("/en-us/p/canvas-tote");
  await page.getByRole("main").getByRole("button", { name: words["en-us"].add }).first().click();
  await page.getByRole("banner").getByRole("link", { name: /1/ }).first().waitFor();
  const { cart, checkout } = privateRoutes("en-us", "");
  await page.goto(cart);
  await lookAt("cart");
  await page.goto(checkout);
  await lookAt("checkout");
  await andLoads(page, () => page.getByRole("button", { name: "The bill goes to another address" }).click());
  await page.getByRole("group", { name: "Billing address" }).waitFor();
  await lookAt("checkout with a billing address");
  await andLoads(page, () => page.getByRole("button", { name: words["en-us"].place }).click());
  await lookAt("checkout with errors");
  await andLoads(page, () => page.getByRole("button", { name: "Remove: Billing address" }).click());
  await page.goto(cart);
  await order(page, "en-us");
  await lookAt("payment page");
  await payWith(page, "en-us", cards.declines);
  await page.getByRole("main").getByText("Payment declined", { exact: true }).waitFor();
  await lookAt("order, declined");
  const secret = new URL(page.url()).pathname.split("/").at(-1);
  await andLoads(page, () => page.getByRole("button", { name: /^Try again/ }).click());
  await page.goto(privateRoutes("en-us", secret).order);
  await page.getByRole("main").getByText("Awaiting payment", { exact: true }).waitFor();
  await lookAt("order, awaiting payment");
  await andLoads(page, () => page.getByRole("button", { name: /^Pay/ }).click());
  await payWith(page, "en-us", cards.pays);
  await hearsPaid(page, words["en-us"]);
  await lookAt("order, paid");
  const invoice = page.getByRole("main").getByRole("link", { name: /^US-\d{4}-\d+$/ });
  for (let tries = 0; tries < 40 && (await invoice.count()) === 0; tries += 1) {
    await page.waitForTimeout(250);
    await page.goto(privateRoutes("en-us", secret).order);
  }
  await invoice.click();
  await page.getByRole("heading", { level: 1, name: "Invoice" }).waitFor();
  await lookAt("invoice");
  await context.close();
  if (found.length > 0) throw new Error(`axe found on ${look.width} px, ${look.colorScheme}:\n    ${found.join("\n    ")}`);
}

const named = ({ width, colorScheme }) => `${width} px, ${colorScheme}`;
export const journeys = [
  ...looks.map((look) => [`axe finds nothing on every public page (${named(look)})`, (browser, shop) => everyRoute(browser, shop, look)]),
  ...["ar-xb", "ja-jp"].map((locale) => [`axe finds nothing on every public page in ${locale}`, (browser, shop) => everyRoute(browser, shop, looks[2], locale)]),
  ...looks.map((look) => [`axe finds nothing from the cart to the order (${named(look)})`, (browser, shop) => theTill(browser, shop, look)]),
];
