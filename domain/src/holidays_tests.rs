//! Holidays against the calendars that the countries publish: the days from Monday to Friday on which a country rests.

use super::*;

fn country(code: &str) -> Country {
    code.parse().expect("a code")
}

#[test]
fn holidays_are_those_of_the_official_calendars() {
    for (code, year, source, days) in [
        ("US", 2025, "opm.gov, Federal Holidays", "01-01 01-20 02-17 05-26 06-19 07-04 09-01 10-13 11-11 11-27 12-25"),
        ("US", 2026, "opm.gov, Federal Holidays", "01-01 01-19 02-16 05-25 06-19 07-03 09-07 10-12 11-11 11-26 12-25"),
        ("US", 2027, "opm.gov, Federal Holidays", "01-01 01-18 02-15 05-31 06-18 07-05 09-06 10-11 11-11 11-25 12-24 12-31"),
        ("CA", 2026, "canada.ca, Public holidays; Canada Post", "01-01 04-03 04-06 05-18 07-01 09-07 09-30 10-12 11-11 12-25 12-28"),
        ("CA", 2027, "canada.ca, Public holidays; Canada Post", "01-01 03-26 03-29 05-24 07-01 09-06 09-30 10-11 11-11 12-27 12-28"),
        ("GB", 2025, "gov.uk/bank-holidays", "01-01 04-18 04-21 05-05 05-26 08-25 12-25 12-26"),
        ("GB", 2026, "gov.uk/bank-holidays", "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28"),
        ("GB", 2027, "gov.uk/bank-holidays", "01-01 03-26 03-29 05-03 05-31 08-30 12-27 12-28"),
        ("GB", 2028, "gov.uk/bank-holidays", "01-03 04-14 04-17 05-01 05-29 08-28 12-25 12-26"),
        ("DE", 2025, "bmi.bund.de, Gesetzliche Feiertage", "01-01 04-18 04-21 05-01 05-29 06-09 10-03 12-25 12-26"),
        ("DE", 2026, "bmi.bund.de, Gesetzliche Feiertage", "01-01 04-03 04-06 05-01 05-14 05-25 12-25"),
        ("FR", 2025, "service-public.fr, jours fériés", "01-01 04-21 05-01 05-08 05-29 06-09 07-14 08-15 11-11 12-25"),
        ("FR", 2026, "service-public.fr, jours fériés", "01-01 04-06 05-01 05-08 05-14 05-25 07-14 11-11 12-25"),
        ("NL", 2026, "rijksoverheid.nl, officiële feestdagen", "01-01 04-06 04-27 05-05 05-14 05-25 12-25"),
        ("NL", 2025, "rijksoverheid.nl, officiële feestdagen", "01-01 04-21 05-05 05-29 06-09 12-25 12-26"),
        ("JP", 2025, "内閣府 国民の祝日", "01-01 01-13 02-11 02-24 03-20 04-29 05-05 05-06 07-21 08-11 09-15 09-23 10-13 11-03 11-24"),
        ("JP", 2026, "内閣府 国民の祝日", "01-01 01-12 02-11 02-23 03-20 04-29 05-04 05-05 05-06 07-20 08-11 09-21 09-22 09-23 10-12 11-03 11-23"),
        ("JP", 2027, "内閣府 国民の祝日", "01-01 01-11 02-11 02-23 03-22 04-29 05-03 05-04 05-05 07-19 08-11 09-20 09-23 10-11 11-03 11-23"),
        ("KR", 2025, "월력요항 2025", "01-01 01-28 01-29 01-30 03-03 05-01 05-05 05-06 06-06 08-15 10-03 10-06 10-07 10-08 10-09 12-25"),
        (
            "KR",
            2026,
            "월력요항 2026; 공휴일에 관한 법률",
            "01-01 02-16 02-17 02-18 03-02 05-01 05-05 05-25 06-03 07-17 08-17 09-24 09-25 10-05 10-09 12-25",
        ),
        ("KR", 2027, "월력요항 2027; 공휴일에 관한 법률", "01-01 02-08 02-09 03-01 05-05 05-13 07-19 08-16 09-14 09-15 09-16 10-04 10-11 12-27"),
        ("KR", 2028, "공휴일에 관한 법률", "01-26 01-27 01-28 03-01 04-12 05-01 05-02 05-05 06-06 07-17 08-15 10-02 10-03 10-04 10-05 10-09 12-25"),
        ("KR", 2029, "공휴일에 관한 법률", "01-01 02-12 02-13 02-14 03-01 05-01 05-07 05-21 06-06 07-17 08-15 09-21 09-24 10-03 10-09 12-25"),
        ("KR", 2030, "공휴일에 관한 법률", "01-01 02-04 02-05 03-01 05-01 05-06 05-09 06-06 07-17 08-15 09-11 09-12 09-13 10-03 10-09 12-25"),
        ("ZZ", 2026, "no country", ""),
    ] {
        let first = Date::new(year, 1, 1).expect("a day");
        let rests = |day: &Date| !is_weekend(*day) && is_holiday(country(code), *day);
        let found: Vec<String> = first
            .series(jiff::Span::new().days(1))
            .take_while(|day| day.year() == year)
            .filter(rests)
            .map(|day| day.strftime("%m-%d").to_string())
            .collect();
        assert_eq!(found.join(" "), days, "{code} {year}: {source}");
    }
}

#[test]
fn easter_is_where_the_churches_keep_it() {
    // U.S. Census Bureau, "Easter Dates from 1600 to 2099"; 2285 is the earliest that there can be, 2038 the latest.
    for (year, month, day) in
        [(2000, 4, 23), (2019, 4, 21), (2024, 3, 31), (2025, 4, 20), (2026, 4, 5), (2027, 3, 28), (2028, 4, 16), (2038, 4, 25), (2285, 3, 22)]
    {
        assert_eq!(easter(year), Date::new(year, month, day).ok(), "{year}");
    }
}

#[test]
fn equinoxes_fall_where_the_observatory_announced_them() {
    // 国立天文台 暦要項 (2000 to 2027), and its forecast to 2030.
    for (year, spring, autumn) in
        [(2000, 20, 23), (2012, 20, 22), (2020, 20, 22), (2025, 20, 23), (2026, 20, 23), (2027, 21, 23), (2028, 20, 22), (2030, 20, 23)]
    {
        let day = |autumn| Equinox { autumn }.date(year).map(|day| (day.month(), day.day()));
        assert_eq!((day(false), day(true)), (Some((3, spring)), Some((9, autumn))), "{year}");
    }
}

#[test]
fn a_year_without_a_lunar_table_has_the_other_holidays() {
    let day = |year, month, day| is_holiday(country("KR"), Date::new(year, month, day).expect("a day"));
    assert!(day(2031, 3, 1) && day(2024, 12, 25) && !day(2024, 2, 9));
    assert!(!is_holiday(country("US"), Date::MAX) && is_holiday(country("DE"), Date::MIN), "the calendar's edges are days like others");
}
