//! Totals add up, with and without discounts, in every currency.

use super::*;
use crate::{
    delivery::CutOff,
    discount::Effect,
    locale::TextLanguage,
    money::Currency,
    promotion::{Combines, Promotion, Rule, Scope},
};
use proptest::prelude::*;
use std::collections::BTreeMap;
use uuid::Uuid;

fn market(code: &str, currency: Currency, tax_mode: TaxMode) -> Market {
    let code = code.parse().expect("a code");
    Market {
        code,
        countries: vec![code],
        legal_entity: String::new(),
        currency,
        price_list: String::new(),
        tax_mode,
        time_zone: "UTC".to_owned(),
        locations: vec![],
        split: crate::sourcing::Split::Allowed,
    }
}
fn wanted(n: u128, pieces: u32, minor: i64, was: Option<i64>, currency: Currency) -> Wanted {
    let money = |minor| Money::new(minor, currency);
    Wanted {
        product: ProductId(Uuid::from_u128(n)),
        variant: VariantId(Uuid::from_u128(n)),
        quantity: Quantity::new(pieces).expect("in range"),
        offer: Offer { price: money(minor), was: was.map(money), valid_until: None },
        weight_g: 0,
        tax_category: "standard".to_owned(),
        category: String::new(),
        tags: Vec::new(),
    }
}
fn method(minor: i64, free_from: Option<i64>, currency: Currency) -> Method {
    let money = |minor| Money::new(minor, currency);
    let cut_off = CutOff { hour: 12, minute: 0, zone: "UTC".to_owned() };
    Method {
        code: "standard".to_owned(),
        names: BTreeMap::new(),
        price: money(minor),
        free_from: free_from.map(money),
        days_min: 1,
        days_max: 2,
        cut_off,
        ships_from: String::new(),
        from_country: None,
        handling_days: 0,
        origins: Vec::new(),
        zones: Vec::new(),
        weights: Vec::new(),
        weight_max_g: None,
        withdrawn: false,
        zone: None,
    }
}
fn rate(country: &str, region: &str, name: &str, millionths: u32) -> Rate {
    let country = country.parse().expect("a code");
    Rate {
        country,
        region: region.to_owned(),
        category: String::new(),
        name: name.to_owned(),
        millionths,
        scope: tax::Scope::All,
        estimated: false,
        source: String::new(),
        valid_from: 0,
    }
}

#[test]
fn the_drawn_checkout_adds_up() {
    // Everyday tote $48.00, belt $72.00 instead of $90.00, free delivery, 8.625 %: 120.00 + 10.35 = 130.35
    let us = market("US", Currency::USD, TaxMode::Exclusive);
    let lines = [wanted(1, 1, 4_800, None, Currency::USD), wanted(2, 1, 7_200, Some(9_000), Currency::USD)];
    let rates = [rate("US", "CA", "sales tax", 86_250)];
    let place = Destination { country: us.code, region: Some("CA".to_owned()) };
    let quote = quote(&us, &lines, &[], Some(&method(595, Some(7_500), Currency::USD)), Some(&place), &rates, 1).expect("a total");
    let amounts: Vec<_> = quote.entries.iter().map(|entry| entry.amount.minor).collect();
    assert_eq!((amounts.as_slice(), quote.total.minor, quote.is_final()), ([13_800, -1_800, 0, 1_035].as_slice(), 13_035, true));
}

#[test]
fn tax_on_top_waits_for_an_address() {
    let us = market("US", Currency::USD, TaxMode::Exclusive);
    let lines = [wanted(1, 2, 1_000, None, Currency::USD)];
    let rates = [rate("US", "CA", "sales tax", 86_250)];
    let quote = quote(&us, &lines, &[], Some(&method(595, None, Currency::USD)), None, &rates, 1).expect("a total");
    assert_eq!((quote.total.minor, quote.tax_known, quote.taxes.len()), (2_595, false, 0));
}

#[test]
fn included_tax_is_shown_and_not_added() {
    let de = market("DE", Currency::EUR, TaxMode::Inclusive);
    let quote = quote(&de, &[wanted(1, 1, 11_900, None, Currency::EUR)], &[], None, None, &[rate("DE", "", "VAT", 190_000)], 1).expect("a total");
    assert_eq!((quote.total.minor, quote.taxes[0].amount.minor, quote.entries.last().map(|entry| entry.included)), (11_900, 1_900, Some(true)));
}

fn discount(n: u128, effect: Effect, includes_reduced: bool) -> Promotion {
    let rule = Rule {
        titles: BTreeMap::from([(TextLanguage::EnUs, format!("Promotion {n}"))]),
        effect,
        markets: vec![],
        valid_from: 0,
        valid_until: None,
        minimum: None,
        scope: Scope::default(),
        audience: crate::promotion::Audience::Everyone,
        includes_reduced,
        combines: Combines::WithAll,
        priority: 0,
    };
    Promotion { id: PromotionId(Uuid::from_u128(n)), rule, hidden: false }
}

