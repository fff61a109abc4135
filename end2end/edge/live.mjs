// A change of stock or price is on the pages that the edge keeps within a second, and they are kept all the same.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { check, get, settle, until } from "./place.mjs";

/** From a command's end, which is after its commit, to the first page that shows the change; in brackets, from its start, which is before. */
const SEEN_WITHIN_MS = 1_000;
const PAGE = "/en-gb/p/canvas-tote?colour=navy";
const LIST = "/en-gb/c/bags-travel";
/** Where Britain's pieces are. */
const LOCATION = "rotterdam";

export async function live({ url, shops: [shop] }) {
  const says = [];
  const [sources, seen] = [new Set(), new Map()];
  const change = async (what, words, shows, page = PAGE) => {
    // One that was just rendered, so that it is still fresh when the change is seen.
    await until(async () => (await get(url + page)).template !== "hit", "the page is kept for ever");
    await until(async () => (await get(url + page)).template === "hit", "the page is not kept");
    check(!shows((await get(url + page)).text), `${what}: it is so before the change`);
    const begun = performance.now();
    await shop.run(...words);
    const commanded = performance.now() - begun;
    const ms = await until(async () => {
      const answer = await get(url + page);
      check(answer.status === 200, `${what}: ${answer.status}`);
      sources.add(answer.template);
      check(answer.template !== "miss", `${what}: the template was thrown away`);
      return shows(answer.text) && seen.set(what, answer.template);
    }, `${what}: never seen`);
    check(ms <= SEEN_WITHIN_MS, `${what}: seen after ${ms.toFixed(0)} ms`);
    says.push(`${what} ${ms.toFixed(0)} (${(commanded + ms).toFixed(0)}) ms`);
  };
  const file = (name, rows) => {
    const path = join(shop.data, name);
    writeFileSync(path, rows);
    return path;
  };
  await change("pieces", ["import", file("pieces.csv", "Handle,Title,Option1 Value,Variant Inventory Qty\ncanvas-tote,,Navy,3\n"), "--location", LOCATION], (page) => stock(page).startsWith("3 left"));
  await change("safety", ["stock", "safety", LOCATION, "2"], (page) => stock(page).startsWith("1 left"));
  await change("price", ["import", file("price.csv", "Handle,Title,Option1 Value,Variant Price\ncanvas-tote,,Navy,41.50\n"), "--currency", "GBP", "--market", "GB"], (page) => page.includes("£41.50"));
  const card = (text) => /canvas-tote[\s\S]*?<\/li>/.exec(text)?.[0] ?? "";
  await change("a card's price", ["import", file("card.csv", "Handle,Title,Option1 Value,Variant Price\ncanvas-tote,,Navy,9.50\n"), "--currency", "GBP", "--market", "GB"], (text) => card(text).includes("£9.50"), LIST);
  await change("a price in yen", ["import", file("yen.csv", "Handle,Title,Option1 Value,Variant Price\ncanvas-tote,,Navy,4321\n"), "--currency", "JPY", "--market", "JP"], (text) => text.includes("4,321"), "/ja-jp/p/canvas-tote?colour=navy");
  await change("sold out", ["stock", "safety", LOCATION, "3"], (text) => stock(text).startsWith("Sold out"));
  await shop.run("stock", "safety", LOCATION, "0");
  await until(async () => stock((await get(url + PAGE)).text).startsWith("3 left"), "what was kept back does not come back");
  // The other rows compare with the origin, which may have seen the last change a moment before.
  await settle(1_000);
  check(seen.get("price") === "hit" && (seen.get("pieces") === "hit" || seen.get("safety") === "hit"), `not seen on a hit: ${JSON.stringify([...seen])}`);
  return `${says.join(", ")}; x-template ${[...sources].join(", ")}`;
}

/** What the page says about the stock of the variant that its address names. */
const stock = (html) => /<span class="v v\d+">\s*<span class="stock[^"]*">([^<]*)/.exec(html)?.[1] ?? "";
