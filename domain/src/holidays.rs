//! Public holidays on which nothing is packed or delivered: nationwide ones, by rule, of the countries that parcels leave from or go to.
//! Holidays of a single state, province or town are not here, nor those that a country declares once.

use crate::market::Country;
use jiff::civil::{Date, Weekday};

/// Whether a day is a public holiday in a country; a country that is not listed has none. Korea's holidays of the lunar calendar are known for
/// 2025 to 2030.
///
/// Sources: US: 5 U.S.C. § 6103, Executive Order 11582. CA: Canada Labour Code, s. 166 and 193, and Easter Monday, on which Canada Post
/// rests. GB (England): Banking and Financial Dealings Act 1971, Sch. 1, and the proclamations for 1 January and the May holiday
/// (<https://www.gov.uk/bank-holidays>). DE: the days that the holiday acts of all sixteen states have in common, and Einigungsvertrag,
/// Art. 2. FR: Code du travail, L3133-1. NL: Algemene termijnenwet, art. 3. JP: 国民の祝日に関する法律. KR: 관공서의 공휴일에 관한 규정.
pub fn is_holiday(country: Country, day: Date) -> bool {
    // The US keep a New Year's Day that is a Saturday on the Friday before: in the old year.
    of_year(country, day.year()).contains(&day) || (day.month() == 12 && of_year(country, day.year().saturating_add(1)).contains(&day))
}

/// When a holiday is.
#[derive(Clone, Copy)]
enum On {
    /// Month and day.
    Day(i8, i8),
    /// Month and which Monday of it; -1 is the last.
    Monday(i8, i8),
    /// The Monday before this month and day.
    MondayBefore(i8, i8),
    /// The fourth Thursday of November.
    Thanksgiving,
    /// Days after Easter Sunday.
    Easter(i16),
    /// Japan's equinoxes: by the formula of the Coast Guard's almanac (新こよみ便利帳), right from 1980 to 2099. The day itself is announced by the
    /// National Astronomical Observatory each February for the year after.
    Equinox { autumn: bool },
    /// Korea's lunar holidays: which of [`LUNAR`]'s columns, and days after it.
    Lunar(usize, i16),
    /// Month and day from this year on.
    Since(i16, i8, i8),
    /// A single day: year, month, day.
    Once(i16, i8, i8),
}

/// What becomes of a holiday on a free day.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moved {
    Never,
    /// From a Saturday to the Friday before, from a Sunday to the Monday after.
    Nearest,
    /// From a Saturday, a Sunday or another holiday to the next day that is none of them.
    Weekend,
    /// From a Sunday or another holiday to the next day that is none of them.
    Sunday,
}
use Moved::{Nearest, Never, Sunday, Weekend};
use On::{Day, Easter, Equinox, Lunar, Monday, MondayBefore, Once, Since, Thanksgiving};

const fn rules(country: Country) -> &'static [(On, Moved)] {
    match &country.0 {
        b"US" => US,
        b"CA" => CA,
        b"GB" => GB,
        b"DE" => DE,
        b"FR" => FR,
        b"NL" => NL,
        b"JP" => JP,
        b"KR" => KR,
        _ => &[],
    }
}

