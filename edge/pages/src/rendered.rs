//! From a page to what is sent: rendered whole, split at its holes, filled for one visitor.

use crate::pages::Pages;
use app::{
    document::{Assets, document},
    holes::{self, HoleValues},
    pages::Page,
    ports::{ReadError, View},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use domain::{
    ProductId,
    catalog::ShopDocument,
    live::{Hole, LiveItem},
    locale::Locale,
    market::Market,
    offer::Instant,
};
use edge_core::{
    Class, Malformed, Part, Template, Values,
    headers::{Source, page_headers},
};
use hydration_context::SsrSharedContext;
use leptos::prelude::{Owner, RenderHtml as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A page as a template, with what filling it needs. Nothing in it comes from a visitor.
#[derive(Debug)]
pub struct Rendered {
    pub status: u16,
    pub locale: Locale,
    pub market: Arc<Market>,
    pub template: Template,
    pub products: Vec<ProductId>,
    /// From when on it must be made anew, whatever its age.
    pub good_until: Option<Instant>,
    needs_mutation: bool,
    /// The live items of when it was rendered, for as long as it has not been filled.
    pub first_live: Vec<Arc<LiveItem>>,
    /// As it was filled last.
    settled: Mutex<Option<Settled>>,
}

/// A template whose holes are filled but for those of one visitor, good for as long as the live items are the same ones.
#[derive(Clone, Debug)]
struct Settled {
    at: Instant,
    /// A moment later, or when a price on it changes by itself.
    until: Instant,
    live: Arc<[Arc<LiveItem>]>,
    is_old: bool,
    parts: Arc<[Shared]>,
}

/// What is known of a page's products.
#[derive(Clone, Debug)]
pub struct Live {
    pub items: Vec<Arc<LiveItem>>,
    /// They could not be read now: what was seen last.
    pub is_old: bool,
}

impl Live {
    /// Of a page without products.
    pub const fn none() -> Self {
        Self::now(Vec::new())
    }

    const fn now(items: Vec<Arc<LiveItem>>) -> Self {
        Self { items, is_old: false }
    }
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

/// A page for one visitor, ready to be sent.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    /// Headers that depend on how the page was made; what is said about security is the host's business.
    pub headers: &'static [(&'static str, &'static str)],
    /// How a public page's template was come by.
    pub source: Option<Source>,
    /// For the response's Content-Security-Policy.
    pub nonce: String,
    pub frames: Vec<Bytes>,
}

/// What filling a page for one visitor in one moment needs beside the page.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    pub class: Class,
    pub source: Source,
    pub shop: &'a ShopDocument,
    pub live: &'a Live,
    pub cart_count: u32,
}

impl Rendered {
    /// Renders a page. Marks that fit no hole are a bug, and nothing of such a page is sent.
    pub fn new(assets: &Assets, view: &View, page: Page) -> Result<Self, Malformed> {
        let Page { status, head, products, good_until, body } = page;
        let owner = Owner::new_root(Some(Arc::new(SsrSharedContext::new_islands())));
        let html = owner.with(|| document(head, body, view, assets).to_html());
        owner.unset_with_forced_cleanup();
        let template = Template::parse(html)?;
        Ok(Self {
            status,
            locale: view.locale,
            market: Arc::clone(&view.market),
            products,
            good_until,
            needs_mutation: template.holes().contains(&Hole::MutationId),
            template,
            first_live: Vec::new(),
            settled: Mutex::default(),
        })
    }

    /// The live items of its products, at most 300 ms old; the ones seen last where they cannot be read.
    pub async fn live(&self, pages: &Pages) -> Result<Live, ReadError> {
        if self.products.is_empty() {
            return Ok(Live::none());
        }
        if let Some(settled) = self.settled_at(pages.machine.now()) {
            return Ok(Live { items: settled.live.to_vec(), is_old: settled.is_old });
        }
        let seen = || {
            let items = self.settled().as_ref().map_or_else(|| self.first_live.clone(), |settled| settled.live.to_vec());
            (!items.is_empty()).then_some(Live { items, is_old: true })
        };
        if pages.rest.is_on(pages.machine.now())
            && let Some(seen) = seen()
        {
            return Ok(seen);
        }
        pages.storefront.live(&self.products).await.map(Live::now).or_else(|error| {
            pages.rest.begin(pages.machine.now());
            pages.stale("live values", &error);
            seen().ok_or(error)
        })
    }

    fn settled(&self) -> MutexGuard<'_, Option<Settled>> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settled_at(&self, now: Instant) -> Option<Settled> {
        self.settled().as_ref().filter(|settled| (settled.at..settled.until).contains(&now)).cloned()
    }

    /// The answer for one visitor.
    pub fn respond(&self, pages: &Pages, moment: Moment<'_>) -> Reply {
        let now = pages.machine.now();
        let nonce = URL_SAFE_NO_PAD.encode(pages.machine.random());
        let mutation_id = if self.needs_mutation { id(now, pages.machine.random()).to_string() } else { String::new() };
        let values = HoleValues {
            locale: self.locale,
            market: &self.market,
            now,
            live: &moment.live.items,
            nonce: &nonce,
            mutation_id: &mutation_id,
            cart_count: moment.cart_count,
            standard: moment.shop.standard(self.market.code, now),
        };
        let frames = match moment.class {
            Class::Private => vec![self.template.fill(&Filling(&values)).into()],
            Class::Public | Class::PublicFromOrigin => self.shared_frames(&values, moment.live.is_old),
        };
        Reply {
            status: self.status,
            headers: page_headers(moment.class, self.status),
            source: (moment.class != Class::Private).then_some(if moment.live.is_old { Source::Stale } else { moment.source }),
            frames,
            nonce,
        }
    }

    /// What everybody gets alike is written once in a moment, and not copied.
    fn shared_frames(&self, values: &HoleValues<'_>, is_old: bool) -> Vec<Bytes> {
        let live = values.live;
        let known = self
            .settled_at(values.now)
            .filter(|settled| settled.live.len() == live.len() && settled.live.iter().zip(live).all(|(a, b)| Arc::ptr_eq(a, b)));
        let settled = known.unwrap_or_else(|| {
            let (text, parts) = self.template.settle(&Filling(values)).into_parts();
            let text = Bytes::from(text);
            let shared = |part| match part {
                Part::Text(range) => Shared::Text(text.slice(range)),
                Part::Hole(hole) => Shared::Hole(hole),
            };
            let changes = live.iter().filter_map(|item| item.changes_after(self.market.code, values.now));
            let until = changes.fold(values.now + SETTLED_US, Instant::min);
            let settled = Settled { at: values.now, until, live: live.into(), is_old, parts: parts.into_iter().map(shared).collect() };
            *self.settled() = Some(settled.clone());
            settled
        });
        let own = |hole: &Hole| {
            let mut out = String::new();
            holes::fill(*hole, values, &mut out);
            Bytes::from(out)
        };
        let frame = |part: &Shared| match part {
            Shared::Text(text) => text.clone(),
            Shared::Hole(hole) => own(hole),
        };
        settled.parts.iter().map(frame).collect()
    }
}

/// A new id: UUIDv7 of this instant (RFC 9562, 5.7).
fn id(now: Instant, random: [u8; 16]) -> uuid::Uuid {
    let random: [u8; 10] = std::array::from_fn(|at| random[at]);
    let millis = u64::try_from(now / 1_000).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
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
