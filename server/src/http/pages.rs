//! Public pages: any address, from the template cache or rendered now, filled with live values.

use crate::{
    Shop,
    http::{
        errors::{Failure, Refusal},
        forms::see_other,
        render::{self, Rendered},
        visitor::Visitor,
    },
};
use app::{
    document::Assets,
    pages::{Fault, Outcome, load},
    ports::{ReadError, View},
    routes::{Address, CHOICE, Class as RouteClass, Route},
};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use domain::{
    catalog::ShopDocument,
    delivery::{Method, Promise},
    live::LiveItem,
    locale::{Locale, TextLanguage},
    market::MarketCode,
    offer::Instant,
};
use edge_core::{
    Class, Freshness, Key, Lookup, Plan, TemplateCache,
    headers::Source,
    plan::{Host, plan},
    visitor::LOCALE_COOKIE,
};
use http::{HeaderMap, HeaderValue, Method as Verb, StatusCode, Uri, header};
use jiff::civil::Date;
use metrics::Counter;
use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc, LazyLock, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

/// Templates kept, and their size. A page of 24 products is about 60 kB.
const TEMPLATES_MAX: usize = 4_000;
const TEMPLATES_BYTES_MAX: usize = 128 * 1024 * 1024;
/// How long what all pages share is held, on top of the hot cache.
const SHOP_US: i64 = 100_000;
/// How long delivery methods are held.
const METHODS_US: i64 = 60_000_000;
/// How long a chosen locale is remembered, in seconds: a year, as the page on cookies says.
const CHOICE_KEPT_S: u32 = 31_536_000;

/// What public pages share between requests. Nothing in it comes from a visitor.
#[derive(Debug)]
pub struct Pages {
    pub assets: Assets,
    templates: Mutex<TemplateCache<Kept>>,
    /// The last good read of what all pages share, and when it was.
    shop: Mutex<HashMap<TextLanguage, (Instant, Arc<ShopDocument>)>>,
    standard: Mutex<HashMap<MarketCode, Standard>>,
    /// While it is on, what was seen last is good enough.
    pub rest: Rest,
}

/// A market's standard delivery method, if it has one, and when it was read.
type Standard = (Instant, Option<Arc<Method>>);

/// After a read failed, readers that have something older do not try again for a second: a store that hangs must not make every
/// page wait for its deadline.
#[derive(Debug, Default)]
pub struct Rest(AtomicI64);

const REST_US: i64 = 1_000_000;

impl Rest {
    pub fn begin(&self, now: Instant) {
        self.0.store(now.saturating_add(REST_US), Ordering::Relaxed);
    }

    pub fn is_on(&self, now: Instant) -> bool {
        now < self.0.load(Ordering::Relaxed)
    }
}

/// A template and the versions of the products that it shows.
#[derive(Debug)]
struct Kept {
    page: Rendered,
    versions: Vec<(domain::ProductId, u64)>,
}

impl Pages {
    /// Reads what the build left beside the binary; without it pages work, unstyled.
    pub fn open(site: &Path) -> Self {
        let assets = std::fs::read_to_string(site.join("manifest.json")).ok().and_then(|json| serde_json::from_str(&json).ok()).map_or_else(
            || {
                tracing::warn!(site = %site.display(), "there is no manifest.json of built assets: run `cargo xtask build`");
                Assets::default()
            },
            |manifest: HashMap<String, String>| {
                let url = |name: &str| manifest.get(name).cloned().unwrap_or_default();
                Assets { css: url("css"), staff_css: url("staff_css"), script: url("script"), wasm: url("wasm"), font: url("font") }
            },
        );
        Self::with_templates(assets, TEMPLATES_MAX)
    }

    /// Keeps no template: every page is rendered anew. For measuring.
    pub fn without_templates(site: &Path) -> Self {
        Self::with_templates(Self::open(site).assets, 0)
    }

    fn with_templates(assets: Assets, templates_max: usize) -> Self {
        let templates = TemplateCache::new(templates_max, TEMPLATES_BYTES_MAX);
        Self { assets, templates: Mutex::new(templates), shop: Mutex::default(), standard: Mutex::default(), rest: Rest::default() }
    }

    /// What all pages share; the last good read where it cannot be read now.
    pub async fn shop_document(&self, shop: &Shop, language: TextLanguage) -> Result<Arc<ShopDocument>, ReadError> {
        let now = shop.clock.now();
        let last = lock(&self.shop).get(&language).cloned();
        if let Some((read, last)) = &last
            && ((0..SHOP_US).contains(&(now - read)) || self.rest.is_on(now))
        {
            return Ok(Arc::clone(last));
        }
        match shop.storefront.shop(language).await {
            Ok(document) => {
                lock(&self.shop).insert(language, (now, Arc::clone(&document)));
                Ok(document)
            }
            Err(error) => {
                self.rest.begin(now);
                last.map(|(_, last)| last).ok_or(error)
            }
        }
    }

