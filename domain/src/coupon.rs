//! Coupons: what a code gives, to whom and when, and every reason why not. How often one was used is counted elsewhere; here is decided
//! what the counts mean.

mod code;

pub use code::{Code, NotACode};

use crate::{
    delivery::Method,
    discount::{Discount, Effect, Open},
    ids::CouponId,
    locale::TextLanguage,
    market::{Market, MarketCode},
    money::{Currency, Money},
    offer::Instant,
    pricing::Wanted,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What all codes of one coupon give. A wire type: fields are added, never renamed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coupon {
    pub id: CouponId,
    /// What shoppers read beside the amount.
    pub titles: BTreeMap<TextLanguage, String>,
    pub effect: Effect,
    /// Empty: every market that has the coupon's currency, and every market when it has none.
    #[serde(default)]
    pub markets: Vec<MarketCode>,
    /// The window is half-open: from the first instant, up to and without the second.
    pub valid_from: Instant,
    #[serde(default)]
    pub valid_until: Option<Instant>,
    /// What the goods that count must come to, before discounts.
    #[serde(default)]
    pub minimum: Option<Money>,
    /// Whether reduced pieces count: for the minimum, and for what is taken off.
    pub includes_reduced: bool,
    #[serde(default)]
    pub caps: Caps,
}

/// How often a coupon may be used; `None`: as often as anybody likes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caps {
    /// With all codes together.
    #[serde(default)]
    pub total: Option<u32>,
    /// With each code; 1 for unique codes.
    #[serde(default)]
    pub per_code: Option<u32>,
    /// By each customer: guests are known by their email address.
    #[serde(default)]
    pub per_customer: Option<u32>,
}

/// How often it has been used, by orders that stand or wait to be paid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub total: u32,
    pub by_code: u32,
    /// 0 while nobody knows who the customer is.
    pub by_customer: u32,
}

/// What a code is tried on.
#[derive(Clone, Copy, Debug)]
pub struct Trial<'a> {
    pub market: &'a Market,
    pub language: TextLanguage,
    pub wanted: &'a [Wanted],
    /// `None`: not chosen yet.
    pub delivery: Option<&'a Method>,
    pub usage: Usage,
    pub now: Instant,
}

/// Why a code gives nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("there is no such code")]
    Unknown,
    #[error("the code does not hold yet")]
    NotYet { from: Instant },
    /// Its window is over, or staff ended it.
    #[error("the code does not hold any more")]
    Over,
    #[error("the code has been used up")]
    UsedUp,
    #[error("this customer has used the code as often as may be")]
    UsedByCustomer,
    #[error("the goods that count are worth {missing:?} too little")]
    BelowMinimum { missing: Money },
    /// Another market, or another currency.
    #[error("the code does not hold in this market")]
    OtherMarket,
    /// Only reduced pieces, delivery that is free or another method, or amounts so small that nothing comes off.
    #[error("there is nothing that the code applies to")]
    NothingApplies,
}

impl Coupon {
    /// The longest title, in characters: a line beside an amount.
    pub const TITLE_CHARS_MAX: usize = 80;

    /// The title in a language, or in the nearest that it has.
    pub fn title(&self, language: TextLanguage) -> &str {
        language.fallbacks().iter().find_map(|language| self.titles.get(language)).or_else(|| self.titles.values().next()).map_or("", String::as_str)
    }

    /// The currency that it is bound to by an amount or a minimum.
    pub const fn currency(&self) -> Option<Currency> {
        match (self.effect, self.minimum) {
            (Effect::Amount { amount }, _) | (_, Some(amount)) => Some(amount.currency),
            (Effect::Percent { .. } | Effect::FreeStandardDelivery, None) => None,
        }
    }

    /// What `code` gives, or why nothing.
    pub fn grant(&self, code: &Code, trial: &Trial<'_>) -> Result<Discount, Refusal> {
        let market = trial.market;
        let is_here = self.markets.is_empty() || self.markets.contains(&market.code);
        if !is_here || self.currency().is_some_and(|currency| currency != market.currency) {
            return Err(Refusal::OtherMarket);
        }
        if trial.now < self.valid_from {
            return Err(Refusal::NotYet { from: self.valid_from });
        }
        if self.valid_until.is_some_and(|until| until <= trial.now) {
            return Err(Refusal::Over);
        }
        let is_reached = |cap: Option<u32>, used: u32| cap.is_some_and(|cap| used >= cap);
        if is_reached(self.caps.total, trial.usage.total) || is_reached(self.caps.per_code, trial.usage.by_code) {
            return Err(Refusal::UsedUp);
        }
        if is_reached(self.caps.per_customer, trial.usage.by_customer) {
            return Err(Refusal::UsedByCustomer);
        }
        let mut open = Open::new(trial.wanted, trial.delivery);
        let goods = open.goods(self.includes_reduced);
        if goods == 0 {
            return Err(Refusal::NothingApplies);
        }
        if let Some(minimum) = self.minimum.filter(|minimum| goods < minimum.minor) {
            return Err(Refusal::BelowMinimum { missing: Money::new(minimum.minor - goods, minimum.currency) });
        }
        let discount = Discount {
            coupon: self.id,
            code: code.as_str().to_owned(),
            title: self.title(trial.language).to_owned(),
            effect: self.effect,
            includes_reduced: self.includes_reduced,
        };
        match discount.take(&mut open, Money::zero(market.currency)) {
            Ok(Some(_)) => Ok(discount),
            Ok(None) => Err(Refusal::NothingApplies),
            Err(_) => Err(Refusal::OtherMarket),
        }
    }

    /// Whether the parts fit together; staff read the sentence.
    pub fn check(&self) -> Result<(), BadCoupon> {
        match self.effect {
            Effect::Percent { millionths } if !(1..=1_000_000).contains(&millionths) => return Err(BadCoupon::Percent),
            Effect::Amount { amount } if amount.minor <= 0 => return Err(BadCoupon::Amount),
            Effect::Amount { amount } if self.minimum.is_some_and(|minimum| minimum.currency != amount.currency) => {
                return Err(BadCoupon::Currencies);
            }
            _ => {}
        }
        let is_title = |title: &String| !title.trim().is_empty() && title.chars().count() <= Self::TITLE_CHARS_MAX;
        if self.titles.is_empty() || !self.titles.values().all(is_title) {
            return Err(BadCoupon::Title);
        }
        if self.minimum.is_some_and(|minimum| minimum.minor <= 0) {
            return Err(BadCoupon::Amount);
        }
        if self.valid_until.is_some_and(|until| until <= self.valid_from) {
            return Err(BadCoupon::Window);
        }
        if [self.caps.total, self.caps.per_code, self.caps.per_customer].contains(&Some(0)) {
            return Err(BadCoupon::Cap);
        }
        Ok(())
    }
}

/// Why a coupon cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCoupon {
    #[error("a percentage is above 0 and at most 100")]
    Percent,
    #[error("an amount is above zero")]
    Amount,
    #[error("the amount and the minimum are in different currencies")]
    Currencies,
    #[error("a title has 1 to {} characters", Coupon::TITLE_CHARS_MAX)]
    Title,
    #[error("it ends before it begins")]
    Window,
    #[error("a cap is at least 1; leave it out for none")]
    Cap,
}

#[cfg(test)]
mod tests;
