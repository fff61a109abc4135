// Forty visitors at once, each with a cart, a locale, a bucket and a badge of their own: no body has anything of another one's.
import { check } from "./place.mjs";
import { Visitor } from "./visitor.mjs";

const VISITORS = 40;
const LOCALES = ["en-us", "en-ca", "fr-ca", "en-gb", "de-de", "fr-fr", "ja-jp", "ko-kr"];
const THINGS = [["canvas-tote", "colour", "olive"], ["insulated-bottle", "colour", "sage"], ["city-backpack", "colour", "slate"], ["travel-mug", "colour", "pine"]];
const BELOW = ["", "/p/canvas-tote", "/p/insulated-bottle", "/c/bags-travel", "/all", "/pages/launch"];

export async function crowd({ url }, requests = 2_000) {
  const nonces = new Set();
  const mutations = new Set();
  let checked = 0;
  const sources = { hit: 0, stale: 0, miss: 0 };
  const walk = async (number) => {
    const locale = LOCALES[number % LOCALES.length];
    // Three digits, so that no locale groups them; nothing else on a page is a badge.
    const badge = 201 + number * 7;
    const visitor = new Visitor(url, locale, { mark: `visitor-${number}-mark`, bucket: String(number) });
    const [slug, option, value] = THINGS[number % THINGS.length];
    // No two of them want the same.
    const quantity = 1 + Math.floor(number / THINGS.length);
    const added = await visitor.add({ ...(await visitor.form(slug, option, value)), quantity: String(quantity) });
    check(added.status === 303, `visitor ${number}: the cart answers ${added.status}`);
    marks(number, "the form's answer", added);
    for (let turn = 0; turn < requests / VISITORS - 2; turn += 1) {
      const kind = turn % 8;
      if (kind === 7) {
        const cart = await visitor.cart();
        check(cart.pieces === quantity && cart.things.join() === slug, `visitor ${number}: another one's cart, ${cart.pieces} of ${cart.things}`);
        marks(number, `/${locale}/cart`, cart.page);
      } else {
        const path = kind === 6 ? `/${locale}/search?q=visitor-${number}-mark` : `/${locale}${BELOW[kind % BELOW.length]}`;
        const page = await visitor.get(path, { cart_count: String(badge) });
        check(page.status === 200, `visitor ${number}: ${path} answers ${page.status}`);
        look(number, locale, badge, path, page);
      }
      checked += 1;
    }
    checked += 2;
  };
  const marks = (number, path, page) => {
    const found = [...page.text.matchAll(/visitor-(\d+)-mark/g)].map(([, whose]) => Number(whose));
    check(found.every((whose) => whose === number), `visitor ${number}: ${path} has the mark of visitor ${found.find((whose) => whose !== number)}`);
    return found.length;
  };
  const look = (number, locale, badge, path, page) => {
    check(marks(number, path, page) === 0 || path.includes("search"), `visitor ${number}: ${path} has a cookie in it`);
    check(page.text.slice(0, 300).toLowerCase().includes(`lang="${locale}"`), `visitor ${number}: ${path} is in another language`);
    check([...page.text.matchAll(/<b>(\d+)<span class="vh">/g)].every(([, shown]) => Number(shown) === badge), `visitor ${number}: ${path} has another one's badge`);
    check(page.text.includes(`<b>${badge}<span class="vh">`), `visitor ${number}: ${path} has no badge`);
    check(page.headers.getSetCookie().length === 0, `visitor ${number}: ${path} sets a cookie`);
    sources[page.template] = (sources[page.template] ?? 0) + 1;
    const nonce = /nonce="([^"]+)"/.exec(page.text)?.[1];
    check(nonce && !nonces.has(nonce), `visitor ${number}: ${path} has a nonce that was seen before`);
    nonces.add(nonce);
    for (const id of new Set([...page.text.matchAll(/name="mutation" value="([^"]+)"/g)].map(([, id]) => id))) {
      check(!mutations.has(id), `visitor ${number}: ${path} has a mutation id that was seen before`);
      mutations.add(id);
    }
  };
  await Promise.all(Array.from({ length: VISITORS }, (_, number) => walk(number)));
  return `${VISITORS} visitors, ${checked} requests, ${nonces.size} nonces, ${mutations.size} mutations; hit ${sources.hit}, stale ${sources.stale}, miss ${sources.miss}`;
}
