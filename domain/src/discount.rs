//! What a promotion takes off: how much each effect comes to, and how that is spread over the lines so that every sum conserves to the minor
//! unit. Which promotions apply, and why not, is decided elsewhere ([`crate::promotion`]).

use crate::{
    delivery::{self, Method},
    ids::{CouponId, PromotionId, VariantId},
    money::{Currency, Money},
    pricing::{self, Wanted, Why},
    promotion::{How, Refusal},
};
use serde::{Deserialize, Serialize};

mod groups;

/// What is taken off the goods that count. A wire type: kinds are added, never renamed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Effect {
    /// Millionths of the goods' value: 10 % is 100,000. Rounded once for the order, from a half on upwards.
    Percent { millionths: u32 },
    /// So much off the goods, at most what they cost.
    Amount { amount: Money },
    /// What standard delivery costs. Other methods are not touched.
    FreeStandardDelivery,
    /// Each piece costs this, where that is less.
    FixedPrice { price: Money },
    /// Of each `buy + get` pieces, the dearest put together first, the `get` cheapest cost so many millionths less (1,000,000: nothing). What a
    /// group is spared is spread over all of its pieces, so that each that comes back brings its own part of it.
    BuyGet { buy: u32, get: u32, millionths: u32 },
    /// The last tier that the number of pieces reaches. Tiers ascend.
    PieceTiers { tiers: Vec<PieceTier> },
    /// The last tier that the goods' value before promotions reaches. Tiers ascend.
    ValueTiers { tiers: Vec<ValueTier> },
}

/// What is taken off from so many pieces on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PieceTier {
    pub from: u32,
    pub off: Off,
}

/// What is taken off from so much value on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueTier {
    pub from: Money,
    pub off: Off,
}

/// A part, or an amount, of all goods that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Off {
    /// In millionths.
    Percent(u32),
    Amount(Money),
}

/// A discount as it is frozen into an order. The lines' shares stand with the lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// The promotion's id, or the id of the coupon whose code unlocked it.
    #[serde(rename = "coupon")]
    pub promotion: PromotionId,
    /// As it was typed; empty where none was needed.
    pub code: String,
    pub title: String,
    /// What it took off, above zero: goods or delivery, never both.
    pub amount: Money,
}

impl Granted {
    /// The coupon, where a code was needed.
    pub fn coupon(&self) -> Option<CouponId> {
        (!self.code.is_empty()).then_some(CouponId(self.promotion.0))
    }
}

/// Some lines of an order, by their place: bit 0 is the first. Orders have at most 50 lines ([`crate::cart::Cart::LINES_MAX`]); lines after the
/// 64th are in no set.
pub type Lines = u64;

/// What promotions may still take, in minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    pub lines: Vec<OpenLine>,
    /// The delivery's charge.
    pub delivery: i64,
    is_standard: bool,
    currency: Currency,
}

/// One line's part of [`Open`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenLine {
    pub variant: VariantId,
    pub pieces: u32,
    pub minor: i64,
}

/// What an effect comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Above zero.
    pub minor: i64,
    pub how: How,
    /// Whether each line's part is settled already; otherwise the amount is spread by what is open.
    is_shared: bool,
}

impl Open {
    /// Everything, before any promotion. An amount beyond all reason counts as the most there is.
    pub fn new(wanted: &[Wanted], delivery: Option<&Method>, currency: Currency) -> Self {
        let line = |line: &Wanted| OpenLine {
            variant: line.variant,
            pieces: line.quantity.get(),
            minor: line.offer.price.minor.saturating_mul(line.quantity.get().into()),
        };
        let lines: Vec<_> = wanted.iter().map(line).collect();
        let goods = lines.iter().fold(0_i64, |sum, line| sum.saturating_add(line.minor));
        let charge = delivery.map_or(0, |method| method.charge(Money::new(goods, method.price.currency), pricing::grams(wanted)).minor);
        Self { lines, delivery: charge, is_standard: delivery.is_some_and(|method| method.code == delivery::STANDARD), currency }
    }

    /// What is open of these lines, in minor units.
    pub fn value(&self, lines: Lines) -> i64 {
        self.of(lines).fold(0, |sum, (_, line)| sum.saturating_add(line.minor.max(0)))
    }

    /// How many pieces they have.
    pub fn pieces(&self, lines: Lines) -> u32 {
        self.of(lines).map(|(_, line)| line.pieces).sum()
    }

    fn of(&self, mut lines: Lines) -> impl Iterator<Item = (usize, &OpenLine)> + Clone {
        std::iter::from_fn(move || {
            let at = lines.trailing_zeros();
            lines &= lines.checked_sub(1)?;
            let at = at as usize;
            let line = self.lines.get(at)?;
            Some((at, line))
        })
    }