    /// When an order placed now would arrive by the market's standard method.
    pub async fn promise(&self, shop: &Shop, market: MarketCode) -> Option<(Date, Date)> {
        let now = shop.clock.now();
        let held = lock(&self.standard).get(&market).filter(|(read, _)| now - read < METHODS_US).cloned();
        let method = if let Some((_, method)) = held {
            method
        } else {
            // A promise that cannot be made is left out: the page is whole without it.
            let methods = crate::tariffs::methods(&shop.db, market, now).await.unwrap_or_default();
            let standard = methods.into_iter().find(|method| method.code == "standard").map(Arc::new);
            lock(&self.standard).insert(market, (now, standard.clone()));
            standard
        };
        method.map(|method| {
            let Promise { from, to } = method.promise(now);
            (from, to)
        })
    }

    /// Templates kept, and their size in bytes.
    pub fn usage(&self) -> (usize, usize) {
        lock(&self.templates).usage()
    }
}

/// `/` answers 303 by cookie, then by Accept-Language. Never cached.
pub async fn root(visitor: Visitor, uri: Uri) -> Response {
    let home = Address::new(visitor.suggested_locale(), Route::Home).url();
    see_other(&with_query(&home, &uri))
}

/// The locale switch: leads to the page, and remembers its locale for `/`. A page of another site cannot choose for a visitor.
pub async fn choose(State(shop): State<Shop>, uri: Uri, headers: HeaderMap) -> Result<Response, Failure> {
    let path = uri.path().strip_prefix(CHOICE).unwrap_or_default();
    let address = Address::parse(path, uri.query().unwrap_or_default()).ok_or(Fault::NotFound)?;
    let mut response = see_other(&address.url());
    let ours = headers.get("sec-fetch-site").is_none_or(|site| matches!(site.as_bytes(), b"same-origin" | b"none"));
    if ours && Locale::OFFERED.contains(&address.locale) {
        let secure = if shop.config.is_https() { "; Secure" } else { "" };
        let cookie = format!("{LOCALE_COOKIE}={}; Path=/; Max-Age={CHOICE_KEPT_S}; HttpOnly; SameSite=Lax{secure}", address.locale);
        response.headers_mut().extend(HeaderValue::from_str(&cookie).ok().map(|cookie| (header::SET_COOKIE, cookie)));
    }
    Ok(response)
}

/// Any address that no other route answers.
pub async fn page(State(shop): State<Shop>, verb: Verb, uri: Uri, visitor: Visitor) -> Result<Response, Failure> {
    let address = match find(&uri) {
        Found::Here(address) => address,
        Found::There(to) => return Ok(moved(&to, true)),
        Found::Broken => return Err(Fault::BadRequest.into()),
        Found::Nowhere => return Err(Fault::NotFound.into()),
    };
    if verb != Verb::GET && verb != Verb::HEAD {
        return Ok((StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response());
    }
    let class = class(&address);
    match plan(class, Host::Origin) {
        Plan::Cached(freshness) => cached(shop, visitor, address, class, freshness).await,
        // Private pages have routes of their own.
        Plan::Render | Plan::Pass => Err(Fault::NotFound.into()),
    }
}

fn class(address: &Address) -> Class {
    match address.class() {
        RouteClass::Public => Class::Public,
        RouteClass::PublicFromOrigin => Class::PublicFromOrigin,
        RouteClass::Private => Class::Private,
    }
}

enum Found {
    Here(Address),
    /// The same page has another form of address: trailing slash, capitals, other escapes.
    There(String),
    Broken,
    Nowhere,
}

fn find(uri: &Uri) -> Found {
    let (path, query) = (uri.path(), uri.query().unwrap_or_default());
    if !is_utf8(path) || !is_utf8(query) {
        return Found::Broken;
    }
    let is_lower = !path.bytes().any(|byte| byte.is_ascii_uppercase() || byte == b'%');
    let lower = |path: &str| Address::parse(&path.to_ascii_lowercase(), query);
    // A secret is the one part of a path where capitals matter. Printed before it is lowered, a path has no needless escapes.
    let address = match Address::parse(path, query) {
        Some(address) if is_lower || matches!(address.route, Route::Order { .. }) => Some(address),
        Some(address) => lower(&address.path()).or(Some(address)),
        None => lower(path),
    };
    match address {
        None => Found::Nowhere,
        Some(address) if address.path() == path => Found::Here(address),
        Some(address) => Found::There(with_query(&address.path(), uri)),
    }
}

/// Whether the escapes in a path or query are whole and decode to UTF-8.
fn is_utf8(text: &str) -> bool {
    let bytes = text.as_bytes();
    let whole = bytes
        .iter()
        .enumerate()
        .all(|(at, byte)| *byte != b'%' || bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)));
    whole && percent_encoding::percent_decode_str(text).decode_utf8().is_ok()
}

