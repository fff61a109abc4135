// One address for every kind of page in the typed route table (app/src/routes.rs), with the status that it must answer. A test of
// the app reads this file: what stands in backticks here is an address, and every kind has one.
export const publicRoutes = (locale) => [
  ["home", `/${locale}`, 200],
  ["category", `/${locale}/c/bags-travel`, 200],
  ["category, filtered and sorted", `/${locale}/c/bags-travel?o.colour=black&sort=price-asc`, 200],
  ["category, nothing fits", `/${locale}/c/bags-travel?o.colour=signal`, 200],
  ["tag", `/${locale}/t/new`, 200],
  ["all products", `/${locale}/all`, 200],
  ["all products, page 2", `/${locale}/all?page=2`, 200],
  ["product", `/${locale}/p/canvas-tote`, 200],
  ["product with two options", `/${locale}/p/leather-belt?colour=espresso&size=90`, 200],
  ["product, sold out", `/${locale}/p/webcam-2k?colour=blush`, 200],
  ["search, empty", `/${locale}/search`, 200],
  ["search", `/${locale}/search?q=lamp`, 200],
  ["search, nothing found", `/${locale}/search?q=zeppelin`, 200],
  ["cart, empty", `/${locale}/cart`, 200],
  ["order, to be found", `/${locale}/orders/find`, 200],
  ["promo page, dark", `/${locale}/pages/launch`, 200],
  ["promo page", `/${locale}/pages/travel`, 200],
  ["help", `/${locale}/help/delivery`, 200],
  ["help, returns", `/${locale}/help/returns`, 200],
  ["not found", `/${locale}/p/nothing-of-the-kind`, 404],
];

/** What was sold once and will not come back: 410, once retired.csv is imported. */
export const gone = (locale) => `/${locale}/p/oil-lamp`;

/** Pages of one visitor, who needs a filled cart or an order's secret. */
export const privateRoutes = (locale, secret) => ({ cart: `/${locale}/cart`, checkout: `/${locale}/checkout`, order: `/${locale}/orders/${secret}` });

/** An order's invoice, which has no frame. */
export const invoiceRoute = (locale, secret, number) => `/${locale}/orders/${secret}/invoices/${number}`;

/** The operator pages that need no id, as app/src/staff/route.rs writes them; a test of the app reads this too. */
export const staffRoutes = ["/ops", "/ops/orders", "/ops/orders/ship", "/ops/stock", "/ops/stock?q=t", "/ops/audit", "/ops/tables", "/ops/tables/prices", "/ops/tables/prices?q=de+T", "/ops/tables/prices/new", "/ops/tables/promotions", "/ops/tables/promotions/new", "/ops/tables/promotions/file", "/ops/tables/promotions/history", "/ops/tables/delivery", "/ops/tables/delivery/new", "/ops/tables/zones", "/ops/password", "/ops/sign-in"];
