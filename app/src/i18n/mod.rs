//! What the shop itself says, in every language, and how it writes money, numbers and dates. Catalogue texts are data and live elsewhere.
//!
//! A language is one constant a group: a message that is missing does not compile. Placeholders are `{name}`, filled by [`filled`].

pub mod coupon;
mod dates;
pub mod follow;
pub mod give_back;
pub mod invoice;
mod money;
pub mod newsletter;
pub mod promotion;
mod pseudo;
pub mod shop;
#[cfg(test)]
mod tests;
pub mod till;

pub use coupon::{Coupon, coupon};
pub use dates::{date, date_range, long_date};
pub use follow::{Follow, follow};
pub use give_back::{GiveBack, give_back};
pub use invoice::{Invoice, invoice};
pub use money::{money, number, price};
pub use newsletter::{Newsletter, newsletter};
pub use promotion::{Promotion, promotion};
pub use shop::{Shop, shop};
pub use till::{Till, till};

use domain::locale::{Language, Locale};
use std::fmt::Write as _;

/// A message whose form follows a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plural {
    pub one: &'static str,
    pub other: &'static str,
}

impl Plural {
    /// A message that has one form (Japanese, Korean).
    pub const fn same(text: &'static str) -> Self {
        Self { one: text, other: text }
    }

    /// The form for `count`, with `{count}` written as the locale writes numbers. Categories as in CLDR 46 for the five languages.
    pub fn text(&self, locale: Locale, count: u64) -> String {
        let one = match locale.language {
            Language::Fr => count <= 1,
            Language::Ja | Language::Ko => false,
            _ => count == 1,
        };
        filled(if one { self.one } else { self.other }, &[("count", &number(count, locale))])
    }

    /// The form for `count`, with more placeholders filled.
    pub fn with(&self, locale: Locale, count: u64, values: &[(&str, &str)]) -> String {
        // Values come second, in one pass over a text whose own braces are gone: a value with braces stays as typed.
        filled(&self.text(locale, count), values)
    }
}

/// Puts values into a message's `{placeholders}`; an unknown one stays. What a value contains is never taken for a placeholder.
pub fn filled(template: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, tail)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, after)) = tail.split_once('}') else {
            out.push('{');
            rest = tail;
            continue;
        };
        match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => out.push_str(value),
            None => {
                let _ = write!(out, "{{{name}}}");
            }
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Declares a group of messages: a struct with a field a message, so that each language is one literal.
macro_rules! messages {
    ($(#[$meta:meta])* $name:ident { $($field:ident),* $(,)? } plural { $($plural:ident),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        #[expect(missing_docs, reason = "a message is its own documentation: see the English constant")]
        pub struct $name {
            $(pub $field: &'static str,)*
            $(pub $plural: $crate::i18n::Plural,)*
        }

        impl $name {
            /// Every message with its key; a plural gives two.
            pub fn entries(&self) -> Vec<(&'static str, &'static str)> {
                vec![
                    $((stringify!($field), self.$field),)*
                    $((concat!(stringify!($plural), ".one"), self.$plural.one), (concat!(stringify!($plural), ".other"), self.$plural.other),)*
                ]
            }

            /// The same group with every message changed: pseudo-languages are made of English.
            #[must_use]
            pub fn map(&self, change: impl Fn(&'static str) -> &'static str) -> Self {
                Self {
                    $($field: change(self.$field),)*
                    $($plural: $crate::i18n::Plural { one: change(self.$plural.one), other: change(self.$plural.other) },)*
                }
            }
        }
    };
}
pub(crate) use messages;

/// Chooses among a group's constants by locale: `en-gb` is also what other English countries read, `fr` what other French ones do.
macro_rules! by_locale {
    ($group:ty, $locale:expr, { en_us: $en_us:expr, en_gb: $en_gb:expr, en_ca: $en_ca:expr, de: $de:expr, fr: $fr:expr, fr_ca: $fr_ca:expr, ja: $ja:expr, ko: $ko:expr $(,)? }) => {{
        static PSEUDO: std::sync::LazyLock<$group> = std::sync::LazyLock::new(|| $en_us.map($crate::i18n::pseudo::long));
        static PSEUDO_RTL: std::sync::LazyLock<$group> = std::sync::LazyLock::new(|| $en_us.map($crate::i18n::pseudo::right_to_left));
        match ($locale.language, $locale.country.code()) {
            (domain::locale::Language::En, "US") => &$en_us,
            (domain::locale::Language::En, "CA") => &$en_ca,
            (domain::locale::Language::En, _) => &$en_gb,
            (domain::locale::Language::De, _) => &$de,
            (domain::locale::Language::Fr, "CA") => &$fr_ca,
            (domain::locale::Language::Fr, _) => &$fr,
            (domain::locale::Language::Ja, _) => &$ja,
            (domain::locale::Language::Ko, _) => &$ko,
            (domain::locale::Language::Pseudo, _) => &*PSEUDO,
            (domain::locale::Language::PseudoRtl, _) => &*PSEUDO_RTL,
        }
    }};
}
pub(crate) use by_locale;

/// A locale's name as its own readers know it, for the switch: country, and the language where a country has two.
pub fn locale_name(locale: Locale) -> &'static str {
    match (locale.language, locale.country.code()) {
        (Language::En, "US") => "United States",
        (Language::En, "CA") => "Canada, English",
        (Language::Fr, "CA") => "Canada, français",
        (Language::En, "GB") => "United Kingdom",
        (Language::De, "DE") => "Deutschland",
        (Language::Fr, "FR") => "France",
        (Language::Ja, "JP") => "日本",
        (Language::Ko, "KR") => "대한민국",
        (Language::En, _) => "English",
        (Language::De, _) => "Deutsch",
        (Language::Fr, _) => "Français",
        (Language::Ja, _) => "日本語",
        (Language::Ko, _) => "한국어",
        (Language::Pseudo, _) => "Ⓟseudo",
        (Language::PseudoRtl, _) => "ⓅseudoRTL",
    }
}
