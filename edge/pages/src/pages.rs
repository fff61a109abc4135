//! Public pages from the template cache or rendered now. What is kept between requests comes from no visitor.

use crate::{
    machine::{Log, Machine},
    rendered::{Live, Moment, Rendered, Reply},
};
use app::{
    components::card::Cards,
    document::Assets,
    pages::{Outcome, load},
    ports::{ReadError, Storefront, View},
    routes::{Address, Route},
};
use domain::{
    ProductId,
    catalog::ShopDocument,
    live::LiveItem,
    locale::{Locale, TextLanguage},
    market::{Market, TaxMode},
    money::Currency,
    offer::Instant,
};
use edge_core::{Class, Freshness, Key, Lookup, Malformed, TemplateCache, headers::Source, visitor};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

/// How long what all pages share is held, on top of the hot cache.
const SHOP_US: i64 = 100_000;

/// What public pages share between requests. Nothing in it comes from a visitor.
pub struct Pages {
    pub assets: Assets,
    /// The public origin without a trailing slash.
    pub url: Arc<str>,
    pub storefront: Arc<dyn Storefront>,
    pub machine: Arc<dyn Machine>,
    /// While it is on, what was seen last is good enough.
    pub rest: Rest,
    templates: Mutex<TemplateCache<Kept>>,
    cards: Arc<Cards>,
    /// The last good read of what all pages share, and when it was.
    shop: Mutex<HashMap<TextLanguage, (Instant, Arc<ShopDocument>)>>,
}

/// How many templates a host keeps, and how large they may be together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    pub templates_max: usize,
    pub bytes_max: usize,
}

impl Room {
    /// For an instance at an edge, which has 128 MB for everything: the hot cache and a request's own need the rest
    /// (<https://developers.cloudflare.com/workers/platform/limits/>,
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-functions-restrictions.html>).
    pub fn at_edge(templates_max: Option<usize>) -> Self {
        Self { templates_max: templates_max.unwrap_or(2_000), bytes_max: 32 << 20 }
    }
}

