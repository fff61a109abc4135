//! Which earlier price may be struck through: each market's law as a rule over what was shown before.

use super::{
    Price, Shown,
    lowered::{Lowered, asked},
};
use domain::{market::MarketCode, money::Money, offer::Instant};

const DAY: Instant = 86_400_000_000;

/// What may be struck through beside a price: only when the seller claims a reduction, only what the history bears out, and only if it is
/// higher than the price. `from`: when the row's window began. `history`: what was shown until then or, in a window that is open, until now.
pub(super) fn reference(market: MarketCode, row: &Price, from: Instant, history: &[Shown], lowered: &[Lowered]) -> Option<Money> {
    let compare_at = row.compare_at.filter(|compare_at| *compare_at > row.price.minor)?;
    // The reduction began when this price was first shown in its unbroken run; it is frozen for the run.
    let earlier: Vec<Shown> = history.iter().copied().filter(|shown| shown.price.currency == row.price.currency).collect();
    let run = earlier.iter().rposition(|shown| shown.price.minor != row.price.minor).map_or(0, |last| last + 1);
    let rule = ReferenceRule::of(market);
    let of_run = |run: usize| {
        let (before, began) = (&earlier[..run], earlier.get(run).map_or(from, |shown| shown.from));
        let asked = if rule.counts_general() { asked(before, lowered, began) } else { before.to_vec() };
        rule.reference(&asked, began, compare_at)
    };
    let allowed = rule.first_step(&earlier, run, row.price.minor).and_then(of_run).or_else(|| of_run(run))?;
    (allowed > row.price.minor).then(|| Money::new(allowed, row.price.currency))
}

/// Which earlier price a market's law lets a seller name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceRule {
    /// The lowest price of the days before the reduction began (Directive 98/6/EC, article 6a, inserted by 2019/2161; ECJ C-330/23; § 11
    /// PAngV; Code de la consommation, L. 112-1-1).
    ///
    /// `is_progressive`: a reduction that is raised step by step without a break keeps the price from before its first step (article 6a (5);
    /// § 11 (2) PAngV; L. 112-1-1, I, third paragraph).
    Lowest { days: i64, is_progressive: bool },
    /// A genuine former price: the seller's claim, but no more than the lowest price of the days before. The laws name no number of days
    /// (16 CFR 233.1, "for a reasonably substantial period of time"; Digital Markets, Competition and Consumers Act 2024, part 4): thirty, of which
    /// the seller has asked something for `days_min` at least, is this shop's own rule.
    Former { days: i64, days_min: i64 },
    /// A price that stood for more than half of the days before, for `days_min` at least, and last within `days_last` of the reduction.
    /// Japan: eight weeks, two weeks, two weeks (Consumer Affairs Agency, guidelines on price representations, part 4, 2). Canada: half of
    /// six months (Competition Act, s. 74.01(3)(b), with the Bureau's guidelines on ordinary price claims).
    Prevailing { days: i64, days_min: i64, days_last: i64 },
}

impl ReferenceRule {
    /// The rule of a market. Korea: the lowest price of the 20 days before (KFTC notice on unfair labelling).
    pub fn of(market: MarketCode) -> Self {
        match market.code() {
            "JP" => Self::Prevailing { days: 56, days_min: 14, days_last: 14 },
            "CA" => Self::Prevailing { days: 182, days_min: 0, days_last: 182 },
            "KR" => Self::Lowest { days: 20, is_progressive: false },
            "US" | "GB" => Self::Former { days: 30, days_min: 14 },
            _ => Self::Lowest { days: 30, is_progressive: true },
        }
    }

    /// Whether a general reduction in the time before lowers the reference: where the law asks for the lowest price, it is the one that anybody was
    /// asked for. Rules of genuine and of ordinary prices ask what the seller named as the price: there it does not count.
    const fn counts_general(self) -> bool {
        matches!(self, Self::Lowest { .. })
    }

    /// Where a reduction that was raised step by step began, if the law lets it be one: every step was a reduction and cheaper than the one before.
    fn first_step(self, shown: &[Shown], run: usize, price: i64) -> Option<usize> {
        if !matches!(self, Self::Lowest { is_progressive: true, .. }) {
            return None;
        }
        let steps = shown[..run].iter().rev().scan(price, |next, step| {
            let is_step = step.is_reduced() && step.price.minor >= *next;
            *next = step.price.minor;
            is_step.then_some(())
        });
        Some(run - steps.count()).filter(|first| *first < run)
    }

