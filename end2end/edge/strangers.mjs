// Requests made to put something of one visitor's, or of an attacker's, into what others get.
import { alike, check, get, isRefused, parting, raw } from "./place.mjs";
import { Visitor } from "./visitor.mjs";

const MARK = "evil-mark";
const HEADERS = {
  "x-forwarded-host": `${MARK}.example`, "x-forwarded-proto": MARK, "x-forwarded-prefix": `/${MARK}`, "x-forwarded-port": "666", "x-original-url": "/ops",
  "x-rewrite-url": `/${MARK}`, "x-original-host": `${MARK}.example`, "x-http-method-override": "POST", forwarded: `host=${MARK}.example;for=${MARK}`,
  "x-visitor-country": MARK, "cf-ipcountry": MARK, "cloudfront-viewer-country": MARK, "x-real-ip": MARK, "x-template": MARK, referer: `https://${MARK}.example/`,
  "user-agent": MARK, "accept-language": `${MARK},de;q=0.9`, authorization: `Bearer ${MARK}`, origin: `https://${MARK}.example`, accept: `text/${MARK}`,
  "if-none-match": `"${MARK}"`, "cache-control": "no-cache", range: "bytes=0-9", "x-forwarded-for": `203.0.113.9, ${MARK}`,
  cookie: `cart=${MARK}; cart_count=<b>${MARK}</b>; bucket=${MARK}; locale=ja-jp; session=${MARK}`,
};

/** Each header first on a page that nobody has seen; then that page as anybody gets it. */
export async function strangers({ front, url, origin, another }) {
  const locales = ["en-ca", "en-gb", "fr-fr", "en-us", "de-de"];
  const pages = ["canvas-tote?colour=navy", "canvas-tote?colour=olive", "canvas-tote?colour=natural", "insulated-bottle?colour=sage", "insulated-bottle?colour=ink"];
  let turn = 0;
  // An edge that has seen nothing yet.
  const clean = await another();
  for (const [name, value] of Object.entries(HEADERS)) {
    const path = `/${locales[turn % 5]}/p/${pages[Math.floor(turn / 5)]}`;
    turn += 1;
    const [hostile, plain, there] = [await raw(clean.url, path, { [name]: value }), await raw(clean.url, path), await raw(origin, path)];
    check(there.status === 200 && hostile.status === 200, `${name}: ${hostile.status}, the origin says ${there.status}`);
    check(hostile.template === "miss" && plain.template === "hit", `${name}: ${path} is a ${hostile.template}, then a ${plain.template}`);
    for (const answer of [hostile, plain]) check(!answer.text.includes(MARK) && !JSON.stringify(answer.headers).includes(MARK), `${name} is in the page`);
    check(alike(plain.text) === alike(there.text), `${name} changed the page: ${parting(alike(plain.text), alike(there.text))}`);
  }
  await clean.close();
  check(turn <= 25, "there are more headers than pages");
  // Marks of holes, where a page shows what was typed.
  const typed = encodeURIComponent("\uE000nonce\uE001 \uE000mutation\uE001");
  const [here, there] = [await raw(url, `/en-us/search?q=${typed}`), await raw(origin, `/en-us/search?q=${typed}`)];
  if (!isRefused(front, here)) {
    check(here.status === there.status, `marks of holes: ${here.status}, the origin says ${there.status}`);
    check(alike(here.text) === alike(there.text), `marks of holes do something: ${parting(alike(here.text), alike(there.text))}`);
  }
  const visitor = new Visitor(url, "en-us");
  check((await visitor.add(await visitor.form("canvas-tote", "colour", "navy"))).status === 303, "nothing can be put into the cart");
  const kept = await raw(url, "/en-us/cart", { cookie: `large=${"x".repeat(16_000)}; ${visitor.cookie()}` });
  check(kept.status === 200 && kept.text.includes("/p/canvas-tote"), `with a cookie of 16 kB the cart answers ${kept.status}`);
  check((await visitor.pieces()) === 1, "a cookie of 16 kB cost the cart");
  for (const path of ["/en-us", "/en-us/cart", "/", "/ops"]) {
    const large = await raw(url, path, { cookie: `cart_count=2; large=${"x".repeat(16_000)}` });
    check(large.status < 500 && !large.text.includes("xxxxxxxx"), `${path} answers ${large.status} to a cookie of 16 kB`);
  }
  const many = await raw(url, "/en-us", { cookie: Array.from({ length: 500 }, (_, at) => `cart_count=${at + 5000}`).join("; ") });
  check(many.status === 200, `500 badges are answered ${many.status}`);
  // Where a visitor seems to come from chooses among locales, and only for whoever asks for none.
  const german = await another({ country: "DE" });
  try {
    for (const [headers, home] of [[{}, "/de-de"], [{ "accept-language": "fr" }, "/fr-fr"], [{ cookie: "locale=ja-jp" }, "/ja-jp"], [{ "cloudfront-viewer-country": "KR", "x-visitor-country": "KR" }, "/de-de"]]) {
      const { location } = (await raw(german.url, "/", headers)).headers;
      check(location === home, `from Germany with ${JSON.stringify(headers)}, / leads to ${location}`);
    }
  } finally {
    await german.close();
  }
  return `${turn} headers, marks of holes, cookies of 16 kB, countries`;
}

