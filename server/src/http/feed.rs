//! The product feed of a market in Google's format: RSS 2.0 with attributes of the Merchant Center's product data specification
//! (<https://support.google.com/merchants/answer/7052112>). Written while it is sent, some products at a time, so that its size does not matter.
//! What an entry says is in [`item`]; every price comes from `offer`.

mod item;

use crate::{
    Shop,
    http::errors::Failure,
    params,
    readmodel::records::{self, Shared},
    tariffs,
};
use anyhow::Context as _;
use app::{
    document::SHOP_NAME,
    holes::escape,
    pages::Fault,
    routes::{Address, Route},
};
use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    response::{IntoResponse as _, Response},
    routing::get,
};
use bytes::Bytes;
use domain::{
    ProductId,
    delivery::{Method, STANDARD},
    locale::Locale,
    market::Market,
    offer::Instant,
};
use futures::{Stream, stream};
use http::{HeaderMap, StatusCode, header};
use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

/// How long whoever fetched a feed may keep it, if no price begins or ends before. Seconds.
const KEPT_S: i64 = 300;

pub fn routes() -> Router<Shop> {
    Router::new().route("/feeds/google/{name}", get(google))
}

/// What every entry of a feed shares.
struct Feed {
    locale: Locale,
    market: Market,
    /// The public origin, without a trailing slash.
    origin: Arc<str>,
    shared: Shared,
    standard: Option<Method>,
    now: Instant,
}

/// `/feeds/google/de-de.xml`: every variant that the locale's market sells, in its language.
async fn google(State(shop): State<Shop>, Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Failure> {
    let locale =
        name.strip_suffix(".xml").and_then(|name| name.parse().ok()).filter(|locale| Locale::OFFERED.contains(locale)).ok_or(Fault::NotFound)?;
    let now = shop.clock.now();
    let (tag, kept_s) = version(&shop, locale, now).await?;
    let fresh = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, format!("public, max-age={kept_s}"))];
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    if known.map(str::trim).any(|known| known == tag) {
        return Ok((StatusCode::NOT_MODIFIED, fresh).into_response());
    }
    let shared = Shared::load(&shop.db, now).await?;
    let Some(market) = shared.markets.iter().find(|market| market.code == locale.country).cloned() else { return Err(Fault::NotFound.into()) };
    let standard = tariffs::methods(&shop.db, market.code, now).await?.into_iter().find(|method| method.code == STANDARD);
    let feed = Feed { locale, market, origin: shop.config.url.clone(), shared, standard, now };
    let kind = [(header::CONTENT_TYPE, "application/xml; charset=utf-8")];
    Ok((kind, fresh, Body::from_stream(written(shop, Arc::new(feed)))).into_response())
}

/// A tag that is another one whenever the feed may be, and how long it holds. What changes the catalogue tells so in the outbox; what begins or
/// ends by itself is known beforehand, but for delivery, which is looked at anew once an hour.
async fn version(shop: &Shop, locale: Locale, now: Instant) -> anyhow::Result<(String, i64)> {
    let row = shop.db.first("SELECT MAX(sequence) AS n FROM outbox", params![]).await?.context("a maximum")?;
    let next = shop.db.first("SELECT MIN(at) AS n FROM price_instants WHERE at > $1", params![now]).await?.context("a minimum")?;
    let mut hasher = DefaultHasher::new();
    (locale, row.int_or_null("n")?, next.int_or_null("n")?, now / 3_600_000_000, env!("CARGO_PKG_VERSION")).hash(&mut hasher);
    let until_next = next.int_or_null("n")?.map_or(KEPT_S, |next| (next - now) / 1_000_000);
    Ok((format!("W/\"{:016x}\"", hasher.finish()), until_next.clamp(0, KEPT_S)))
}

/// What is written next.
enum Step {
    Head,
    /// The products after this one.
    Products(Option<ProductId>),
    Done,
}

/// The feed in pieces. One that cannot be read to its end breaks off, so that nobody takes it for whole.
fn written(shop: Shop, feed: Arc<Feed>) -> impl Stream<Item = anyhow::Result<Bytes>> {
    stream::unfold(Step::Head, move |step| {
        let (shop, feed) = (shop.clone(), Arc::clone(&feed));
        async move {
            let after = match step {
                Step::Head => return Some((Ok(feed.head().into()), Step::Products(None))),
                Step::Products(after) => after,
                Step::Done => return None,
            };
            match feed.products(&shop, after).await {
                Ok(Some((items, last))) => Some((Ok(items.into()), Step::Products(Some(last)))),
                Ok(None) => Some((Ok("</channel>\n</rss>\n".into()), Step::Done)),
                Err(error) => {
                    tracing::error!(error = format!("{error:#}"), "a product feed broke off");
                    Some((Err(error), Step::Done))
                }
            }
        }
    })
}

impl Feed {
    fn head(&self) -> String {
        let home = format!("{}{}", self.origin, Address::new(self.locale, Route::Home).url());
        let mut out =
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\" xmlns:g=\"http://base.google.com/ns/1.0\">\n<channel>\n".to_owned();
        for (name, text) in [("title", SHOP_NAME), ("link", &home), ("description", SHOP_NAME)] {
            element(name, text, &mut out);
        }
        out
    }

    /// The entries of the next products, and the last of them; `None` after the last product.
    async fn products(&self, shop: &Shop, after: Option<ProductId>) -> anyhow::Result<Option<(String, ProductId)>> {
        let Some((first, last)) = records::next_range(&shop.db, after).await? else { return Ok(None) };
        let mut records = records::load(&shop.db, first, last, self.now).await?;
        records.retain(|record| record.product.is_shown());
        records.sort_by_key(|record| record.product.id);
        let mut out = String::new();
        for record in &records {
            item::write(self, record, &mut out);
        }
        Ok(Some((out, last)))
    }
}

/// An element with a text: escaped, and without what XML 1.0 cannot hold (2.2, Char).
fn element(name: &str, text: &str, out: &mut String) {
    let text: String =
        text.chars().filter(|c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)).collect();
    for part in ["<", name, ">"] {
        out.push_str(part);
    }
    escape(&text, out);
    for part in ["</", name, ">\n"] {
        out.push_str(part);
    }
}
