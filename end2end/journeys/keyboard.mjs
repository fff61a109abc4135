// Buying with the keyboard alone: Tab, arrows, Space, Enter and typing; the focus is always visible.
import assert from "node:assert/strict";
import { journey, settled } from "../browser.mjs";
import { addresses } from "../addresses.mjs";
import { words } from "../words.mjs";

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
    const visible = shown.some((each) => {
      const style = getComputedStyle(each);
      return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
    });
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
    await tabTo(page, ({ type, tag }) => type === "radio" || (tag === "a" && false), "the colours");
    await page.keyboard.press("ArrowRight");
    await press(page, ({ tag, text }) => tag === "button" && text === say.add, "the button that adds");
    if (script) {
      await page.getByRole("banner").getByRole("link", { name: /1/ }).first().waitFor();
      await page.goto("/en-us/cart");
    }
    await page.waitForURL("**/cart");
    await press(page, ({ text }) => say.checkout.test(text), "the checkout");
    await page.waitForURL("**/checkout*");
    const wanted = new Map(Object.entries(addresses.us));
    while (wanted.size > 0) {
      const field = await tabTo(page, ({ autocomplete }) => [...wanted.keys()].some((token) => autocomplete?.split(" ").includes(token)), [...wanted.keys()].join(", "));
      const token = [...wanted.keys()].find((each) => field.autocomplete.split(" ").includes(each));
      // A list is chosen from by typing the beginning of its entry.
      await page.keyboard.type(field.tag === "select" ? "California" : wanted.get(token));
      wanted.delete(token);
      if (wanted.size === 1 && wanted.has("tel")) break;
    }
    await press(page, ({ tag, text }) => tag === "button" && say.place.test(text), "the button that orders");
    await page.getByRole("button", { name: "Pay", exact: false }).first().waitFor();
    await tabTo(page, ({ tag, text }) => tag === "button" && /^pay/i.test(text), "the button that pays");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/orders/**");
    await page.getByText(say.paid, { exact: true }).first().waitFor();
  });
}

export const journeys = [true, false].map((script) => [
  `a shopper buys with the keyboard alone ${script ? "with" : "without"} script`,
  (browser, shop) => buy(browser, shop, script),
]);
