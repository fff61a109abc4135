// The operations: a newcomer gets in with the password from the command line, books a delivery by keyboard, and axe finds nothing on any page,
// light and dark, wide and narrow. No page is wider than a phone of 320 px.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { visitor } from "../browser.mjs";
import { staffRoutes } from "../routes.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const looks = [1280, 390].flatMap((width) => ["light", "dark"].map((colorScheme) => ({ width, colorScheme })));
const CHOSEN = "seven green umbrellas";

export async function getIn(shop, page, email) {
  const { stdout } = await shop.run("staff", "add", email, "--role", "admin");
  const given = stdout.trim().split("\n").at(-1);
  await page.goto("/ops/stock");
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(given);
  await page.keyboard.press("Enter");
  await page.getByLabel("Password in use").fill(given);
  await page.getByLabel("New password").fill(CHOSEN);
  await page.keyboard.press("Enter");
  await page.getByText("The new password is saved.").waitFor();
}

/** Somebody at the operations, whose every look is taken by axe too. `finish` throws what was found. */
export async function desk(browser, shop, { width, colorScheme }) {
  const { context, page, complaints } = await visitor(browser, shop, { viewport: { width, height: 900 }, colorScheme, javaScriptEnabled: true });
  await context.addInitScript(axe);
  const found = [];
  const lookAt = async (name) => {
    const { violations } = await page.evaluate((tags) => window.axe.run(document, { runOnly: tags }), TAGS);
    found.push(...violations.map(({ id, help, nodes }) => `${name}: ${id}, ${help}: ${nodes.map((node) => node.target.join(" ")).slice(0, 4).join("; ")}`));
    for (const narrow of new Set([320, width])) {
      await page.setViewportSize({ width: narrow, height: 900 });
      const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (over > 0) found.push(`${name}: ${over} px wider than a screen of ${narrow} px`);
    }
  };
  const finish = () => {
    // Browsers report each refused form as an error of its own.
    found.push(...complaints.filter((complaint) => !complaint.includes("status of 422")));
    if (found.length > 0) throw new Error(`on ${width} px, ${colorScheme}:\n    ${found.join("\n    ")}`);
  };
  return { context, page, lookAt, finish };
}

async function operations(browser, shop, look) {
  const { width, colorScheme } = look;
  const { context, page, lookAt, finish } = await desk(browser, shop, look);
  await page.goto("/ops/sign-in");
  await lookAt("sign in");
  await getIn(shop, page, `ada-${width}-${colorScheme}@example.com`);
  for (const path of staffRoutes) {
    await page.goto(path);
    await lookAt(path);
  }
  await page.goto("/ops/stock?q=canvas");
  await page.getByRole("link", { name: "Everyday canvas tote" }).first().click();
  await lookAt("variant");
  await page.getByText("Receive pieces").focus();
  await page.keyboard.press("Enter");
  const receipt = page.locator("form", { has: page.getByRole("button", { name: "Book receipt" }) });
  await receipt.getByLabel("Pieces").fill("nine");
  await receipt.getByLabel("Delivery").fill("DN-4711");
  page.expected = [422];
  await page.keyboard.press("Enter");
  await page.getByText("Type a whole number from 1").waitFor();
  await lookAt("receipt, refused");
  page.expected = [];
  await receipt.getByLabel("Pieces").fill("9");
  await page.keyboard.press("Enter");
  await page.getByText("The receipt is booked.").waitFor();
  await page.getByRole("cell", { name: "DN-4711" }).first().waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByText("You are signed out.").waitFor();
  await context.close();
  finish();
}

export const journeys = looks.map((look) => [`the operations, from the first sign-in to a booked delivery (${look.width} px, ${look.colorScheme})`, (browser, shop) => operations(browser, shop, look)]);
