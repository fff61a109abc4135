//! Whether the parts of a method fit together, before it is written into the table.

use super::{CutOff, Method, Zone, zone};
use crate::{market::Country, region};

impl Method {
    /// Zones, steps and locations in one method; regions or postcodes in one zone.
    pub const LIST_MAX: usize = 100;
    /// The longest name of a method or a zone, in characters: a line beside an amount.
    pub const NAME_CHARS_MAX: usize = 80;
    /// The most days in each of its figures.
    pub const DAYS_MAX: u8 = 90;

    /// Whether the parts fit together; staff read the sentence.
    pub fn check(&self) -> Result<(), BadMethod> {
        if self.code.is_empty() || !self.code.bytes().all(is_code) {
            return Err(BadMethod::Code);
        }
        if self.zone.is_some() {
            return Err(BadMethod::Resolved);
        }
        if self.withdrawn && self.code == super::STANDARD {
            return Err(BadMethod::Standard);
        }
        names(self.names.values())?;
        self.amounts()?;
        let zone_days = self.zones.iter().flat_map(|zone| [zone.extra_days_min, zone.extra_days_max]);
        let origin_days = self.origins.iter().flat_map(|origin| [origin.handling_days, origin.extra_days]);
        if self.days_min > self.days_max
            || [self.days_max, self.handling_days].into_iter().chain(zone_days).chain(origin_days).any(|days| days > Self::DAYS_MAX)
        {
            return Err(BadMethod::Days);
        }
        for cut_off in std::iter::once(&self.cut_off).chain(self.origins.iter().map(|origin| &origin.cut_off)) {
            time(cut_off)?;
        }
        let own = std::iter::once(self.ships_from.as_str());
        let mut locations: Vec<&str> = own.chain(self.origins.iter().map(|origin| origin.location.as_str())).collect();
        let all = locations.len();
        locations.sort_unstable();
        locations.dedup();
        if locations.len() < all || locations.contains(&"") {
            return Err(BadMethod::Locations);
        }
        if self.zones.len().max(self.weights.len()).max(self.origins.len()) > Self::LIST_MAX {
            return Err(BadMethod::Long);
        }
        for (at, zone) in self.zones.iter().enumerate() {
            if self.zones[..at].iter().any(|before| before.code == zone.code) {
                return Err(BadMethod::ZoneTwice(zone.code.clone()));
            }
            self.check_zone(zone)?;
        }
        let ascends = self.weights.is_sorted_by(|one, next| one.above_g < next.above_g && one.plus.minor <= next.plus.minor);
        if !ascends || self.weights.first().is_some_and(|step| step.plus.minor == 0) {
            return Err(BadMethod::Weights);
        }
        if self.weight_max_g.is_some_and(|max| max == 0 || self.weights.last().is_some_and(|step| step.above_g >= max)) {
            return Err(BadMethod::WeightMax);
        }
        Ok(())
    }

    /// One currency, nothing below zero.
    fn amounts(&self) -> Result<(), BadMethod> {
        let zones = self.zones.iter().flat_map(|zone| [Some(zone.price), zone.free_from]).flatten();
        let amounts = std::iter::once(self.price).chain(self.free_from).chain(zones).chain(self.weights.iter().map(|step| step.plus));
        for amount in amounts {
            if amount.currency != self.price.currency {
                return Err(BadMethod::Currencies);
            }
            if amount.minor < 0 {
                return Err(BadMethod::Amount);
            }
        }
        Ok(())
    }

    fn check_zone(&self, zone: &Zone) -> Result<(), BadMethod> {
        let code = || zone.code.clone();
        if zone.code.is_empty() || !zone.code.bytes().all(is_code) {
            return Err(BadMethod::Code);
        }
        names(zone.names.values())?;
        let named = zone.regions.len().max(zone.postcodes.len());
        if zone.countries.is_empty() || (named > 0 && zone.countries.len() > 1) {
            return Err(BadMethod::ZoneCountries(code()));
        }
        if named.max(zone.countries.len()) > Self::LIST_MAX {
            return Err(BadMethod::Long);
        }
        let is_region = |region: &str| zone.countries.iter().any(|country| region::name(*country, region).is_some());
        if let Some(region) = zone.regions.iter().find(|region| !is_region(region)) {
            return Err(BadMethod::Region { zone: code(), region: region.clone() });
        }
        if let Some(prefix) = zone.postcodes.iter().find(|prefix| !zone.countries.iter().any(|country| is_prefix(*country, prefix))) {
            return Err(BadMethod::Postcode { zone: code(), prefix: prefix.clone() });
        }
        if !zone.closed && self.days_min.saturating_add(zone.extra_days_min) > self.days_max.saturating_add(zone.extra_days_max) {
            return Err(BadMethod::Days);
        }
        Ok(())
    }
}

const fn is_code(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
}

fn names<'a>(names: impl ExactSizeIterator<Item = &'a String>) -> Result<(), BadMethod> {
    let is_name = |name: &String| !name.trim().is_empty() && name.chars().count() <= Method::NAME_CHARS_MAX;
    let mut names = names;
    if names.len() > 0 && names.all(is_name) { Ok(()) } else { Err(BadMethod::Name) }
}

fn time(cut_off: &CutOff) -> Result<(), BadMethod> {
    if cut_off.hour > 23 || cut_off.minute > 59 {
        return Err(BadMethod::Time);
    }
    if zone(&cut_off.zone).is_none() { Err(BadMethod::TimeZone(cut_off.zone.clone())) } else { Ok(()) }
}

/// Whether a postcode of a country could begin so: capitals and digits, with the country's own gaps, and a digit alone where all are digits.
fn is_prefix(country: Country, prefix: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_digit() || (byte.is_ascii_uppercase() && !crate::postcode::example(country).1);
    let gap = if country.code() == "JP" || country.code() == "US" { b'-' } else { b' ' };
    prefix.bytes().next().is_some_and(plain) && prefix.len() <= 10 && prefix.bytes().all(|byte| plain(byte) || byte == gap)
}

/// Why a method cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadMethod {
    #[error("a code has small letters, digits, - and _")]
    Code,
    #[error("a name has 1 to {} characters, and there is at least one", Method::NAME_CHARS_MAX)]
    Name,
    #[error("its amounts are in different currencies")]
    Currencies,
    #[error("an amount is not below zero")]
    Amount,
    #[error("the first day is not after the last one, and no figure is above {}", Method::DAYS_MAX)]
    Days,
    #[error("a cut-off is a time from 0:00 to 23:59")]
    Time,
    #[error("the time zone {0:?} is not one that this shop knows")]
    TimeZone(String),
    #[error("each location is named once")]
    Locations,
    #[error("the zone {0:?} is there twice")]
    ZoneTwice(String),
    #[error("the zone {0:?} needs a country, and only one if it names regions or postcodes")]
    ZoneCountries(String),
    #[error("the zone {zone:?} names {region:?}, which is no region of its country; write the code without the country, such as HI")]
    Region { zone: String, region: String },
    #[error("the zone {zone:?} names {prefix:?}; write how postcodes begin in their country's spelling, such as IV or 20")]
    Postcode { zone: String, prefix: String },
    #[error("weight steps ascend, in grams and in what they add, and add something")]
    Weights,
    #[error("the highest weight is above zero and above every step")]
    WeightMax,
    #[error("at most {} entries in one list", Method::LIST_MAX)]
    Long,
    #[error("the {:?} method is always offered: pages promise it, and free delivery means it", super::STANDARD)]
    Standard,
    #[error("the method was already resolved for a zone; write it with all of its zones")]
    Resolved,
}