    /// What `effect` takes of these lines, which were worth `before` before any promotion. `shares` is as long as the lines, all zero.
    pub fn reckon(&self, effect: &Effect, lines: Lines, before: i64, shares: &mut [i64]) -> Result<Taken, Refusal> {
        let money = |minor| Money::new(minor, self.currency);
        let base = self.value(lines);
        let (minor, how, is_shared) = match effect {
            Effect::Percent { millionths } => (percent(base, *millionths), How::Percent { millionths: *millionths, base: money(base) }, false),
            Effect::Amount { amount } => (amount.minor.clamp(0, base), How::Amount { amount: *amount }, false),
            Effect::FreeStandardDelivery => (if self.is_standard { self.delivery } else { 0 }, How::FreeDelivery, true),
            Effect::FixedPrice { price } => {
                let mut pieces = 0;
                for (at, line) in self.of(lines) {
                    shares[at] = (line.minor - price.minor.saturating_mul(line.pieces.into())).max(0);
                    pieces += if shares[at] > 0 { line.pieces } else { 0 };
                }
                (shares.iter().sum(), How::FixedPrice { price: *price, pieces }, true)
            }
            Effect::BuyGet { buy, get, millionths } => {
                let size = buy.saturating_add(*get);
                let groups = groups::share(self, lines, (*buy, *get, *millionths), shares);
                if groups == 0 {
                    return Err(Refusal::TooFewPieces { missing: size.saturating_sub(self.pieces(lines)) });
                }
                (shares.iter().sum(), How::BuyGet { buy: *buy, get: *get, millionths: *millionths, groups }, true)
            }
            Effect::PieceTiers { tiers } => {
                let pieces = self.pieces(lines);
                let reached = tiers.iter().rev().find(|tier| tier.from <= pieces);
                let missing = tiers.first().map_or(0, |tier| tier.from.saturating_sub(pieces));
                let tier = reached.ok_or(Refusal::TooFewPieces { missing })?;
                (flat(base, tier.off), How::PieceTier { pieces, from: tier.from, off: tier.off }, false)
            }
            Effect::ValueTiers { tiers } => {
                let reached = tiers.iter().rev().find(|tier| tier.from.minor <= before);
                let missing = tiers.first().map_or(0, |tier| tier.from.minor.saturating_sub(before));
                let tier = reached.ok_or(Refusal::BelowMinimum { missing: money(missing) })?;
                (flat(base, tier.off), How::ValueTier { value: money(before), from: tier.from, off: tier.off }, false)
            }
        };
        if minor == 0 { Err(Refusal::NothingApplies) } else { Ok(Taken { minor, how, is_shared }) }
    }

    /// The most that `effect` takes of any part of these lines, when it takes `alone` of all of them. A part reaches fewer tiers, and an earlier one
    /// may give more; whatever else there is takes no more of less.
    pub fn most(&self, effect: &Effect, lines: Lines, alone: i64) -> i64 {
        let Effect::PieceTiers { tiers } = effect else { return alone };
        let (base, pieces) = (self.value(lines), self.pieces(lines));
        tiers.iter().filter(|tier| tier.from <= pieces).map(|tier| flat(base, tier.off)).fold(alone, i64::max)
    }

    /// Takes it, and leaves in `shares` what each line gave.
    pub fn take(&mut self, taken: &Taken, lines: Lines, shares: &mut [i64]) {
        if taken.how == How::FreeDelivery {
            self.delivery -= taken.minor;
            return;
        }
        if !taken.is_shared {
            spread_over(taken.minor, self.of(lines).map(|(at, line)| (at, line.variant, line.minor)), shares);
        }
        for (line, share) in self.lines.iter_mut().zip(shares) {
            line.minor -= *share;
        }
    }
}

impl Taken {
    /// The reason beside the amount, in words that earlier releases know.
    pub const fn why(&self, currency: Currency) -> Why {
        match self.how {
            How::Percent { millionths, base } => Why::PercentOff { millionths, base },
            How::Amount { amount } => Why::AmountOff { amount },
            How::FreeDelivery => Why::DeliveryOff,
            _ => Why::AmountOff { amount: Money::new(self.minor, currency) },
        }
    }
}

/// A part of `base`, or an amount of at most that.
fn flat(base: i64, off: Off) -> i64 {
    match off {
        Off::Percent(millionths) => percent(base, millionths),
        Off::Amount(amount) => amount.minor.clamp(0, base),
    }
}

/// `millionths` of `base`, from a half on upwards; at most `base`.
fn percent(base: i64, millionths: u32) -> i64 {
    let exact = i128::from(base) * i128::from(millionths);
    i64::try_from((exact * 2 + 1_000_000) / 2_000_000).unwrap_or(i64::MAX).min(base)
}

/// Spreads `amount` over lines by their weights: each gets its share rounded down, and what is left goes, a minor unit each, to those whose
/// share lost most (largest remainder; Hare–Niemeyer). Ties go by id, so that the order of the lines does not matter. With an amount of at
/// most the weights' sum no line gets more than its weight. Each line's share is added at its place in `shares`.
fn spread_over(amount: i64, weights: impl Iterator<Item = (usize, VariantId, i64)> + Clone, shares: &mut [i64]) {
    let (count, sum) = weights.clone().fold((0, 0_i128), |(count, sum), (_, _, weight)| (count + 1, sum + i128::from(weight)));
    if sum <= 0 {
        return;
    }
    // Where the greatest product that there can be fits, as nearly always: a division of 128 bits costs ten of 64.
    let small = i64::try_from(sum).ok().filter(|sum| amount.checked_mul(*sum).is_some());
    let mut left = amount;
    let mut by_loss = Vec::with_capacity(count);
    for (at, id, weight) in weights {
        let (share, lost) = if let Some(sum) = small {
            (amount * weight / sum, amount * weight % sum)
        } else {
            let exact = i128::from(amount) * i128::from(weight);
            // What is lost is less than the sum; of sums beyond 2^63, which no cart reaches, ties would go by id.
            (i64::try_from(exact / sum).unwrap_or(i64::MAX), i64::try_from(exact % sum).unwrap_or(i64::MAX))
        };
        shares[at] += share;
        left -= share;
        by_loss.push((std::cmp::Reverse(lost), id, at));
    }
    let left = usize::try_from(left).unwrap_or(0);
    if (1..by_loss.len()).contains(&left) {
        by_loss.select_nth_unstable(left - 1);
    }
    for (_, _, at) in by_loss.into_iter().take(left) {
        shares[at] += 1;
    }
}

#[cfg(test)]
mod tests;
