//! Dates as each locale writes them, to the day.

use domain::locale::{Language, Locale};
use jiff::civil::Date;

/// A day near today, without its year: `Tue, Nov 24`, `Tue 24 Nov`, `Di., 24. Nov.`, `11月24日(火)`.
pub fn date(day: Date, locale: Locale) -> String {
    let (weekday, month, number) = (weekday(day, locale), short_month(day, locale), day.day());
    match locale.language {
        Language::De => format!("{weekday}, {number}. {month}"),
        Language::Fr => format!("{weekday} {} {month}", first(number)),
        Language::Ja => format!("{}月{number}日({weekday})", day.month()),
        Language::Ko => format!("{}월 {number}일({weekday})", day.month()),
        Language::En if locale.country.code() != "US" => format!("{weekday} {number} {month}"),
        _ => format!("{weekday}, {month} {number}"),
    }
}

/// Two days: `Tue 24 – Thu 26 Nov`, or one where they are the same.
pub fn date_range(from: Date, to: Date, locale: Locale) -> String {
    if from == to {
        return date(from, locale);
    }
    match locale.language {
        Language::Ja => format!("{}〜{}", date(from, locale), date(to, locale)),
        Language::Ko => format!("{}~{}", date(from, locale), date(to, locale)),
        _ if from.month() == to.month() && from.year() == to.year() && day_first(locale) => {
            let number = match locale.language {
                Language::De => format!("{}, {}.", weekday(from, locale), from.day()),
                Language::Fr => format!("{} {}", weekday(from, locale), first(from.day())),
                _ => format!("{} {}", weekday(from, locale), from.day()),
            };
            format!("{number} – {}", date(to, locale))
        }
        _ => format!("{} – {}", date(from, locale), date(to, locale)),
    }
}

/// A day in full: `November 24, 2026`, `24. November 2026`, `2026年11月24日`.
pub fn long_date(day: Date, locale: Locale) -> String {
    let (month, number, year) = (long_month(day, locale), day.day(), day.year());
    match locale.language {
        Language::De => format!("{number}. {month} {year}"),
        Language::Fr => format!("{} {month} {year}", first(number)),
        Language::Ja => format!("{year}年{}月{number}日", day.month()),
        Language::Ko => format!("{year}년 {}월 {number}일", day.month()),
        Language::En if locale.country.code() != "US" => format!("{number} {month} {year}"),
        _ => format!("{month} {number}, {year}"),
    }
}

fn day_first(locale: Locale) -> bool {
    match locale.language {
        Language::De | Language::Fr => true,
        Language::En => locale.country.code() != "US",
        _ => false,
    }
}

/// French writes the first of a month as an ordinal.
fn first(day: i8) -> String {
    if day == 1 { "1er".to_owned() } else { day.to_string() }
}

fn weekday(day: Date, locale: Locale) -> &'static str {
    let names = match locale.language {
        Language::De => ["Mo.", "Di.", "Mi.", "Do.", "Fr.", "Sa.", "So."],
        Language::Fr => ["lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."],
        Language::Ja => ["月", "火", "水", "木", "金", "土", "日"],
        Language::Ko => ["월", "화", "수", "목", "금", "토", "일"],
        _ => ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
    };
    names[usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or(0)]
}

fn short_month(day: Date, locale: Locale) -> &'static str {
    let names = match locale.language {
        Language::De => ["Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."],
        Language::Fr => ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."],
        _ => ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    };
    names[month_index(day)]
}

fn long_month(day: Date, locale: Locale) -> &'static str {
    let names = match locale.language {
        Language::De => ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"],
        Language::Fr => ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"],
        _ => ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"],
    };
    names[month_index(day)]
}

fn month_index(day: Date) -> usize {
    usize::try_from(day.month() - 1).unwrap_or(0).min(11)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date as day;

    #[test]
    fn each_locale_writes_its_own_dates() {
        let (from, to) = (day(2026, 11, 24), day(2026, 11, 26));
        for (locale, near, range, long) in [
            ("en-us", "Tue, Nov 24", "Tue, Nov 24 – Thu, Nov 26", "November 24, 2026"),
            ("en-gb", "Tue 24 Nov", "Tue 24 – Thu 26 Nov", "24 November 2026"),
            ("de-de", "Di., 24. Nov.", "Di., 24. – Do., 26. Nov.", "24. November 2026"),
            ("fr-fr", "mar. 24 nov.", "mar. 24 – jeu. 26 nov.", "24 novembre 2026"),
            ("ja-jp", "11月24日(火)", "11月24日(火)〜11月26日(木)", "2026年11月24日"),
            ("ko-kr", "11월 24일(화)", "11월 24일(화)~11월 26일(목)", "2026년 11월 24일"),
        ] {
            let locale = locale.parse().expect("a locale");
            assert_eq!(date(from, locale), near);
            assert_eq!(date_range(from, to, locale), range);
            assert_eq!(long_date(from, locale), long);
        }
        assert_eq!(long_date(day(2026, 12, 1), "fr-ca".parse().expect("a locale")), "1er décembre 2026");
    }
}
