//! General reductions: a promotion that everybody gets by itself lowers what is asked for a piece as a lower price does. While it ran, the prior price
//! of a later reduction is the price less that part (Directive 98/6/EC, article 6a, with the Commission's guidance 2021/C 526/02: general
//! announcements such as "20 % off everything" are price reductions, too). Codes, minimum values and segments are not for everybody, and amounts,
//! tiers and groups name no price of a piece: those count for nothing here.

use super::Shown;
use crate::sql::Row;
use anyhow::Context as _;
use domain::{ProductId, VariantId, discount::Effect, market::MarketCode, money::Money, offer::Instant, promotion::Promotion};

/// Every version of every promotion, oldest first.
pub(super) const VERSIONS: &str = "SELECT id, valid_from, body FROM promotions ORDER BY id, valid_from";

/// A version of a promotion that lowered prices for everybody, while it was in force.
#[derive(Clone, Debug)]
pub(crate) struct General {
    from: Instant,
    until: Instant,
    cut: Cut,
    promotion: Promotion,
}

/// How far a price was lowered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// By so many millionths.
    Part(u32),
    /// To this, where it was more.
    To(Money),
}

impl Cut {
    /// What was asked instead of a price, in its minor units. An amount in another currency lowers nothing.
    fn of(self, price: Money) -> i64 {
        match self {
            Self::Part(millionths) => price.minor - part(price.minor, millionths),
            Self::To(lower) if lower.currency == price.currency => price.minor.min(lower.minor),
            Self::To(_) => price.minor,
        }
    }
}

/// A time in which a price was lowered. The window is half-open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lowered {
    pub from: Instant,
    pub until: Instant,
    pub cut: Cut,
    /// Whether a price that was reduced already was lowered as well.
    pub also_reduced: bool,
}

/// What a promotion may name a piece by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece<'a> {
    pub market: MarketCode,
    pub product: ProductId,
    pub variant: VariantId,
    pub category: &'a str,
    pub tags: &'a [String],
}

/// Those promotions that lowered prices, from rows of [`VERSIONS`].
pub(super) fn read(rows: &[Row]) -> anyhow::Result<Vec<General>> {
    let versions = rows
        .iter()
        .map(|row| Ok((row.int("valid_from")?, serde_json::from_str(&row.text("body")?).context("promotions.body")?)))
        .collect::<anyhow::Result<Vec<(Instant, Promotion)>>>()?;
    let mut found = Vec::new();
    for (at, (written, promotion)) in versions.iter().enumerate() {
        let next = versions.get(at + 1).filter(|(_, next)| next.id == promotion.id).map_or(Instant::MAX, |(written, _)| *written);
        let rule = &promotion.rule;
        let (from, until) = (rule.valid_from.max(*written), rule.valid_until.unwrap_or(Instant::MAX).min(next));
        let cut = match rule.effect {
            Effect::Percent { millionths } => Cut::Part(millionths),
            Effect::FixedPrice { price } => Cut::To(price),
            _ => continue,
        };
        if rule.audience.is_everyone() && rule.minimum.is_none() && from < until {
            found.push(General { from, until, cut, promotion: promotion.clone() });
        }
    }
    Ok(found)
}

/// When a piece's price was lowered.
pub(crate) fn of_piece(general: &[General], piece: Piece<'_>) -> Vec<Lowered> {
    let is_here = |rule: &domain::promotion::Rule| rule.markets.is_empty() || rule.markets.contains(&piece.market);
    let counts = |rule: &domain::promotion::Rule| is_here(rule) && rule.scope.names(piece.product, piece.variant, piece.category, piece.tags);
    let lowered = general.iter().filter(|general| counts(&general.promotion.rule));
    lowered
        .map(|general| Lowered { from: general.from, until: general.until, cut: general.cut, also_reduced: general.promotion.rule.includes_reduced })
        .collect()
}

/// What was asked before `until`: what was shown, less the largest part that everybody got off it at the time.
pub(super) fn asked(shown: &[Shown], lowered: &[Lowered], until: Instant) -> Vec<Shown> {
    let mut asked = Vec::with_capacity(shown.len());
    for (at, price) in shown.iter().enumerate() {
        let end = shown.get(at + 1).map_or(until, |next| next.from);
        let edges = lowered.iter().flat_map(|lowered| [lowered.from, lowered.until]).filter(|edge| price.from < *edge && *edge < end);
        let mut instants: Vec<Instant> = std::iter::once(price.from).chain(edges).collect();
        instants.sort_unstable();
        instants.dedup();
        for from in instants {
            let runs = |lowered: &&Lowered| lowered.from <= from && from < lowered.until && (lowered.also_reduced || !price.is_reduced());
            let mut less = *price;
            less.from = from;
            less.price.minor = lowered.iter().filter(runs).map(|lowered| lowered.cut.of(price.price)).min().unwrap_or(price.price.minor);
            asked.push(less);
        }
    }
    asked
}

/// `millionths` of an amount, from a half on upwards, as totals take them off; no more than the amount.
fn part(minor: i64, millionths: u32) -> i64 {
    let exact = (i128::from(minor) * i128::from(millionths) + 500_000) / 1_000_000;
    i64::try_from(exact).unwrap_or(minor).clamp(0, minor.max(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::money::{Currency, Money};

    fn shown(from: Instant, minor: i64, compare_at: Option<i64>) -> Shown {
        Shown { price: Money::new(minor, Currency::EUR), from, compare_at }
    }

    #[test]
    fn a_price_is_lowered_while_the_promotion_runs() {
        let history = [shown(0, 10_000, None), shown(50, 8_000, Some(10_000))];
        let sale = |also_reduced| [Lowered { from: 20, until: 60, cut: Cut::Part(200_000), also_reduced }];
        let asked = |also_reduced| asked(&history, &sale(also_reduced), 100).iter().map(|it| (it.from, it.price.minor)).collect::<Vec<_>>();
        assert_eq!(asked(true), [(0, 10_000), (20, 8_000), (50, 6_400), (60, 8_000)]);
        assert_eq!(asked(false), [(0, 10_000), (20, 8_000), (50, 8_000), (60, 8_000)]);
    }

    #[test]
    fn of_two_promotions_the_larger_part_counts() {
        let lowered = [(0, 50, 100_000), (40, 90, 250_000)].map(|(from, until, millionths)| Lowered {
            from,
            until,
            cut: Cut::Part(millionths),
            also_reduced: true,
        });
        let asked = asked(&[shown(0, 1_000, None)], &lowered, 100);
        assert_eq!(asked.iter().map(|it| (it.from, it.price.minor)).collect::<Vec<_>>(), [(0, 900), (40, 750), (50, 750), (90, 1_000)]);
    }
    #[test]
    fn a_fixed_price_is_what_was_asked_and_never_raises_one() {
        let to = |minor, code: &str| Cut::To(Money::new(minor, code.parse().expect("known")));
        let price = Money::new(1_000, Currency::EUR);
        assert_eq!((to(700, "EUR").of(price), to(1_200, "EUR").of(price), to(700, "USD").of(price)), (700, 1_000, 1_000));
    }
}