    /// The reference in minor units for a reduction that began at `began`, from what was shown `before`, oldest first.
    fn reference(self, before: &[Shown], began: Instant, claimed: i64) -> Option<i64> {
        match self {
            Self::Lowest { days, .. } => lowest(before, began - days * DAY, began),
            Self::Former { days, days_min } => {
                let stood: Instant = spans(before, began - days * DAY, began).map(|(_, length)| length).sum();
                lowest(before, began - days * DAY, began).filter(|_| stood >= days_min * DAY).map(|lowest| lowest.min(claimed))
            }
            Self::Prevailing { days, days_min, days_last } => {
                let price = prevailing(before, began - days * DAY, began, days_min * DAY)?;
                let stood_lately = spans(before, began - days_last * DAY, began).any(|(shown, _)| shown == price);
                stood_lately.then_some(price.min(claimed))
            }
        }
    }
}

/// Each shown price with the part of `[from, until)` in which it stood.
fn spans(shown: &[Shown], from: Instant, until: Instant) -> impl Iterator<Item = (i64, Instant)> + '_ {
    shown.iter().enumerate().filter_map(move |(index, price)| {
        let end = shown.get(index + 1).map_or(until, |next| next.from).min(until);
        let length = end - price.from.max(from);
        (length > 0).then_some((price.price.minor, length))
    })
}

fn lowest(shown: &[Shown], from: Instant, until: Instant) -> Option<i64> {
    spans(shown, from, until).map(|(price, _)| price).min()
}

fn prevailing(shown: &[Shown], from: Instant, until: Instant, length_min: Instant) -> Option<i64> {
    let total: Instant = spans(shown, from, until).map(|(_, length)| length).sum();
    let prices: std::collections::BTreeSet<i64> = spans(shown, from, until).map(|(price, _)| price).collect();
    prices.into_iter().rev().find(|price| {
        let stood: Instant = spans(shown, from, until).filter(|(shown, _)| shown == price).map(|(_, length)| length).sum();
        stood >= length_min && stood * 2 > total
    })
}

#[cfg(test)]
mod tests {
    use super::{super::lowered::Cut, *};
    use domain::money::Currency;

    fn shown(days: i64, minor: i64) -> Shown {
        Shown { price: Money::new(minor, Currency::EUR), from: days * DAY, compare_at: None }
    }

    fn was(market: &str, now_days: i64, minor: i64, compare_at: Option<i64>, history: &[Shown]) -> Option<i64> {
        let row = Price { price: Money::new(minor, Currency::EUR), compare_at, from: now_days * DAY, until: None, is_override: false };
        reference(market.parse().expect("a code"), &row, row.from, history, &[]).map(|money| money.minor)
    }

    #[test]
    fn a_claim_without_history_is_not_shown() {
        assert_eq!(was("DE", 100, 2900, Some(3600), &[]), None);
        assert_eq!(was("DE", 100, 2900, Some(3600), &[shown(100, 2900)]), None);
    }

    #[test]
    fn the_lowest_price_of_the_thirty_days_before_the_reduction_is_shown() {
        let history = [shown(0, 3000), shown(50, 3600), shown(60, 3400), shown(65, 3600), shown(100, 2900)];
        assert_eq!(was("DE", 100, 2900, Some(3600), &history), Some(3600), "the 3400 ended 35 days before");
        let history = [shown(50, 3600), shown(80, 3400), shown(90, 3600), shown(100, 2900)];
        assert_eq!(was("DE", 100, 2900, Some(3600), &history), Some(3400));
        assert_eq!(was("KR", 100, 2900, Some(3600), &[shown(50, 3000), shown(75, 3600), shown(100, 2900)]), Some(3600), "20 days");
        assert_eq!(was("DE", 100, 2900, Some(3600), &[shown(50, 3600), shown(90, 2800), shown(100, 2900)]), None, "it was cheaper before");
    }

    #[test]
    fn the_reference_is_frozen_while_the_reduction_runs() {
        let history = [shown(0, 3600), shown(100, 2900)];
        assert_eq!(was("DE", 100, 2900, Some(3600), &history), Some(3600));
        let told_again = [shown(0, 3600), shown(100, 2900), shown(140, 2900)];
        assert_eq!(was("DE", 140, 2900, Some(3600), &told_again), Some(3600));
    }

