//! Delivery methods: what they cost by value and weight, and the dates that they promise. Zones, and whether a method goes to a place at all, are in
//! `zones`; what staff may write is checked in `check`. Which days are public holidays is told in `holidays`.

mod check;
mod zones;

pub use check::BadMethod;
pub use zones::{NotOffered, Place, Zone, ZoneName};

use crate::{holidays, locale::TextLanguage, market::Country, money::Money, offer::Instant};
use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The code of the method that every market has and that "free delivery" means.
pub const STANDARD: &str = "standard";

/// One way to send an order in one market, as the version in force describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Method {
    /// `standard`, `express`.
    pub code: String,
    pub names: BTreeMap<TextLanguage, String>,
    pub price: Money,
    /// From this value of goods, after reductions, it costs nothing; `None`: always charged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_from: Option<Money>,
    /// Business days of the destination from the day the parcel leaves.
    pub days_min: u8,
    pub days_max: u8,
    pub cut_off: CutOff,
    /// The location it leaves from: `reno`.
    pub ships_from: String,
    /// The country of that location, on whose public holidays nothing leaves; `None`: not known, so Monday to Friday.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_country: Option<Country>,
    /// Business days that the location needs before a parcel leaves; 0: it leaves on the day of the order.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub handling_days: u8,
    /// The market's other locations, from which a parcel leaves that lies only there. One that is not named is as `ships_from`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<Origin>,
    /// Parts of the market's countries that cost or take something else. The first that covers a place counts; the rest is the home zone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<Zone>,
    /// What heavy parcels cost beside the price, in every zone. Steps ascend; the last one that is reached counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weights: Vec<WeightStep>,
    /// What it takes at most, in grams; `None`: any weight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_max_g: Option<u64>,
    /// Not offered any more, or not now. Never the [`STANDARD`] one: pages promise it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withdrawn: bool,
    /// The zone whose price and days these are, after [`Method::to`]. Never in the table of methods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<ZoneName>,
}

/// Whether days need not be written.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
pub(crate) const fn is_zero(days: &u8) -> bool {
    *days == 0
}

/// A location beside the method's own, and what is different from there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// By its code: `rotterdam`.
    pub location: String,
    /// As [`Method::from_country`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    pub cut_off: CutOff,
    /// As [`Method::handling_days`].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub handling_days: u8,
    /// Business days of the destination that the way takes longer, at both ends.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub extra_days: u8,
}

/// When a method's parcels leave and arrive: all that pages promise by. A part of [`Method`], and of the read model, where small readers
/// have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timetable {
    /// As [`Method::days_min`], and so on.
    pub days_min: u8,
    pub days_max: u8,
    pub cut_off: CutOff,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_country: Option<Country>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub handling_days: u8,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<Origin>,
}

/// What a parcel costs more that is heavier than this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightStep {
    /// In grams.
    pub above_g: u64,
    pub plus: Money,
}

/// Where pieces leave from, and what they need before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leaving<'a> {
    /// `None`: the method's own location.
    pub location: Option<&'a str>,
    /// Business days that the variant needs beside its location's.
    pub handling_days: u8,
}

/// Until when an order leaves the same business day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutOff {
    pub hour: u8,
    pub minute: u8,
    /// IANA zone that the time is meant in, such as `Europe/Berlin`.
    pub zone: String,
}

/// The first and the last day on which an order should arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Promise {
    #[serde(with = "iso_date")]
    pub from: Date,
    #[serde(with = "iso_date")]
    pub to: Date,
}

