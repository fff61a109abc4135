// Shoppers by country, as a browser's autofill knows them: the keys are HTML's autofill tokens. None of them exists.
const person = (fields) => ({ email: "ada@example.com", tel: "+1 415 555 0100", ...fields });

export const addresses = {
  us: person({ name: "Ada Lovelace", "address-line1": "12 Valencia Street", "address-level2": "San Francisco", "address-level1": "CA", "postal-code": "94103" }),
  ca: person({ name: "Ada Lovelace", "address-line1": "100 Queen Street West", "address-level2": "Toronto", "address-level1": "ON", "postal-code": "M5H 2N2" }),
  gb: person({ name: "Ada Lovelace", "address-line1": "12 St James's Square", "address-level2": "London", "postal-code": "SW1Y 4JH", tel: "+44 20 7946 0100" }),
  de: person({ name: "Ada Lovelace", "address-line1": "Torstraße 12", "address-level2": "Berlin", "postal-code": "10119", tel: "+49 30 5550100" }),
  fr: person({ name: "Ada Lovelace", "address-line1": "12 rue de Bretagne", "address-level2": "Paris", "postal-code": "75003", tel: "+33 1 99 00 01 00" }),
  jp: person({
    "family-name": "山田", "given-name": "花子", "address-line1": "千代田1-1", "address-level2": "千代田区", "address-level1": "13", "postal-code": "100-0001",
    tel: "+81 3 5550 0100",
  }),
  kr: person({ name: "김하나", "address-line1": "세종대로 110", "address-level2": "중구", "address-level1": "11", "postal-code": "04524", tel: "+82 2 555 0100" }),
};

/** Fills fields by their autofill tokens, as a browser does; fields that a country's form lacks are left. */
export async function fillIn(page, values) {
  for (const [token, value] of Object.entries(values)) {
    const field = page.locator(`:is(input, select, textarea)[autocomplete~="${token}"]:not([autocomplete~="billing"])`).first();
    if ((await field.count()) === 0) continue;
    if ((await field.evaluate((element) => element.localName)) === "select") await field.selectOption(value);
    else await field.fill(value);
  }
}

/** The test provider's cards; its page lists what each does. */
const card = (number) => ({ "cc-number": number, "cc-exp": "12/40", "cc-csc": "123", "cc-name": "Ada Lovelace" });
export const cards = { pays: card("4242 4242 4242 4242"), declines: card("4000 0000 0000 0002"), challenges: card("4000 0000 0000 3220") };