    #[test]
    fn without_a_claim_nothing_is_struck_through() {
        assert_eq!(was("DE", 100, 2900, None, &[shown(0, 3600), shown(100, 2900)]), None);
        assert_eq!(was("US", 100, 2900, Some(3200), &[shown(0, 3600), shown(100, 2900)]), Some(3200), "never more than is claimed");
    }

    #[test]
    fn in_japan_the_price_must_have_stood_for_most_of_eight_weeks() {
        assert_eq!(was("JP", 100, 2900, Some(3600), &[shown(0, 3600), shown(100, 2900)]), Some(3600));
        assert_eq!(was("JP", 100, 2900, Some(3600), &[shown(0, 3000), shown(95, 3600), shown(100, 2900)]), Some(3000));
        assert_eq!(was("JP", 100, 2900, Some(3600), &[shown(92, 3600), shown(100, 2900)]), None, "eight days are too few");
    }

    /// A price that is shown as a reduction.
    fn reduced(days: i64, minor: i64) -> Shown {
        Shown { compare_at: Some(i64::MAX), ..shown(days, minor) }
    }

    #[test]
    fn worked_examples_of_reductions_in_a_row() {
        // A reduction to `minor` on day 100 that claims 10,000; what may be struck through.
        type Example<'a> = (&'a str, i64, &'a [Shown], Option<i64>);
        let after_a_break = [shown(0, 10_000), reduced(80, 8_000), shown(90, 10_000), reduced(100, 8_500)];
        let in_steps = [shown(0, 10_000), reduced(90, 8_000), reduced(95, 7_500), reduced(100, 7_000)];
        let back_up = [shown(0, 10_000), reduced(90, 7_000), reduced(100, 7_500)];
        let unannounced = [shown(0, 10_000), shown(95, 8_000), reduced(100, 7_000)];
        let long_ago = [shown(0, 10_000), reduced(60, 8_000), shown(65, 10_000), reduced(100, 8_500)];
        let examples: [Example<'_>; 12] = [
            // Directive 98/6/EC, article 6a (2): the lowest price of 30 days, and a reduction of those days counts.
            ("DE", 8_500, &after_a_break, None),
            ("DE", 8_500, &long_ago, Some(10_000)),
            // KFTC's notice: the lowest of 20 days.
            ("KR", 8_500, &after_a_break, None),
            ("KR", 8_500, &long_ago, Some(10_000)),
            // Article 6a (5) with § 11 (2) PAngV and L. 112-1-1, I: raised step by step, the price before the first step.
            ("DE", 7_000, &in_steps, Some(10_000)),
            ("FR", 7_000, &in_steps, Some(10_000)),
            // The notice knows no steps: the lowest is that of the step before.
            ("KR", 7_000, &in_steps, Some(7_500)),
            // It was not raised but taken back: no step.
            ("DE", 7_500, &back_up, None),
            // The price had fallen without being announced as reduced: that is what it cost.
            ("DE", 7_000, &unannounced, Some(8_000)),
            // 16 CFR 233.1: no more than it was really sold for lately.
            ("US", 7_000, &in_steps, Some(7_500)),
            // Guidelines on price representations, part 4, 2: it stood for most of eight weeks, and in the last two of them.
            ("JP", 7_000, &in_steps, Some(10_000)),
            // Competition Act, s. 74.01 (3) (b): most of the time.
            ("CA", 7_000, &in_steps, Some(10_000)),
        ];
        for (market, minor, history, expected) in examples {
            assert_eq!(was(market, 100, minor, Some(10_000), history), expected, "{market}, {minor}, {history:?}");
        }
    }

    #[test]
    fn a_general_reduction_of_the_days_before_is_a_lower_price_where_the_lowest_counts() {
        let lowered = [Lowered { from: 85 * DAY, until: 90 * DAY, cut: Cut::Part(200_000), also_reduced: false }];
        let row = Price { price: Money::new(7_500, Currency::EUR), compare_at: Some(10_000), from: 100 * DAY, until: None, is_override: false };
        let history = [shown(0, 10_000), reduced(100, 7_500)];
        let was = |market: &str| reference(market.parse().expect("a code"), &row, row.from, &history, &lowered).map(|money| money.minor);
        assert_eq!((was("DE"), was("FR"), was("KR")), (Some(8_000), Some(8_000), Some(8_000)));
        assert_eq!((was("US"), was("GB"), was("JP"), was("CA")), (Some(10_000), Some(10_000), Some(10_000), Some(10_000)));
    }
}
