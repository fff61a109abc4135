//! Which rates are in force, what they are reckoned from, and how fractions end.

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
        scope: Scope::All,
        estimated: false,
        source: String::new(),
        valid_from,
    }
}
fn part(category: &str, minor: i64, pieces: u32, currency: Currency) -> Part<'_> {
    Part { category, amount: Money::new(minor, currency), pieces }
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
    let parts = [part("", goods, 1, currency), part(DELIVERY, delivery, 0, currency)];
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
    let parts = [part("", 999, 1, Currency::JPY), part("food", 333, 1, Currency::JPY), part("", 999, 1, Currency::JPY)];
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

/// New York and Massachusetts as they treat clothing, and a land whose books bear less, delivery included.
fn scoped() -> Vec<Rate> {
    let general = |region: &str, millionths| rate("US", region, "", "sales tax", millionths, 0);
    let scoped = |region: &str, category: &str, millionths, scope| Rate { scope, ..rate("US", region, category, "sales tax", millionths, 0) };
    vec![
        general("NY", 40_000),
        Rate { estimated: true, ..scoped("NY", "clothing", 0, Scope::Below(11_000)) },
        scoped("NY", DELIVERY, 0, Scope::IfAny),
        general("MA", 62_500),
        scoped("MA", "clothing", 62_500, Scope::Above(17_500)),
        rate("DE", "", "", "VAT", 190_000, 0),
        rate("DE", "", "books", "VAT", 70_000, 0),
        Rate { scope: Scope::AsGoods, ..rate("DE", "", DELIVERY, "VAT", 0, 0) },
    ]
}
fn scoped_lines(mode: TaxMode, place: &Destination, parts: &[Part]) -> Vec<(u32, i64, i64)> {
    tax_lines(mode, parts, place, &scoped(), 1).into_iter().map(|line| (line.millionths, line.base.minor, line.amount.minor)).collect()
}

#[test]
fn a_limit_is_of_each_piece_and_of_what_is_paid_for_it() {
    let clothes = |minor, pieces| [part("clothing", minor, pieces, Currency::USD)];
    let (ny, ma) = (place("US", "NY"), place("US", "MA"));
    for (at, minor, pieces, expected) in [
        (&ny, 10_999, 1, vec![(0, 10_999, 0)]),
        (&ny, 11_000, 1, vec![(40_000, 11_000, 440)]),
        (&ny, 21_999, 2, vec![(0, 21_999, 0)]),
        (&ny, 22_000, 2, vec![(40_000, 22_000, 880)]),
        (&ma, 17_500, 1, vec![]),
        // 25.00 × 6.25 % = 1.5625 → 1.56
        (&ma, 20_000, 1, vec![(62_500, 2_500, 156)]),
        (&ma, 35_001, 2, vec![(62_500, 1, 0)]),
    ] {
        assert_eq!(scoped_lines(TaxMode::Exclusive, at, &clothes(minor, pieces)), expected, "{pieces} for {minor}");
    }
}

#[test]
fn an_estimate_of_nothing_is_still_said_to_be_one() {
    let lines = tax_lines(TaxMode::Exclusive, &[part("clothing", 5_000, 1, Currency::USD)], &place("US", "NY"), &scoped(), 1);
    assert!(lines.len() == 1 && lines[0].estimated && lines[0].amount.is_zero());
    // What is an estimate in part is one.
    let mut rates = scoped();
    for rate in &mut rates {
        rate.estimated = rate.region == "MA" && rate.category.is_empty();
    }
    let parts = [part("clothing", 20_000, 1, Currency::USD), part("", 100, 1, Currency::USD)];
    let lines = tax_lines(TaxMode::Exclusive, &parts, &place("US", "MA"), &rates, 1);
    assert!(lines.len() == 1 && lines[0].estimated && lines[0].base.minor == 2_600);
}

#[test]
fn delivery_follows_the_goods_as_its_row_says() {
    let (hat, lamp) = (part("clothing", 8_500, 1, Currency::USD), part("", 4_800, 1, Currency::USD));
    let delivery = part(DELIVERY, 595, 0, Currency::USD);
    let ny = |parts: &[Part]| scoped_lines(TaxMode::Exclusive, &place("US", "NY"), parts);
    assert_eq!(ny(&[hat, delivery]), [(0, 8_500, 0)]);
    // 53.95 × 4 % = 2.158 → 2.16
    assert_eq!(ny(&[hat, lamp, delivery]), [(0, 8_500, 0), (40_000, 5_395, 216)]);
    let de = |parts: &[Part]| scoped_lines(TaxMode::Inclusive, &place("DE", ""), parts);
    let (book, tote) = (part("books", 1_070, 1, Currency::EUR), part("", 11_900, 1, Currency::EUR));
    let delivery = part(DELIVERY, 490, 0, Currency::EUR);
    // 4.90 is 4.4958 and 0.4042: 123.50 × 19 / 119 = 19.718…, 11.10 × 7 / 107 = 0.726…
    assert_eq!(de(&[tote, book, delivery]), [(190_000, 12_350, 1_972), (70_000, 1_110, 73)]);
    // With nothing to follow, delivery bears the general rate: 4.90 × 19 / 119 = 0.782…
    assert_eq!(de(&[part("books", 0, 1, Currency::EUR), delivery]), [(190_000, 490, 78)]);
}

