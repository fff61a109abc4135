//! robots.txt and the sitemap: every public page in every locale, each with its other languages.

use crate::{Shop, http::errors::Failure};
use app::{
    ports::{Found, ReadError, storefront::ShelfKey},
    routes::{Address, CHOICE, ListQuery, Route},
};
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use domain::{ProductId, locale::Locale, offer::Instant};
use http::{StatusCode, header};
use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
    hash::Hash,
};
use tokio::sync::Mutex;

/// A file may have 50,000 addresses and 50 MB (sitemaps.org). With nine alternates an address takes about 1.3 kB, so bytes decide.
const PAGES_A_FILE: usize = 2_500;
/// How long a sitemap is good for.
const KEPT_US: i64 = 600_000_000;

/// The sitemap's files, made when they are asked for.
#[derive(Debug, Default)]
pub struct Sitemap(Mutex<Option<Made>>);

#[derive(Debug)]
struct Made {
    at: Instant,
    files: Vec<Bytes>,
}

/// A page wherever it is: its address without the locale, by locale. A market that does not sell a product has no page of it here.
type InLocales = Vec<(Locale, Route)>;

/// Crawlers are welcome where nothing belongs to one visitor.
pub async fn robots(State(shop): State<Shop>) -> Response {
    let mut text = "User-agent: *\n".to_owned();
    for path in ["cart", "checkout", "orders/", "search"] {
        let _ = writeln!(text, "Disallow: /*/{path}");
    }
    let _ = writeln!(text, "Disallow: {CHOICE}/");
    let _ = write!(text, "Disallow: /en-xa\nDisallow: /ar-xb\n\nSitemap: {}/sitemap.xml\n", shop.config.url);
    ([(header::CACHE_CONTROL, "public, max-age=3600")], text).into_response()
}

/// The sitemap, or the index of its files where one is not enough.
pub async fn sitemap(State(shop): State<Shop>) -> Result<Response, Failure> {
    let files = shop.sitemap.files(&shop).await?;
    let url = &shop.config.url;
    Ok(match files.as_slice() {
        [one] => xml(one.clone()),
        many => {
            let mut index =
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<sitemapindex xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n".to_owned();
            for number in 1..=many.len() {
                let _ = writeln!(index, "<sitemap><loc>{url}/sitemap/{number}.xml</loc></sitemap>");
            }
            index.push_str("</sitemapindex>\n");
            xml(index.into())
        }
    })
}

/// One file of a large sitemap: `/sitemap/3.xml`.
pub async fn part(State(shop): State<Shop>, Path(name): Path<String>) -> Result<Response, Failure> {
    let files = shop.sitemap.files(&shop).await?;
    let number = name.strip_suffix(".xml").and_then(|number| number.parse::<usize>().ok());
    let file = number.and_then(|number| files.get(number.checked_sub(1)?));
    Ok(file.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |file| xml(file.clone())))
}

fn xml(body: Bytes) -> Response {
    ([(header::CONTENT_TYPE, "application/xml; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=3600")], body).into_response()
}

impl Sitemap {
    async fn files(&self, shop: &Shop) -> Result<Vec<Bytes>, ReadError> {
        // Whoever comes while it is being made waits for it.
        let mut made = self.0.lock().await;
        let now = shop.clock.now();
        if let Some(made) = made.as_ref().filter(|made| now - made.at < KEPT_US) {
            return Ok(made.files.clone());
        }
        let pages = pages(shop).await?;
        let files: Vec<Bytes> = pages.chunks(PAGES_A_FILE).map(|pages| file(&shop.config.url, pages).into()).collect();
        *made = Some(Made { at: now, files: files.clone() });
        Ok(files)
    }
}

/// Pages in the order in which they were first seen, found again by what they are.
struct Pages<K>(Vec<(K, InLocales)>, HashMap<K, usize>);

impl<K> Default for Pages<K> {
    fn default() -> Self {
        Self(Vec::new(), HashMap::new())
    }
}

impl<K: Clone + Eq + Hash> Pages<K> {
    fn add(&mut self, key: K, locale: Locale, route: Route) {
        let at = *self.1.entry(key.clone()).or_insert(self.0.len());
        if at == self.0.len() {
            self.0.push((key, InLocales::new()));
        }
        self.0[at].1.push((locale, route));
    }
}

/// Every public page, in the order: home, everything, categories, tags, promo pages, help, products.
async fn pages(shop: &Shop) -> Result<Vec<InLocales>, ReadError> {
    let mut shared: Pages<(u8, String)> = Pages::default();
    let mut products: Pages<ProductId> = Pages::default();
    for locale in Locale::OFFERED {
        let language = locale.text_language();
        let document = shop.storefront.shop(language).await?;
        let market = document.market(locale).map_or(locale.country, |market| market.code);
        let query = ListQuery::default;
        shared.add((0, String::new()), locale, Route::Home);
        shared.add((1, String::new()), locale, Route::All { query: query() });
        for shelf in document.categories_in(market) {
            shared.add((2, shelf.key.clone()), locale, Route::Category { slug: shelf.slug.clone(), query: query() });
        }
        for shelf in document.tags.iter().filter(|shelf| shelf.count_in(market) > 0) {
            shared.add((3, shelf.key.clone()), locale, Route::Tag { slug: shelf.slug.clone(), query: query() });
        }
        for slug in &document.pages {
            shared.add((4, slug.clone()), locale, Route::Page { slug: slug.clone() });
        }
        for (slug, _) in &document.help {
            shared.add((5, slug.clone()), locale, Route::Help { slug: slug.clone() });
        }
        let mut turn = 1;
        while let Found::Here(list) = shop.storefront.listing(language, market, &ShelfKey::All, turn).await? {
            for card in &list.cards {
                products.add(card.id, locale, Route::Product { slug: card.slug.clone(), selection: BTreeMap::new() });
            }
            if turn >= list.pages {
                break;
            }
            turn += 1;
        }
    }
    let mut pages = shared.0;
    pages.sort_by_key(|((kind, _), _)| *kind);
    Ok(pages.into_iter().map(|(_, page)| page).chain(products.0.into_iter().map(|(_, page)| page)).collect())
}

fn file(origin: &str, pages: &[InLocales]) -> String {
    let mut out = String::with_capacity(pages.len() * 12_000);
    out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    out.push_str("<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\" xmlns:xhtml=\"http://www.w3.org/1999/xhtml\">\n");
    for page in pages {
        let address = |(locale, route): &(Locale, Route)| (*locale, Address::new(*locale, route.clone()).url().replace('&', "&amp;"));
        let addresses: Vec<(Locale, String)> = page.iter().map(address).collect();
        let mut alternates = String::new();
        for (locale, url) in &addresses {
            let _ = write!(alternates, "<xhtml:link rel=\"alternate\" hreflang=\"{}\" href=\"{origin}{url}\"/>", locale.bcp47());
            if *locale == Locale::DEFAULT {
                let _ = write!(alternates, "<xhtml:link rel=\"alternate\" hreflang=\"x-default\" href=\"{origin}{url}\"/>");
            }
        }
        for (_, url) in &addresses {
            let _ = writeln!(out, "<url><loc>{origin}{url}</loc>{alternates}</url>");
        }
    }
    out.push_str("</urlset>\n");
    out
}
