//! Promotions: rules that change a total, with a code (a [`crate::coupon::Coupon`] unlocks one) or without. Here is what a rule says; which
//! rules apply to an order, best for the shopper, is in `choose`, and what became of each in `trace`. What an effect comes to is reckoned in
//! [`crate::discount`]. Product pages know nothing of promotions: they show the [`crate::offer`].

mod choose;
mod trace;

pub use choose::Candidate;
pub(crate) use choose::{Settled, settle};
pub use trace::{Change, How, Outcome, Refusal, Traced};

use crate::{
    discount::{Effect, Off},
    ids::{ProductId, PromotionId, VariantId},
    locale::TextLanguage,
    market::MarketCode,
    money::{Currency, Money},
    offer::Instant,
    pricing::Wanted,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A rule that applies by itself. A wire type: fields are added, never renamed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promotion {
    pub id: PromotionId,
    #[serde(flatten)]
    pub rule: Rule,
    /// Shoppers hear of it only where it applies.
    #[serde(default)]
    pub hidden: bool,
}

/// What changes a total, for which goods, where and when. A wire type, flattened into promotions and coupons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// What shoppers read beside the amount.
    pub titles: BTreeMap<TextLanguage, String>,
    pub effect: Effect,
    /// Empty: every market that has the rule's currency, and every market when it has none.
    #[serde(default)]
    pub markets: Vec<MarketCode>,
    /// The window is half-open: from the first instant, up to and without the second.
    pub valid_from: Instant,
    #[serde(default)]
    pub valid_until: Option<Instant>,
    /// What the goods that count must come to, before promotions.
    #[serde(default)]
    pub minimum: Option<Money>,
    /// Which pieces count.
    #[serde(default)]
    pub scope: Scope,
    /// For whom.
    #[serde(default, skip_serializing_if = "Audience::is_everyone")]
    pub audience: Audience,
    /// Whether reduced pieces count: for the minimum, and for what is taken off.
    pub includes_reduced: bool,
    #[serde(default)]
    pub combines: Combines,
    /// The higher one wins where two save the shopper the same, and comes first where both apply.
    #[serde(default)]
    pub priority: i32,
}

/// Which pieces count: those that any of these names, or all where none is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// By key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// By key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<ProductId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<VariantId>,
}

impl Scope {
    /// Whether it names nothing, and so means the whole shop.
    pub const fn is_all(&self) -> bool {
        self.categories.is_empty() && self.tags.is_empty() && self.products.is_empty() && self.variants.is_empty()
    }

    /// Whether this line counts.
    pub fn covers(&self, line: &Wanted) -> bool {
        self.names(line.product, line.variant, &line.category, &line.tags)
    }

    /// Whether a piece of this variant counts.
    pub fn names(&self, product: ProductId, variant: VariantId, category: &str, tags: &[String]) -> bool {
        self.is_all()
            || self.products.contains(&product)
            || self.variants.contains(&variant)
            || self.categories.iter().any(|known| known == category)
            || self.tags.iter().any(|tag| tags.contains(tag))
    }
}

/// For whom a rule holds. Guests are known by their email address, so nobody is known before the checkout.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    #[default]
    Everyone,
    /// Customers without a paid order. Two orders at the same moment may both be the first: where that must not be, a code with a cap per customer
    /// counts.
    FirstOrder,
    /// Customers with one.
    Returning,
    /// Those whom staff put into the segment of this name.
    Segment(String),
}

/// A customer, as far as rules ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Customer {
    /// Whether there is a paid order already.
    pub has_ordered: bool,
    /// By name.
    pub segments: Vec<String>,
}

impl Audience {
    /// The longest name of a segment, in characters.
    pub const NAME_CHARS_MAX: usize = 40;

    pub const fn is_everyone(&self) -> bool {
        matches!(self, Self::Everyone)
    }

    /// Whether a customer belongs to it.
    pub fn has(&self, customer: &Customer) -> bool {
        match self {
            Self::Everyone => true,
            Self::FirstOrder => !customer.has_ordered,
            Self::Returning => customer.has_ordered,
            Self::Segment(name) => customer.segments.contains(name),
        }
    }

    /// Whether a segment may be called this: small letters, digits, `-` and `_`.
    pub fn is_name(name: &str) -> bool {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
        (1..=Self::NAME_CHARS_MAX).contains(&name.len()) && name.bytes().all(is_plain)
    }
}

/// What may apply to the same line beside it. Two go together if each says so of the other; free delivery goes with everything, for it touches
/// no line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Combines {
    #[default]
    WithAll,
    /// Only what a code unlocked.
    WithCodes,
    /// It is alone on each line that it touches.
    Never,
}

impl Rule {
    /// The longest title, in characters: a line beside an amount.
    pub const TITLE_CHARS_MAX: usize = 80;
    /// Tiers, and names in each list of a scope.
    pub const LIST_MAX: usize = 100;

