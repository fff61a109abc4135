//! From rows of `prices` to what stands in live items: windows that do not overlap, each with the reference that it may name. Here is decided
//! which row is in force; what a shopper is offered is `domain::offer`'s business.

use super::{Price, Shown, lowered::Lowered, reference::reference};
use domain::{
    market::Market,
    offer::{Instant, PriceWindow},
};
use std::collections::BTreeSet;

/// Windows that are open or to come, from the rows of one variant in one price list and what is recorded of it, oldest first. Overrides lie over
/// the list price, so that what was changed below one shows when it ends. `lowered`: when everybody got something off it.
pub(crate) fn compute(market: &Market, prices: &[Price], history: &[Shown], lowered: &[Lowered], now: Instant) -> Vec<PriceWindow> {
    let rows: Vec<Price> = prices.iter().filter(|row| row.price.currency == market.currency).cloned().collect();
    let instants: Vec<Instant> = instants(&rows).into_iter().collect();
    // What has begun by itself and is not recorded yet counts as well, and for a window to come whatever comes before it.
    let shown = [history, &unrecorded(&rows, history.last(), Instant::MAX)].concat();
    let mut windows: Vec<PriceWindow> = Vec::new();
    for (index, from) in instants.iter().enumerate() {
        let until = instants.get(index + 1).copied();
        let Some(row) = in_force(&rows, *from).filter(|_| until.is_none_or(|until| until > now)) else { continue };
        let seen = shown.partition_point(|shown| shown.from <= now.max(*from));
        let window = PriceWindow::new(*from, until, row.price, reference(market.code, row, *from, &shown[..seen], lowered));
        if !windows.last_mut().is_some_and(|last| last.join(&window)) {
            windows.push(window);
        }
    }
    windows
}

/// The row that is in force at an instant: an override before any list price, and of two the one that began last.
pub(super) fn in_force(rows: &[Price], at: Instant) -> Option<&Price> {
    let open = rows.iter().filter(|row| row.from <= at && row.until.is_none_or(|until| at < until));
    open.max_by_key(|row| (row.is_override, row.from))
}

/// What came to be shown by itself up to an instant, and was not recorded after the `last` row of the history.
pub(super) fn unrecorded(rows: &[Price], last: Option<&Shown>, upto: Instant) -> Vec<Shown> {
    let recorded = last.map(|last| last.from);
    let mut last = last.map(|last| last.price);
    let mut found = Vec::new();
    for at in instants(rows).into_iter().filter(|at| *at <= upto && recorded.is_none_or(|recorded| *at > recorded)) {
        if let Some(row) = in_force(rows, at).filter(|row| last != Some(row.price)) {
            last = Some(row.price);
            found.push(Shown::since(row, at));
        }
    }
    found
}

fn instants(rows: &[Price]) -> BTreeSet<Instant> {
    rows.iter().flat_map(|row| [Some(row.from), row.until]).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        market::TaxMode,
        money::{Currency, Money},
        offer::offer,
        sourcing::Split,
    };
    use proptest::prelude::*;

    fn germany() -> Market {
        Market {
            code: "DE".parse().expect("a code"),
            countries: vec![],
            legal_entity: String::new(),
            currency: Currency::EUR,
            price_list: "de".to_owned(),
            tax_mode: TaxMode::Inclusive,
            time_zone: "Europe/Berlin".to_owned(),
            locations: vec![],
            split: Split::Allowed,
        }
    }

    fn row(is_override: bool, from: Instant, until: Option<Instant>, minor: i64) -> Price {
        Price { price: Money::new(minor, Currency::EUR), compare_at: None, from, until, is_override }
    }

    /// The price and until when, at each instant.
    fn shown(rows: &[Price], at: &[Instant]) -> Vec<Option<(i64, Option<Instant>)>> {
        let windows = compute(&germany(), rows, &[], &[], at[0]);
        at.iter().map(|at| offer(&windows, *at).map(|offer| (offer.price.minor, offer.valid_until))).collect()
    }

    #[test]
    fn an_override_beats_the_list_price_while_it_runs_and_not_an_instant_longer() {
        let rows = [row(false, 0, None, 9000), row(true, 100, Some(200), 7200)];
        let expected = [Some((9000, Some(100))), Some((7200, Some(200))), Some((7200, Some(200))), Some((9000, None))];
        assert_eq!(shown(&rows, &[99, 100, 199, 200]), expected);
    }

    #[test]
    fn a_list_price_that_changes_meanwhile_shows_after_the_override() {
        let rows = [row(false, 0, Some(150), 9000), row(true, 100, Some(200), 7200), row(false, 150, None, 8000)];
        assert_eq!(
            shown(&rows, &[99, 150, 199, 200]),
            [Some((9000, Some(100))), Some((7200, Some(200))), Some((7200, Some(200))), Some((8000, None))]
        );
    }

    #[test]
    fn a_list_price_may_begin_later_and_stays() {
        let rows = [row(false, 0, None, 9000), row(false, 100, None, 9500)];
        assert_eq!(shown(&rows, &[99, 100, 1_000]), [Some((9000, Some(100))), Some((9500, None)), Some((9500, None))]);
        assert_eq!(shown(&[row(false, 100, None, 9500)], &[99, 100]), [None, Some((9500, None))], "not sold before");
    }

    #[test]
    fn a_price_that_stays_the_same_is_one_window() {
        assert_eq!(shown(&[row(false, 0, Some(50), 9000), row(false, 50, None, 9000)], &[10]), [Some((9000, None))]);
    }

    #[test]
    fn what_nobody_recorded_is_known_all_the_same() {
        let rows = [row(false, 0, None, 9000), row(true, 100, Some(200), 7200)];
        let first = Shown { price: Money::new(9000, Currency::EUR), from: 0, compare_at: None };
        let recorded = |upto| unrecorded(&rows, Some(&first), upto).iter().map(|shown| (shown.from, shown.price.minor)).collect::<Vec<_>>();
        assert_eq!(recorded(99), []);
        assert_eq!(recorded(100), [(100, 7200)]);
        assert_eq!(recorded(500), [(100, 7200), (200, 9000)]);
    }

    proptest! {
        #[test]
        fn windows_offer_what_is_in_force_at_every_instant(
            list in prop::collection::vec((0_i64..40, 1_i64..9), 1..5), over in prop::collection::vec((0_i64..40, 1_i64..10, 1_i64..9), 0..3), now in 0_i64..40,
        ) {
            let overrides = over.iter().map(|(from, length, minor)| row(true, *from, Some(from + length), *minor));
            let rows: Vec<Price> = list.iter().map(|(from, minor)| row(false, *from, None, *minor)).chain(overrides).collect();
            let windows = compute(&germany(), &rows, &[], &[], now);
            prop_assert!(windows.is_sorted_by(|one, next| one.until.is_some_and(|until| until <= next.from)), "they do not overlap");
            for at in now..60 {
                prop_assert_eq!(offer(&windows, at).map(|offer| offer.price), in_force(&rows, at).map(|row| row.price));
            }
        }
    }
}
