//! Worked examples: zone by weight by value by method, and promises.

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
        origins: Vec::new(),
        zones: Vec::new(),
        weights: Vec::new(),
        weight_max_g: None,
        withdrawn: false,
        zone: None,
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
        ("America/Los_Angeles", 13, (3, 5), "2026-03-09T19:59:00Z", "2026-03-12", "2026-03-16", "daylight saving began the day before: 12:59 there"),
    ] {
        let promise = method(zone, hour, days).promise(nowhere(), Leaving::default(), at(now));
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
        let promise = method.promise(country(to), Leaving::default(), at(now));
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
    assert_eq!(method.charge(Money::new(7499, Currency::USD), 0).minor, 595);
    assert_eq!(method.charge(Money::new(7500, Currency::USD), 0).minor, 0);
    assert_eq!(method.name(TextLanguage::Ja), "Standard delivery");
}

/// Zones of an American and a British method, with weight steps.
fn zoned() -> Method {
    let money = |minor| Money::new(minor, Currency::USD);
    let zone = |code: &str, country: &str, regions: &[&str], postcodes: &[&str], price: i64, free_from: Option<i64>, more: (u8, u8)| Zone {
        code: code.to_owned(),
        names: BTreeMap::from([(TextLanguage::EnUs, code.to_uppercase())]),
        countries: vec![country.parse().expect("a code")],
        regions: regions.iter().map(|code| (*code).to_owned()).collect(),
        postcodes: postcodes.iter().map(|prefix| (*prefix).to_owned()).collect(),
        price: money(price),
        free_from: free_from.map(money),
        extra_days_min: more.0,
        extra_days_max: more.1,
        closed: false,
    };
    Method {
        zones: vec![
            zone("hawaii", "US", &["HI", "AK"], &[], 1295, Some(15_000), (2, 4)),
            Zone { closed: true, ..zone("puerto-rico", "US", &["PR"], &[], 0, None, (0, 0)) },
            zone("argyll", "GB", &[], &["PA2 ", "PA20"], 900, None, (1, 1)),
            zone("paisley", "GB", &[], &["PA"], 700, None, (0, 1)),
            zone("britain", "GB", &[], &[], 600, None, (0, 0)),
        ],
        weights: vec![WeightStep { above_g: 5_000, plus: money(400) }, WeightStep { above_g: 10_000, plus: money(900) }],
        weight_max_g: Some(30_000),
        ..method("America/Los_Angeles", 13, (3, 5))
    }
}

#[test]
fn a_delivery_costs_by_zone_weight_and_value() {
    // Where to, grams, value of goods: zone and charge, or why not. At home 5.95, free from 75; 4 more above 5 kg, 9 above 10 kg.
    for row in [
        "US CA 94103 0 3900: - 595",
        "US CA 94103 5000 3900: - 595",
        "US CA 94103 5001 3900: - 995",
        "US CA 94103 10000 7499: - 995",
        "US CA 94103 10001 7499: - 1495",
        "US CA 94103 30000 7500: - 0",
        "US CA 94103 30001 7500: heavy",
        "US HI 96813 0 7500: hawaii 1295",
        "US AK 99501 5001 14999: hawaii 1695",
        "US HI 96813 10001 15000: hawaii 0",
        "US PR 00901 0 7500: closed",
        "US PR 00901 40000 7500: closed",
        "US - - 0 3900: - 595",
        "GB - PA20_9AB 0 99900: argyll 900",
        "GB - PA2_8AB 0 99900: argyll 900",
        "GB - PA21_2AB 0 99900: paisley 700",
        "GB - SW1Y_4JH 6000 99900: britain 1000",
        "GB - - 0 3900: britain 600",
        "CA QC - 0 3900: - 595",
    ] {
        let (asked, expected) = row.split_once(": ").expect("an answer");
        let [country, region, postcode, grams, goods] = asked.split(' ').collect::<Vec<_>>().try_into().expect("five words");
        let known = |text: &str| (text != "-").then(|| text.replace('_', " "));
        let (region, postcode) = (known(region), known(postcode));
        let place = Place { country: country.parse().expect("a code"), region: region.as_deref(), postcode: postcode.as_deref() };
        let grams = grams.parse().expect("grams");
        let said = match zoned().to(place, grams) {
            Ok(here) => {
                assert!(here.zones.is_empty(), "an order freezes one zone");
                let zone = here.zone.as_ref().map_or("-", |zone| zone.code.as_str());
                format!("{zone} {}", here.charge(Money::new(goods.parse().expect("a value"), Currency::USD), grams).minor)
            }
            Err(NotOffered::Closed { .. }) => "closed".to_owned(),
            Err(NotOffered::TooHeavy { .. }) => "heavy".to_owned(),
        };
        assert_eq!(said, expected, "{row}");
    }
}