fn quote(
    market: &Market,
    wanted: &[Wanted],
    promotions: &[Promotion],
    delivery: Option<&Method>,
    destination: Option<&Destination>,
    rates: &[Rate],
    now: Instant,
) -> Result<Quote, QuoteError> {
    let candidates: Vec<_> = promotions.iter().map(|promotion| Candidate::promotion(promotion, TextLanguage::EnUs)).collect();
    super::quote(market, wanted, &candidates, delivery, destination, rates, now)
}

#[test]
fn a_discount_comes_off_before_tax_on_top() {
    // $120.00 - 10 % = $108.00, delivery free; 8.625 % of 108.00 is 9.315: 117.32. The belt is reduced, but counts.
    let us = market("US", Currency::USD, TaxMode::Exclusive);
    let lines = [wanted(1, 1, 4_800, None, Currency::USD), wanted(2, 1, 7_200, Some(9_000), Currency::USD)];
    let rates = [rate("US", "CA", "sales tax", 86_250)];
    let place = Destination { country: us.code, region: Some("CA".to_owned()) };
    let ten = [discount(1, Effect::Percent { millionths: 100_000 }, true)];
    let method = method(595, Some(7_500), Currency::USD);
    let quote = quote(&us, &lines, &ten, Some(&method), Some(&place), &rates, 1).expect("a total");
    let amounts: Vec<_> = quote.entries.iter().map(|entry| entry.amount.minor).collect();
    assert_eq!((amounts.as_slice(), quote.total.minor), ([13_800, -1_800, -1_200, 0, 932].as_slice(), 11_732));
    assert_eq!(quote.lines.iter().map(|line| line.net().minor).collect::<Vec<_>>(), [4_320, 6_480]);
    assert_eq!(quote.taxes[0].base.minor, 10_800);
}

#[test]
fn a_discount_lowers_the_tax_inside_a_price() {
    // 119.00 € with 19.00 € VAT; 20.00 € less leave 99.00 € with 15.81 €: 99 * 19 / 119 = 15.807.
    let de = market("DE", Currency::EUR, TaxMode::Inclusive);
    let off = [discount(1, Effect::Amount { amount: Money::new(2_000, Currency::EUR) }, true)];
    let rates = [rate("DE", "", "VAT", 190_000)];
    let quote = quote(&de, &[wanted(1, 1, 11_900, None, Currency::EUR)], &off, None, None, &rates, 1).expect("a total");
    assert_eq!((quote.total.minor, quote.taxes[0].amount.minor, quote.discounts[0].amount.minor), (9_900, 1_581, 2_000));
}

#[test]
fn yen_are_yen() {
    let jp = market("JP", Currency::JPY, TaxMode::Inclusive);
    let off = [discount(1, Effect::Amount { amount: Money::new(500, Currency::JPY) }, true)];
    let quote = quote(&jp, &[wanted(1, 1, 4_620, None, Currency::JPY)], &off, None, None, &[], 1).expect("a total");
    assert_eq!(quote.total.minor, 4_120, "500 yen are 500, not 5 and not 50,000");
}

#[test]
fn free_delivery_takes_the_charge_and_its_tax() {
    let ca = market("CA", Currency::CAD, TaxMode::Exclusive);
    let place = Destination { country: ca.code, region: Some("QC".to_owned()) };
    let rates = [rate("CA", "QC", "GST", 50_000)];
    let free = [discount(1, Effect::FreeStandardDelivery, true)];
    let lines = [wanted(1, 1, 1_000, None, Currency::CAD)];
    let mut method = method(995, None, Currency::CAD);
    let with = quote(&ca, &lines, &free, Some(&method), Some(&place), &rates, 1).expect("a total");
    assert_eq!((with.total.minor, with.delivery.map(|charge| charge.minor), with.discounts[0].amount.minor), (1_050, Some(995), 995));
    method.code = "express".to_owned();
    let express = quote(&ca, &lines, &free, Some(&method), Some(&place), &rates, 1).expect("a total");
    assert!(express.discounts.is_empty() && express.total.minor == 2_095, "{express:?}");
}

#[test]
fn never_below_zero_and_never_another_currency() {
    let de = market("DE", Currency::EUR, TaxMode::Inclusive);
    let lines = [wanted(1, 1, 1_000, None, Currency::EUR), wanted(2, 1, 500, Some(900), Currency::EUR)];
    let amount = |minor, currency, reduced| [discount(1, Effect::Amount { amount: Money::new(minor, currency) }, reduced)];
    let total = |discounts: &[Promotion]| quote(&de, &lines, discounts, None, None, &[], 1).map(|quote| quote.total.minor).ok();
    assert_eq!(total(&amount(5_000, Currency::EUR, true)), Some(0));
    assert_eq!(total(&amount(5_000, Currency::EUR, false)), Some(500), "reduced pieces keep their price");
    assert_eq!(total(&amount(5_000, Currency::USD, true)), Some(1_500), "an amount holds in its own currency only");
}

