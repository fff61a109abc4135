//! Taxes on an order: dated rates by place, in a price or on top of it, rounded once per rate. The rates themselves are rows of a
//! table, each with its source.

use crate::{
    address::Destination,
    market::{Country, TaxMode},
    money::Money,
    offer::Instant,
};
use serde::{Deserialize, Serialize};

/// The category of delivery charges in the table of rates.
pub const DELIVERY: &str = "delivery";

/// One row of the table of rates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    pub country: Country,
    /// Empty: the whole country. Otherwise as in [`crate::address::Address::region`].
    pub region: String,
    /// Empty: everything that has no row of its own.
    pub category: String,
    /// `VAT`, `GST`, `HST`, `PST`, `QST`, `RST`, `sales tax`, `consumption tax`: the page translates it.
    pub name: String,
    /// Millionths of the price: Quebec's 9.975 % is 99,750.
    pub millionths: u32,
    /// An estimate, and said so to the shopper.
    pub estimated: bool,
    /// The law or the authority's page.
    pub source: String,
    pub valid_from: Instant,
}

/// One tax of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxLine {
    pub name: String,
    pub country: Country,
    pub region: String,
    pub millionths: u32,
    /// What it was reckoned from: without this tax when on top, with it when included.
    pub base: Money,
    pub amount: Money,
    /// Contained in the prices, not added to them.
    pub included: bool,
    pub estimated: bool,
    pub rounding: Rounding,
}

/// How a fraction of a minor unit ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// From a half on upwards: Canada (Excise Tax Act, s. 165.2), US states, Britain (HMRC Notice 700, 17.6), and by
    /// this shop's choice where national law leaves it open (the EU: ECJ C-484/06; Korea).
    HalfUp,
    /// Fractions are dropped, once per rate and invoice (Japan's qualified invoices: Consumption Tax Act Enforcement Order, art. 70-10;
    /// dropping is the common choice).
    Down,
}

impl Rounding {
    pub const fn of(country: Country) -> Self {
        match &country.0 {
            b"JP" => Self::Down,
            _ => Self::HalfUp,
        }
    }

    /// `numerator / denominator`, both positive.
    fn divide(self, numerator: i128, denominator: i128) -> i64 {
        let rounded = match self {
            Self::HalfUp => (numerator * 2 + denominator) / (denominator * 2),
            Self::Down => numerator / denominator,
        };
        i64::try_from(rounded).unwrap_or(i64::MAX)
    }
}

/// A whole: millionths.
const ONE: i128 = 1_000_000;

/// The rates in force for a category at a place: the latest row of each name that has begun; a row for the category goes before the
/// general one. Rates of zero are left out, unless they are
/// estimates for everything: where only towns levy a tax, a shopper is told that there may be one.
pub fn in_force<'a>(rates: &'a [Rate], place: &Destination, category: &str, now: Instant) -> Vec<&'a Rate> {
    let here = |rate: &&Rate| {
        rate.country == place.country && (rate.region.is_empty() || Some(&rate.region) == place.region.as_ref()) && rate.valid_from <= now
    };
    let mut found: Vec<&Rate> = Vec::new();
    for rate in rates.iter().filter(here).filter(|rate| rate.category.is_empty() || rate.category == category) {
        match found.iter_mut().find(|known| known.name == rate.name && known.region == rate.region) {
            Some(known) if (!rate.category.is_empty(), rate.valid_from) > (!known.category.is_empty(), known.valid_from) => *known = rate,
            Some(_) => {}
            None => found.push(rate),
        }
    }
    found.retain(|rate| rate.millionths > 0 || (rate.estimated && rate.category.is_empty()));
    found
}

/// Whether the taxes of this place can be told without a region.
pub fn needs_region(rates: &[Rate], country: Country) -> bool {
    rates.iter().any(|rate| rate.country == country && !rate.region.is_empty())
}

