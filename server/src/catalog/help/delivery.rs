//! Delivery in the shop's policies: each market's methods with their zones and weights, and the rows of the help page that say so.

use super::{FactWords, Policies, each, token};
use crate::catalog::product::{Texts, text};
use app::private::weight;
use domain::{
    delivery::{self, CutOff, Method, WeightStep, Zone},
    locale::{Locale, TextLanguage},
    market::{Country, Market, MarketCode},
    money::Money,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A stock location as delivery needs it.
#[derive(Deserialize)]
pub(in crate::catalog) struct Origin {
    code: String,
    country: Country,
    /// Business days that it needs before a parcel leaves.
    handling_days: u8,
}

#[derive(Deserialize)]
pub(super) struct DeliveryMarket {
    ships_from: String,
    methods: Vec<DeliveryMethod>,
    cut_off: DeliveryCutOff,
    /// The market's other locations.
    #[serde(default)]
    origins: Vec<Elsewhere>,
    #[serde(default)]
    zones: Vec<DeliveryZone>,
    #[serde(default)]
    weights: Vec<Step>,
    weight_max_g: Option<u64>,
}

#[derive(Deserialize)]
struct DeliveryMethod {
    code: String,
    name: Texts,
    price: i64,
    free_from: Option<i64>,
    days: Days,
}

#[derive(Deserialize)]
struct Days {
    min: u8,
    max: u8,
}

#[derive(Deserialize)]
struct DeliveryCutOff {
    local: String,
    zone: String,
    text: Texts,
}

/// Another location that the market's parcels may leave from.
#[derive(Deserialize)]
struct Elsewhere {
    location: String,
    cut_off: Time,
    extra_days: u8,
}

#[derive(Deserialize)]
struct Time {
    local: String,
    zone: String,
}

#[derive(Deserialize)]
struct DeliveryZone {
    code: String,
    name: Texts,
    #[serde(default)]
    regions: Vec<String>,
    #[serde(default)]
    postcodes: Vec<String>,
    /// By the method's code; `None`: that method does not go there.
    methods: BTreeMap<String, Option<Terms>>,
}

#[derive(Deserialize)]
struct Terms {
    price: i64,
    free_from: Option<i64>,
    /// Business days beside the method's.
    more: Days,
}

#[derive(Deserialize)]
struct Step {
    above_g: u64,
    plus: i64,
}

fn cut_off(local: &str, zone: &str) -> CutOff {
    let (hour, minute) = local.split_once(':').unwrap_or(("12", "0"));
    CutOff { hour: hour.parse().unwrap_or(12), minute: minute.parse().unwrap_or(0), zone: zone.to_owned() }
}

impl DeliveryZone {
    /// The zone as one method has it; `None`: there it is as at home.
    fn of(&self, method: &DeliveryMethod, market: &Market) -> Option<Zone> {
        let terms = self.methods.get(&method.code)?.as_ref();
        let money = |minor| Money::new(minor, market.currency);
        Some(Zone {
            code: self.code.clone(),
            names: self.name.clone(),
            countries: vec![market.code],
            regions: self.regions.clone(),
            postcodes: self.postcodes.clone(),
            price: money(terms.map_or(method.price, |terms| terms.price)),
            free_from: terms.and_then(|terms| terms.free_from).map(money),
            extra_days_min: terms.map_or(0, |terms| terms.more.min),
            extra_days_max: terms.map_or(0, |terms| terms.more.max),
            closed: terms.is_none(),
        })
    }
}

impl Policies {
    /// A market's delivery methods, in order. A location that is not among `origins` has no known country.
    pub(in crate::catalog) fn delivery_methods(&self, market: &Market, origins: &[Origin]) -> Vec<Method> {
        let Some(delivery) = self.delivery.markets.get(&market.code) else { return vec![] };
        let origin = |code: &str| origins.iter().find(|origin| origin.code == code);
        let own = origin(&delivery.ships_from);
        let elsewhere = |elsewhere: &Elsewhere| delivery::Origin {
            location: elsewhere.location.clone(),
            country: origin(&elsewhere.location).map(|origin| origin.country),
            cut_off: cut_off(&elsewhere.cut_off.local, &elsewhere.cut_off.zone),
            handling_days: origin(&elsewhere.location).map_or(0, |origin| origin.handling_days),
            extra_days: elsewhere.extra_days,
        };
        let method = |method: &DeliveryMethod| Method {
            code: method.code.clone(),
            names: method.name.clone(),
            price: Money::new(method.price, market.currency),
            free_from: method.free_from.map(|minor| Money::new(minor, market.currency)),
            days_min: method.days.min,
            days_max: method.days.max,
            cut_off: cut_off(&delivery.cut_off.local, &delivery.cut_off.zone),
            ships_from: delivery.ships_from.clone(),
            from_country: own.map(|origin| origin.country),
            handling_days: own.map_or(0, |origin| origin.handling_days),
            origins: delivery.origins.iter().map(elsewhere).collect(),
            zones: delivery.zones.iter().filter_map(|zone| zone.of(method, market)).collect(),
            weights: delivery.weights.iter().map(|step| WeightStep { above_g: step.above_g, plus: Money::new(step.plus, market.currency) }).collect(),
            weight_max_g: delivery.weight_max_g,
            withdrawn: false,
            zone: None,
        };
        delivery.methods.iter().map(method).collect()
    }

    /// Where a market's parcels come from.
    pub(in crate::catalog) fn ships_from(&self, market: MarketCode) -> Option<&str> {
        self.delivery.markets.get(&market).map(|delivery| delivery.ships_from.as_str())
    }

    /// How the help page says it.
    pub(super) fn delivery_words(&self, words: &FactWords) -> Words {
        let said = |(market, delivery): (&MarketCode, &DeliveryMarket)| {
            let cut_off = cut_off(&delivery.cut_off.local, &delivery.cut_off.zone);
            (*market, Leaves { cut_off, ships_from: delivery.ships_from.clone(), text: delivery.cut_off.text.clone() })
        };
        Words { leaves: self.delivery.markets.iter().map(said).collect(), ..words.delivery.clone() }
    }
}

/// What the page about delivery is made of, while methods, zones and weights come from their tables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    free_from: Texts,
    days: Texts,
    to_zone: Texts,
    heavy: Texts,
    heavier_than: Texts,
    weight_max: Texts,
    not_offered: Texts,
    /// The label of `leaves`.
    cut_off: Texts,
    #[serde(default)]
    leaves: BTreeMap<MarketCode, Leaves>,
}

