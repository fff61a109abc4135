//! What has been granted to an order: how much a discount takes off, and how that is spread over the lines so that every sum conserves
//! to the minor unit. Who is granted one, and why not, is decided elsewhere ([`crate::coupon`]).

use crate::{
    delivery::{self, Method},
    ids::{CouponId, VariantId},
    money::{Money, MoneyError},
    pricing::{Wanted, Why},
};
use serde::{Deserialize, Serialize};

/// What is taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Effect {
    /// Millionths of the goods' value: 10 % is 100,000. Rounded once for the order, from a half on upwards.
    Percent { millionths: u32 },
    /// So much off the goods, at most what they cost.
    Amount { amount: Money },
    /// What standard delivery costs. Other methods are not touched.
    FreeStandardDelivery,
}

/// A discount that was granted, before it is known what it comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discount {
    pub coupon: CouponId,
    /// As it was typed.
    pub code: String,
    /// In the shopper's language.
    pub title: String,
    pub effect: Effect,
    /// Whether reduced pieces are discounted further.
    pub includes_reduced: bool,
}

/// A discount as it is frozen into an order. The lines' shares stand with the lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    pub coupon: CouponId,
    pub code: String,
    pub title: String,
    /// What it took off, above zero: goods or delivery, never both.
    pub amount: Money,
}

/// What discounts may still take, in minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    pub lines: Vec<OpenLine>,
    /// The delivery's charge.
    pub delivery: i64,
    is_standard: bool,
}

/// One line's part of [`Open`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenLine {
    pub variant: VariantId,
    pub minor: i64,
    pub is_reduced: bool,
}

impl Open {
    /// Everything, before any discount. An amount beyond all reason counts as the most there is.
    pub fn new(wanted: &[Wanted], delivery: Option<&Method>) -> Self {
        let line = |line: &Wanted| OpenLine {
            variant: line.variant,
            minor: line.offer.price.minor.saturating_mul(line.quantity.get().into()),
            is_reduced: line.offer.was.is_some(),
        };
        let lines: Vec<_> = wanted.iter().map(line).collect();
        let goods = lines.iter().fold(0_i64, |sum, line| sum.saturating_add(line.minor));
        let charge = delivery.map_or(0, |method| method.charge(Money::new(goods, method.price.currency)).minor);
        Self { lines, delivery: charge, is_standard: delivery.is_some_and(|method| method.code == delivery::STANDARD) }
    }

    /// The value of the goods that count, in minor units.
    pub fn goods(&self, includes_reduced: bool) -> i64 {
        self.lines.iter().filter(|line| includes_reduced || !line.is_reduced).fold(0, |sum, line| sum.saturating_add(line.minor.max(0)))
    }
}

impl Discount {
    /// Takes its part of what is `open`; `None` when that is nothing. `zero` has the market's currency; an amount in another one is an error.
    pub fn take(&self, open: &mut Open, zero: Money) -> Result<Option<(Granted, Why)>, MoneyError> {
        let base = open.goods(self.includes_reduced);
        let (minor, why) = match self.effect {
            Effect::Percent { millionths } => (percent(base, millionths), Why::PercentOff { millionths, base: Money::new(base, zero.currency) }),
            Effect::Amount { amount } => {
                zero.plus(amount)?;
                (amount.minor.clamp(0, base), Why::AmountOff { amount })
            }
            Effect::FreeStandardDelivery => (if open.is_standard { std::mem::take(&mut open.delivery) } else { 0 }, Why::DeliveryOff),
        };
        if minor == 0 {
            return Ok(None);
        }
        if why != Why::DeliveryOff {
            let counts = |line: &&mut OpenLine| self.includes_reduced || !line.is_reduced;
            let mut lines: Vec<_> = open.lines.iter_mut().filter(counts).collect();
            let weights: Vec<_> = lines.iter().map(|line| (line.variant, line.minor)).collect();
            for (line, share) in lines.iter_mut().zip(spread(minor, &weights)) {
                line.minor -= share;
            }
        }
        let amount = Money::new(minor, zero.currency);
        Ok(Some((Granted { coupon: self.coupon, code: self.code.clone(), title: self.title.clone(), amount }, why)))
    }
}

