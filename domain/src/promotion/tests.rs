//! Which promotions apply, what keeps the others away, and that every sum holds in every currency whatever applies.

use super::*;
use crate::{
    CouponId,
    address::Destination,
    cart::Quantity,
    coupon::{Caps, Coupon, Usage},
    delivery::{CutOff, Method},
    discount::{PieceTier, ValueTier},
    market::{Market, TaxMode},
    offer::Offer,
    order,
    pricing::{self, Quote, Why},
};
use proptest::prelude::*;
use uuid::Uuid;

fn market(currency: Currency, tax_mode: TaxMode) -> Market {
    let code = "CA".parse().expect("a code");
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

fn wanted(n: u128, pieces: u32, minor: i64, currency: Currency) -> Wanted {
    Wanted {
        product: ProductId(Uuid::from_u128(n)),
        variant: VariantId(Uuid::from_u128(n)),
        quantity: Quantity::new(pieces).expect("in range"),
        offer: Offer { price: Money::new(minor, currency), was: None, valid_until: None },
        weight_g: 0,
        tax_category: String::new(),
        category: if n.is_multiple_of(2) { "even" } else { "odd" }.to_owned(),
        tags: vec![format!("tag-{}", n % 3)],
    }
}

fn promotion(n: u128, effect: Effect, combines: Combines) -> Promotion {
    let rule = Rule {
        titles: BTreeMap::from([(TextLanguage::EnUs, format!("P{n}"))]),
        effect,
        markets: vec![],
        valid_from: 100,
        valid_until: Some(200),
        minimum: None,
        scope: Scope::default(),
        audience: crate::promotion::Audience::Everyone,
        includes_reduced: true,
        combines,
        priority: 0,
    };
    Promotion { id: PromotionId(Uuid::from_u128(n)), rule, hidden: false }
}

fn percent(n: u128, percent: u32, combines: Combines) -> Promotion {
    promotion(n, Effect::Percent { millionths: percent * 10_000 }, combines)
}

fn odd(mut promotion: Promotion) -> Promotion {
    promotion.rule.scope.categories = vec!["odd".to_owned()];
    promotion
}

fn even(mut promotion: Promotion) -> Promotion {
    promotion.rule.scope.categories = vec!["even".to_owned()];
    promotion
}

/// Two lines: 100.00 in the category odd, 60.00 in even.
fn priced(promotions: &[Promotion], code: Option<&Coupon>, now: Instant) -> Quote {
    let lines = [wanted(1, 1, 10_000, Currency::EUR), wanted(2, 2, 3_000, Currency::EUR)];
    let typed = "CODE".parse().expect("a code");
    let mut candidates: Vec<_> = promotions.iter().map(|promotion| Candidate::promotion(promotion, TextLanguage::EnUs)).collect();
    candidates.extend(code.map(|coupon| Candidate::coupon(coupon, &typed, Usage::default(), TextLanguage::EnUs)));
    pricing::quote(&market(Currency::EUR, TaxMode::Inclusive), &lines, &candidates, None, None, &[], now).expect("a total")
}

type Told<'a> = (Vec<(&'a str, i64)>, Vec<(&'a str, &'a Refusal)>);

/// Titles with what they took, in order; and those that did not, with the reason.
fn told(quote: &Quote) -> Told<'_> {
    let (mut applied, mut left) = (Vec::new(), Vec::new());
    for traced in &quote.trace {
        match &traced.outcome {
            Outcome::Applied { amount, .. } => applied.push((traced.title.as_str(), amount.minor)),
            Outcome::Left(refusal) => left.push((traced.title.as_str(), refusal)),
        }
    }
    (applied, left)
}

fn by(title: &str) -> Refusal {
    Refusal::Beaten { by: title.to_owned() }
}

#[test]
fn what_goes_together_applies_one_after_the_other() {
    // 10 % of 160.00, then 20.00 of the rest, whatever order they were told in.
    let quote = priced(
        &[promotion(1, Effect::Amount { amount: Money::new(2_000, Currency::EUR) }, Combines::WithAll), percent(2, 10, Combines::WithAll)],
        None,
        150,
    );
    assert_eq!(told(&quote), (vec![("P2", 1_600), ("P1", 2_000)], vec![]));
    assert_eq!(quote.total.minor, 12_400);
}

