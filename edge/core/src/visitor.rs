//! The little that a visitor's headers tell: the number on the cart, which locale to suggest, and the bucket of experiments. They only ever
//! choose what is shown; none is kept.

use domain::{
    locale::{Language, Locale},
    market::Country,
};

/// Shows how many pieces are in the cart, so that a cached page can say so. Only for display.
pub const CART_COUNT_COOKIE: &str = "cart_count";
/// Remembers the locale that a visitor chose.
pub const LOCALE_COOKIE: &str = "locale";
/// Keeps a visitor on one side of an experiment: a number below [`BUCKETS`].
pub const BUCKET_COOKIE: &str = "bucket";
/// Visitors are spread over so many buckets.
pub const BUCKETS: u8 = 100;
/// The largest number that the badge shows.
pub const CART_COUNT_MAX: u32 = 999;
/// Languages that are looked at in one header, and its bytes.
const LANGUAGES_MAX: usize = 20;
const HEADER_BYTES_MAX: usize = 1_000;

/// The value of a cookie in a `Cookie` header (RFC 6265, 5.4). The first of several counts.
pub fn cookie<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header.split(';').filter_map(|pair| pair.trim().split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value.trim_matches('"'))
}

/// The number for the cart's badge.
pub fn cart_count(cookies: Option<&str>) -> u32 {
    let count = cookies.and_then(|header| cookie(header, CART_COUNT_COOKIE)).filter(|text| text.len() <= 6);
    count.and_then(|text| text.parse().ok()).unwrap_or(0).min(CART_COUNT_MAX)
}

/// Which of so many versions of a page a visitor sees. Whoever has no bucket sees the first one, as everybody does where there is one only.
pub fn version_seen(cookies: Option<&str>, versions: u8) -> u8 {
    let bucket = cookies.and_then(|header| cookie(header, BUCKET_COOKIE)).and_then(|text| text.parse::<u8>().ok()).filter(|bucket| *bucket < BUCKETS);
    bucket.and_then(|bucket| bucket.checked_rem(versions)).unwrap_or(0)
}

/// The locale for `/` and for pages that have none: what was chosen before, then what the browser asks for, then what is spoken where the
/// host says that the request comes from, then the shop's own. The country also decides between locales of one language.
pub fn suggested_locale(cookies: Option<&str>, accept_language: Option<&str>, country: Option<&str>) -> Locale {
    let country = country.and_then(|code| code.to_ascii_uppercase().parse::<Country>().ok());
    let chosen = cookies.and_then(|header| cookie(header, LOCALE_COOKIE)).and_then(|text| text.parse().ok());
    let asked = || accept_language.and_then(|header| accepted(header, country));
    let there = || country.and_then(|country| Locale::OFFERED.into_iter().find(|locale| locale.country == country));
    chosen.or_else(asked).or_else(there).unwrap_or(Locale::DEFAULT)
}

/// The best offered locale for an `Accept-Language` header (RFC 9110, 12.5.4).
fn accepted(header: &str, country: Option<Country>) -> Option<Locale> {
    let end = (0..=header.len().min(HEADER_BYTES_MAX)).rev().find(|at| header.is_char_boundary(*at)).unwrap_or(0);
    let mut ranges: Vec<(u16, &str)> = header[..end].split(',').take(LANGUAGES_MAX).filter_map(weighted).filter(|(weight, _)| *weight > 0).collect();
    // A stable sort: among equals, the one that stands first.
    ranges.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    ranges.iter().find_map(|(_, tag)| matching(tag, country))
}

/// A language range and its weight in thousandths.
fn weighted(range: &str) -> Option<(u16, &str)> {
    let mut parts = range.split(';').map(str::trim);
    let tag = parts.next().filter(|tag| !tag.is_empty())?;
    let Some(quality) = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="))) else { return Some((1_000, tag)) };
    let (whole, fraction) = quality.split_once('.').unwrap_or((quality, ""));
    let digits = format!("{fraction:0<3}");
    let thousandths: u16 = digits.get(..3)?.parse().ok()?;
    match whole {
        "0" => Some((thousandths, tag)),
        "1" => Some((1_000, tag)),
        _ => None,
    }
}

