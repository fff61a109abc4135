// Buying with the keyboard alone: Tab, arrows, Space, Enter and typing; the focus is always visible.
import assert from "node:assert/strict";
import { journey, settled } from "../browser.mjs";
import { addresses, cards } from "../addresses.mjs";
import { words } from "../words.mjs";
import { andLoads } from "./buying.mjs";

const say = words["en-us"];
/** A page with more stops before what one wants is a page for mice. */
const STOPS_MAX = 120;

/** What has the focus: its role-ish name, text and whether its outline or shadow can be seen. */
const focused = (page) =>
  page.evaluate(() => {
    const element = document.activeElement;
    if (!element || element === document.body) return undefined;
    // A control that is drawn by its label shows the focus there.
    const shown = [element, element.closest("label"), element.nextElementSibling, element.parentElement].filter(Boolean);
    const drawn = (style) => (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
    const visible = shown.some((each) => drawn(getComputedStyle(each)) || drawn(getComputedStyle(each, "::after")));
    const label = element.labels?.[0]?.textContent ?? element.getAttribute("aria-label") ?? element.textContent;
    return { tag: element.localName, type: element.type, name: element.name, autocomplete: element.autocomplete, text: label.trim().replace(/\s+/g, " "), visible };
  });

async function tabTo(page, fits, what) {
  for (let stops = 0; stops < STOPS_MAX; stops += 1) {
    await page.keyboard.press("Tab");
    const here = await focused(page);
    if (!here) continue;
    assert.ok(here.visible, `the focus on <${here.tag}> "${here.text}" cannot be seen`);
    if (fits(here)) return here;
  }
  assert.fail(`${STOPS_MAX} times Tab do not reach ${what}`);
}

const press = async (page, fits, what) => {
  await tabTo(page, fits, what);
  await page.keyboard.press("Enter");
};

/** Types values into the fields that ask for them, whatever their order on the page. */
async function typeIn(page, values) {
  const wanted = new Map(Object.entries(values));
  const asked = (field) => [...wanted.keys()].find((token) => field.autocomplete?.split(" ").includes(token));
  while (wanted.size > 0) {
    const field = await tabTo(page, asked, [...wanted.keys()].join(", "));
    const token = asked(field);
    // A list is chosen from by typing the beginning of its entry.
    await page.keyboard.type(field.tag === "select" ? "California" : wanted.get(token));
    wanted.delete(token);
  }
}

async function buy(browser, shop, script) {
  await journey(browser, shop, { javaScriptEnabled: script, locale: "en-us" }, async (page) => {
    await page.goto("/en-us");
    const first = await tabTo(page, () => true, "anything");
    assert.match(first.text, /skip to content/i, "the first stop skips to the content");
    await press(page, ({ tag, text }) => tag === "a" && text === "Bags & travel", "the category");
    await page.waitForURL("**/c/**");
    await press(page, ({ tag, text }) => tag === "a" && /canvas tote/i.test(text), "the product");
    await page.waitForURL("**/p/canvas-tote*");
    await settled(page, script);
    await tabTo(page, ({ type }) => type === "radio", "the colours");
    await page.keyboard.press("ArrowRight");
    await press(page, ({ tag, text }) => tag === "button" && text === say.add, "the button that adds");
    if (script) {
      await page.getByRole("banner").getByRole("link", { name: /1/ }).first().waitFor();
      await page.goto("/en-us/cart");
    }
    await page.waitForURL("**/cart*");
    await press(page, ({ text }) => say.checkout.test(text), "the checkout");
    await page.waitForURL("**/checkout*");
    await typeIn(page, addresses.us);
    const places = ({ tag, text }) => tag === "button" && say.place.test(text);
    await andLoads(page, () => press(page, places, "the button that orders"));
    if (new URL(page.url()).pathname.endsWith("/checkout")) await andLoads(page, () => press(page, places, "the button that agrees to the tax"));
    await page.locator('input[autocomplete~="cc-number"]').waitFor();
    await typeIn(page, cards.pays);
    await press(page, ({ tag, text }) => tag === "button" && say.pay.test(text), "the button that pays");
    await page.waitForURL("**/orders/**");
    await page.getByText(say.paid, { exact: true }).first().waitFor();
  });
}

export const journeys = [true, false].map((script) => [
  `a shopper buys with the keyboard alone ${script ? "with" : "without"} script`,
  (browser, shop) => buy(browser, shop, script),
]);