/** As whoever reads an address by the URL standard sees its path and query; workerd does. */
function mended(address) {
  const { pathname, search } = new URL(address);
  return pathname + search;
}

/** Paths and queries that could be kept under one name and mean another. */
export async function confusion({ front, url, origin }) {
  const tricks = [
    "/en-us/../ops", "/en-us/%2e%2e/ops", "/en-us/p/..%2f..%2fops", "/en-us/cart/..", "/en-us/cart/%2e%2e", "/en-us/cart/x.css", "/en-us/checkout/style.css", "/en-us/cart;a=b",
    "/en-us/cart%3Bstyle.css", "/en-us/cart%00.css", "/en-us/cart%0d%0aset-cookie:x=1", "/en-us/p/canvas-tote%0d%0ax-evil:1", "//evil-mark.example/en-us", "//evil-mark.example/%2e%2e",
    "/en-us//cart", "/en-us/cart?utm_source=x", "/en-us/p/canvas-tote%23", "/en-us/p/canvas-tote%3Fcolour=navy", "/\\evil-mark.example", "/en-us\\..\\ops", "/%65n-us", "/en-us/p/canvas-tote/%2e",
    "/en-us/all?page=1&page=2", "/en-us/all?page=2&page=1", "/en-us/p/canvas-tote?colour=navy&colour=rust", "/en-us/p/canvas-tote?colour=rust&colour=navy", "/en-us/all?page=%32",
    "/en-us/all?PAGE=2", "/en-us/all?page=2;page=3", "/en-us/all?page[]=2", "/en-us/all?page=2%26sort=price-asc", "/en-us/all?sort=price-asc&sort=price-desc", "/en-us?q=%ff", "/en-us?%zz",
    "/en-us/search?q=a&q=b", "/en-us/search?q=b&q=a", `/en-us/search?q=${"a".repeat(4_000)}`, `/en-us/all?${"x".repeat(8_000)}=1`, "/de-de/locale/en-us", "/en-us/p/canvas-tote?locale=de-de",
  ];
  const cookie = "cart=evil-mark; cart_count=77; bucket=9";
  let refused = 0;
  for (const path of tricks) {
    const [hostile, again, there] = [await raw(url, path, { cookie }), await raw(url, path), await raw(origin, mended(url + path))];
    check(hostile.status < 500 && again.status < 500, `${path} answers ${hostile.status}`);
    if (isRefused(front, hostile) && isRefused(front, again)) {
      refused += 1;
      continue;
    }
    check(again.status === there.status, `${path}: ${again.status}, the origin says ${there.status}`);
    if (again.status === 200) check(alike(again.text) === alike(there.text), `${path} differs: ${parting(alike(again.text), alike(there.text))}`);
    const to = again.headers.location;
    check(to === undefined || /^\/(?![/\\])/.test(to) || to.startsWith(`${url}/`), `${path} leads away, to ${to}`);
    check(!again.text.includes(">77<") && !again.headers["x-evil"] && !again.headers["set-cookie"]?.some((line) => line.startsWith("x=1")), `${path} tells a stranger's`);
    if (/cart|checkout/.test(path) && again.status === 200) check(again.headers["cache-control"] === "no-store" || again.template, `${path} may be kept`);
  }
  // Both orders of a doubled parameter are pages of their own, or the same one.
  const [one, other] = [await get(`${url}/en-us/search?q=a&q=b`), await get(`${url}/en-us/search?q=b&q=a`)];
  const [first, second] = [await get(`${origin}/en-us/search?q=a&q=b`), await get(`${origin}/en-us/search?q=b&q=a`)];
  check((alike(one.text) === alike(other.text)) === (alike(first.text) === alike(second.text)), "doubled parameters are confused");
  return `${tricks.length} spellings${refused ? `, ${refused} refused at once` : ""}`;
}
