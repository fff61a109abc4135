// Debian's Chromium and what every page must keep to: no console errors, no breach of the CSP, no failed request of ours.
import { chromium } from "playwright-core";
import { join } from "node:path";
import { leftBehind } from "./shop.mjs";

/**
 * Chromium's own promise of a cross-fade between two documents, when the new one was drawn before it could begin, or the next one came before
 * it ended (it says so on pages without any script, too): no script of ours.
 */
const SKIPPED_FADE = /^(InvalidStateError: Transition was aborted because of invalid state\. Page already revealed|AbortError: Transition was skipped)/;

export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    ],
  });

/** A visitor with cookies of their own. `complaints` collects what a page should not have said. */
export async function visitor(browser, shop, options = {}) {
  const context = await browser.newContext({ baseURL: shop.url, viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(15_000);
  context.setDefaultNavigationTimeout(30_000);
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(`${message.type()} on ${page.url()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => {
    if (!SKIPPED_FADE.test(String(error))) complaints.push(`exception on ${page.url()}: ${error}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400 && response.url().startsWith(shop.url) && !page.expected?.includes(response.status())) {
      complaints.push(`${response.status()} for ${response.url()}`);
    }
  });
  return { context, page, complaints };
}

/** Runs one journey with a fresh visitor; on failure leaves a picture and the page's text. */
export async function journey(browser, shop, options, walk) {
  const { context, page, complaints } = await visitor(browser, shop, options);
  try {
    await walk(page, context);
    if (complaints.length > 0) throw new Error(`the pages complained:\n  ${complaints.join("\n  ")}`);
  } catch (error) {
    const name = `failure-${Date.now()}`;
    await page.screenshot({ path: join(leftBehind, `${name}.png`), fullPage: true }).catch(() => {});
    const text = await page.locator("body").ariaSnapshot().catch(() => "");
    error.message += `\n  at ${page.url()} (picture: ${name}.png)\n${text.split("\n").slice(0, 60).map((line) => `    ${line}`).join("\n")}`;
    throw error;
  } finally {
    await context.close();
  }
}

/** With script the islands must be awake before a test may say what they do; without it there is nothing to wait for. */
export async function settled(page, script) {
  if (script) await page.waitForFunction(() => document.documentElement.dataset.islands === "ready");
}
