// What a shopper reads, per locale. Journeys find things by role and by these words; a changed word is a changed shop.
const english = {
  cart: "Cart", add: "Add to cart", filter: /^Filter/, apply: /^(Apply|Show \d+ products?)$/, quantity: "Quantity",
  checkout: /^Check ?out$/, place: /^Place order and pay/, pay: /^Pay$/, paid: "Paid", left: (count) => `${count} left`, soldOut: "Sold out",
};
const french = {
  cart: "Panier", add: "Ajouter au panier", filter: /^Filtrer/, apply: /^(Appliquer|Voir \d+ produits?)$/, quantity: "Quantité",
  checkout: /^Passer la commande$/, place: /^Commander avec obligation de paiement/, pay: /^Payer$/, paid: "Payée", left: (count) => `Plus que ${count}`, soldOut: "Épuisé",
};

export const words = {
  "en-us": english,
  "en-ca": english,
  "fr-ca": french,
  "en-gb": { ...english, cart: "Basket", add: "Add to basket" },
  "de-de": {
    cart: "Warenkorb", add: "In den Warenkorb", filter: /^Filter/, apply: /^(Anwenden|\d+ Produkte? anzeigen)$/, quantity: "Menge",
    checkout: /^Zur Kasse$/, place: /^Zahlungspflichtig bestellen/, pay: /^Bezahlen$/, paid: "Bezahlt", left: (count) => `Noch ${count} Stück`, soldOut: "Ausverkauft",
  },
  "fr-fr": french,
  "ja-jp": {
    cart: "カート", add: "カートに入れる", filter: /^絞り込み/, apply: /^(適用する|\d+点を表示)$/, quantity: "数量",
    checkout: /^ご注文手続きへ$/, place: /^注文を確定して.*支払う$/, pay: /^支払う$/, paid: "お支払い済み", left: (count) => `残り${count}点`, soldOut: "売り切れ",
  },
  "ko-kr": {
    cart: "장바구니", add: "장바구니에 담기", filter: /^필터/, apply: /^(적용|상품 \d+개 보기)$/, quantity: "수량",
    checkout: /^주문하기$/, place: /결제하기$/, pay: /^결제하기$/, paid: "결제 완료", left: (count) => `${count}개 남음`, soldOut: "품절",
  },
};

export const locales = Object.keys(words);
