//! Every refusal beside the success, at the edges of windows, minima and caps.

use super::*;
use crate::{
    cart::Quantity,
    delivery::{CutOff, Method},
    discount::{Effect, Granted},
    ids::{ProductId, VariantId},
    locale::TextLanguage,
    market::{Market, TaxMode},
    money::{Currency, Money},
    offer::{Instant, Offer},
    pricing::{self, Wanted},
    promotion::{Candidate, Combines, Scope},
};
use proptest::prelude::*;
use std::collections::BTreeMap;
use uuid::Uuid;

fn market(code: &str, currency: Currency) -> Market {
    let code = code.parse().expect("a code");
    Market {
        code,
        countries: vec![code],
        legal_entity: String::new(),
        currency,
        price_list: String::new(),
        tax_mode: TaxMode::Inclusive,
        time_zone: "UTC".to_owned(),
        locations: vec![],
        split: crate::sourcing::Split::Allowed,
    }
}

fn goods(minors: &[(i64, bool)], currency: Currency) -> Vec<Wanted> {
    let line = |(n, (minor, is_reduced)): (u128, &(i64, bool))| Wanted {
        product: ProductId(Uuid::from_u128(n)),
        variant: VariantId(Uuid::from_u128(n)),
        quantity: Quantity::ONE,
        offer: Offer { price: Money::new(*minor, currency), was: is_reduced.then(|| Money::new(minor * 2, currency)), valid_until: None },
        weight_g: 0,
        tax_category: String::new(),
        category: String::new(),
        tags: Vec::new(),
    };
    (1..).zip(minors).map(line).collect()
}

