//! The shop's table against examples that were worked out by hand, each with its source: `worked_examples.txt` says how a line reads.

use super::{Row, midnight_utc, rows};
use domain::{
    ProductId, PromotionId, VariantId,
    address::Destination,
    cart::Quantity,
    delivery::{CutOff, Method, STANDARD},
    discount::Effect,
    locale::TextLanguage,
    market::{Country, Market, TaxMode},
    money::{Currency, Money},
    offer::{Instant, Offer},
    order,
    pricing::{self, Wanted},
    promotion::{Candidate, Combines, Promotion, Rule, Scope},
    sourcing::Split,
    tax::{self, Rate},
};
use uuid::Uuid;

const EXAMPLES: &str = include_str!("worked_examples.txt");
/// Noon: whatever the zone, a rate of the day has begun.
const NOON_US: i64 = 12 * 3_600 * 1_000_000;

impl Row {
    fn rate(&self) -> Rate {
        Rate {
            country: self.country.parse().expect("a code"),
            region: self.region.to_owned(),
            category: self.category.to_owned(),
            name: self.name.to_owned(),
            millionths: self.millionths,
            scope: self.scope,
            estimated: self.estimated,
            source: self.source.to_owned(),
            valid_from: midnight_utc(self.from),
        }
    }
}

/// A line of the file.
struct Example {
    text: &'static str,
    place: Destination,
    now: Instant,
    market: Market,
    wanted: Vec<Wanted>,
    discounts: Vec<Promotion>,
    delivery: Option<Method>,
    /// Name, rate in millionths, base and amount, in the order in which they are listed.
    taxes: Vec<(String, u32, i64, i64)>,
    total: i64,
}

fn market(code: Country) -> Market {
    let (currency, tax_mode) = match code.code() {
        "US" => (Currency::USD, TaxMode::Exclusive),
        "CA" => (Currency::CAD, TaxMode::Exclusive),
        "GB" => (Currency::GBP, TaxMode::Inclusive),
        "JP" => (Currency::JPY, TaxMode::Inclusive),
        "KR" => (Currency::KRW, TaxMode::Inclusive),
        _ => (Currency::EUR, TaxMode::Inclusive),
    };
    Market {
        code,
        countries: vec![code],
        legal_entity: String::new(),
        currency,
        price_list: String::new(),
        tax_mode,
        time_zone: "UTC".to_owned(),
        locations: vec![],
        split: Split::Allowed,
    }
}

/// `10.95` as so many units of which `digits` stand behind the point; one percent is ten thousand millionths: four digits.
fn units(text: &str, digits: usize) -> i64 {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{rest:0<digits$}").parse().expect("a number")
}

fn example(text: &'static str) -> Example {
    let [at, lines, off, delivery, taxes, total, _source] = text.split(" | ").collect::<Vec<_>>().try_into().expect("seven columns");
    let (place, day) = at.split_once(' ').expect("a day");
    let (country, region) = place.split_once('-').map_or((place, None), |(country, region)| (country, Some(region.to_owned())));
    let country: Country = country.parse().expect("a code");
    let market = market(country);
    let money = |text: &str| Money::new(units(text, market.currency.minor_digits() as usize), market.currency);
    let wanted = (1..).zip(lines.split(", ")).map(|(n, line)| {
        let [pieces, category, price] = line.split(' ').collect::<Vec<_>>().try_into().expect("three words");
        Wanted {
            product: ProductId(Uuid::from_u128(n)),
            variant: VariantId(Uuid::from_u128(n)),
            quantity: Quantity::new(pieces.parse().expect("pieces")).expect("in range"),
            offer: Offer { price: money(price), was: None, valid_until: None },
            weight_g: 0,
            tax_category: if category == "general" { "standard".to_owned() } else { category.to_owned() },
            category: String::new(),
            tags: Vec::new(),
        }
    });
    let effect = match off.strip_suffix('%') {
        Some(percent) => Effect::Percent { millionths: units(percent, 4).try_into().expect("a rate") },
        None => Effect::Amount { amount: if off == "-" { Money::zero(market.currency) } else { money(off) } },
    };
    let rule = Rule {
        titles: std::collections::BTreeMap::new(),
        effect,
        markets: vec![],
        valid_from: 0,
        valid_until: None,
        minimum: None,
        scope: Scope::default(),
        audience: domain::promotion::Audience::Everyone,
        includes_reduced: true,
        combines: Combines::WithAll,
        priority: 0,
    };
    let discount = Promotion { id: PromotionId(Uuid::nil()), rule, hidden: false };
    let method = |price: &str| Method {
        code: STANDARD.to_owned(),
        names: std::collections::BTreeMap::new(),
        price: money(price),
        free_from: None,
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
    };
    let tax = |text: &str| {
        let (rate, rest) = text.split_once("% ").expect("a rate");
        let (name, rest) = rest.split_once(" of ").expect("a name");
        let (base, amount) = rest.split_once(" = ").expect("an amount");
        (name.to_owned(), units(rate, 4).try_into().expect("a rate"), money(base).minor, money(amount).minor)
    };
    Example {
        text,
        place: Destination { country, region },
        now: midnight_utc(day.parse().expect("a day")) + NOON_US,
        wanted: wanted.collect(),
        discounts: vec![discount],
        delivery: (delivery != "-").then(|| method(delivery)),
        taxes: if taxes == "none" { vec![] } else { taxes.split("; ").map(tax).collect() },
        total: money(total).minor,
        market,
    }
}