/// A sentence on when and from where parcels leave, said as long as it is true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Leaves {
    cut_off: CutOff,
    ships_from: String,
    text: Texts,
}

impl Words {
    /// A row for each of a market's methods, for each of its zones, and for what is heavy.
    pub fn facts(&self, market: &Market, methods: &[Method]) -> Vec<(Texts, Texts)> {
        let mut facts: Vec<(Texts, Texts)> = Vec::new();
        for method in methods {
            facts.push((method.names.clone(), self.terms(method.price, method.free_from, (method.days_min, method.days_max))));
            for zone in &method.zones {
                let label = each(&self.to_zone, |language, label| {
                    label.replace("{method}", method.name(language)).replace("{zone}", &text(&zone.names, language))
                });
                let days = (method.days_min.saturating_add(zone.extra_days_min), method.days_max.saturating_add(zone.extra_days_max));
                facts.push((label, if zone.closed { self.not_offered.clone() } else { self.terms(zone.price, zone.free_from, days) }));
            }
        }
        let heavy: Vec<_> = methods.iter().map(|method| (method, self.heavy(method, market))).collect();
        let is_same = heavy.windows(2).all(|two| two[0].1 == two[1].1);
        for (method, said) in heavy.into_iter().take(if is_same { 1 } else { usize::MAX }) {
            let label = if is_same { self.heavy.clone() } else { each(&self.heavy, |language, label| format!("{}: {label}", method.name(language))) };
            facts.extend(said.map(|said| (label, said)));
        }
        let leaves = self.leaves.get(&market.code).filter(|leaves| {
            methods.iter().all(|method| (&method.cut_off, &method.ships_from, method.handling_days) == (&leaves.cut_off, &leaves.ships_from, 0))
        });
        facts.extend(leaves.map(|leaves| (self.cut_off.clone(), leaves.text.clone())));
        facts
    }