#[test]
fn what_was_paid_for_a_part_counts_its_own_taxes_only() {
    let parts = [part("clothing", 8_500, 1, Currency::USD), part("", 4_800, 1, Currency::USD), part(DELIVERY, 595, 0, Currency::USD)];
    let weights = weights(TaxMode::Exclusive, &parts, &place("US", "NY"), &scoped(), 1);
    assert_eq!(weights, [8_500 * 1_000_000, 4_800 * 1_040_000, 595 * 1_040_000]);
}

proptest! {
    // Each case goes through every currency, both modes and all places.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn taxes_conserve_in_every_currency_and_mode(
        goods in prop::collection::vec((0_usize..3, 0_i64..100_000_000, 1_u32..20), 1..30), charge in 0_i64..100_000, turn in 0_usize..30,
    ) {
        let rates: Vec<Rate> = scoped().into_iter().chain(rates().into_iter().filter(|rate| rate.country.code() != "DE")).collect();
        for currency in Currency::all() {
            let mut parts: Vec<Part> = goods.iter().map(|(category, minor, pieces)| part(["", "clothing", "books"][*category], *minor, *pieces, currency)).collect();
            let without = parts.clone();
            parts.push(part(DELIVERY, charge, 0, currency));
            let worth: i64 = parts.iter().map(|part| part.amount.minor).sum();
            for mode in [TaxMode::Exclusive, TaxMode::Inclusive] {
                for at in [place("US", "NY"), place("US", "MA"), place("US", "CA"), place("DE", ""), place("CA", "QC"), place("JP", ""), place("ZZ", "")] {
                    let lines = tax_lines(mode, &parts, &at, &rates, 1);
                    for line in &lines {
                        let same: i64 = lines.iter().filter(|other| other.name == line.name).map(|line| line.base.minor).sum();
                        prop_assert!(same <= worth, "nothing is taxed twice by one tax");
                        prop_assert!(line.base.currency == currency && line.amount.currency == currency && line.base.minor > 0);
                        let whole = i128::from(line.base.minor) * i128::from(line.millionths);
                        let divisor = if line.included { ONE + i128::from(line.millionths) } else { ONE };
                        let off = i128::from(line.amount.minor) * divisor - whole;
                        match line.rounding {
                            Rounding::HalfUp => prop_assert!(off * 2 <= divisor && off * 2 > -divisor),
                            Rounding::Down => prop_assert!(off <= 0 && off > -divisor),
                        }
                    }
                    if at.country.code() == "DE" {
                        prop_assert_eq!(lines.iter().map(|line| line.base.minor).sum::<i64>(), worth, "delivery is shared out whole");
                    }
                    let taxed: i128 = lines.iter().filter(|line| !line.included).map(|line| i128::from(line.base.minor) * i128::from(line.millionths)).sum();
                    prop_assert_eq!(weights(mode, &parts, &at, &rates, 1).iter().sum::<i128>(), i128::from(worth) * ONE + taxed);
                    let mut turned = without.clone();
                    turned.rotate_left(turn % without.len());
                    let sums = |parts: &[Part]| {
                        let mut sums: Vec<_> = tax_lines(mode, parts, &at, &rates, 1).into_iter().map(|line| (line.name, line.millionths, line.amount.minor)).collect();
                        sums.sort();
                        sums
                    };
                    prop_assert_eq!(sums(&turned), sums(&without), "the order of the lines does not matter");
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn rounding_moves_at_most_one_unit_and_included_tax_stays_below_the_price(goods in 0_i64..1_000_000_000, delivery in 0_i64..100_000) {
        for (mode, at) in [(TaxMode::Exclusive, place("CA", "QC")), (TaxMode::Inclusive, place("DE", "")), (TaxMode::Inclusive, place("JP", ""))] {
            let parts = [part("", goods, 1, Currency::EUR), part(DELIVERY, delivery, 0, Currency::EUR)];
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