/// `millionths` of `base`, from a half on upwards; at most `base`.
fn percent(base: i64, millionths: u32) -> i64 {
    let exact = i128::from(base) * i128::from(millionths);
    i64::try_from((exact * 2 + 1_000_000) / 2_000_000).unwrap_or(i64::MAX).min(base)
}

/// Spreads `amount` over lines by their weights: each gets its share rounded down, and what is left goes, a minor unit each, to those whose
/// share lost most (largest remainder; Hare–Niemeyer). Ties go by id, so that the order of the lines does not matter. With an amount of at
/// most the weights' sum no line gets more than its weight.
pub fn spread(amount: i64, weights: &[(VariantId, i64)]) -> Vec<i64> {
    let sum: i128 = weights.iter().map(|(_, weight)| i128::from(*weight)).sum();
    if sum <= 0 {
        return vec![0; weights.len()];
    }
    let exact = |weight: i64| i128::from(amount) * i128::from(weight);
    let mut shares: Vec<i64> = weights.iter().map(|(_, weight)| i64::try_from(exact(*weight) / sum).unwrap_or(i64::MAX)).collect();
    let left = amount - shares.iter().sum::<i64>();
    let mut by_loss: Vec<usize> = (0..weights.len()).collect();
    by_loss.sort_by_key(|at| (std::cmp::Reverse(exact(weights[*at].1) % sum), weights[*at].0));
    for at in by_loss.into_iter().take(usize::try_from(left).unwrap_or(0)) {
        shares[at] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn id(n: u128) -> VariantId {
        VariantId(Uuid::from_u128(n))
    }

    #[test]
    fn what_is_left_over_goes_to_those_who_lost_most() {
        for (amount, weights, shares) in [
            (100, vec![1, 1, 1], vec![34, 33, 33]),
            (1, vec![5, 5], vec![1, 0]),
            (10, vec![99, 1], vec![10, 0]),
            (5, vec![30, 20, 50], vec![2, 1, 2]),
            (0, vec![7, 7], vec![0, 0]),
            (3, vec![0, 3], vec![0, 3]),
            (3, vec![], vec![]),
            (3, vec![0], vec![0]),
        ] {
            let weights: Vec<_> = (1..).map(id).zip(weights).collect();
            assert_eq!(spread(amount, &weights), shares, "{amount} over {weights:?}");
        }
    }

    #[test]
    fn a_percentage_is_rounded_once_from_a_half_on_upwards() {
        // 10 % of 45 yen is 4.5: 5. 9.975 % of 1,000: 99.75.
        for (base, millionths, minor) in
            [(45, 100_000, 5), (44, 100_000, 4), (1_000, 99_750, 100), (1, 1_000_000, 1), (i64::MAX, 1_000_000, i64::MAX)]
        {
            assert_eq!(percent(base, millionths), minor, "{millionths} of {base}");
        }
    }

    proptest! {
        #[test]
        fn shares_conserve_and_follow_the_lines(weights in prop::collection::vec(0_i64..1_000_000_000_000_000, 1..50), part in 0_u32..=1_000_000, turn in 0_usize..50) {
            let weights: Vec<_> = (0..).map(id).zip(weights).collect();
            let sum: i64 = weights.iter().map(|(_, weight)| *weight).sum();
            let amount = percent(sum, part);
            let shares = spread(amount, &weights);
            prop_assert_eq!(shares.iter().sum::<i64>(), amount);
            prop_assert!(shares.iter().zip(&weights).all(|(share, (_, weight))| (0..=*weight).contains(share)));
            let mut turned = weights.clone();
            turned.rotate_left(turn % weights.len());
            let mut expected = shares;
            expected.rotate_left(turn % weights.len());
            prop_assert_eq!(spread(amount, &turned), expected);
        }
    }
}
