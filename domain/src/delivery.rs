//! Delivery methods and the dates that they promise. Public holidays are not known yet: business days are Monday to Friday.

use crate::{locale::TextLanguage, money::Money, offer::Instant};
use jiff::{
    Timestamp,
    civil::{Date, Time, Weekday},
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
    /// Business days from the day the parcel leaves.
    pub days_min: u8,
    pub days_max: u8,
    pub cut_off: CutOff,
    /// The location it leaves from: `reno`.
    pub ships_from: String,
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

    /// What it costs for goods of this value.
    pub fn charge(&self, goods: Money) -> Money {
        if self.is_free(goods) { Money::zero(self.price.currency) } else { self.price }
    }

    /// Whether goods of this value reach its free limit.
    pub fn is_free(&self, goods: Money) -> bool {
        self.free_from.is_some_and(|from| from.currency == goods.currency && goods.minor >= from.minor)
    }

    /// When an order placed at `now` should arrive. A zone that this build does not know counts as UTC.
    pub fn promise(&self, now: Instant) -> Promise {
        let leaves = self.leaves_on(now);
        Promise { from: add_business_days(leaves, self.days_min), to: add_business_days(leaves, self.days_max.max(self.days_min)) }
    }

    fn leaves_on(&self, now: Instant) -> Date {
        let zone = zone(&self.cut_off.zone).unwrap_or(TimeZone::UTC);
        let local = Timestamp::from_microsecond(now).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone);
        let cut_off = Time::new(self.cut_off.hour.min(23).cast_signed(), self.cut_off.minute.min(59).cast_signed(), 0, 0).unwrap_or(Time::midnight());
        let mut day = local.date();
        if !is_business_day(day) || local.time() >= cut_off {
            day = next_business_day(day);
        }
        day
    }
}

fn is_business_day(day: Date) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

fn next_business_day(day: Date) -> Date {
    // jiff's calendar ends in 9999: a day at its edge stays where it is.
    let mut next = day.tomorrow().unwrap_or(day);
    while !is_business_day(next) && next < Date::MAX {
        next = next.tomorrow().unwrap_or(next);
    }
    next
}

fn add_business_days(day: Date, days: u8) -> Date {
    (0..days).fold(day, |day, _| next_business_day(day))
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
mod tests {
    use super::*;
    use crate::money::Currency;

    fn method(zone: &str, hour: u8, days: (u8, u8)) -> Method {
        Method {
            code: "standard".to_owned(),
            names: BTreeMap::from([(TextLanguage::EnUs, "Standard delivery".to_owned()), (TextLanguage::De, "Standardversand".to_owned())]),
            price: Money::new(595, Currency::USD),
            free_from: Some(Money::new(7500, Currency::USD)),
            days_min: days.0,
            days_max: days.1,
            cut_off: CutOff { hour, minute: 0, zone: zone.to_owned() },
            ships_from: "reno".to_owned(),
        }
    }

    fn at(text: &str) -> Instant {
        text.parse::<Timestamp>().expect("a time").as_microsecond()
    }

    #[test]
    fn the_promise_counts_business_days_from_the_day_it_leaves() {
        // Arithmetic by the calendar: 2026-11-20 is a Friday.
        for (zone, hour, days, now, from, to, why) in [
            ("Europe/Berlin", 14, (2, 3), "2026-11-19T12:59:59Z", "2026-11-23", "2026-11-24", "Thursday 13:59 in Berlin leaves on Thursday"),
            ("Europe/Berlin", 14, (2, 3), "2026-11-19T13:00:00Z", "2026-11-24", "2026-11-25", "at 14:00 sharp it leaves on Friday"),
            ("Europe/Berlin", 14, (2, 3), "2026-11-20T15:00:00Z", "2026-11-25", "2026-11-26", "Friday evening leaves on Monday"),
            ("Europe/Berlin", 14, (1, 2), "2026-11-21T08:00:00Z", "2026-11-24", "2026-11-25", "Saturday leaves on Monday"),
            ("Asia/Tokyo", 13, (1, 3), "2026-11-22T23:30:00Z", "2026-11-24", "2026-11-26", "Sunday night in UTC is Monday morning in Tokyo"),
            (
                "America/Los_Angeles",
                13,
                (3, 5),
                "2026-03-09T19:59:00Z",
                "2026-03-12",
                "2026-03-16",
                "daylight saving began the day before: 12:59 there",
            ),
        ] {
            let promise = method(zone, hour, days).promise(at(now));
            assert_eq!((promise.from.to_string().as_str(), promise.to.to_string().as_str()), (from, to), "{why}");
        }
    }

    #[test]
    fn standard_delivery_is_free_from_its_limit_on() {
        let method = method("UTC", 12, (1, 2));
        assert_eq!(method.charge(Money::new(7499, Currency::USD)).minor, 595);
        assert_eq!(method.charge(Money::new(7500, Currency::USD)).minor, 0);
        assert_eq!(method.name(TextLanguage::Ja), "Standard delivery");
    }
}