#[test]
fn of_two_that_exclude_each_other_the_shopper_gets_the_better_one() {
    let quote = priced(&[percent(1, 10, Combines::Never), percent(2, 20, Combines::WithAll)], None, 150);
    assert_eq!(told(&quote), (vec![("P2", 3_200)], vec![("P1", &by("P2"))]));
}

#[test]
fn priority_decides_where_both_save_the_same() {
    let mut second = percent(2, 10, Combines::Never);
    assert_eq!(told(&priced(&[second.clone(), percent(1, 10, Combines::Never)], None, 150)).0, [("P1", 1_600)], "the older one");
    second.rule.priority = 1;
    assert_eq!(told(&priced(&[percent(1, 10, Combines::Never), second], None, 150)), (vec![("P2", 1_600)], vec![("P1", &by("P2"))]));
}

#[test]
fn each_line_has_its_own_choice() {
    // 30 % on the odd line beats 20 % there; the 20 % still hold for the even one.
    let quote = priced(&[percent(1, 20, Combines::Never), odd(percent(2, 30, Combines::Never))], None, 150);
    assert_eq!(told(&quote), (vec![("P1", 1_200), ("P2", 3_000)], vec![]));
}

#[test]
fn several_small_ones_may_beat_a_big_one() {
    // Alone, 19 % of everything save most, 30.40; 20 % here and 22 % there save 33.20.
    let big = percent(3, 19, Combines::Never);
    let quote = priced(&[big, odd(percent(1, 20, Combines::WithAll)), even(percent(2, 22, Combines::WithAll))], None, 150);
    let reason = Refusal::NotCombinable { with: "P1".to_owned() };
    assert_eq!(told(&quote), (vec![("P1", 2_000), ("P2", 1_320)], vec![("P3", &reason)]));
}

#[test]
fn of_fifty_that_exclude_each_other_the_best_for_each_line_apply() {
    let mut fifty: Vec<_> = (1..=50).map(|n| percent(n.into(), n, Combines::Never)).collect();
    assert_eq!(told(&priced(&fifty, None, 150)).0, [("P50", 8_000)]);
    fifty.push(odd(percent(51, 60, Combines::Never)));
    let quote = priced(&fifty, None, 150);
    assert_eq!(told(&quote).0, [("P50", 3_000), ("P51", 6_000)]);
    assert_eq!(quote.trace.len(), 51, "each of the others says why it did not apply");
    fifty.reverse();
    assert_eq!(priced(&fifty, None, 150), quote, "whatever order they are told in");
}

#[test]
fn a_code_is_one_of_them() {
    let coupon = |combines| Coupon { id: CouponId(Uuid::from_u128(9)), rule: percent(9, 10, combines).rule, caps: Caps::default() };
    let quote = priced(&[percent(1, 20, Combines::WithCodes)], Some(&coupon(Combines::WithAll)), 150);
    assert_eq!(told(&quote), (vec![("P1", 3_200), ("P9", 1_280)], vec![]));
    let quote = priced(&[percent(1, 20, Combines::Never)], Some(&coupon(Combines::WithAll)), 150);
    assert_eq!((told(&quote).0, quote.code_refusal()), (vec![("P1", 3_200)], Some(&by("P1"))));
    let quote = priced(&[percent(1, 5, Combines::WithAll)], Some(&coupon(Combines::Never)), 150);
    assert_eq!((told(&quote).0, quote.code_refusal()), (vec![("P9", 1_600)], None), "the code saves more, and pays alone");
    assert_eq!(quote.discounts[0].coupon(), Some(CouponId(Uuid::from_u128(9))));
}

#[test]
fn each_reason_is_told_and_shoppers_hear_what_is_theirs() {
    let mut to_come = percent(1, 10, Combines::WithAll);
    to_come.rule.valid_from = 160;
    let mut dear = percent(2, 10, Combines::WithAll);
    dear.rule.minimum = Some(Money::new(20_000, Currency::EUR));
    let mut other = percent(3, 10, Combines::WithAll);
    other.rule.scope.tags = vec!["none".to_owned()];
    let mut quiet = percent(4, 10, Combines::WithAll);
    (quiet.hidden, quiet.rule.minimum) = (true, Some(Money::new(20_000, Currency::EUR)));
    let mut ended = percent(5, 10, Combines::WithAll);
    ended.rule.valid_until = Some(150);
    let quote = priced(&[to_come, dear, other, quiet, ended], None, 150);
    let missing = Refusal::BelowMinimum { missing: Money::new(4_000, Currency::EUR) };
    let expected =
        vec![("P1", &Refusal::NotYet { from: 160 }), ("P2", &missing), ("P3", &Refusal::NothingApplies), ("P4", &missing), ("P5", &Refusal::Over)];
    assert_eq!(told(&quote), (vec![], expected));
    let shown: Vec<_> = quote.trace.iter().filter(|traced| traced.is_for_shoppers()).map(|traced| traced.title.as_str()).collect();
    assert_eq!(shown, ["P2", "P3", "P5"]);
}

