//! What stands in each hole, by offer, availability and locale.

use super::*;
use domain::{ProductId, market::TaxMode, money::Money, offer::PriceWindow};

const PRODUCT: ProductId = ProductId(uuid::Uuid::from_u128(1));
const BUYABLE: VariantId = VariantId(uuid::Uuid::from_u128(2));
const SOLD_OUT: VariantId = VariantId(uuid::Uuid::from_u128(3));
const UNKNOWN: VariantId = VariantId(uuid::Uuid::from_u128(4));

fn market(code: &str, currency: &str) -> Market {
    Market {
        code: code.parse().expect("a country"),
        countries: vec![code.parse().expect("a country")],
        legal_entity: "Test".into(),
        currency: currency.parse().expect("a currency"),
        price_list: "test".into(),
        tax_mode: TaxMode::Inclusive,
        time_zone: "Europe/Berlin".into(),
        locations: vec![],
        split: domain::sourcing::Split::Allowed,
    }
}

fn item(market: &Market, was: Option<i64>, left: u32) -> Arc<LiveItem> {
    let money = |minor| Money::new(minor, market.currency);
    let window = |minor, was: Option<i64>| vec![PriceWindow::new(0, None, money(minor), was.map(money))];
    let variants = [
        (
            BUYABLE,
            LiveVariant {
                windows: window(7200, was),
                availability: if left == 0 { Availability::InStock } else { Availability::Low { left } },
                handling_days: 0,
                location: None,
            },
        ),
        (
            SOLD_OUT,
            LiveVariant { windows: window(8000, None), availability: Availability::SoldOut, handling_days: 2, location: Some("rotterdam".into()) },
        ),
    ];
    Arc::new(LiveItem { product: PRODUCT, version: 1, documents: 0, published: true, markets: [(market.code, variants.into())].into() })
}

/// From Berlin within a day, by 14:00; Rotterdam takes three days more.
fn standard() -> Timetable {
    serde_json::from_str(
        r#"{"code":"standard","names":{},"price":{"minor":490,"currency":"EUR"},"days_min":1,"days_max":3,"cut_off":{"hour":14,"minute":0,
        "zone":"Europe/Berlin"},"ships_from":"berlin","origins":[{"location":"rotterdam","cut_off":{"hour":14,"minute":0,"zone":"Europe/Berlin"},
        "extra_days":3}]}"#,
    )
    .expect("a method")
}

fn filled_with(html: &str, locale: &str, market: &Market, was: Option<i64>, left: u32) -> String {
    let live = [item(market, was, left)];
    let standard = standard();
    let values = HoleValues {
        locale: locale.parse().expect("a locale"),
        market,
        now: 1_795_435_200_000_000,
        live: &live,
        nonce: "n\"1",
        mutation_id: "m",
        cart_count: 3,
        standard: Some(&standard),
    };
    fill_page(html, &values)
}

#[test]
fn prices_say_what_they_were() {
    let us = market("US", "USD");
    let html = Hole::Price(BUYABLE).mark();
    assert_eq!(filled_with(&html, "en-us", &us, None, 0), "$72");
    assert_eq!(
        filled_with(&html, "en-us", &us, Some(9000), 0),
        "<s><span class=\"vh\">Was </span>$90</s> <span class=\"now\"><span class=\"vh\">Now </span>$72</span>"
    );
    let germany = filled_with(&html, "de-de", &market("DE", "EUR"), Some(9000), 0);
    assert!(germany.ends_with("<small class=\"reference\">Niedrigster Preis der 30 Tage davor: 90\u{a0}€</small>"), "{germany}");
}

#[test]
fn cards_show_the_lowest_price_and_one_flag() {
    let us = market("US", "USD");
    let html = format!("{}|{}", Hole::CardPrice(PRODUCT).mark(), Hole::CardFlag(PRODUCT).mark());
    assert_eq!(filled_with(&html, "en-us", &us, None, 0), "From $72|");
    assert_eq!(filled_with(&html, "en-us", &us, None, 2), "From $72|<span class=\"flag\">2 left</span>");
    assert!(filled_with(&html, "en-us", &us, Some(9000), 2).ends_with("|<span class=\"flag\">–20%</span>"));
}

#[test]
fn what_a_market_does_not_sell_is_said() {
    let us = market("US", "USD");
    let html = format!("{}{}{}", Hole::Price(UNKNOWN).mark(), Hole::Availability(UNKNOWN).mark(), Hole::IfBuyable(UNKNOWN).either("buy", "no"));
    assert_eq!(filled_with(&html, "en-us", &us, None, 0), "<span class=\"stock out\">Not sold in this country</span>no");
    let sold = [BUYABLE, SOLD_OUT, UNKNOWN].map(|variant| Hole::IfSold(variant).either("offer ", "none ")).concat();
    assert_eq!(filled_with(&sold, "en-us", &us, None, 0), "offer offer none ", "what is sold out has a price all the same");
}

#[test]
fn alternatives_may_hold_holes() {
    let us = market("US", "USD");
    let inner = format!("<b>{}</b>", Hole::PlainPrice(SOLD_OUT).mark());
    let html = format!("a{}b{}c", Hole::IfBuyable(BUYABLE).either("yes", "no"), Hole::IfBuyable(SOLD_OUT).either("yes", &inner));
    assert_eq!(filled_with(&html, "en-us", &us, None, 0), "ayesb<b>80.00</b>c");
}

#[test]
fn the_rest_is_filled_and_escaped() {
    let us = market("US", "USD");
    let marks = [Hole::Nonce, Hole::MutationId, Hole::CartBadge, Hole::DeliveryPromise(BUYABLE), Hole::SchemaAvailability(SOLD_OUT)]
        .map(Hole::mark)
        .join("|");
    // Thursday is Thanksgiving.
    assert_eq!(
        filled_with(&marks, "en-gb", &us, None, 0),
        "n&quot;1|m|<b>3<span class=\"vh\"> items</span></b>|Delivery Tue 24 – Fri 27 Nov|https://schema.org/OutOfStock"
    );
}

#[test]
fn each_variant_is_promised_for_its_own_days() {
    let us = market("DE", "EUR");
    let says = |variant| filled_with(&Hole::DeliveryPromise(variant).mark(), "en-gb", &us, None, 0);
    // Monday, 23 November 2026, 13:00 in Berlin: it leaves today, or after two days, three days farther away.
    assert_eq!(says(BUYABLE), "Delivery Tue 24 – Thu 26 Nov");
    assert_eq!(says(SOLD_OUT), "From another warehouse: delivery Tue 1 – Thu 3 Dec");
}