fn method(code: &str, minor: i64, currency: Currency) -> Method {
    Method {
        code: code.to_owned(),
        names: BTreeMap::new(),
        price: Money::new(minor, currency),
        free_from: Some(Money::new(7_500, currency)),
        days_min: 1,
        days_max: 2,
        cut_off: CutOff { hour: 12, minute: 0, zone: "UTC".to_owned() },
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

/// 10 % off in Germany from 50.00 € on, from 100 up to 200, reduced pieces aside; 10 uses, 5 a code, 1 a customer.
fn coupon() -> Coupon {
    let rule = Rule {
        titles: BTreeMap::from([(TextLanguage::EnUs, "10% off".to_owned()), (TextLanguage::De, "10 % Rabatt".to_owned())]),
        effect: Effect::Percent { millionths: 100_000 },
        markets: vec!["DE".parse().expect("a code")],
        valid_from: 100,
        valid_until: Some(200),
        minimum: Some(Money::new(5_000, Currency::EUR)),
        scope: Scope::default(),
        audience: crate::promotion::Audience::Everyone,
        includes_reduced: false,
        combines: Combines::WithAll,
        priority: 0,
    };
    Coupon { id: CouponId(Uuid::from_u128(1)), rule, caps: Caps { total: Some(10), per_code: Some(5), per_customer: Some(1) } }
}

fn ruled(rule: impl FnOnce(&mut Rule)) -> Coupon {
    let mut coupon = coupon();
    rule(&mut coupon.rule);
    coupon
}

/// What a code is tried on.
struct Trial<'a> {
    market: &'a Market,
    language: TextLanguage,
    wanted: &'a [Wanted],
    delivery: Option<&'a Method>,
    usage: Usage,
    now: Instant,
}

fn grant(coupon: &Coupon, trial: &Trial<'_>) -> Result<Granted, Refusal> {
    let code = code();
    let candidate = Candidate::coupon(coupon, &code, trial.usage, trial.language);
    let quote = pricing::quote(trial.market, trial.wanted, &[candidate], trial.delivery, None, &[], trial.now).expect("a total");
    assert_eq!(quote.trace.len(), 1, "one candidate, one reason");
    quote.code_refusal().map_or_else(|| Ok(quote.discounts[0].clone()), |refusal| Err(refusal.clone()))
}

fn code() -> Code {
    "Welcome-10".parse().expect("a code")
}

#[test]
fn each_reason_has_its_refusal() {
    let missing = |minor| Refusal::BelowMinimum { missing: Money::new(minor, Currency::EUR) };
    let good = [(5_000, false)];
    let none = Usage::default();
    let used = |total, by_code, by_customer| Usage { total, by_code, by_customer };
    for (what, code_of_market, lines, usage, now, expected) in [
        ("the first instant", "DE", &good[..], none, 100, None),
        ("the last instant", "DE", &good, none, 199, None),
        ("before its time", "DE", &good, none, 99, Some(Refusal::NotYet { from: 100 })),
        ("the end is not in the window", "DE", &good, none, 200, Some(Refusal::Over)),
        ("another market of the same currency", "FR", &good, none, 150, Some(Refusal::OtherMarket)),
        ("one use is left", "DE", &good, used(9, 4, 0), 150, None),
        ("used up in all", "DE", &good, used(10, 4, 0), 150, Some(Refusal::UsedUp)),
        ("used beyond the cap", "DE", &good, used(11, 4, 0), 150, Some(Refusal::UsedUp)),
        ("this code is used up", "DE", &good, used(9, 5, 0), 150, Some(Refusal::UsedUp)),
        ("used by this customer", "DE", &good, used(9, 4, 1), 150, Some(Refusal::UsedByCustomer)),
        ("one cent below", "DE", &[(4_999, false)], none, 150, Some(missing(1))),
        ("reduced pieces do not help", "DE", &[(4_000, false), (9_000, true)], none, 150, Some(missing(1_000))),
        ("only reduced pieces", "DE", &[(9_000, true)], none, 150, Some(Refusal::NothingApplies)),
        ("an empty cart", "DE", &[], none, 150, Some(Refusal::NothingApplies)),
    ] {
        let market = market(code_of_market, Currency::EUR);
        let wanted = goods(lines, Currency::EUR);
        let trial = Trial { market: &market, language: TextLanguage::De, wanted: &wanted, delivery: None, usage, now };
        assert_eq!(grant(&coupon(), &trial).err(), expected, "{what}");
    }
}

#[test]
fn what_is_granted_says_so_in_the_shoppers_language() {
    let market = market("DE", Currency::EUR);
    let wanted = goods(&[(6_000, false)], Currency::EUR);
    let trial = |language| Trial { market: &market, language, wanted: &wanted, delivery: None, usage: Usage::default(), now: 150 };
    let granted = grant(&coupon(), &trial(TextLanguage::De)).expect("granted");
    assert_eq!((granted.title.as_str(), granted.code.as_str()), ("10 % Rabatt", "Welcome-10"));
    assert_eq!(grant(&coupon(), &trial(TextLanguage::Ja)).map(|granted| granted.title).as_deref(), Ok("10% off"));
}

#[test]
fn free_delivery_needs_a_standard_delivery_that_costs_something() {
    let market = market("DE", Currency::EUR);
    let coupon = ruled(|rule| (rule.effect, rule.minimum) = (Effect::FreeStandardDelivery, None));
    let (standard, express, gratis) =
        (method("standard", 490, Currency::EUR), method("express", 990, Currency::EUR), method("standard", 0, Currency::EUR));
    for (what, minor, delivery, expected) in [
        ("standard delivery", 1_000, Some(&standard), None),
        ("another method", 1_000, Some(&express), Some(Refusal::NothingApplies)),
        ("it is free anyway", 1_000, Some(&gratis), Some(Refusal::NothingApplies)),
        ("the goods make it free", 7_500, Some(&standard), Some(Refusal::NothingApplies)),
        ("no method yet", 1_000, None, Some(Refusal::NothingApplies)),
    ] {
        let wanted = goods(&[(minor, false)], Currency::EUR);
        let trial = Trial { market: &market, language: TextLanguage::De, wanted: &wanted, delivery, usage: Usage::default(), now: 150 };
        assert_eq!(grant(&coupon, &trial).err(), expected, "{what}");
    }
}

#[test]
fn an_amount_holds_in_its_own_currency_only() {
    let amount = Money::new(500, Currency::JPY);
    let coupon = ruled(|rule| (rule.effect, rule.minimum, rule.markets) = (Effect::Amount { amount }, None, vec![]));
    for (market_code, currency, expected) in
        [("JP", Currency::JPY, None), ("KR", Currency::KRW, Some(Refusal::OtherMarket)), ("DE", Currency::EUR, Some(Refusal::OtherMarket))]
    {
        let (market, wanted) = (market(market_code, currency), goods(&[(6_000, false)], currency));
        let trial = Trial { market: &market, language: TextLanguage::Ja, wanted: &wanted, delivery: None, usage: Usage::default(), now: 150 };
        assert_eq!(grant(&coupon, &trial).err(), expected, "{market_code}");
    }
}

#[test]
fn parts_that_do_not_fit_are_refused_to_staff() {
    assert_eq!(coupon().check(), Ok(()));
    let amount = |minor, currency| Effect::Amount { amount: Money::new(minor, currency) };
    let effect = |effect| ruled(|rule| rule.effect = effect);
    for (bad, expected) in [
        (effect(Effect::Percent { millionths: 0 }), BadRule::Percent),
        (effect(Effect::Percent { millionths: 1_000_001 }), BadRule::Percent),
        (effect(amount(0, Currency::EUR)), BadRule::Amount),
        (effect(amount(100, Currency::USD)), BadRule::Currencies),
        (effect(Effect::BuyGet { buy: 0, get: 1, millionths: 1_000_000 }), BadRule::Group),
        (effect(Effect::PieceTiers { tiers: vec![] }), BadRule::Tiers),
        (ruled(|rule| rule.minimum = Some(Money::zero(Currency::EUR))), BadRule::Amount),
        (ruled(|rule| rule.titles = BTreeMap::new()), BadRule::Title),
        (ruled(|rule| rule.titles = BTreeMap::from([(TextLanguage::De, "x".repeat(81))])), BadRule::Title),
        (ruled(|rule| rule.valid_until = Some(100)), BadRule::Window),
        (Coupon { caps: Caps { per_customer: Some(0), ..Caps::default() }, ..coupon() }, BadRule::Cap),
    ] {
        assert_eq!(bad.check(), Err(expected));
    }
}

proptest! {
    // Each case goes through every currency.
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What is granted takes something off, in every currency; what a quote makes of it is what the trial saw.
    #[test]
    fn a_grant_is_worth_something(
        lines in prop::collection::vec((1_i64..1_000_000, any::<bool>()), 0..20), kind in 0_u8..3, millionths in 1_u32..=1_000_000,
        minor in 1_i64..1_000_000, minimum in prop::option::of(1_i64..3_000_000), includes_reduced: bool, charge in 0_i64..1_000,
    ) {
        for currency in Currency::all() {
            let (market, wanted, method) = (market("DE", currency), goods(&lines, currency), method("standard", charge, currency));
            let effect = match kind {
                0 => Effect::Percent { millionths },
                1 => Effect::Amount { amount: Money::new(minor, currency) },
                _ => Effect::FreeStandardDelivery,
            };
            let minimum = minimum.map(|minor| Money::new(minor, currency));
            let coupon = ruled(|rule| (rule.effect, rule.minimum, rule.includes_reduced) = (effect, minimum, includes_reduced));
            let trial = Trial { market: &market, language: TextLanguage::De, wanted: &wanted, delivery: Some(&method), usage: Usage::default(), now: 150 };
            if let Ok(granted) = grant(&coupon, &trial) {
                prop_assert!(granted.amount.minor > 0);
            }
        }
    }
}

#[test]
fn a_coupon_from_before_there_were_promotions_is_read() {
    let body = r#"{"id":"00000000-0000-0000-0000-000000000001","titles":{"en-us":"10% off"},"effect":{"kind":"percent","millionths":100000},
        "valid_from":100,"includes_reduced":false,"minimum":{"minor":5000,"currency":"EUR"},"caps":{"per_customer":1}}"#;
    let coupon: Coupon = serde_json::from_str(body).expect("a coupon");
    assert!(coupon.rule.scope.is_all() && coupon.rule.combines == Combines::WithAll && coupon.caps.per_customer == Some(1));
    let again = serde_json::to_value(&coupon).expect("JSON");
    assert_eq!((&again["effect"]["kind"], &again["minimum"]["minor"]), (&"percent".into(), &5_000.into()), "as flat as it was");
}
