//! The one displayed price: every page, list, sort, filter, feed and cart asks [`offer`] and nothing else. What a window costs can be read
//! nowhere but here.

use crate::money::Money;
use serde::{Deserialize, Serialize};

/// A point in time: microseconds since the Unix epoch, UTC.
pub type Instant = i64;

/// A price of one variant in one market, in force in the half-open window `[from, until)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceWindow {
    pub from: Instant,
    /// `None`: until something else is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Instant>,
    price: Money,
    /// The reference that may be struck through, already checked against the price history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reference: Option<Money>,
}

impl PriceWindow {
    /// A window from what the catalogue says; `reference` is held by the price history.
    pub const fn new(from: Instant, until: Option<Instant>, price: Money, reference: Option<Money>) -> Self {
        Self { from, until, price, reference }
    }

    /// Goes on for as long as `next` does, if that begins where this one ends and offers the same. Whether it did.
    pub fn join(&mut self, next: &Self) -> bool {
        let is_same = self.until == Some(next.from) && self.price == next.price && self.reference == next.reference;
        if is_same {
            self.until = next.until;
        }
        is_same
    }
}

/// What a shopper is offered at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    pub price: Money,
    /// The earlier price, only ever higher than `price` and held by the price history.
    pub was: Option<Money>,
    /// When another price or none is in force, if that is known: nothing that shows this one may be kept for longer. The price of a reduction
    /// (`was` is there) really ends then; of any other price it says only that another one follows, which is nothing to count down to.
    pub valid_until: Option<Instant>,
}

impl Offer {
    /// How much lower than the reference, in whole percent rounded down, so that we never claim more than is true.
    pub fn percent_off(&self) -> Option<u8> {
        let was = self.was?;
        let percent = was.minor.checked_sub(self.price.minor)?.checked_mul(100)?.checked_div(was.minor)?;
        u8::try_from(percent).ok().filter(|percent| *percent > 0)
    }
}

/// The offer among `windows` at `now`. Where windows overlap, the one that began last wins (a campaign over a list price).
/// `None`: this market does not sell the variant.
pub fn offer(windows: &[PriceWindow], now: Instant) -> Option<Offer> {
    let live = windows.iter().filter(|window| window.from <= now && window.until.is_none_or(|until| now < until)).max_by_key(|window| window.from)?;
    let next = windows.iter().map(|window| window.from).filter(|from| *from > now).min();
    Some(Offer {
        price: live.price,
        was: live.reference.filter(|was| was.currency == live.price.currency && was.minor > live.price.minor),
        valid_until: match (live.until, next) {
            (Some(end), Some(next)) => Some(end.min(next)),
            (end, next) => end.or(next),
        },
    })
}

/// The next instant after `now` at which one of `windows` begins or ends.
pub fn changes_after(windows: &[PriceWindow], now: Instant) -> Option<Instant> {
    windows.iter().flat_map(|window| [Some(window.from), window.until]).flatten().filter(|at| *at > now).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    fn window(from: Instant, until: Option<Instant>, minor: i64, was: Option<i64>) -> PriceWindow {
        let money = |minor| Money::new(minor, Currency::EUR);
        PriceWindow::new(from, until, money(minor), was.map(money))
    }

    #[test]
    fn windows_are_half_open_and_the_latest_start_wins() {
        let windows = [window(0, None, 9000, None), window(100, Some(200), 7200, Some(9000))];
        assert_eq!(offer(&windows, 99).map(|o| (o.price.minor, o.valid_until)), Some((9000, Some(100))));
        assert_eq!(offer(&windows, 100).map(|o| (o.price.minor, o.percent_off())), Some((7200, Some(20))));
        assert_eq!(offer(&windows, 200).map(|o| o.price.minor), Some(9000));
        assert_eq!(offer(&windows, -1), None);
    }

    #[test]
    fn a_reference_below_the_price_never_shows() {
        assert_eq!(offer(&[window(0, None, 9000, Some(9000))], 1).and_then(|o| o.was), None);
        assert_eq!(offer(&[window(0, None, 9000, Some(8000))], 1).and_then(|o| o.was), None);
    }
}
