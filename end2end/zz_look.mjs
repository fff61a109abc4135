import { chromium } from "playwright-core";
const base = process.argv[2], out = process.argv[3], cookie = process.argv[4];
const paths = process.argv.slice(5);
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
for (const width of [1280, 390]) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, deviceScaleFactor: 1 });
  const page = await context.newPage();
  if (cookie && cookie !== "-") {
    const [email, password] = cookie.split("|");
    await page.goto(base + "/ops/sign-in");
    await page.fill("input[name=email]", email); await page.fill("input[name=password]", password);
    await page.click("main button, form button");
    await page.waitForLoadState();
  }
  for (const path of paths) {
    await page.goto(base + path);
    const name = path.replace(/[^a-z0-9]+/gi, "_").slice(0, 60);
    await page.screenshot({ path: `${out}/${name}-${width}.png`, fullPage: true });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    if (wide > width) console.log("WIDE", path, width, wide);
  }
  await context.close();
}
await browser.close();