const US: &[(On, Moved)] = &[
    (Day(1, 1), Nearest),
    (Monday(1, 3), Never),
    (Monday(2, 3), Never),
    (Monday(5, -1), Never),
    (Day(6, 19), Nearest),
    (Day(7, 4), Nearest),
    (Monday(9, 1), Never),
    (Monday(10, 2), Never),
    (Day(11, 11), Nearest),
    (Thanksgiving, Never),
    (Day(12, 25), Nearest),
];
const CA: &[(On, Moved)] = &[
    (Day(1, 1), Weekend),
    (Easter(-2), Never),
    (Easter(1), Never),
    (MondayBefore(5, 25), Never),
    (Day(7, 1), Weekend),
    (Monday(9, 1), Never),
    (Since(2021, 9, 30), Weekend),
    (Monday(10, 2), Never),
    (Day(11, 11), Weekend),
    (Day(12, 25), Weekend),
    (Day(12, 26), Weekend),
];
const GB: &[(On, Moved)] = &[
    (Day(1, 1), Weekend),
    (Easter(-2), Never),
    (Easter(1), Never),
    (Monday(5, 1), Never),
    (Monday(5, -1), Never),
    (Monday(8, -1), Never),
    (Day(12, 25), Weekend),
    (Day(12, 26), Weekend),
];
const DE: &[(On, Moved)] = &[
    (Day(1, 1), Never),
    (Easter(-2), Never),
    (Easter(1), Never),
    (Day(5, 1), Never),
    (Easter(39), Never),
    (Easter(50), Never),
    (Day(10, 3), Never),
    (Day(12, 25), Never),
    (Day(12, 26), Never),
];
const FR: &[(On, Moved)] = &[
    (Day(1, 1), Never),
    (Easter(1), Never),
    (Day(5, 1), Never),
    (Day(5, 8), Never),
    (Easter(39), Never),
    (Easter(50), Never),
    (Day(7, 14), Never),
    (Day(8, 15), Never),
    (Day(11, 1), Never),
    (Day(11, 11), Never),
    (Day(12, 25), Never),
];
/// The King's day is on 26 April where the 27th is a Sunday: a Saturday, on which nothing leaves anyway.
const NL: &[(On, Moved)] = &[
    (Day(1, 1), Never),
    (Easter(1), Never),
    (Day(4, 27), Never),
    (Day(5, 5), Never),
    (Easter(39), Never),
    (Easter(50), Never),
    (Day(12, 25), Never),
    (Day(12, 26), Never),
];
const JP: &[(On, Moved)] = &[
    (Day(1, 1), Sunday),
    (Monday(1, 2), Never),
    (Day(2, 11), Sunday),
    (Day(2, 23), Sunday),
    (Equinox { autumn: false }, Sunday),
    (Day(4, 29), Sunday),
    (Day(5, 3), Sunday),
    (Day(5, 4), Sunday),
    (Day(5, 5), Sunday),
    (Monday(7, 3), Never),
    (Day(8, 11), Sunday),
    (Monday(9, 3), Never),
    (Equinox { autumn: true }, Sunday),
    (Monday(10, 2), Never),
    (Day(11, 3), Sunday),
    (Day(11, 23), Sunday),
];
/// Labour Day is a paid day off for workers rather than a public holiday (근로자의 날 제정에 관한 법률): couriers rest. Constitution Day
/// (17 July) is one again since 2026. Elections: 공직선거법 제34조.
const KR: &[(On, Moved)] = &[
    (Day(1, 1), Never),
    (Lunar(NEW_YEAR, -1), Sunday),
    (Lunar(NEW_YEAR, 0), Sunday),
    (Lunar(NEW_YEAR, 1), Sunday),
    (Day(3, 1), Weekend),
    (Day(5, 1), Never),
    (Day(5, 5), Weekend),
    (Lunar(BUDDHA, 0), Weekend),
    (Day(6, 6), Never),
    (Since(2026, 7, 17), Weekend),
    (Day(8, 15), Weekend),
    (Lunar(CHUSEOK, -1), Sunday),
    (Lunar(CHUSEOK, 0), Sunday),
    (Lunar(CHUSEOK, 1), Sunday),
    (Day(10, 3), Weekend),
    (Day(10, 9), Weekend),
    (Day(12, 25), Weekend),
    (Once(2026, 6, 3), Never),
    (Once(2028, 4, 12), Never),
];

const NEW_YEAR: usize = 0;
const BUDDHA: usize = 1;
const CHUSEOK: usize = 2;
/// Month and day of 설날, 부처님오신날 and 추석: the Korea Astronomy and Space Science Institute's almanacs (월력요항), from 2025 on.
const LUNAR: [[(i8, i8); 3]; 6] = [
    [(1, 29), (5, 5), (10, 6)],
    [(2, 17), (5, 24), (9, 25)],
    [(2, 7), (5, 13), (9, 15)],
    [(1, 27), (5, 2), (10, 3)],
    [(2, 13), (5, 20), (9, 22)],
    [(2, 3), (5, 9), (9, 12)],
];

