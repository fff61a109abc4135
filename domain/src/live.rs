//! What may change on a cached page: one small live item per product, and the holes in a page's template that it fills.

use crate::{
    delivery::{Leaving, is_zero},
    ids::{ProductId, VariantId},
    market::{Market, MarketCode},
    offer::{Instant, Offer, PriceWindow, changes_after, offer},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

/// The live values of one product, written by the projector alone. A larger `version` always wins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveItem {
    pub product: ProductId,
    /// Grows with every change of this product.
    pub version: u64,
    /// Differs whenever what templates show of the product may differ: names, pictures, variants, where it is sold. Prices and stock leave it.
    #[serde(default)]
    pub documents: u64,
    /// Whether the product may be shown at all.
    pub published: bool,
    pub markets: BTreeMap<MarketCode, BTreeMap<VariantId, LiveVariant>>,
}

impl LiveItem {
    /// One variant in one market; `None` where the market does not sell it.
    pub fn variant(&self, market: MarketCode, variant: VariantId) -> Option<&LiveVariant> {
        self.markets.get(&market)?.get(&variant)
    }

    /// The lowest offer of this product in a market, and whether others cost more ("From $48").
    pub fn lowest_offer(&self, market: MarketCode, now: Instant) -> Option<(Offer, bool)> {
        let offers = || self.markets.get(&market).into_iter().flat_map(BTreeMap::values).filter_map(|variant| offer(&variant.windows, now));
        let lowest = offers().min_by_key(|offer| offer.price.minor)?;
        Some((lowest, offers().any(|offer| offer.price.minor != lowest.price.minor)))
    }

    /// The next instant after `now` at which the price of one of its variants may change in a market.
    pub fn changes_after(&self, market: MarketCode, now: Instant) -> Option<Instant> {
        self.markets.get(&market)?.values().filter_map(|variant| changes_after(&variant.windows, now)).min()
    }

    /// The markets among `markets` that have no price for any of its variants at `now`: they do not sell it.
    pub fn unsold(&self, markets: &[Market], now: Instant) -> BTreeSet<MarketCode> {
        markets.iter().map(|market| market.code).filter(|code| self.lowest_offer(*code, now).is_none()).collect()
    }

    /// The best availability among the product's variants in a market.
    pub fn availability(&self, market: MarketCode) -> Availability {
        let variants = || self.markets.get(&market).into_iter().flat_map(BTreeMap::values);
        let left: u32 =
            variants().map(|variant| if let Availability::Low { left } = variant.availability { left } else { 0 }).fold(0, u32::saturating_add);
        let best = variants().map(|variant| variant.availability).max_by_key(|availability| availability.rank()).unwrap_or(Availability::SoldOut);
        if let Availability::Low { .. } = best { if left <= LOW_STOCK { Availability::Low { left } } else { Availability::InStock } } else { best }
    }
}

/// One variant in one market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveVariant {
    pub windows: Vec<PriceWindow>,
    pub availability: Availability,
    /// Business days that it needs before it leaves, beside its location's.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub handling_days: u8,
    /// The location that it leaves from, where that is not the market's first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

impl LiveVariant {
    /// Where it leaves from, and what it needs before.
    pub fn leaving(&self) -> Leaving<'_> {
        Leaving { location: self.location.as_deref(), handling_days: self.handling_days }
    }
}

/// From how few pieces on the shop says how many are left.
pub const LOW_STOCK: u32 = 5;

/// A promise to show, never to sell by: orders ask the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    InStock,
    /// At most [`LOW_STOCK`] left.
    Low {
        left: u32,
    },
    /// Sold although nothing is in stock; comes later.
    BackOrder,
    SoldOut,
}

impl Availability {
    /// Whether the button says "Add to cart".
    pub const fn buyable(self) -> bool {
        !matches!(self, Self::SoldOut)
    }

    const fn rank(self) -> u8 {
        match self {
            Self::InStock => 3,
            Self::Low { .. } => 2,
            Self::BackOrder => 1,
            Self::SoldOut => 0,
        }
    }
}

