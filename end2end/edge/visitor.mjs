// Somebody with a cookie jar who shops through the edge, form by form.
import { field } from "../buyer.mjs";
import { check, get } from "./place.mjs";

export class Visitor {
  #jar = new Map();

  constructor(url, locale, cookies = {}) {
    this.url = url;
    this.locale = locale;
    for (const [name, value] of Object.entries(cookies)) this.#jar.set(name, value);
  }

  cookie(more = {}) {
    return [...new Map([...this.#jar, ...Object.entries(more)])].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  async get(path, more) {
    return this.#kept(await get(this.url + path, { cookie: this.cookie(more) }));
  }

  async post(path, fields) {
    return this.#kept(await get(this.url + path, { cookie: this.cookie(), origin: this.url }, { method: "POST", body: new URLSearchParams(fields) }));
  }

  /** The form that puts a product into the cart, as its page has it: with a mutation id. */
  async form(slug, option, value) {
    const page = await this.get(`/${this.locale}/p/${slug}`);
    check(page.status === 200, `the page of ${slug} answers ${page.status}`);
    return { product: field(page.text, "product"), mutation: field(page.text, "mutation"), [option]: value, quantity: "1" };
  }

  add(form) {
    return this.post(`/${this.locale}/cart/lines`, form);
  }

  /** How many pieces the cart's page says there are in the first line; none if it is empty. */
  async pieces() {
    return (await this.cart()).pieces;
  }

  /** The same with the slugs of what is in it, each once. */
  async cart() {
    const page = await this.get(`/${this.locale}/cart`);
    check(page.status === 200, `the cart answers ${page.status}`);
    const main = /<main[\s\S]*<\/main>/.exec(page.text)?.[0] ?? "";
    const things = [...new Set([...main.matchAll(/href="\/[^"\/]*\/p\/([^"?]+)/g)].map(([, slug]) => slug))];
    const pieces = Number(/<input[^<>]*name="quantity"[^<>]*value="(\d+)"/.exec(main)?.[1] ?? /<input[^<>]*value="(\d+)"[^<>]*name="quantity"/.exec(main)?.[1] ?? 0);
    return { pieces, things, page };
  }

  #kept(answer) {
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (name) this.#jar.set(name, value);
    }
    return answer;
  }
}