#[test]
fn a_second_free_delivery_has_nothing_to_do() {
    let lines = [wanted(1, 1, 10_000, Currency::EUR)];
    let free = [promotion(1, Effect::FreeStandardDelivery, Combines::Never), promotion(2, Effect::FreeStandardDelivery, Combines::WithAll)];
    let candidates: Vec<_> = free.iter().map(|promotion| Candidate::promotion(promotion, TextLanguage::EnUs)).collect();
    let method = method(490, Currency::EUR);
    let quote = pricing::quote(&market(Currency::EUR, TaxMode::Inclusive), &lines, &candidates, Some(&method), None, &[], 150).expect("a total");
    assert_eq!(told(&quote), (vec![("P1", 490)], vec![("P2", &by("P1"))]));
}

#[test]
fn an_order_from_before_there_was_a_trace_is_read() {
    let quote = priced(&[percent(1, 10, Combines::WithAll)], None, 150);
    let mut old = serde_json::to_value(&quote).expect("JSON");
    old.as_object_mut().expect("an object").remove("trace");
    old["entries"][1]["label"]["discount"].as_object_mut().expect("a label").remove("promotion");
    let read: Quote = serde_json::from_value(old).expect("a quote");
    assert_eq!((read.total, read.trace.len(), &read.discounts), (quote.total, 0, &quote.discounts));
    let again: Quote = serde_json::from_str(&serde_json::to_string(&quote).expect("JSON")).expect("a quote");
    assert_eq!(again, quote);
}

fn method(minor: i64, currency: Currency) -> Method {
    Method {
        price: Money::new(minor, currency),
        ..serde_json::from_value(serde_json::json!({
            "code": "standard", "names": {}, "price": { "minor": minor, "currency": currency.code() }, "days_min": 1, "days_max": 2,
            "cut_off": CutOff { hour: 12, minute: 0, zone: "UTC".to_owned() }, "ships_from": "",
        }))
        .expect("a method")
    }
}

/// Numbers that a promotion is made of in any currency.
type Drawn = (u8, u32, i64, u8, u8, i32);

fn drawn(n: u128, (kind, millionths, minor, combines, scope, priority): Drawn, currency: Currency) -> Promotion {
    let money = Money::new(minor, currency);
    let effect = match kind {
        0 => Effect::Percent { millionths },
        1 => Effect::Amount { amount: money },
        2 => Effect::FreeStandardDelivery,
        3 => Effect::FixedPrice { price: money },
        4 => Effect::BuyGet { buy: 1 + millionths % 3, get: 1, millionths },
        5 => Effect::PieceTiers {
            tiers: vec![PieceTier { from: 2, off: Off::Percent(millionths / 2) }, PieceTier { from: 8, off: Off::Percent(millionths) }],
        },
        _ => Effect::ValueTiers { tiers: vec![ValueTier { from: money, off: Off::Amount(money) }] },
    };
    let mut promotion = promotion(n, effect, [Combines::WithAll, Combines::WithCodes, Combines::Never][usize::from(combines)]);
    promotion.rule.priority = priority;
    match scope {
        0 => {}
        1 => promotion.rule.scope.categories = vec!["odd".to_owned()],
        2 => promotion.rule.scope.tags = vec!["tag-1".to_owned()],
        _ => promotion.rule.scope.variants = vec![VariantId(Uuid::from_u128(2))],
    }
    promotion
}