/// A place in a page's template that is filled on every response.
///
/// In rendered text a hole is [`OPEN`] `kind:key` [`CLOSE`]; alternatives are [`OPEN`] `if:variant` [`OR`] what stands if so [`OR`] what
/// stands if not [`CLOSE`]. The three marks are private-use characters: they are
/// stripped from every input ([`strip_marks`]), and HTML escaping lets them through. Values are escaped when they are filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hole {
    /// The CSP nonce of this response.
    Nonce,
    /// A fresh mutation id for a form.
    MutationId,
    /// How many pieces are in the cart.
    CartBadge,
    /// The price block of one variant.
    Price(VariantId),
    /// The price block of a product on a card ("From $48").
    CardPrice(ProductId),
    /// The flag on a card's picture: reduction, few left, sold out; empty otherwise.
    CardFlag(ProductId),
    /// The availability of one variant in words.
    Availability(VariantId),
    /// Alternatives: buyable, or sold out.
    IfBuyable(VariantId),
    /// Alternatives: the market has a price for it, or does not sell it.
    IfSold(VariantId),
    /// A variant's price as machines read it: `48.00`.
    PlainPrice(VariantId),
    /// A variant's availability as a schema.org URL.
    SchemaAvailability(VariantId),
    /// When one variant should arrive, in words, by the market's standard method.
    DeliveryPromise(VariantId),
}

/// Opens a hole.
pub const OPEN: char = '\u{E000}';
/// Closes a hole.
pub const CLOSE: char = '\u{E001}';
/// Divides alternatives inside a hole.
pub const OR: char = '\u{E002}';

/// Removes the hole marks from a text that came from outside, so that nobody can smuggle a hole into a page.
pub fn strip_marks(text: &str) -> std::borrow::Cow<'_, str> {
    let mark = |c: char| matches!(c, OPEN | CLOSE | OR);
    if text.contains(mark) { text.replace(mark, "").into() } else { text.into() }
}

impl Hole {
    /// The whole mark, as it stands in a rendered page. A choice is made by [`Hole::either`].
    pub fn mark(self) -> String {
        format!("{OPEN}{self}{CLOSE}")
    }

    /// The mark of a choice between two pieces of text; only for holes that are a condition.
    pub fn either(self, if_so: &str, if_not: &str) -> String {
        format!("{OPEN}{self}{OR}{if_so}{OR}{if_not}{CLOSE}")
    }

    /// Whether the hole chooses between two pieces of text and holds no value of its own.
    pub const fn is_choice(self) -> bool {
        matches!(self, Self::IfBuyable(_) | Self::IfSold(_))
    }
}

impl fmt::Display for Hole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nonce => f.write_str("nonce"),
            Self::MutationId => f.write_str("mutation"),
            Self::CartBadge => f.write_str("badge"),
            Self::DeliveryPromise(id) => write!(f, "promise:{id}"),
            Self::Price(id) => write!(f, "price:{id}"),
            Self::CardPrice(id) => write!(f, "card:{id}"),
            Self::CardFlag(id) => write!(f, "flag:{id}"),
            Self::Availability(id) => write!(f, "avail:{id}"),
            Self::IfBuyable(id) => write!(f, "if:{id}"),
            Self::IfSold(id) => write!(f, "sold:{id}"),
            Self::PlainPrice(id) => write!(f, "plain:{id}"),
            Self::SchemaAvailability(id) => write!(f, "schema:{id}"),
        }
    }
}

impl FromStr for Hole {
    type Err = UnknownHole;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, key) = text.split_once(':').unwrap_or((text, ""));
        let variant = || key.parse().map_err(|_| UnknownHole);
        let product = || key.parse().map_err(|_| UnknownHole);
        Ok(match kind {
            "nonce" => Self::Nonce,
            "mutation" => Self::MutationId,
            "badge" => Self::CartBadge,
            "promise" => Self::DeliveryPromise(variant()?),
            "price" => Self::Price(variant()?),
            "card" => Self::CardPrice(product()?),
            "flag" => Self::CardFlag(product()?),
            "avail" => Self::Availability(variant()?),
            "if" => Self::IfBuyable(variant()?),
            "sold" => Self::IfSold(variant()?),
            "plain" => Self::PlainPrice(variant()?),
            "schema" => Self::SchemaAvailability(variant()?),
            _ => return Err(UnknownHole),
        })
    }
}

/// Not a hole that this build knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a known hole")]
pub struct UnknownHole;
