//! Amounts and numbers as each locale writes them (patterns and separators of CLDR 46 for the locales offered).

use domain::{
    locale::{Language, Locale},
    money::Money,
};

/// An amount in full, as sums and bills show it: `$48.00`, `48,00 €`, `¥4,620`.
pub fn money(amount: Money, locale: Locale) -> String {
    written(amount, locale, false)
}

/// An amount as a price tag shows it: whole amounts without a fraction, `$48`, `48 €`.
pub fn price(amount: Money, locale: Locale) -> String {
    written(amount, locale, true)
}

/// A whole number with the locale's grouping.
pub fn number(value: u64, locale: Locale) -> String {
    grouped(value, group(locale))
}

fn written(amount: Money, locale: Locale, short: bool) -> String {
    let digits = amount.currency.minor_digits() as usize;
    let scale = 10_u64.pow(amount.currency.minor_digits());
    let units = amount.minor.unsigned_abs();
    let mut figure = grouped(units / scale, group(locale));
    if digits > 0 && !(short && units.is_multiple_of(scale)) {
        let point = if matches!(locale.language, Language::De | Language::Fr) { ',' } else { '.' };
        figure = format!("{figure}{point}{:0digits$}", units % scale);
    }
    let sign = if amount.minor < 0 { "–" } else { "" };
    let symbol = symbol(amount.currency.code(), locale);
    if matches!(locale.language, Language::De | Language::Fr) {
        // No-break space, so that a price never falls apart at the end of a line.
        format!("{sign}{figure}\u{a0}{symbol}")
    } else if symbol.len() == 3 && symbol.bytes().all(|byte| byte.is_ascii_uppercase()) {
        format!("{sign}{symbol}\u{a0}{figure}")
    } else {
        format!("{sign}{symbol}{figure}")
    }
}

/// The symbol that readers of a locale take for this currency; the code where there is none.
fn symbol(code: &str, locale: Locale) -> &str {
    let canadian = locale.country.code() == "CA";
    match (code, locale.language) {
        ("EUR", _) => "€",
        ("GBP", _) => "£",
        ("JPY", Language::Ja) => "￥",
        ("JPY", _) => "¥",
        ("KRW", _) => "₩",
        ("USD", Language::Fr) if canadian => "$\u{a0}US",
        ("USD", Language::Fr) => "$US",
        ("USD", _) if canadian => "US$",
        ("USD", _) => "$",
        ("CAD", _) if canadian => "$",
        ("CAD", Language::Fr) => "$CA",
        ("CAD", _) => "CA$",
        _ => code,
    }
}

const fn group(locale: Locale) -> char {
    match locale.language {
        Language::De => '.',
        // Narrow no-break space; French typography asks for it.
        Language::Fr => '\u{202f}',
        _ => ',',
    }
}

fn grouped(value: u64, separator: char) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + 6);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(separator);
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(minor: i64, code: &str) -> Money {
        Money::new(minor, code.parse().expect("a currency"))
    }

    #[test]
    fn each_locale_writes_its_own_money() {
        for (locale, code, minor, full, tag) in [
            ("en-us", "USD", 4800, "$48.00", "$48"),
            ("en-us", "USD", 123_456, "$1,234.56", "$1,234.56"),
            ("en-ca", "CAD", 6500, "$65.00", "$65"),
            ("fr-ca", "CAD", 6500, "65,00\u{a0}$", "65\u{a0}$"),
            ("en-gb", "GBP", 3995, "£39.95", "£39.95"),
            ("de-de", "EUR", 123_400, "1.234,00\u{a0}€", "1.234\u{a0}€"),
            ("fr-fr", "EUR", 123_450, "1\u{202f}234,50\u{a0}€", "1\u{202f}234,50\u{a0}€"),
            ("ja-jp", "JPY", 46_200, "￥46,200", "￥46,200"),
            ("ko-kr", "KRW", 1_062_000, "₩1,062,000", "₩1,062,000"),
            ("en-us", "CAD", -1800, "–CA$18.00", "–CA$18"),
            ("en-us", "CHF", 5, "CHF\u{a0}0.05", "CHF\u{a0}0.05"),
        ] {
            let locale = locale.parse().expect("a locale");
            assert_eq!(money(amount(minor, code), locale), full);
            assert_eq!(price(amount(minor, code), locale), tag);
        }
    }
}
