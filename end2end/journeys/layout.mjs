// Nothing scrolls sideways at 320 px, in any locale, in the pseudo-locale with its long words, and from right to left; nothing shifts.
import { visitor } from "../browser.mjs";
import { privateRoutes, publicRoutes } from "../routes.mjs";
import { locales } from "../words.mjs";

/** What sticks out, as far as it can be told. */
const overflow = (page) =>
  page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return undefined;
    const out = [...document.body.querySelectorAll("*")].filter((element) => {
      const { left, right } = element.getBoundingClientRect();
      return (right > width + 1 || left < -1) && element.getClientRects().length > 0;
    });
    return `${document.documentElement.scrollWidth} px wide: ${out.slice(0, 3).map((element) => `<${element.localName} class="${element.className}">`).join(", ")}`;
  });

async function nothingScrollsSideways(browser, shop, locale, width) {
  const { context, page, complaints } = await visitor(browser, shop, { viewport: { width, height: 800 } });
  const found = [];
  const look = async (name, path, status) => {
    page.expected = [status];
    const answer = await page.goto(path);
    if (answer.status() !== status) found.push(`${name}: ${path} answered ${answer.status()}, not ${status}`);
    const wide = await overflow(page);
    if (wide) found.push(`${name} (${path}): ${wide}`);
  };
  for (const [name, path, status] of publicRoutes(locale)) await look(name, path, status);
  // A number beside the cart makes the masthead wider; a form that comes back has its sentences.
  await page.goto(`/${locale}/p/canvas-tote`);
  await page.evaluate(async () => {
    const form = document.querySelector('form[action$="/cart/lines"]');
    for (const group of form.querySelectorAll("fieldset")) group.querySelector("input[type=radio]:not(:disabled)").checked = true;
    form.elements.quantity.value = "10";
    await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  });
  const { cart, checkout } = privateRoutes(locale);
  await look("filled cart", cart, 200);
  await look("checkout", checkout, 200);
  page.expected = [422];
  await page.evaluate(() => document.querySelector('form[action$="/checkout"]').setAttribute("novalidate", ""));
  await page.locator('form[action$="/checkout"] button.wide[value=place]').click();
  await page.waitForSelector("[aria-invalid=true]");
  const wide = await overflow(page);
  if (wide) found.push(`checkout with errors: ${wide}`);
  await context.close();
  // A browser reports the page that is meant to be missing as an error, too.
  found.push(...complaints.filter((complaint) => !/404|422/.test(complaint)));
  if (found.length > 0) throw new Error(found.join("\n    "));
}

async function directions(browser, shop) {
  const { context, page } = await visitor(browser, shop);
  await page.goto("/ar-xb");
  const direction = await page.evaluate(() => getComputedStyle(document.documentElement).direction);
  await context.close();
  if (direction !== "rtl") throw new Error(`/ar-xb is written ${direction}`);
}

async function nothingShifts(browser, shop) {
  const { context, page } = await visitor(browser, shop, { viewport: { width: 390, height: 844 } });
  const found = [];
  for (const path of ["/en-us", "/en-us/c/bags-travel", "/en-us/p/canvas-tote", "/en-us/cart"]) {
    await page.goto(path, { waitUntil: "load" });
    await page.mouse.wheel(0, 2000);
    await page.waitForTimeout(500);
    const shift = await page.evaluate(
      () =>
        new Promise((resolve) => {
          let sum = 0;
          new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
          }).observe({ type: "layout-shift", buffered: true });
          setTimeout(() => resolve(sum), 300);
        }),
    );
    if (shift > 0.01) found.push(`${path} shifts by ${shift.toFixed(4)}`);
  }
  await context.close();
  if (found.length > 0) throw new Error(found.join("\n    "));
}

export const journeys = [
  ...[...locales, "en-xa", "ar-xb"].map((locale) => [
    `nothing scrolls sideways at 320 px in ${locale}`,
    (browser, shop) => nothingScrollsSideways(browser, shop, locale, 320),
  ]),
  ...[768, 1920].map((width) => [`nothing scrolls sideways at ${width} px`, (browser, shop) => nothingScrollsSideways(browser, shop, "de-de", width)]),
  ["the right-to-left locale is written from right to left", directions],
  ["nothing shifts while a page loads", nothingShifts],
];