proptest! {
    // Each case goes through every currency and both tax modes.
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn no_minor_unit_appears_or_vanishes(
        lines in prop::collection::vec((1_u32..=10, 1_i64..1_000_000), 1..20),
        rules in prop::collection::vec((0_u8..7, 1_u32..=1_000_000, 1_i64..2_000_000, 0_u8..3, 0_u8..4, -1_i32..2), 0..8),
        charge in 0_i64..2_000, turn in 0_usize..20, cuts in prop::collection::vec((0_usize..21, 1_u32..=10), 0..30),
    ) {
        let place = Destination { country: "CA".parse().expect("a code"), region: None };
        for currency in Currency::all() {
            let promotions: Vec<_> = (1..).zip(&rules).map(|(n, rule)| drawn(n, *rule, currency)).collect();
            let mut candidates: Vec<_> = promotions.iter().map(|promotion| Candidate::promotion(promotion, TextLanguage::EnUs)).collect();
            let mut lines: Vec<_> = (1..).zip(&lines).map(|(n, (pieces, minor))| wanted(n, *pieces, *minor, currency)).collect();
            let method = method(charge, currency);
            for mode in [TaxMode::Inclusive, TaxMode::Exclusive] {
                let market = market(currency, mode);
                let priced = |lines: &[Wanted], candidates: &[Candidate<'_>]| {
                    pricing::quote(&market, lines, candidates, Some(&method), Some(&place), &[], 150).expect("a total")
                };
                let (quote, plain) = (priced(&lines, &candidates), priced(&lines, &[]));
                let added: i64 = quote.entries.iter().filter(|entry| !entry.included).map(|entry| entry.amount.minor).sum();
                prop_assert_eq!(added, quote.total.minor);
                prop_assert!((0..=plain.total.minor).contains(&quote.total.minor), "a promotion makes nothing dearer");
                prop_assert!(quote.lines.iter().all(|line| (0..=line.total.minor).contains(&line.net().minor)));

                // The trace names every candidate once, and its changes are what lines and delivery gave.
                prop_assert_eq!(quote.trace.len(), candidates.len());
                let mut given = std::collections::BTreeMap::new();
                for traced in &quote.trace {
                    if let Outcome::Applied { amount, lines, how } = &traced.outcome {
                        let sum: i64 = lines.iter().map(|change| change.amount.minor).sum();
                        prop_assert_eq!(sum, if *how == How::FreeDelivery { 0 } else { amount.minor });
                        for change in lines {
                            *given.entry(change.variant).or_insert(0) += change.amount.minor;
                        }
                    }
                }
                for line in &quote.lines {
                    prop_assert_eq!(line.total.minor - line.net().minor, given.get(&line.variant).copied().unwrap_or(0));
                }
                let granted: i64 = quote.discounts.iter().map(|granted| granted.amount.minor).sum();
                let off_delivery: i64 = quote.entries.iter().filter(|entry| entry.why == Why::DeliveryOff).map(|entry| -entry.amount.minor).sum();
                prop_assert_eq!(given.values().sum::<i64>() + off_delivery, granted);

                // Whatever comes back in whatever order, the parts are the whole.
                let mut weights: Vec<i128> = quote.lines.iter().map(|line| i128::from(line.net().minor)).collect();
                weights.push(quote.net_delivery().map_or(0, |charge| charge.minor.into()));
                let paid: Vec<i64> = order::shares(quote.total, &weights).iter().map(|share| share.minor).collect();
                prop_assert_eq!(paid.iter().sum::<i64>(), quote.total.minor);
                let mut left: Vec<u32> = quote.lines.iter().map(|line| line.quantity.get()).collect();
                let mut back = 0;
                for (at, pieces) in cuts.iter().copied().chain((0..left.len()).map(|at| (at, 10))) {
                    if let Some(line) = left.get_mut(at) {
                        let pieces = pieces.min(*line);
                        let (all, before) = (quote.lines[at].quantity.get(), quote.lines[at].quantity.get() - *line);
                        let part = |pieces: u32| paid[at] * i64::from(pieces) / i64::from(all);
                        back += part(before + pieces) - part(before);
                        *line -= pieces;
                    }
                }
                prop_assert_eq!(back + paid.last().copied().unwrap_or(0), quote.total.minor);

                // The order of lines and of candidates does not matter.
                let by = turn % lines.len();
                lines.rotate_left(by);
                candidates.reverse();
                let again = priced(&lines, &candidates);
                prop_assert_eq!((again.total, &again.trace.iter().map(|traced| (&traced.title, traced.refusal())).collect::<Vec<_>>()),
                    (quote.total, &quote.trace.iter().map(|traced| (&traced.title, traced.refusal())).collect::<Vec<_>>()));
                lines.rotate_right(by);
            }
        }
    }
}