fn with_query(path: &str, uri: &Uri) -> String {
    uri.query().filter(|query| !query.is_empty()).map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"))
}

fn moved(to: &str, permanent: bool) -> Response {
    let status = if permanent { StatusCode::MOVED_PERMANENTLY } else { StatusCode::FOUND };
    match HeaderValue::from_str(to) {
        // A permanent redirect without a limit would outlive our change of mind.
        Ok(location) => {
            (status, [(header::LOCATION, location), (header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=60"))]).into_response()
        }
        Err(_) => Refusal::new(Fault::NotFound).into_response(),
    }
}

async fn cached(shop: Shop, visitor: Visitor, address: Address, class: Class, freshness: Freshness) -> Result<Response, Failure> {
    let document = shop.pages.shop_document(&shop, address.locale.text_language()).await?;
    let key = Key { url: address.url().into(), versions: document.version };
    let looked = lock(&shop.pages.templates).look(&key, shop.clock.now());
    let (kept, source) = match looked {
        Lookup::Fresh(kept) => (kept, Source::Hit),
        Lookup::Stale { value, revalidate } => {
            if revalidate {
                let (shop, address, key) = (shop.clone(), address.clone(), key.clone());
                tokio::spawn(async move {
                    if let Err(error) = renew(&shop, &address, key.clone(), freshness).await {
                        lock(&shop.pages.templates).failed(&key, shop.clock.now());
                        tracing::warn!(?error, "a template could not be renewed");
                    }
                });
            }
            (value, Source::Stale)
        }
        Lookup::Miss { fallback } => match (renew(&shop, &address, key.clone(), freshness).await, fallback) {
            (Ok(Renewed::Kept(kept)), _) => (kept, Source::Miss),
            (Ok(Renewed::Elsewhere(to, permanent)), _) => return Ok(moved(&to, permanent)),
            (Err(error), Some(kept)) => {
                tracing::warn!(?error, "a template that is too old is sent because it could not be renewed");
                (kept, Source::Stale)
            }
            (Err(error), None) => return Err(error),
        },
    };
    let live = kept.page.live(&shop).await?;
    // A product that changed since may have another name or picture: then the template is not good enough even for now.
    if source != Source::Miss && kept.is_outdated(&live) {
        match renew(&shop, &address, key, freshness).await {
            Ok(Renewed::Kept(kept)) => {
                let live = kept.page.live(&shop).await?;
                return Ok(answer(&shop, &visitor, &kept, class, Source::Miss, &live).await);
            }
            Ok(Renewed::Elsewhere(to, permanent)) => return Ok(moved(&to, permanent)),
            Err(error) => tracing::warn!(?error, "an outdated template is sent because it could not be renewed"),
        }
    }
    Ok(answer(&shop, &visitor, &kept, class, source, &live).await)
}

async fn answer(shop: &Shop, visitor: &Visitor, kept: &Kept, class: Class, source: Source, live: &[Arc<LiveItem>]) -> Response {
    static COUNTERS: LazyLock<[Counter; 3]> =
        LazyLock::new(|| [Source::Hit, Source::Stale, Source::Miss].map(|source| metrics::counter!("pages_total", "template" => source.as_str())));
    COUNTERS[source as usize].increment(1);
    kept.page.respond(shop, visitor, class, source, live).await
}

enum Renewed {
    Kept(Arc<Kept>),
    Elsewhere(String, bool),
}

/// Renders a page now. Good ones are kept; a redirect or an error takes the old one's place by removing it.
async fn renew(shop: &Shop, address: &Address, key: Key, freshness: Freshness) -> Result<Renewed, Failure> {
    let started = shop.clock.now();
    let view = render::view(shop, address.locale).await?;
    match load(address, &view, &*shop.storefront).await? {
        Outcome::Redirect { to, permanent } => {
            lock(&shop.pages.templates).remove(&key);
            Ok(Renewed::Elsewhere(to, permanent))
        }
        Outcome::Page(page) => {
            let page = Rendered::new(shop, &view, page)?;
            let versions = page.live(shop).await?.iter().map(|item| (item.product, item.version)).collect();
            let kept = Arc::new(Kept { page, versions });
            let mut templates = lock(&shop.pages.templates);
            if kept.page.status == 200 {
                let size = kept.page.template.size_bytes();
                templates.put(key, Arc::clone(&kept), size, freshness, started);
            } else {
                templates.remove(&key);
            }
            Ok(Renewed::Kept(kept))
        }
    }
}

impl Kept {
    fn is_outdated(&self, live: &[Arc<LiveItem>]) -> bool {
        live.iter().any(|item| self.versions.iter().any(|(product, version)| *product == item.product && *version != item.version))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The view of a locale for whoever renders a page of their own.
pub async fn view(shop: &Shop, locale: Locale) -> Result<View, Failure> {
    Ok(render::view(shop, locale).await?)
}
