//! The lines of an order, counted: how many pieces are where, and what they are worth.

use super::{FulfilmentState, Order, ReturnState};
use crate::{
    ids::{ProductId, ReturnId, VariantId},
    money::{Currency, Money},
};
use serde::{Deserialize, Serialize};

/// So many equal pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// From 0; never used again within an order.
    pub line: u32,
    pub product: ProductId,
    pub variant: VariantId,
    pub quantity: u32,
    /// What all pieces cost of the total: after discounts, with taxes.
    pub amount: Money,
    /// The return whose pieces these are sent for: their amount was paid with those.
    pub replaces: Option<ReturnId>,
}

/// Some pieces of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Portion {
    pub line: u32,
    pub quantity: u32,
}

/// Where the pieces of a line are. Every piece is in exactly one of open, cancelled, packing, shipped; the others count parts of shipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub ordered: u32,
    pub cancelled: u32,
    pub packing: u32,
    /// Left the house, whatever became of them.
    pub shipped: u32,
    pub delivered: u32,
    /// Announced as coming back.
    pub returning: u32,
    /// Came back.
    pub returned: u32,
}

impl Tally {
    /// Pieces that nobody has begun to pack.
    pub const fn open(self) -> u32 {
        self.ordered.saturating_sub(self.cancelled).saturating_sub(self.packing).saturating_sub(self.shipped)
    }

    /// Pieces that the shopper has and has not announced to send back.
    pub const fn returnable(self) -> u32 {
        self.shipped.saturating_sub(self.returning).saturating_sub(self.returned)
    }

    /// Pieces whose value went back, or went into a replacement.
    const fn given_back(self) -> u32 {
        self.cancelled + self.returned
    }
}

/// The pieces named are not there to do this with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSuchPieces {
    #[error("no piece was chosen")]
    None,
    #[error("the order has no line {line}")]
    Line { line: u32 },
    #[error("line {line} is named twice")]
    Twice { line: u32 },
    /// Only `left` pieces of the line can take part.
    #[error("only {left} of line {line} are left for this")]
    TooMany { line: u32, left: u32 },
}

impl Order {
    /// Where the pieces of `line` are.
    pub fn tally(&self, line: u32) -> Tally {
        let mut tally = Tally { ordered: self.lines.iter().find(|known| known.line == line).map_or(0, |known| known.quantity), ..Tally::default() };
        let of = |portions: &[Portion]| portions.iter().filter(|portion| portion.line == line).map(|portion| portion.quantity).sum::<u32>();
        tally.cancelled = self.cancellations.iter().map(|cancellation| of(&cancellation.portions)).sum();
        for fulfilment in &self.fulfilments {
            let pieces = of(&fulfilment.portions);
            match fulfilment.state {
                FulfilmentState::Packing { .. } => tally.packing += pieces,
                FulfilmentState::Shipped { .. } => tally.shipped += pieces,
                FulfilmentState::Delivered { .. } => {
                    tally.shipped += pieces;
                    tally.delivered += pieces;
                }
            }
        }
        for back in &self.returns {
            match &back.state {
                ReturnState::Requested => {
                    tally.returning += back.items.iter().filter(|item| item.line == line).map(|item| item.quantity).sum::<u32>();
                }
                ReturnState::Received { receipts, .. } => {
                    tally.returned += receipts.iter().filter(|receipt| receipt.line == line).map(|receipt| receipt.quantity).sum::<u32>();
                }
                ReturnState::Refused { .. } | ReturnState::Cancelled { .. } => {}
            }
        }
        tally
    }

    /// Whether no piece is left that is or will be sent, and none was.
    pub(super) fn is_cancelled_whole(&self) -> bool {
        !self.lines.is_empty() && self.lines.iter().all(|line| self.tally(line.line).cancelled == line.quantity)
    }

    /// What these pieces cost of the total. Cutting a line's amount into pieces leaves remainders: each piece is worth the difference of two
    /// rounded-down shares, so that all pieces of a line together are worth exactly its amount, however they are grouped.
    pub fn value(&self, portions: &[Portion]) -> Money {
        let minor = portions
            .iter()
            .filter_map(|portion| {
                let line = self.lines.iter().find(|line| line.line == portion.line)?;
                let before = self.tally(portion.line).given_back();
                let upto = |pieces: u32| i128::from(line.amount.minor) * i128::from(pieces.min(line.quantity)) / i128::from(line.quantity.max(1));
                i64::try_from(upto(before + portion.quantity) - upto(before)).ok()
            })
            .sum();
        Money::new(minor, self.total.currency)
    }

    /// Whether `portions` name pieces, each line once, and no more than `left` allows of a line.
    pub(super) fn check(&self, portions: &[Portion], left: impl Fn(Tally) -> u32) -> Result<(), NoSuchPieces> {
        if portions.iter().all(|portion| portion.quantity == 0) {
            return Err(NoSuchPieces::None);
        }
        for (index, Portion { line, quantity }) in portions.iter().enumerate() {
            let (line, quantity) = (*line, *quantity);
            if !self.lines.iter().any(|known| known.line == line) {
                return Err(NoSuchPieces::Line { line });
            }
            if portions[..index].iter().any(|earlier| earlier.line == line) {
                return Err(NoSuchPieces::Twice { line });
            }
            let left = left(self.tally(line));
            if quantity > left {
                return Err(NoSuchPieces::TooMany { line, left });
            }
        }
        Ok(())
    }

    /// What `left` counts, of all lines.
    pub(super) fn portions(&self, left: impl Fn(Tally) -> u32) -> Vec<Portion> {
        let all = self.lines.iter().map(|line| Portion { line: line.line, quantity: left(self.tally(line.line)) });
        all.filter(|portion| portion.quantity > 0).collect()
    }

    /// Pieces that nobody has begun to pack.
    pub fn open_portions(&self) -> Vec<Portion> {
        self.portions(Tally::open)
    }
}

/// Cuts `total` into shares in proportion to `weights`, by largest remainder: the shares add up to the total exactly, and none is
/// further than one minor unit from its proportion. All weights zero: the first takes everything.
pub fn shares(total: Money, weights: &[i128]) -> Vec<Money> {
    let currency: Currency = total.currency;
    let sum: i128 = weights.iter().sum();
    if sum <= 0 {
        return weights.iter().enumerate().map(|(index, _)| if index == 0 { total } else { Money::zero(currency) }).collect();
    }
    let mut minor: Vec<i128> = weights.iter().map(|weight| (i128::from(total.minor) * weight).div_euclid(sum)).collect();
    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    by_remainder.sort_by_key(|index| std::cmp::Reverse((i128::from(total.minor) * weights[*index]).rem_euclid(sum)));
    let missing = i128::from(total.minor) - minor.iter().sum::<i128>();
    for index in by_remainder.into_iter().take(usize::try_from(missing).unwrap_or(0)) {
        minor[index] += 1;
    }
    minor.into_iter().map(|minor| Money::new(i64::try_from(minor).unwrap_or(i64::MAX), currency)).collect()
}