    /// The title in a language, or in the nearest that it has.
    pub fn title(&self, language: TextLanguage) -> &str {
        language.fallbacks().iter().find_map(|language| self.titles.get(language)).or_else(|| self.titles.values().next()).map_or("", String::as_str)
    }

    /// The currency that it is bound to by an amount or a minimum.
    pub fn currency(&self) -> Option<Currency> {
        self.amounts().next().map(|amount| amount.currency)
    }

    /// Every amount that it names.
    fn amounts(&self) -> impl Iterator<Item = Money> {
        let (single, pieces, values): (_, &[_], &[_]) = match &self.effect {
            Effect::Amount { amount } | Effect::FixedPrice { price: amount } => (Some(*amount), &[], &[]),
            Effect::PieceTiers { tiers } => (None, tiers, &[]),
            Effect::ValueTiers { tiers } => (None, &[], tiers),
            Effect::Percent { .. } | Effect::FreeStandardDelivery | Effect::BuyGet { .. } => (None, &[], &[]),
        };
        let off = |off: Off| if let Off::Amount(amount) = off { Some(amount) } else { None };
        let values = values.iter().flat_map(move |tier| [Some(tier.from), off(tier.off)]).flatten();
        single.into_iter().chain(pieces.iter().filter_map(move |tier| off(tier.off))).chain(values).chain(self.minimum)
    }

    /// Whether the parts fit together; staff read the sentence.
    pub fn check(&self) -> Result<(), BadRule> {
        let is_part = |millionths: u32| (1..=1_000_000).contains(&millionths);
        let is_off = |off: Off| if let Off::Percent(millionths) = off { is_part(millionths) } else { true };
        let (fits, is_ascending) = match &self.effect {
            Effect::Percent { millionths } => (is_part(*millionths), true),
            Effect::BuyGet { buy, get, millionths } => {
                if !(1..=100).contains(buy) || !(1..=100).contains(get) {
                    return Err(BadRule::Group);
                }
                (is_part(*millionths), true)
            }
            Effect::PieceTiers { tiers } => (
                tiers.iter().all(|tier| is_off(tier.off)),
                tiers.first().is_some_and(|tier| tier.from > 0) && tiers.is_sorted_by(|one, next| one.from < next.from),
            ),
            Effect::ValueTiers { tiers } => {
                (tiers.iter().all(|tier| is_off(tier.off)), !tiers.is_empty() && tiers.is_sorted_by(|one, next| one.from.minor < next.from.minor))
            }
            Effect::Amount { .. } | Effect::FixedPrice { .. } | Effect::FreeStandardDelivery => (true, true),
        };
        if !fits {
            return Err(BadRule::Percent);
        }
        if !is_ascending {
            return Err(BadRule::Tiers);
        }
        if self.amounts().any(|amount| amount.minor <= 0) {
            return Err(BadRule::Amount);
        }
        if self.currency().is_some_and(|currency| self.amounts().any(|amount| amount.currency != currency)) {
            return Err(BadRule::Currencies);
        }
        let is_title = |title: &String| !title.trim().is_empty() && title.chars().count() <= Self::TITLE_CHARS_MAX;
        if self.titles.is_empty() || !self.titles.values().all(is_title) {
            return Err(BadRule::Title);
        }
        if self.valid_until.is_some_and(|until| until <= self.valid_from) {
            return Err(BadRule::Window);
        }
        let scope = &self.scope;
        let longest = [scope.categories.len(), scope.tags.len(), scope.products.len(), scope.variants.len(), self.tiers()].into_iter().max();
        if longest > Some(Self::LIST_MAX) {
            return Err(BadRule::Long);
        }
        if matches!(&self.audience, Audience::Segment(name) if !Audience::is_name(name)) {
            return Err(BadRule::Segment);
        }
        Ok(())
    }

    const fn tiers(&self) -> usize {
        match &self.effect {
            Effect::PieceTiers { tiers } => tiers.len(),
            Effect::ValueTiers { tiers } => tiers.len(),
            _ => 0,
        }
    }
}

/// Why a promotion or a coupon cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRule {
    #[error("a percentage is above 0 and at most 100")]
    Percent,
    #[error("an amount is above zero")]
    Amount,
    #[error("its amounts are in different currencies")]
    Currencies,
    #[error("a title has 1 to {} characters", Rule::TITLE_CHARS_MAX)]
    Title,
    #[error("it ends before it begins")]
    Window,
    #[error("a cap is at least 1; leave it out for none")]
    Cap,
    #[error("buy 1 to 100, get 1 to 100")]
    Group,
    #[error("tiers begin above zero and ascend")]
    Tiers,
    #[error("at most {} names or tiers in one list", Rule::LIST_MAX)]
    Long,
    #[error("a segment is named by up to {} small letters, digits, - and _", Audience::NAME_CHARS_MAX)]
    Segment,
}

#[cfg(test)]
mod tests;
