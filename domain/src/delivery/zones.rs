//! Zones of a method: which one covers a place, and what the method is there.

use super::{Method, is_zero};
use crate::{address::Address, locale::TextLanguage, market::Country, money::Money};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// A part of the market's countries that costs or takes something else. A wire type: fields are added, never renamed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// For the staff: `highlands`.
    pub code: String,
    /// What shoppers read: "Highlands and islands".
    pub names: BTreeMap<TextLanguage, String>,
    pub countries: Vec<Country>,
    /// Codes as in [`Address::region`]. With neither these nor postcodes the zone is all of its countries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<String>,
    /// How postcodes begin, in their country's spelling: `IV`, `PA2 ` (without PA20), `20`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub postcodes: Vec<String>,
    /// Instead of the method's.
    pub price: Money,
    /// Instead of the method's; `None`: never free by value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_from: Option<Money>,
    /// Business days beside [`Method::days_min`].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub extra_days_min: u8,
    /// Business days beside [`Method::days_max`].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub extra_days_max: u8,
    /// The method does not go there, whatever the price.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed: bool,
}

/// What a zone is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneName {
    pub code: String,
    #[serde(default)]
    pub names: BTreeMap<TextLanguage, String>,
}

impl ZoneName {
    /// In a language, or in the nearest that it has.
    pub fn name(&self, language: TextLanguage) -> &str {
        language.fallbacks().iter().find_map(|language| self.names.get(language)).map_or(&self.code, String::as_str)
    }
}

/// Where a parcel goes, as far as zones ask. A postcode is personal data: a place is borrowed from an address while something is reckoned, and
/// never stored or logged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    pub country: Country,
    /// As in [`Address::region`]; `None`: not known yet.
    pub region: Option<&'a str>,
    /// In its country's spelling; `None`: not known yet.
    pub postcode: Option<&'a str>,
}

impl Place<'_> {
    /// Somewhere in a country, while no address is known: its home zone, unless one zone is the whole country.
    pub const fn somewhere(country: Country) -> Self {
        Self { country, region: None, postcode: None }
    }
}

impl fmt::Debug for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({}, …)", self.country)
    }
}

impl Address {
    /// Where it is, as zones ask.
    pub fn place(&self) -> Place<'_> {
        Place { country: self.country, region: self.region.as_deref(), postcode: self.postcode.as_deref() }
    }
}

impl Zone {
    /// Whether a place lies in it.
    pub fn covers(&self, place: Place<'_>) -> bool {
        let is_whole = self.regions.is_empty() && self.postcodes.is_empty();
        let in_region = || place.region.is_some_and(|region| self.regions.iter().any(|known| known == region));
        let by_postcode = || place.postcode.is_some_and(|postcode| self.postcodes.iter().any(|prefix| postcode.starts_with(prefix)));
        self.countries.contains(&place.country) && (is_whole || in_region() || by_postcode())
    }

    fn called(&self) -> ZoneName {
        ZoneName { code: self.code.clone(), names: self.names.clone() }
    }
}

impl Method {
    /// The zone that counts for a place; `None`: the home zone.
    pub fn zone_of(&self, place: Place<'_>) -> Option<&Zone> {
        self.zones.iter().find(|zone| zone.covers(place))
    }

    /// The method as it is for a parcel to a place: with its zone's name, price and days, and without the others. That is what an order freezes.
    pub fn to(&self, place: Place<'_>, grams: u64) -> Result<Self, NotOffered> {
        let zone = self.zone_of(place);
        if let Some(zone) = zone.filter(|zone| zone.closed) {
            return Err(NotOffered::Closed { zone: zone.called() });
        }
        if let Some(max_g) = self.weight_max_g.filter(|max_g| grams > *max_g) {
            return Err(NotOffered::TooHeavy { grams, max_g });
        }
        let mut here = Self { zones: Vec::new(), zone: zone.map(Zone::called), ..self.clone() };
        if let Some(zone) = zone {
            (here.price, here.free_from) = (zone.price, zone.free_from);
            here.days_min = here.days_min.saturating_add(zone.extra_days_min);
            here.days_max = here.days_max.saturating_add(zone.extra_days_max);
        }
        Ok(here)
    }
}

/// Why a method does not take a parcel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOffered {
    #[error("this method does not go to the zone {}", zone.code)]
    Closed { zone: ZoneName },
    #[error("{grams} g are more than the {max_g} g that this method takes")]
    TooHeavy { grams: u64, max_g: u64 },
}