    /// `$5.95 · free from $75 · 3–5 business days`.
    fn terms(&self, price: Money, free_from: Option<Money>, days: (u8, u8)) -> Texts {
        each(&self.days, |language, said| {
            let said = if days.0 == days.1 { said.replace("{min}–{max}", "{min}") } else { said.to_owned() };
            let said = said.replace("{min}", &days.0.to_string()).replace("{max}", &days.1.to_string());
            let free = free_from.map(|from| text(&self.free_from, language).replace("{amount}", &token(from)));
            [Some(token(price)), free, Some(said)].into_iter().flatten().collect::<Vec<_>>().join(" · ")
        })
    }

    /// `over 10 lb: + $4 · at most 66 lb`.
    fn heavy(&self, method: &Method, market: &Market) -> Option<Texts> {
        if method.weights.is_empty() && method.weight_max_g.is_none() {
            return None;
        }
        Some(each(&self.heavier_than, |language, than| {
            let written = |grams| locale(language, market).map_or_else(|| format!("{grams} g"), |locale| weight(grams, locale));
            let step = |step: &WeightStep| than.replace("{weight}", &written(step.above_g)).replace("{amount}", &token(step.plus));
            let max = method.weight_max_g.map(|max| text(&self.weight_max, language).replace("{weight}", &written(max)));
            method.weights.iter().map(step).chain(max).collect::<Vec<_>>().join(" · ")
        }))
    }
}

/// How a market's readers of a language write figures.
fn locale(language: TextLanguage, market: &Market) -> Option<Locale> {
    let (language, _) = language.key().split_once('-')?;
    format!("{language}-{}", market.code.code().to_ascii_lowercase()).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_s_methods_fit_together_and_every_zone_is_named_in_all_languages() -> anyhow::Result<()> {
        let policies: Policies = serde_json::from_str(include_str!("../../../demo/policies.json"))?;
        let markets: Vec<Market> = serde_json::from_str(include_str!("../../../demo/markets.json"))?;
        let origins: Vec<Origin> = serde_json::from_str(include_str!("../../../demo/locations.json"))?;
        let words: FactWords = serde_json::from_str(include_str!("../../../demo/facts.json"))?;
        for market in &markets {
            let methods = policies.delivery_methods(market, &origins);
            for method in &methods {
                assert_eq!(method.check(), Ok(()), "{} in {}", method.code, market.code);
                assert!(!method.zones.is_empty() && method.weight_max_g.is_some(), "{}", market.code);
                assert!(
                    method.zones.iter().all(|zone| TextLanguage::ALL.iter().all(|language| zone.names.contains_key(language))),
                    "{}",
                    market.code
                );
                assert!(market.locations[1..].iter().all(|other| method.origins.iter().any(|origin| origin.location == *other)), "{}", market.code);
            }
            let said = policies.delivery_words(&words).facts(market, &methods);
            for language in TextLanguage::ALL {
                let rows: Vec<String> = said.iter().map(|(label, value)| format!("{}: {}", text(label, language), text(value, language))).collect();
                for zone in methods.iter().flat_map(|method| &method.zones).filter(|zone| !zone.closed) {
                    let row = rows.iter().any(|row| row.contains(&text(&zone.names, language)) && row.contains(&token(zone.price)));
                    assert!(row, "{} in {}: {rows:?}", zone.code, market.code);
                }
            }
        }
        Ok(())
    }
}