fn examples() -> Vec<Example> {
    EXAMPLES.lines().filter(|line| line.contains(" | ") && !line.starts_with("place ")).map(example).collect()
}

#[test]
fn the_table_agrees_with_every_worked_example() {
    let rates: Vec<Rate> = rows().map(|row| row.rate()).collect();
    let mut wrong = Vec::new();
    let all = examples();
    for it in &all {
        let candidates: Vec<_> = it.discounts.iter().map(|promotion| Candidate::promotion(promotion, TextLanguage::EnUs)).collect();
        let quote = pricing::quote(&it.market, &it.wanted, &candidates, it.delivery.as_ref(), Some(&it.place), &rates, it.now).expect("a total");
        let taxes: Vec<_> = quote.taxes.iter().map(|line| (line.name.clone(), line.millionths, line.base.minor, line.amount.minor)).collect();
        if (&taxes, quote.total.minor) != (&it.taxes, it.total) {
            wrong.push(format!("{}\n  came to {taxes:?}, {}", it.text, quote.total.minor));
        }
        let parts = pricing::tax_parts(&quote.lines, &it.wanted, quote.net_delivery());
        let shares = order::shares(quote.total, &tax::weights(it.market.tax_mode, &parts, &it.place, &rates, it.now));
        assert_eq!(shares.iter().map(|share| share.minor).sum::<i64>(), quote.total.minor, "{}", it.text);
    }
    assert!(wrong.is_empty(), "{} of {} are wrong:\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

#[test]
fn the_examples_are_many_and_cover_the_markets() {
    let all = examples();
    assert!(all.len() >= 100, "{} examples", all.len());
    let count = |country: &str| all.iter().filter(|it| it.place.country.code() == country).count();
    for market in ["US", "CA", "GB", "DE", "FR", "JP", "KR"] {
        assert!(count(market) >= 4, "{market} has {}", count(market));
        let has = |what: &str, is: &dyn Fn(&Example) -> bool| {
            assert!(all.iter().any(|it| it.place.country.code() == market && is(it)), "{market} has no example of {what}");
        };
        let is_reduced = |it: &Example| it.wanted.iter().any(|line| line.tax_category != "standard");
        has("delivery", &|it| it.delivery.is_some() && !it.taxes.is_empty());
        has("a discount over several lines", &|it| it.wanted.len() > 1 && it.text.split(" | ").nth(2) != Some("-"));
        // In Canada everything that the shop sells has the general rate, clothing too.
        has("goods with a category of their own", &is_reduced);
    }
    for it in &all {
        // A law and its section, a bulletin's number, a decision; or a whole tax that there is not.
        let source = it.text.rsplit(" | ").next().unwrap_or_default();
        let is_precise = source.contains(|c: char| c.is_ascii_digit()) || source.starts_with("no ");
        assert!(is_precise, "{}: no precise source", it.text);
    }
    let places: std::collections::BTreeSet<&str> = rows().map(|row| row.country).collect();
    assert!(places.iter().all(|place| count(place) > 0), "every country of the table has one");
}
