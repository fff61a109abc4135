// Lighthouse mobile, simulated throttling, on home, category and product: performance at least 95, the other three 100.
import { chromium } from "playwright-core";
import lighthouse from "lighthouse";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, startShop } from "./shop.mjs";

const pages = [["home", "/en-us"], ["category", "/en-us/c/bags-travel"], ["product", "/en-us/p/canvas-tote"]];
const wanted = { performance: 95, accessibility: 100, "best-practices": 100, seo: 100 };
/** A busy machine may spoil one run. */
const TRIES_MAX = 3;

const shop = await startShop("lighthouse");
const port = await freePort();
const profile = mkdtempSync(join(tmpdir(), "nextgen-lighthouse-"));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [`--remote-debugging-port=${port}`, "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"],
});
let good = true;
try {
  console.log("page       performance  accessibility  best practices  SEO   LCP      CLS     TBT");
  for (const [name, path] of pages) {
    for (let attempt = 1; ; attempt += 1) {
      const { lhr } = await lighthouse(`${shop.url}${path}`, { port, output: "json", logLevel: "error", onlyCategories: Object.keys(wanted) });
      const score = (key) => Math.round(lhr.categories[key].score * 100);
      const number = (key) => lhr.audits[key].displayValue ?? "";
      console.log(
        `${name.padEnd(10)} ${Object.keys(wanted).map((key) => String(score(key)).padEnd(key === "seo" ? 5 : key.length + 1)).join(" ")} ` +
          `${number("largest-contentful-paint")}  ${number("cumulative-layout-shift")}  ${number("total-blocking-time")}`,
      );
      const missed = Object.entries(wanted).filter(([key, least]) => score(key) < least).map(([key]) => key);
      for (const key of missed) {
        const audits = lhr.categories[key].auditRefs.filter(({ id, weight }) => weight > 0 && (lhr.audits[id].score ?? 1) < 0.9);
        console.log(audits.map(({ id }) => `           ${key}: ${lhr.audits[id].title} ${lhr.audits[id].displayValue ?? ""}`).join("\n"));
      }
      if (missed.length === 0) break;
      if (attempt === TRIES_MAX || missed.some((key) => key !== "performance")) {
        good = false;
        break;
      }
    }
  }
} finally {
  await browser.close();
  await shop.stop();
  rmSync(profile, { recursive: true, force: true });
}
process.exitCode = good ? 0 : 1;