/// Dates as `2026-11-24`.
mod iso_date {
    use jiff::civil::Date;
    use serde::{Deserialize as _, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
    pub fn serialize<S: Serializer>(date: &Date, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(date)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Method {
    /// Its name in a language, or in the nearest that it has.
    pub fn name(&self, language: TextLanguage) -> &str {
        language.fallbacks().iter().find_map(|language| self.names.get(language)).map_or(&self.code, String::as_str)
    }

    /// Its name with that of the zone, as orders and their mails say it.
    pub fn title(&self, language: TextLanguage) -> String {
        let zone = self.zone.as_ref().map(|zone| format!(" · {}", zone.name(language)));
        format!("{}{}", self.name(language), zone.unwrap_or_default())
    }

    /// What it costs for goods of this value and weight, with what the weight adds: nothing at all from the free limit on.
    pub fn charge(&self, goods: Money, grams: u64) -> Money {
        if self.is_free(goods) {
            return Money::zero(self.price.currency);
        }
        let plus = self.weight_step(grams).map_or(0, |step| step.plus.minor);
        Money::new(self.price.minor.saturating_add(plus), self.price.currency)
    }

    /// The step that a parcel of this weight reaches.
    pub fn weight_step(&self, grams: u64) -> Option<&WeightStep> {
        self.weights.iter().rfind(|step| grams > step.above_g)
    }

    /// Whether goods of this value reach its free limit.
    pub fn is_free(&self, goods: Money) -> bool {
        self.free_from.is_some_and(|from| from.currency == goods.currency && goods.minor >= from.minor)
    }

    /// When its parcels leave and arrive.
    pub fn timetable(&self) -> Timetable {
        Timetable {
            days_min: self.days_min,
            days_max: self.days_max,
            cut_off: self.cut_off.clone(),
            from_country: self.from_country,
            handling_days: self.handling_days,
            origins: self.origins.clone(),
        }
    }

    /// As [`Timetable::promise`].
    pub fn promise(&self, to: Country, leaving: Leaving<'_>, now: Instant) -> Promise {
        self.timetable().promise(to, leaving, now)
    }

    /// The same of several parts of one order: the latest of them. Without any, as if they left from the method's own location.
    pub fn promise_all<'a>(&self, to: Country, parts: impl IntoIterator<Item = Leaving<'a>>, now: Instant) -> Promise {
        let timetable = self.timetable();
        let promises = parts.into_iter().map(|leaving| timetable.promise(to, leaving, now));
        promises.reduce(Promise::latest).unwrap_or_else(|| timetable.promise(to, Leaving::default(), now))
    }
}

impl Timetable {
    /// When pieces ordered at `now` and sent to a country should arrive: business days without the public holidays of the place that they leave
    /// from until they leave, of the country that they go to afterwards. A time zone that this build does not know counts as UTC.
    pub fn promise(&self, to: Country, leaving: Leaving<'_>, now: Instant) -> Promise {
        let origin = self.origin(leaving);
        let (country, cut_off, handling, extra) = match origin {
            Some(origin) => (origin.country, &origin.cut_off, origin.handling_days, origin.extra_days),
            None => (self.from_country, &self.cut_off, self.handling_days, 0),
        };
        let leaves = leaves_on(cut_off, country, handling.saturating_add(leaving.handling_days), now);
        let arrives = |days: u8| add_business_days(leaves, days.saturating_add(extra), Some(to));
        Promise { from: arrives(self.days_min), to: arrives(self.days_max.max(self.days_min)) }
    }

    /// The other location that pieces leave from; `None`: the method's own, or as from there.
    pub fn origin(&self, leaving: Leaving<'_>) -> Option<&Origin> {
        leaving.location.and_then(|location| self.origins.iter().find(|origin| origin.location == location))
    }
}

impl Promise {
    /// The later day of each end.
    #[must_use]
    pub fn latest(self, other: Self) -> Self {
        Self { from: self.from.max(other.from), to: self.to.max(other.to) }
    }
}

fn leaves_on(cut_off: &CutOff, country: Option<Country>, handling_days: u8, now: Instant) -> Date {
    let zone = zone(&cut_off.zone).unwrap_or(TimeZone::UTC);
    let local = Timestamp::from_microsecond(now).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone);
    let time = Time::new(cut_off.hour.min(23).cast_signed(), cut_off.minute.min(59).cast_signed(), 0, 0).unwrap_or(Time::midnight());
    let mut day = local.date();
    if !is_business_day(day, country) || local.time() >= time {
        day = next_business_day(day, country);
    }
    add_business_days(day, handling_days, country)
}

/// Monday to Friday, and no public holiday of the country.
fn is_business_day(day: Date, country: Option<Country>) -> bool {
    !holidays::is_weekend(day) && !country.is_some_and(|country| holidays::is_holiday(country, day))
}

fn next_business_day(day: Date, country: Option<Country>) -> Date {
    // jiff's calendar ends in 9999: a day at its edge stays where it is.
    let mut next = day.tomorrow().unwrap_or(day);
    while !is_business_day(next, country) && next < Date::MAX {
        next = next.tomorrow().unwrap_or(next);
    }
    next
}

fn add_business_days(day: Date, days: u8, country: Option<Country>) -> Date {
    (0..days).fold(day, |day, _| next_business_day(day, country))
}

/// The zones of our markets and warehouses, built in so that the browser and the edge need no zone database.
pub fn zone(name: &str) -> Option<TimeZone> {
    Some(match name {
        "UTC" => TimeZone::UTC,
        "America/Los_Angeles" => jiff::tz::get!("America/Los_Angeles"),
        "America/New_York" => jiff::tz::get!("America/New_York"),
        "America/Chicago" => jiff::tz::get!("America/Chicago"),
        "America/Denver" => jiff::tz::get!("America/Denver"),
        "America/Toronto" => jiff::tz::get!("America/Toronto"),
        "America/Vancouver" => jiff::tz::get!("America/Vancouver"),
        "Europe/London" => jiff::tz::get!("Europe/London"),
        "Europe/Berlin" => jiff::tz::get!("Europe/Berlin"),
        "Europe/Paris" => jiff::tz::get!("Europe/Paris"),
        "Europe/Amsterdam" => jiff::tz::get!("Europe/Amsterdam"),
        "Asia/Tokyo" => jiff::tz::get!("Asia/Tokyo"),
        "Asia/Seoul" => jiff::tz::get!("Asia/Seoul"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
