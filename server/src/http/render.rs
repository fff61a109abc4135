//! From a page to bytes: rendered whole, split at its holes, filled for one visitor.

use crate::{
    Shop,
    http::{body::Frames, errors::Failure, visitor::Visitor},
    random,
};
use app::{
    document::document,
    holes::{self, HoleValues},
    pages::Page,
    ports::{ReadError, View},
};
use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use domain::{
    ProductId,
    catalog::ShopDocument,
    live::{Hole, LiveItem},
    locale::{Locale, TextLanguage},
    market::{Market, TaxMode},
    money::Currency,
    offer::Instant,
};
use edge_core::{
    Class, Part, Template, Values,
    headers::{Source, page_headers},
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use hydration_context::SsrSharedContext;
use jiff::civil::Date;
use leptos::prelude::{Owner, RenderHtml as _};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A page as a template, with what filling it needs. Nothing in it comes from a visitor.
#[derive(Debug)]
pub struct Rendered {
    pub status: u16,
    pub locale: Locale,
    pub market: Arc<Market>,
    pub template: Template,
    pub products: Vec<ProductId>,
    needs_promise: bool,
    needs_mutation: bool,
    /// As it was filled last.
    settled: Mutex<Option<Settled>>,
}

/// A template whose holes are filled but for those of one visitor, good for as long as the live items are the same ones.
#[derive(Clone, Debug)]
struct Settled {
    at: Instant,
    live: Arc<[Arc<LiveItem>]>,
    parts: Arc<[Shared]>,
}

/// What everybody gets alike, or a hole for one.
#[derive(Clone, Debug)]
enum Shared {
    Text(Bytes),
    Hole(Hole),
}

/// How long a settled template is sent without asking for live values again: together with the 200 ms for which the hot cache holds
/// them, they are at most 300 ms old.
const SETTLED_US: i64 = 100_000;

/// The nonce of a response's scripts and styles, for its Content-Security-Policy.
#[derive(Clone, Debug)]
pub struct Nonce(pub String);

impl Rendered {
    /// Renders a page. Marks that fit no hole are a bug, and nothing of such a page is sent.
    pub fn new(shop: &Shop, view: &View, page: Page) -> Result<Self, Failure> {
        let Page { status, head, products, body } = page;
        let owner = Owner::new_root(Some(Arc::new(SsrSharedContext::new_islands())));
        let html = owner.with(|| document(head, body, view, &shop.pages.assets).to_html());
        owner.unset_with_forced_cleanup();
        let template =
            Template::parse(html).map_err(|error| Failure::Broken(anyhow::Error::from(error).context("a rendered page is no template")))?;
        let holes = template.holes();
        Ok(Self {
            status,
            locale: view.locale,
            market: Arc::clone(&view.market),
            products,
            needs_promise: holes.contains(&Hole::DeliveryPromise),
            needs_mutation: holes.contains(&Hole::MutationId),
            template,
            settled: Mutex::default(),
        })
    }

    /// The live items of its products, at most 300 ms old; the ones seen last where they cannot be read.
    pub async fn live(&self, shop: &Shop) -> Result<Vec<Arc<LiveItem>>, ReadError> {
        if self.products.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(settled) = self.settled_at(shop.clock.now()) {
            return Ok(settled.live.to_vec());
        }
        let seen = || self.settled().as_ref().map(|settled| settled.live.to_vec()).filter(|live| !live.is_empty());
        if shop.pages.rest.is_on(shop.clock.now())
            && let Some(seen) = seen()
        {
            return Ok(seen);
        }
        shop.storefront.live(&self.products).await.or_else(|error| {
            shop.pages.rest.begin(shop.clock.now());
            tracing::warn!(reason = error.to_string(), "live values are the ones seen last, if there are any");
            seen().ok_or(error)
        })
    }

    fn settled(&self) -> MutexGuard<'_, Option<Settled>> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settled_at(&self, now: Instant) -> Option<Settled> {
        self.settled().as_ref().filter(|settled| (0..SETTLED_US).contains(&(now - settled.at))).cloned()
    }

    async fn promise(&self, shop: &Shop) -> Option<(Date, Date)> {
        if self.needs_promise { shop.pages.promise(shop, self.market.code).await } else { None }
    }

    /// The answer for one visitor.
    pub async fn respond(&self, shop: &Shop, visitor: &Visitor, class: Class, source: Source, live: &[Arc<LiveItem>]) -> Response {
        let now = shop.clock.now();
        let mutation_id = if self.needs_mutation { shop.clock.id().to_string() } else { String::new() };
        let mut values = HoleValues {
            locale: self.locale,
            market: &self.market,
            now,
            live,
            nonce: &nonce(),
            mutation_id: &mutation_id,
            cart_count: visitor.cart_count(),
            promise: None,
        };
        let mut response = if class == Class::Private {
            values.promise = self.promise(shop).await;
            Body::from(self.template.fill(&Filling(&values))).into_response()
        } else {
            let known = self
                .settled_at(now)
                .filter(|settled| settled.live.len() == live.len() && settled.live.iter().zip(live).all(|(a, b)| Arc::ptr_eq(a, b)));
            let settled = if let Some(settled) = known {
                settled
            } else {
                values.promise = self.promise(shop).await;
                let (text, parts) = self.template.settle(&Filling(&values)).into_parts();
                let text = Bytes::from(text);
                let shared = |part| match part {
                    Part::Text(range) => Shared::Text(text.slice(range)),
                    Part::Hole(hole) => Shared::Hole(hole),
                };
                let settled = Settled { at: now, live: live.into(), parts: parts.into_iter().map(shared).collect() };
                *self.settled() = Some(settled.clone());
                settled
            };
            let own = |hole: &Hole| {
                let mut out = String::new();
                holes::fill(*hole, &values, &mut out);
                Bytes::from(out)
            };
            let frame = |part: &Shared| match part {
                Shared::Text(text) => text.clone(),
                Shared::Hole(hole) => own(hole),
            };
            Body::new(Frames::new(settled.parts.iter().map(frame).collect())).into_response()
        };
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        for (name, value) in page_headers(class, self.status) {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        if class != Class::Private {
            headers.insert(HeaderName::from_static("x-template"), HeaderValue::from_static(source.as_str()));
        }
        response.extensions_mut().insert(Nonce(values.nonce.to_owned()));
        response
    }
}

/// A page for this visitor alone: cart, checkout, order. Never stored.
pub async fn private(shop: &Shop, visitor: &Visitor, view: &View, page: Page) -> Result<Response, Failure> {
    let rendered = Rendered::new(shop, view, page)?;
    let live = rendered.live(shop).await?;
    Ok(rendered.respond(shop, visitor, Class::Private, Source::Miss, &live).await)
}

/// A page without products; whatever else fails, this one is sent.
pub fn without_live(shop: &Shop, visitor: &Visitor, view: &View, page: Page) -> Response {
    let status = StatusCode::from_u16(page.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match Rendered::new(shop, view, page) {
        Ok(rendered) => futures::FutureExt::now_or_never(rendered.respond(shop, visitor, Class::Private, Source::Miss, &[]))
            .unwrap_or_else(|| status.into_response()),
        Err(_) => status.into_response(),
    }
}

/// As of what a page in this locale is read now.
pub async fn view(shop: &Shop, locale: Locale) -> Result<View, ReadError> {
    let document = shop.pages.shop_document(shop, locale.text_language()).await?;
    Ok(view_of(shop, locale, document))
}

/// The same for error pages: from the last good read, or from nothing at all.
pub async fn view_at_any_rate(shop: &Shop, locale: Locale) -> View {
    let language = locale.text_language();
    let document = shop.pages.shop_document(shop, language).await.unwrap_or_else(|_| Arc::new(nothing(language)));
    view_of(shop, locale, document)
}

fn view_of(shop: &Shop, locale: Locale, document: Arc<ShopDocument>) -> View {
    let market = document.market(locale).cloned().unwrap_or_else(|| bare_market(locale));
    View { locale, market: Arc::new(market), now: shop.clock.now(), origin: Arc::clone(&shop.config.url), shop: document }
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

pub fn nonce() -> String {
    URL_SAFE_NO_PAD.encode(random::bytes::<16>())
}

struct Filling<'a>(&'a HoleValues<'a>);

impl Values for Filling<'_> {
    fn fill(&self, hole: Hole, out: &mut String) {
        holes::fill(hole, self.0, out);
    }
    fn holds(&self, choice: Hole) -> bool {
        self.0.holds(choice)
    }
}