#[test]
fn a_zone_takes_its_days_and_a_variant_its_own() {
    let origin = Origin {
        location: "rotterdam".to_owned(),
        country: Some("NL".parse().expect("a code")),
        cut_off: CutOff { hour: 14, minute: 0, zone: "Europe/Amsterdam".to_owned() },
        handling_days: 0,
        extra_days: 3,
    };
    let method = Method { from_country: Some("US".parse().expect("a code")), origins: vec![origin], ..zoned() };
    let us: Country = "US".parse().expect("a code");
    let now = at("2026-11-23T12:00:00Z");
    // Monday, 23 November 2026, 4:00 in Reno and 13:00 in Rotterdam; the 26th is Thanksgiving in the United States only.
    for (region, location, handling, from, to, why) in [
        ("CA", None, 0, "2026-11-27", "2026-12-01", "24, 25, 27, 30, 1"),
        ("HI", None, 0, "2026-12-01", "2026-12-07", "two and four days more"),
        ("CA", None, 2, "2026-12-01", "2026-12-03", "made until the 25th, then 27, 30, 1, 2, 3"),
        ("CA", Some("rotterdam"), 0, "2026-12-02", "2026-12-04", "three days more on the way"),
        ("CA", Some("rotterdam"), 3, "2026-12-04", "2026-12-08", "made on the 24th, 25th and 26th in Rotterdam, then 27, 30, 1, 2, 3, 4, 7, 8"),
        ("CA", Some("osaka"), 0, "2026-11-27", "2026-12-01", "a place that the method does not know is as its own"),
    ] {
        let here = method.to(Place { country: us, region: Some(region), postcode: None }, 0).expect("offered");
        let promise = here.promise(us, Leaving { location, handling_days: handling }, now);
        assert_eq!((promise.from.to_string().as_str(), promise.to.to_string().as_str()), (from, to), "{region} {location:?} {handling}: {why}");
    }
    let parts = [Leaving { location: None, handling_days: 2 }, Leaving { location: Some("rotterdam"), handling_days: 0 }];
    let latest = method.promise_all(us, parts, now);
    assert_eq!((latest.from.to_string(), latest.to.to_string()), ("2026-12-02".to_owned(), "2026-12-04".to_owned()));
    assert_eq!(method.promise_all(us, [], now), method.promise(us, Leaving::default(), now));
}

#[test]
fn what_does_not_fit_together_is_named() {
    assert_eq!(zoned().check(), Ok(()));
    let change = |change: fn(&mut Method)| {
        let mut method = zoned();
        change(&mut method);
        method.check().expect_err("refused").to_string()
    };
    for (said, part) in [
        (change(|it| it.code = "Über Nacht".to_owned()), "small letters"),
        (change(|it| it.names.clear()), "a name"),
        (change(|it| it.zones[0].price = Money::new(5, Currency::EUR)), "different currencies"),
        (change(|it| it.weights[0].plus = Money::new(-1, Currency::USD)), "not below zero"),
        (change(|it| it.days_min = 9), "the first day"),
        (change(|it| it.zones[0].extra_days_min = 9), "the first day"),
        (change(|it| it.cut_off.hour = 24), "0:00 to 23:59"),
        (change(|it| it.cut_off.zone = "Mars/Base".to_owned()), "Mars/Base"),
        (change(|it| it.zones[1].code = "hawaii".to_owned()), "there twice"),
        (change(|it| it.zones[0].countries.clear()), "needs a country"),
        (change(|it| it.zones[0].countries.push("CA".parse().expect("a code"))), "only one"),
        (change(|it| it.zones[0].regions.push("US-TX".to_owned())), "no region of its country"),
        (change(|it| it.zones[3].postcodes.push("pa".to_owned())), "postcodes begin"),
        (change(|it| it.zones[0].postcodes.push("HI".to_owned())), "postcodes begin"),
        (change(|it| it.weights.reverse()), "weight steps ascend"),
        (change(|it| it.weight_max_g = Some(10_000)), "the highest weight"),
        (change(|it| it.zone = Some(ZoneName { code: "hawaii".to_owned(), names: BTreeMap::new() })), "already resolved"),
    ] {
        assert!(said.contains(part), "{said} does not say {part}");
    }
}
