// Somebody who shops over plain HTTP: a cookie jar, the shop's forms, the provider's page. No browser.

/** The test provider's cards. */
export const cards = { pays: "4242424242424242", declines: "4000000000000002" };

export const settle = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What came of something that may fail; `undefined` if it did. */
export const attempt = (act) => act().catch(() => undefined);

const people = {
  "en-gb": { delivery_country: "GB", delivery_name: "Ada Lovelace", delivery_line1: "12 St James's Square", delivery_city: "London", delivery_postcode: "SW1Y4JH" },
  "ja-jp": {
    delivery_country: "JP", delivery_family_name: "山田", delivery_given_name: "花子", delivery_postcode: "1000001", delivery_region: "13", delivery_city: "千代田区",
    delivery_line1: "千代田1-1",
  },
  "ko-kr": { delivery_country: "KR", delivery_name: "김하나", delivery_postcode: "04524", delivery_region: "11", delivery_city: "중구", delivery_line1: "세종대로 110" },
};

export class Buyer {
  #jar = new Map();

  constructor(shop, locale = "en-gb") {
    this.shop = shop;
    this.locale = locale;
  }

  /** Somebody with one piece in the cart. */
  static async withCart(shop, thing, locale) {
    const buyer = new Buyer(shop, locale);
    const added = await buyer.add(thing);
    if (added.status !== 303) throw new Error(`adding ${thing.slug} answers ${added.status}`);
    return buyer;
  }

  async #send(path, fields) {
    const headers = { cookie: [...this.#jar].map(([name, value]) => `${name}=${value}`).join("; ") };
    if (fields) headers.origin = this.shop.url;
    const body = fields && new URLSearchParams(fields);
    const answer = await fetch(new URL(path, this.shop.url), { method: fields ? "POST" : "GET", headers, body, redirect: "manual" });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (name) this.#jar.set(name, value);
    }
    return { status: answer.status, to: answer.headers.get("location") ?? "", text: await answer.text() };
  }

  get(path) {
    return this.#send(path);
  }

  post(path, fields = {}) {
    return this.#send(path, fields);
  }

  async add({ slug, option, value }) {
    const shown = await this.get(`/${this.locale}/p/${slug}`);
    return this.post(`/${this.locale}/cart/lines`, { product: field(shown.text, "product"), [option]: value, quantity: "1" });
  }

  async cart() {
    return main((await this.get(`/${this.locale}/cart`)).text);
  }

  /** Takes everything out of the cart, line by line, as the buttons there do. */
  async empty() {
    for (const [, line] of (await this.cart()).matchAll(/action="(\/[^"]*\/cart\/lines\/[^"]+)"/g)) await this.post(line, { quantity: "0" });
  }

  /** How many pieces the page says are left; none if sold out, infinitely many while it only says "In stock". */
  async left({ slug, option, value }) {
    const { text } = await this.get(`/en-gb/p/${slug}?${option}=${value}`);
    const says = /<span class="v v\d+">\s*<span class="stock[^"]*">([^<]*)/.exec(text)?.[1];
    if (says === undefined) throw new Error(`the page of ${slug} says nothing about its stock`);
    const counted = /^(\d+) left/.exec(says);
    if (counted) return Number(counted[1]);
    return says.startsWith("Sold out") ? 0 : Infinity;
  }

  /** The checkout's form, filled in. */
  async form() {
    const page = await this.get(`/${this.locale}/checkout`);
    if (page.status !== 200) throw new Error(`the checkout answers ${page.status} to ${page.to}`);
    const hidden = Object.fromEntries(["mutation", "cart_version", "seen_total"].map((name) => [name, field(page.text, name)]));
    /** The total as a person reads it: digits and a point, whatever the currency. */
    this.shownTotal = Number(/data-total="([^"]*)"/.exec(page.text)?.[1].replace(/[^0-9.]/g, ""));
    return { intent: "place", ...hidden, method: "standard", email: "ada@example.com", ...people[this.locale] };
  }

  submit(form) {
    return this.post(`/${this.locale}/checkout`, form);
  }

  /** Orders what is in the cart and comes to the payment page. */
  async place() {
    const placed = await this.submit(await this.form());
    if (placed.status !== 303 || !placed.to.includes("/pay/")) throw new Error(`the checkout answers ${placed.status} to ${placed.to}`);
    this.page = placed.to;
    this.number = /NG-[2-9A-Z]{4}-[2-9A-Z]{4}/.exec((await this.get(this.page)).text)?.[0];
    return this;
  }

  /** Types a card on the provider's page, and comes back to the order. */
  async pay(card) {
    const answer = await this.post(this.page, { cardnumber: card, "exp-date": "12/34", cvc: "123", ccname: "Ada Lovelace" });
    if (answer.status !== 303) throw new Error(`the payment page answers ${answer.status}`);
    this.order = new URL(answer.to, this.shop.url).pathname;
  }

  look() {
    return this.get(this.order);
  }

  /** The button that pays again, pressed on an order that may be paid. */
  again() {
    return this.post(`${this.order}/pay`);
  }

  /** The order's page as text. */
  async sees(word) {
    let said = "";
    for (let tries = 0; tries < 60; tries += 1) {
      said = words((await this.look()).text);
      if (said.includes(word)) return;
      await settle(100);
    }
    throw new Error(`the order's page does not say "${word}" but: ${said.slice(0, 300)}`);
  }
}

/** The value of the first field with this name. */
export function field(html, name) {
  const tag = new RegExp(`<[^<>]*name="${name}"[^<>]*>`).exec(html)?.[0];
  const value = tag && /value="([^"]*)"/.exec(tag)?.[1];
  if (value === undefined) throw new Error(`the page has no field "${name}"`);
  return value;
}

const main = (html) => /<main[\s\S]*<\/main>/.exec(html)?.[0] ?? "";
const words = (html) => main(html).replace(/<[^>]*>/g, " ").replace(/\s+/g, " ");