/// The taxes on amounts by category. Amounts of all categories under one rate are summed first and rounded once.
pub fn tax_lines(mode: TaxMode, amounts: &[(&str, Money)], place: &Destination, rates: &[Rate], now: Instant) -> Vec<TaxLine> {
    let included = mode == TaxMode::Inclusive;
    let rounding = Rounding::of(place.country);
    let mut lines: Vec<TaxLine> = Vec::new();
    for (category, amount) in amounts {
        for rate in in_force(rates, place, category, now) {
            match lines.iter_mut().find(|line| line.name == rate.name && line.region == rate.region && line.millionths == rate.millionths) {
                Some(line) => line.base.minor = line.base.minor.saturating_add(amount.minor),
                None => lines.push(TaxLine {
                    name: rate.name.clone(),
                    country: rate.country,
                    region: rate.region.clone(),
                    millionths: rate.millionths,
                    base: *amount,
                    amount: Money::zero(amount.currency),
                    included,
                    estimated: rate.estimated,
                    rounding,
                }),
            }
        }
    }
    for line in &mut lines {
        let rate = i128::from(line.millionths);
        let base = i128::from(line.base.minor.max(0));
        line.amount.minor = rounding.divide(base * rate, if included { ONE + rate } else { ONE });
    }
    lines.retain(|line| line.base.minor > 0);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;
    use proptest::prelude::*;

    fn rate(country: &str, region: &str, category: &str, name: &str, millionths: u32, valid_from: Instant) -> Rate {
        let country = country.parse().expect("a code");
        Rate {
            country,
            region: region.to_owned(),
            category: category.to_owned(),
            name: name.to_owned(),
            millionths,
            estimated: false,
            source: String::new(),
            valid_from,
        }
    }
    fn place(country: &str, region: &str) -> Destination {
        Destination { country: country.parse().expect("a code"), region: (!region.is_empty()).then(|| region.to_owned()) }
    }
    fn rates() -> Vec<Rate> {
        vec![
            rate("CA", "QC", "", "GST", 50_000, 0),
            rate("CA", "QC", "", "QST", 99_750, 0),
            rate("CA", "NS", "", "HST", 150_000, 0),
            rate("CA", "NS", "", "HST", 140_000, 100),
            rate("US", "CA", "", "sales tax", 72_500, 0),
            rate("US", "CA", "delivery", "sales tax", 0, 0),
            rate("DE", "", "", "VAT", 190_000, 0),
            rate("JP", "", "", "consumption tax", 100_000, 0),
            rate("JP", "", "food", "consumption tax", 80_000, 0),
        ]
    }
    fn amounts(mode: TaxMode, place: &Destination, goods: i64, delivery: i64, currency: Currency, now: Instant) -> Vec<(String, i64, i64)> {
        let parts = [("", Money::new(goods, currency)), (DELIVERY, Money::new(delivery, currency))];
        tax_lines(mode, &parts, place, &rates(), now).into_iter().map(|line| (line.name, line.base.minor, line.amount.minor)).collect()
    }
    fn line(name: &str, base: i64, amount: i64) -> (String, i64, i64) {
        (name.to_owned(), base, amount)
    }

    #[test]
    fn quebec_has_two_taxes_each_on_the_price_alone() {
        // 110.95 × 5 % = 5.5475 → 5.55; × 9.975 % = 11.0672… → 11.07
        let lines = amounts(TaxMode::Exclusive, &place("CA", "QC"), 10_000, 1_095, Currency::CAD, 1);
        assert_eq!(lines, [line("GST", 11_095, 555), line("QST", 11_095, 1_107)]);
    }

    #[test]
    fn the_latest_rate_that_has_begun_is_in_force() {
        assert_eq!(amounts(TaxMode::Exclusive, &place("CA", "NS"), 10_000, 0, Currency::CAD, 99), [line("HST", 10_000, 1_500)]);
        assert_eq!(amounts(TaxMode::Exclusive, &place("CA", "NS"), 10_000, 0, Currency::CAD, 100), [line("HST", 10_000, 1_400)]);
    }

    #[test]
    fn california_does_not_tax_separate_delivery() {
        // 138.00 × 7.25 % = 10.005 → 10.01
        assert_eq!(amounts(TaxMode::Exclusive, &place("US", "CA"), 13_800, 595, Currency::USD, 1), [line("sales tax", 13_800, 1_001)]);
    }

    #[test]
    fn included_tax_is_taken_out_of_the_price_and_delivery_bears_it_too() {
        // 124.80 × 19 / 119 = 19.926… → 19.93
        assert_eq!(amounts(TaxMode::Inclusive, &place("DE", ""), 11_990, 490, Currency::EUR, 1), [line("VAT", 12_480, 1_993)]);
    }

    #[test]
    fn japan_rounds_down_once_per_rate() {
        let parts = [("", Money::new(999, Currency::JPY)), ("food", Money::new(333, Currency::JPY)), ("", Money::new(999, Currency::JPY))];
        let lines = tax_lines(TaxMode::Inclusive, &parts, &place("JP", ""), &rates(), 1);
        // (999 + 999) × 10 / 110 = 181.6 → 181, where rounding each line would give 90 + 90 = 180; 333 × 8 / 108 = 24.7 → 24
        assert_eq!(lines.iter().map(|line| line.amount.minor).collect::<Vec<_>>(), [181, 24]);
    }

    #[test]
    fn a_place_without_a_rate_has_no_tax() {
        assert_eq!(amounts(TaxMode::Exclusive, &place("US", "OR"), 10_000, 0, Currency::USD, 1), []);
        assert_eq!(amounts(TaxMode::Exclusive, &place("US", ""), 10_000, 0, Currency::USD, 1), []);
        assert!(needs_region(&rates(), "US".parse().expect("a code")) && !needs_region(&rates(), "DE".parse().expect("a code")));
    }

    proptest! {
        #[test]
        fn rounding_moves_at_most_one_unit_and_included_tax_stays_below_the_price(goods in 0_i64..1_000_000_000, delivery in 0_i64..100_000) {
            for (mode, at) in [(TaxMode::Exclusive, place("CA", "QC")), (TaxMode::Inclusive, place("DE", "")), (TaxMode::Inclusive, place("JP", ""))] {
                let parts = [("", Money::new(goods, Currency::EUR)), (DELIVERY, Money::new(delivery, Currency::EUR))];
                for line in tax_lines(mode, &parts, &at, &rates(), 1) {
                    let whole = i128::from(line.base.minor) * i128::from(line.millionths);
                    let divisor = if line.included { ONE + i128::from(line.millionths) } else { ONE };
                    prop_assert!((i128::from(line.amount.minor) * divisor - whole).abs() < divisor);
                    prop_assert!(line.amount.minor >= 0);
                    prop_assert!(!line.included || line.amount.minor <= line.base.minor);
                }
            }
        }
    }
}