/// An offered locale of exactly this language and country; otherwise of this language where the visitor is, or the language's home.
fn matching(tag: &str, there: Option<Country>) -> Option<Locale> {
    let mut parts = tag.split(['-', '_']);
    let language = parts.next()?.to_ascii_lowercase();
    let country = parts.find(|part| part.len() == 2).map(str::to_ascii_lowercase);
    let names_no_country = country.is_none();
    if let Some(country) = country
        && let Some(exact) = Locale::OFFERED.into_iter().find(|locale| locale.to_string() == format!("{language}-{country}"))
    {
        return Some(exact);
    }
    let spoken = |locale: &Locale| locale.to_string().split_once('-').is_some_and(|(spoken, _)| spoken == language);
    if names_no_country && let Some(here) = Locale::OFFERED.into_iter().find(|locale| Some(locale.country) == there && spoken(locale)) {
        return Some(here);
    }
    let home = match language.as_str() {
        "en" => return Some(Locale::DEFAULT),
        "de" => Language::De,
        "fr" => Language::Fr,
        "ja" => Language::Ja,
        "ko" => Language::Ko,
        _ => return None,
    };
    // The country whose code the language shares, where several are offered: fr-fr before fr-ca.
    let of_language = || Locale::OFFERED.into_iter().filter(|locale| locale.language == home);
    of_language().find(|locale| locale.country.code().eq_ignore_ascii_case(home.tag())).or_else(|| of_language().next())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn suggest(cookies: &str, accept: &str) -> String {
        suggested_locale(Some(cookies), Some(accept), None).to_string()
    }

    #[test]
    fn the_cookie_wins_over_the_browser_and_the_browser_over_the_default() {
        for (cookies, accept, locale) in [
            ("", "", "en-us"),
            ("locale=de-de", "fr", "de-de"),
            ("a=b; locale=ja-jp; locale=de-de", "", "ja-jp"),
            ("locale=en-de", "", "en-de"),
            ("locale=xx-yy", "ko", "ko-kr"),
            ("", "fr", "fr-fr"),
            ("", "fr-CA,fr;q=0.8", "fr-ca"),
            ("", "fr-BE", "fr-fr"),
            ("", "en-AU,en;q=0.9", "en-us"),
            ("", "en-GB", "en-gb"),
            ("", "ja;q=0.5, de;q=0.9", "de-de"),
            ("", "de;q=0, ko", "ko-kr"),
            ("", "zh-Hant-TW, ja;q=0.1", "ja-jp"),
            ("", "ko-Kore-KR", "ko-kr"),
            ("", "*", "en-us"),
            ("", "de;q=nonsense, fr;q=0.1", "fr-fr"),
        ] {
            assert_eq!(suggest(cookies, accept), locale, "{cookies:?} {accept:?}");
        }
        assert_eq!(suggested_locale(None, None, None), Locale::DEFAULT);
    }

    #[test]
    fn the_country_only_fills_in_what_cookie_and_languages_leave_open() {
        for (cookies, accept, country, locale) in [
            ("", "", "DE", "de-de"),
            ("", "*", "jp", "ja-jp"),
            ("", "en", "GB", "en-gb"),
            ("", "fr", "CA", "fr-ca"),
            ("", "en-US", "GB", "en-us"),
            ("", "fr", "JP", "fr-fr"),
            ("", "en", "DE", "en-us"),
            ("locale=ko-kr", "fr", "DE", "ko-kr"),
            ("", "", "ZZ", "en-us"),
            ("", "", "<script>", "en-us"),
        ] {
            assert_eq!(suggested_locale(Some(cookies), Some(accept), Some(country)).to_string(), locale, "{cookies:?} {accept:?} {country}");
        }
    }

    #[test]
    fn a_bucket_counts_only_where_there_is_a_choice() {
        for (cookies, versions, seen) in
            [("bucket=7", 2, 1), ("bucket=8", 2, 0), ("bucket=7", 1, 0), ("bucket=7", 0, 0), ("bucket=100", 2, 0), ("bucket=x", 2, 0), ("", 2, 0)]
        {
            assert_eq!(version_seen(Some(cookies), versions), seen, "{cookies} {versions}");
        }
    }

    #[test]
    fn the_badge_shows_numbers_only() {
        for (cookies, count) in
            [("cart_count=3", 3), ("x=1; cart_count=\"12\"", 12), ("cart_count=-1", 0), ("cart_count=<b>", 0), ("cart_count=5000", 999), ("", 0)]
        {
            assert_eq!(cart_count(Some(cookies)), count, "{cookies}");
        }
        assert_eq!(cart_count(None), 0);
    }

    proptest! {
        #[test]
        fn no_header_is_too_strange(cookies in ".*", accept in ".*") {
            suggested_locale(Some(&cookies), Some(&accept), Some(&accept));
            prop_assert!(version_seen(Some(&cookies), 3) < 3);
            prop_assert!(cart_count(Some(&cookies)) <= CART_COUNT_MAX);
        }
    }
}