/// A year's holidays, with the days that they are moved to.
fn of_year(country: Country, year: i16) -> Vec<Date> {
    let rules = rules(country);
    let own: Vec<(Date, Moved)> = rules.iter().filter_map(|(on, moved)| Some((on.date(year)?, *moved))).collect();
    let mut days: Vec<Date> = own.iter().map(|(day, _)| *day).collect();
    // A day between two holidays is one in Japan (art. 3, para. 3).
    if country.0 == *b"JP" {
        let between = |day: &Date| Some((day.tomorrow().ok()?, day.tomorrow().ok()?.tomorrow().ok()?));
        let more: Vec<Date> = days.iter().filter_map(between).filter(|(_, after)| days.contains(after)).map(|(day, _)| day).collect();
        days.extend(more);
    }
    for (at, (day, moved)) in own.iter().enumerate() {
        let doubled = own[..at].iter().any(|(other, _)| other == day);
        let to = match (moved, day.weekday()) {
            (Nearest, Weekday::Saturday) => day.yesterday().ok(),
            (Nearest, Weekday::Sunday) => day.tomorrow().ok(),
            (Weekend, Weekday::Saturday | Weekday::Sunday) | (Sunday, Weekday::Sunday) => next_free(*day, &days),
            (Weekend | Sunday, _) if doubled => next_free(*day, &days),
            _ => None,
        };
        days.extend(to);
    }
    days
}

/// The next day from Monday to Friday that is no holiday yet.
fn next_free(day: Date, holidays: &[Date]) -> Option<Date> {
    let is_free = |day: &Date| !is_weekend(*day) && !holidays.contains(day);
    std::iter::successors(day.tomorrow().ok(), |day| day.tomorrow().ok()).find(is_free)
}

/// Saturdays and Sundays, in every country that we know.
pub(crate) fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

impl On {
    /// Its date in a year, where it has one.
    fn date(self, year: i16) -> Option<Date> {
        match self {
            Day(month, day) => Date::new(year, month, day).ok(),
            Monday(month, nth) => Date::new(year, month, 1).ok()?.nth_weekday_of_month(nth, Weekday::Monday).ok(),
            MondayBefore(month, day) => Date::new(year, month, day).ok()?.nth_weekday(-1, Weekday::Monday).ok(),
            Thanksgiving => Date::new(year, 11, 1).ok()?.nth_weekday_of_month(4, Weekday::Thursday).ok(),
            Easter(after) => add_days(easter(year)?, after),
            Equinox { autumn } => {
                let since = i64::from(year) - 1980;
                let (month, base) = if autumn { (9, 23_248_800) } else { (3, 20_843_100) };
                let day = (base + 242_194 * since).div_euclid(1_000_000) - since.div_euclid(4);
                Date::new(year, month, i8::try_from(day).ok()?).ok()
            }
            Lunar(column, after) => {
                let (month, day) = LUNAR.get(usize::try_from(year - 2025).ok()?)?[column];
                add_days(Date::new(year, month, day).ok()?, after)
            }
            Since(first, month, day) => (first <= year).then(|| Date::new(year, month, day).ok())?,
            Once(of, month, day) => (of == year).then(|| Date::new(year, month, day).ok())?,
        }
    }
}

fn add_days(day: Date, days: i16) -> Option<Date> {
    day.checked_add(jiff::Span::new().days(days)).ok()
}

/// Easter Sunday by the Gregorian computus (Meeus, Jones, Butcher: Nature 13 (1876), p. 487).
fn easter(year: i16) -> Option<Date> {
    let (golden, century, rest) = (i32::from(year % 19), i32::from(year / 100), i32::from(year % 100));
    let epact = (19 * golden + century - century / 4 - (century - (century + 8) / 25 + 1) / 3 + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (rest / 4) - epact - rest % 4) % 7;
    let sum = epact + weekday - 7 * ((golden + 11 * epact + 22 * weekday) / 451) + 114;
    Date::new(year, i8::try_from(sum / 31).ok()?, i8::try_from(sum % 31 + 1).ok()?).ok()
}

#[cfg(test)]
#[path = "holidays_tests.rs"]
mod tests;
