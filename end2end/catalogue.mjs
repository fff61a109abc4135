// The demo catalogue as the shop has it: titles and option names per locale, and how many pieces a market sees. A journey buys so
// many of a variant that what is left is shown in words ("3 left"): the shopper's own view of the stock.
import { readdirSync, readFileSync } from "node:fs";

const folder = new URL("../server/demo/", import.meta.url);
const read = (path) => JSON.parse(readFileSync(new URL(path, folder), "utf8"));
const shelves = readdirSync(new URL("products/", folder)).filter((name) => name.endsWith(".json")).map((name) => read(`products/${name}`));
const markets = new Map(read("markets.json").map((market) => [market.code.toLowerCase(), market]));

/** At most five pieces are counted in words; with more the page says "In stock". */
const COUNTED_MAX = 5;
const BOUGHT_MAX = 6;

/** Texts of en-ca and fr-ca are those of the nearest language that the catalogue speaks. */
const nearest = { "en-ca": "en-gb", "fr-ca": "fr-fr" };
const textIn = (texts, locale) => texts[locale] ?? texts[nearest[locale]] ?? texts["en-us"];

/** What journeys on one shop may still buy. */
export class Shelf {
  #stock = new Map();

  constructor() {
    for (const { products } of shelves) {
      for (const product of products) {
        for (const variant of product.variants) this.#stock.set(variant.sku, { ...variant.stock });
      }
    }
  }

  /** A product with at least one option whose colour can be filtered by, and how many to buy so that the rest is counted in words. */
  pick(locale) {
    const market = markets.get(locale.slice(3));
    for (const shelf of shelves) {
      for (const product of shelf.products) {
        if (product.published === false) continue;
        const prices = product.prices?.[market.code];
        if (prices === undefined) continue;
        for (const variant of product.variants) {
          const stock = this.#stock.get(variant.sku);
          const free = market.locations.reduce((sum, location) => sum + (stock[location] ?? 0), 0);
          const quantity = Math.max(1, free - COUNTED_MAX);
          if (free - quantity < 1 || quantity > BOUGHT_MAX || !variant.options?.colour) continue;
          return {
            variant, quantity, left: free - quantity, locations: market.locations,
            category: textIn(shelf.title, locale),
            title: textIn(product.title, locale),
            choices: product.options.map((option) => {
              const value = option.values.find(({ slug }) => slug === variant.options[option.slug]);
              return { option: textIn(option.name, locale), slug: option.slug, value: textIn(value.name, locale), valueSlug: value.slug };
            }),
          };
        }
      }
    }
    throw new Error(`nothing is left to buy in ${locale}`);
  }

  /** Pieces leave the market's locations in its order. */
  sold({ variant, quantity, locations }) {
    const stock = this.#stock.get(variant.sku);
    let rest = quantity;
    for (const location of locations) {
      const taken = Math.min(rest, stock[location] ?? 0);
      stock[location] -= taken;
      rest -= taken;
    }
  }
}