#[test]
fn mixed_currencies_have_no_total() {
    let de = market("DE", Currency::EUR, TaxMode::Inclusive);
    assert!(quote(&de, &[wanted(1, 1, 100, None, Currency::USD)], &[], None, None, &[], 1).is_err());
}

proptest! {
    #[test]
    fn entries_add_up_to_the_total(
        lines in prop::collection::vec((1_u32..=10, 1_i64..10_000_000, prop::option::of(0_i64..5_000_000)), 0..50),
        price in 0_i64..10_000, free_from in prop::option::of(0_i64..1_000_000), exclusive: bool,
    ) {
        let mode = if exclusive { TaxMode::Exclusive } else { TaxMode::Inclusive };
        let market = market("CA", Currency::CAD, mode);
        let lines: Vec<_> = lines.iter().enumerate().map(|(n, (pieces, minor, more))| {
            wanted(n as u128, *pieces, *minor, more.filter(|more| *more > 0).map(|more| minor + more), Currency::CAD)
        }).collect();
        let rates = [rate("CA", "QC", "GST", 50_000), rate("CA", "QC", "QST", 99_750)];
        let place = Destination { country: market.code, region: Some("QC".to_owned()) };
        let quote = quote(&market, &lines, &[], Some(&method(price, free_from, Currency::CAD)), Some(&place), &rates, 1).expect("a total");
        let added: i64 = quote.entries.iter().filter(|entry| !entry.included).map(|entry| entry.amount.minor).sum();
        prop_assert_eq!(added, quote.total.minor);
        prop_assert_eq!(quote.lines.iter().map(|line| line.total.minor).sum::<i64>(), quote.goods.minor);
        let on_top: i64 = quote.taxes.iter().filter(|line| !line.included).map(|line| line.amount.minor).sum();
        prop_assert_eq!(quote.total.minor, quote.goods.minor + quote.delivery.map_or(0, |charge| charge.minor) + on_top);
    }
}

proptest! {
    // Each case goes through every currency.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn discounts_conserve_in_every_currency(
        lines in prop::collection::vec((1_u32..=10, 1_i64..10_000_000, prop::option::of(1_i64..5_000_000)), 1..50),
        discounts in prop::collection::vec((0_u8..3, 0_u32..=1_000_000, 0_i64..20_000_000, any::<bool>()), 0..4),
        price in 0_i64..10_000, free_from in prop::option::of(0_i64..1_000_000), exclusive: bool, turn in 0_usize..50,
    ) {
        let mode = if exclusive { TaxMode::Exclusive } else { TaxMode::Inclusive };
        let place = Destination { country: "CA".parse().expect("a code"), region: Some("QC".to_owned()) };
        let rates = [rate("CA", "QC", "GST", 50_000), rate("CA", "QC", "QST", 99_750)];
        for currency in Currency::all() {
            let market = market("CA", currency, mode);
            let lines: Vec<_> = (0..).zip(&lines).map(|(n, (pieces, minor, more))| wanted(n, *pieces, *minor, more.map(|more| minor + more), currency)).collect();
            let discounts: Vec<_> = (0..).zip(&discounts).map(|(n, (kind, millionths, minor, reduced))| {
                let effect = match kind {
                    0 => Effect::Percent { millionths: *millionths },
                    1 => Effect::Amount { amount: Money::new(*minor, currency) },
                    _ => Effect::FreeStandardDelivery,
                };
                discount(n, effect, *reduced)
            }).collect();
            let method = method(price, free_from, currency);
            let priced = |lines: &[Wanted], discounts: &[Promotion]| quote(&market, lines, discounts, Some(&method), Some(&place), &rates, 1).expect("a total");
            let (with, without) = (priced(&lines, &discounts), priced(&lines, &[]));
            let added: i64 = with.entries.iter().filter(|entry| !entry.included).map(|entry| entry.amount.minor).sum();
            prop_assert_eq!(added, with.total.minor);
            let off: i64 = with.discounts.iter().map(|granted| granted.amount.minor).sum();
            let of_lines: i64 = with.lines.iter().map(|line| line.total.minor - line.net().minor).sum();
            let of_delivery: i64 = with.entries.iter().filter(|entry| entry.why == Why::DeliveryOff).map(|entry| -entry.amount.minor).sum();
            prop_assert_eq!(of_lines + of_delivery, off);
            prop_assert!(with.lines.iter().all(|line| (0..=line.total.minor).contains(&line.net().minor)));
            prop_assert!(with.discounts.iter().all(|granted| granted.amount.minor > 0));
            prop_assert!((0..=without.total.minor).contains(&with.total.minor), "a code makes nothing dearer");
            let mut turned = lines.clone();
            turned.rotate_left(turn % lines.len());
            let again = priced(&turned, &discounts);
            let mut expected = with.lines.clone();
            expected.rotate_left(turn % lines.len());
            prop_assert_eq!((&again.lines, again.total), (&expected, with.total));
        }
    }
}