/// What an address came to.
#[derive(Clone, Debug)]
pub enum Served {
    Page(Reply),
    Elsewhere { to: String, permanent: bool },
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error(transparent)]
    Unread(#[from] ReadError),
    #[error("a rendered page is no template: {0}")]
    Malformed(#[from] Malformed),
}

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

/// A template, and which documents the shop and its products had.
#[derive(Debug)]
struct Kept {
    page: Rendered,
    shop: u64,
    documents: Vec<(ProductId, u64)>,
}

enum Renewed {
    Kept(Arc<Kept>),
    Elsewhere(String, bool),
}

impl Pages {
    pub fn new(assets: Assets, url: Arc<str>, storefront: Arc<dyn Storefront>, machine: Arc<dyn Machine>, room: Room) -> Self {
        let templates = Mutex::new(TemplateCache::new(room.templates_max, room.bytes_max));
        Self { assets, url, storefront, machine, rest: Rest::default(), templates, cards: Arc::default(), shop: Mutex::default() }
    }

    /// The same pages with other room for templates.
    #[must_use]
    pub fn with_room(&self, room: Room) -> Self {
        Self::new(self.assets.clone(), self.url.clone(), self.storefront.clone(), self.machine.clone(), room)
    }

    /// What all pages share; the last good read where it cannot be read now.
    pub async fn shop_document(&self, language: TextLanguage) -> Result<Arc<ShopDocument>, ReadError> {
        let now = self.machine.now();
        let last = lock(&self.shop).get(&language).cloned();
        if let Some((read, last)) = &last
            && ((0..SHOP_US).contains(&(now - read)) || self.rest.is_on(now))
        {
            return Ok(Arc::clone(last));
        }
        match self.storefront.shop(language).await {
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

    /// Templates kept, and their size in bytes.
    pub fn usage(&self) -> (usize, usize) {
        lock(&self.templates).usage()
    }

    /// As of what a page in this locale is read now.
    pub async fn view(&self, locale: Locale) -> Result<View, ReadError> {
        let document = self.shop_document(locale.text_language()).await?;
        Ok(self.view_of(locale, document))
    }

    /// The same for error pages: from the last good read, or from nothing at all.
    pub async fn view_at_any_rate(&self, locale: Locale) -> View {
        let language = locale.text_language();
        let document = self.shop_document(language).await.unwrap_or_else(|_| Arc::new(nothing(language)));
        self.view_of(locale, document)
    }

    fn view_of(&self, locale: Locale, document: Arc<ShopDocument>) -> View {
        let market = document.market(locale).cloned().unwrap_or_else(|| bare_market(locale));
        View {
            locale,
            market: Arc::new(market),
            now: self.machine.now(),
            origin: Arc::clone(&self.url),
            shop: document,
            cards: Arc::clone(&self.cards),
        }
    }

    /// A page of this class at this address for a visitor with these cookies, which fill holes and choose a version, and nothing else.
    pub async fn serve(self: &Arc<Self>, address: &Address, class: Class, freshness: Freshness, cookies: Option<&str>) -> Result<Served, Trouble> {
        let document = self.shop_document(address.locale.text_language()).await?;
        let cart_count = visitor::cart_count(cookies);
        let versions = if let Route::Page { slug } = &address.route { document.experiments.get(slug).copied().unwrap_or(1) } else { 1 };
        let key = Key { url: address.url().into(), bucket: visitor::version_seen(cookies, versions) };
        let looked = lock(&self.templates).look(&key, self.machine.now());
        let (kept, source, is_mine) = match looked {
            Lookup::Fresh(kept) => (kept, Source::Hit, false),
            Lookup::Stale { value, revalidate } => (value, Source::Stale, revalidate),
            Lookup::Miss { fallback } => match (self.renew(address, key.clone(), freshness).await, fallback) {
                (Ok(Renewed::Kept(kept)), _) => (kept, Source::Miss, false),
                (Ok(Renewed::Elsewhere(to, permanent)), _) => return Ok(Served::Elsewhere { to, permanent }),
                (Err(error), Some(kept)) => {
                    self.stale("a template that is too old", &error);
                    (kept, Source::Stale, false)
                }
                (Err(error), None) => return Err(error),
            },
        };
        let live = kept.page.live(self).await?;
        let answer =
            |kept: &Kept, source, live: &Live| Served::Page(kept.page.respond(self, Moment { class, source, shop: &document, live, cart_count }));
        // The shop's menus may be others since, a product may have another name or picture: then the template is not good enough even for
        // now, but better than none, and than everybody rendering the same at once. Prices and stock are in holes.
        let is_outdated = source != Source::Miss && (kept.shop != document.version || kept.is_outdated(&live.items, self.machine.now()));
        if is_outdated && (is_mine || lock(&self.templates).claim(&key, self.machine.now())) {
            // What was read a moment ago may be what it is outdated by.
            self.storefront.forget();
            match self.renew(address, key.clone(), freshness).await {
                Ok(Renewed::Kept(kept)) => {
                    let live = kept.page.live(self).await?;
                    return Ok(answer(&kept, Source::Miss, &live));
                }
                Ok(Renewed::Elsewhere(to, permanent)) => return Ok(Served::Elsewhere { to, permanent }),
                Err(error) => {
                    lock(&self.templates).failed(&key, self.machine.now());
                    self.stale("an outdated template", &error);
                }
            }
        } else if is_mine {
            self.renew_later(address.clone(), key, freshness);
        }
        Ok(answer(&kept, if is_outdated { Source::Stale } else { source }, &live))
    }

    fn renew_later(self: &Arc<Self>, address: Address, key: Key, freshness: Freshness) {
        let pages = Arc::clone(self);
        self.machine.later(Box::pin(async move {
            if let Err(error) = pages.renew(&address, key.clone(), freshness).await {
                lock(&pages.templates).failed(&key, pages.machine.now());
                pages.stale("a template", &error);
            }
        }));
    }

    /// Renders a page now. Good ones are kept; a redirect or an error takes the old one's place by removing it.
    async fn renew(&self, address: &Address, key: Key, freshness: Freshness) -> Result<Renewed, Trouble> {
        let started = self.machine.now();
        let view = self.view(address.locale).await?;
        match load(address, &view, &*self.storefront).await? {
            Outcome::Redirect { to, permanent } => {
                lock(&self.templates).remove(&key);
                Ok(Renewed::Elsewhere(to, permanent))
            }
            Outcome::Page(page) => {
                let mut page =
                    Rendered::new(&self.assets, &view, page).inspect_err(|error| self.machine.log(Log::Broken { reason: &error.to_string() }))?;
                page.first_live = page.live(self).await?.items;
                let documents = page.first_live.iter().map(|item| (item.product, item.documents)).collect();
                let kept = Arc::new(Kept { page, shop: view.shop.version, documents });
                let mut templates = lock(&self.templates);
                if kept.page.status == 200 {
                    // Once as a template, once as it was settled last.
                    let size = 2 * kept.page.template.size_bytes();
                    templates.put(key, Arc::clone(&kept), size, freshness, started);
                } else {
                    templates.remove(&key);
                }
                Ok(Renewed::Kept(kept))
            }
        }
    }

    pub(crate) fn stale(&self, what: &'static str, reason: &impl ToString) {
        self.machine.log(Log::Stale { what, reason: &reason.to_string() });
    }
}

impl std::fmt::Debug for Pages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pages").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Kept {
    fn is_outdated(&self, live: &[Arc<LiveItem>], now: Instant) -> bool {
        self.page.good_until.is_some_and(|until| until <= now)
            || live.iter().any(|item| self.documents.iter().any(|(product, documents)| *product == item.product && *documents != item.documents))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What all pages share in a shop that has nothing yet.
fn nothing(language: TextLanguage) -> ShopDocument {
    ShopDocument {
        version: 0,
        language,
        markets: Vec::new(),
        categories: Vec::new(),
        help: Vec::new(),
        demo: false,
        products: 0,
        counts: BTreeMap::new(),
        tags: Vec::new(),
        pages: Vec::new(),
        promises: BTreeMap::new(),
        standard: BTreeMap::new(),
        experiments: BTreeMap::new(),
    }
}

/// A market that sells nothing, so that a page can be drawn.
pub fn bare_market(locale: Locale) -> Market {
    Market {
        code: locale.country,
        countries: vec![locale.country],
        legal_entity: String::new(),
        currency: Currency::USD,
        price_list: String::new(),
        tax_mode: TaxMode::Exclusive,
        time_zone: "UTC".to_owned(),
        locations: Vec::new(),
        split: domain::sourcing::Split::Allowed,
    }
}
