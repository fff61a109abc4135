// axe with the tags of WCAG 2.2 AA on every kind of page, light and dark, wide and narrow; and on a filled cart, a checkout with errors, an order.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { visitor } from "../browser.mjs";
import { publicRoutes } from "../routes.mjs";
import { words } from "../words.mjs";
import { pay } from "./buying.mjs";

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

const inLook = ({ width, colorScheme }) => ({ viewport: { width, height: 900 }, colorScheme, reducedMotion: "reduce" });

async function everyRoute(browser, shop, look) {
  const { context, page } = await visitor(browser, shop, inLook(look));
  await context.addInitScript(axe);
  const found = [];
  for (const [name, path, status] of publicRoutes("en-us")) {
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
  await page.goto("/en-us/cart");
  await lookAt("cart");
  await page.goto("/en-us/checkout");
  await lookAt("checkout");
  await page.getByRole("button", { name: words["en-us"].place }).click();
  await page.waitForLoadState();
  await lookAt("checkout with errors");
  await page.goto("/en-us/cart");
  await pay(page, "en-us");
  await lookAt("order, paid");
  await context.close();
  if (found.length > 0) throw new Error(`axe found on ${look.width} px, ${look.colorScheme}:\n    ${found.join("\n    ")}`);
}

const named = ({ width, colorScheme }) => `${width} px, ${colorScheme}`;
export const journeys = [
  ...looks.map((look) => [`axe finds nothing on every public page (${named(look)})`, (browser, shop) => everyRoute(browser, shop, look)]),
  ...looks.map((look) => [`axe finds nothing from the cart to the order (${named(look)})`, (browser, shop) => theTill(browser, shop, look)]),
];
