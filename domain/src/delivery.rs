//! Delivery methods and the dates that they promise. Which days are public holidays is told in `holidays`.

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
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
const fn is_zero(days: &u8) -> bool {
    *days == 0
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

    /// When an order placed at `now` and sent to a country should arrive: business days without the public holidays of the place that it leaves
    /// from until it leaves, of the country that it goes to afterwards. A zone that this build does not know counts as UTC.
    pub fn promise(&self, to: Country, now: Instant) -> Promise {
        let leaves = self.leaves_on(now);
        let arrives = |days| add_business_days(leaves, days, Some(to));
        Promise { from: arrives(self.days_min), to: arrives(self.days_max.max(self.days_min)) }
    }

    fn leaves_on(&self, now: Instant) -> Date {
        let zone = zone(&self.cut_off.zone).unwrap_or(TimeZone::UTC);
        let local = Timestamp::from_microsecond(now).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone);
        let cut_off = Time::new(self.cut_off.hour.min(23).cast_signed(), self.cut_off.minute.min(59).cast_signed(), 0, 0).unwrap_or(Time::midnight());
        let mut day = local.date();
        if !is_business_day(day, self.from_country) || local.time() >= cut_off {
            day = next_business_day(day, self.from_country);
        }
        add_business_days(day, self.handling_days, self.from_country)
    }
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
            from_country: None,
            handling_days: 0,
        }
    }

    fn at(text: &str) -> Instant {
        text.parse::<Timestamp>().expect("a time").as_microsecond()
    }

    /// A country without known holidays.
    fn nowhere() -> Country {
        "ZZ".parse().expect("a code")
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
            let promise = method(zone, hour, days).promise(nowhere(), at(now));
            assert_eq!((promise.from.to_string().as_str(), promise.to.to_string().as_str()), (from, to), "{why}");
        }
    }

    #[test]
    fn nothing_leaves_or_arrives_on_a_public_holiday() {
        // From and to, the cut-off's zone and hour, handling days, days in transit, when it is ordered, first and last day.
        for row in [
            "US US America/Los_Angeles 13 0 3 5 2026-11-24T18:00:00Z 2026-11-30 2026-12-02: Thanksgiving is no day",
            "US CA America/Los_Angeles 12 0 1 2 2026-11-26T18:00:00Z 2026-11-30 2026-12-01: leaves on Friday, not on Thanksgiving",
            "NL GB Europe/London 13 0 2 3 2026-12-23T10:00:00Z 2026-12-29 2026-12-30: not on the 25th, nor on the 28th for the 26th",
            "NL DE Europe/Berlin 14 0 1 2 2026-04-27T09:00:00Z 2026-04-29 2026-04-30: nothing leaves Rotterdam on the King's day",
            "NL DE Europe/Berlin 14 0 1 2 2026-04-30T09:00:00Z 2026-05-04 2026-05-05: German Labour Day is a Friday",
            "NL FR Europe/Paris 14 0 2 3 2026-05-06T09:00:00Z 2026-05-11 2026-05-12: 7 May, not the 8th, then Monday",
            "NL FR Europe/Paris 14 2 2 3 2026-05-04T09:00:00Z 2026-05-12 2026-05-13: packed on the 6th and 7th, the 5th is free in Rotterdam",
            "JP JP Asia/Tokyo 13 0 1 3 2026-11-22T23:30:00Z 2026-11-25 2026-11-27: 23 November is free, so it leaves on the 24th",
            "JP JP Asia/Tokyo 13 0 1 2 2026-09-18T01:00:00Z 2026-09-24 2026-09-25: the 21st to 23rd, the middle day by law",
            "JP KR Asia/Seoul 13 0 3 4 2026-09-22T01:00:00Z 2026-09-30 2026-10-01: leaves on the 24th; Chuseok until the 26th",
            "JP KR Asia/Seoul 13 1 1 2 2026-12-24T01:00:00Z 2026-12-28 2026-12-29: Christmas is a working day in Osaka only",
        ] {
            let (row, why) = row.split_once(": ").expect("a reason");
            let [from, to, zone, hour, handling, min, max, now, first, last] = row.split(' ').collect::<Vec<_>>().try_into().expect("ten words");
            let (country, number) = (|code: &str| code.parse::<Country>().expect("a code"), |text: &str| text.parse::<u8>().expect("a number"));
            let plain = method(zone, number(hour), (number(min), number(max)));
            let method = Method { from_country: Some(country(from)), handling_days: number(handling), ..plain };
            let promise = method.promise(country(to), at(now));
            assert_eq!((promise.from.to_string().as_str(), promise.to.to_string().as_str()), (first, last), "{from} to {to}: {why}");
        }
    }

    #[test]
    fn a_method_from_before_has_no_country_and_needs_no_days() {
        let old = serde_json::to_value(method("UTC", 12, (1, 2))).expect("JSON");
        assert!(old.get("from_country").is_none() && old.get("handling_days").is_none());
        assert_eq!(serde_json::from_value::<Method>(old).expect("a method"), method("UTC", 12, (1, 2)));
    }

    #[test]
    fn standard_delivery_is_free_from_its_limit_on() {
        let method = method("UTC", 12, (1, 2));
        assert_eq!(method.charge(Money::new(7499, Currency::USD)).minor, 595);
        assert_eq!(method.charge(Money::new(7500, Currency::USD)).minor, 0);
        assert_eq!(method.name(TextLanguage::Ja), "Standard delivery");
    }
}
