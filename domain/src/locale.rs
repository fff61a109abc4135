//! Locales as they stand in URLs (`fr-ca`): a language and a country, and the order in which texts fall back.

use crate::market::Country;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A language that the shop's own messages exist in. `Pseudo` and `PseudoRtl` are for tests: long, accented words, left to
/// right and right to left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    En,
    De,
    Fr,
    Ja,
    Ko,
    Pseudo,
    PseudoRtl,
}

impl Language {
    /// The tag in a URL and in `lang`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
            Self::Fr => "fr",
            Self::Ja => "ja",
            Self::Ko => "ko",
            Self::Pseudo => "en-xa",
            Self::PseudoRtl => "ar-xb",
        }
    }

    /// Which way the text runs.
    pub const fn is_rtl(self) -> bool {
        matches!(self, Self::PseudoRtl)
    }
}

/// A language and a country: `en-us`. Eight are offered; any pair of a known language and a known country parses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Locale {
    pub language: Language,
    pub country: Country,
}

impl Locale {
    /// The locales that the switch, hreflang and the sitemap offer, in the order in which people see them.
    pub const OFFERED: [Self; 8] = [
        Self::of(Language::En, *b"US"),
        Self::of(Language::En, *b"CA"),
        Self::of(Language::Fr, *b"CA"),
        Self::of(Language::En, *b"GB"),
        Self::of(Language::De, *b"DE"),
        Self::of(Language::Fr, *b"FR"),
        Self::of(Language::Ja, *b"JP"),
        Self::of(Language::Ko, *b"KR"),
    ];
    /// Where a visitor lands whom nothing tells apart.
    pub const DEFAULT: Self = Self::OFFERED[0];
    /// Long, accented English in the US market, for tests.
    pub const PSEUDO: Self = Self::of(Language::Pseudo, *b"US");
    /// The same, right to left.
    pub const PSEUDO_RTL: Self = Self::of(Language::PseudoRtl, *b"US");

    const fn of(language: Language, country: [u8; 2]) -> Self {
        Self { language, country: Country(country) }
    }

    /// The language tag of this locale's documents in the read model; texts were resolved along the fallbacks when they were
    /// written, so a page needs one read.
    pub fn text_language(self) -> TextLanguage {
        match (self.language, &self.country.0) {
            (Language::De, _) => TextLanguage::De,
            (Language::Fr, _) => TextLanguage::Fr,
            (Language::Ja, _) => TextLanguage::Ja,
            (Language::Ko, _) => TextLanguage::Ko,
            (Language::En, b"US") | (Language::Pseudo | Language::PseudoRtl, _) => TextLanguage::EnUs,
            (Language::En, _) => TextLanguage::EnGb,
        }
    }

    /// The BCP 47 tag for `lang` and hreflang: `en-US`.
    pub fn bcp47(self) -> String {
        match self.language {
            Language::Pseudo => "en-XA".to_owned(),
            Language::PseudoRtl => "ar-XB".to_owned(),
            language => format!("{}-{}", language.tag(), self.country),
        }
    }
}

/// A language in which catalogue texts are kept. English has two: the spelling and the measures differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TextLanguage {
    #[serde(rename = "en-us")]
    EnUs,
    #[serde(rename = "en-gb")]
    EnGb,
    #[serde(rename = "de-de")]
    De,
    #[serde(rename = "fr-fr")]
    Fr,
    #[serde(rename = "ja-jp")]
    Ja,
    #[serde(rename = "ko-kr")]
    Ko,
}

impl TextLanguage {
    pub const ALL: [Self; 6] = [Self::EnUs, Self::EnGb, Self::De, Self::Fr, Self::Ja, Self::Ko];

    /// The key under which texts are stored.
    pub const fn key(self) -> &'static str {
        match self {
            Self::EnUs => "en-us",
            Self::EnGb => "en-gb",
            Self::De => "de-de",
            Self::Fr => "fr-fr",
            Self::Ja => "ja-jp",
            Self::Ko => "ko-kr",
        }
    }

    /// Where to look for a text, nearest first; US English is the default that a shop always has.
    pub const fn fallbacks(self) -> &'static [Self] {
        match self {
            Self::EnUs => &[Self::EnUs, Self::EnGb],
            Self::EnGb => &[Self::EnGb, Self::EnUs],
            Self::De => &[Self::De, Self::EnGb, Self::EnUs],
            Self::Fr => &[Self::Fr, Self::EnGb, Self::EnUs],
            Self::Ja => &[Self::Ja, Self::EnUs, Self::EnGb],
            Self::Ko => &[Self::Ko, Self::EnUs, Self::EnGb],
        }
    }
}

impl FromStr for TextLanguage {
    type Err = UnknownLocale;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|language| language.key() == text).ok_or(UnknownLocale)
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.language {
            Language::Pseudo | Language::PseudoRtl => f.write_str(self.language.tag()),
            language => {
                let [a, b] = self.country.0;
                write!(f, "{}-{}{}", language.tag(), char::from(a.to_ascii_lowercase()), char::from(b.to_ascii_lowercase()))
            }
        }
    }
}

impl FromStr for Locale {
    type Err = UnknownLocale;

    /// Reads the URL's form only: two lower-case letters, a hyphen, two lower-case letters.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "en-xa" => return Ok(Self::PSEUDO),
            "ar-xb" => return Ok(Self::PSEUDO_RTL),
            _ => {}
        }
        let [l1, l2, b'-', c1, c2] = text.as_bytes() else { return Err(UnknownLocale) };
        let language = match [*l1, *l2].as_slice() {
            b"en" => Language::En,
            b"de" => Language::De,
            b"fr" => Language::Fr,
            b"ja" => Language::Ja,
            b"ko" => Language::Ko,
            _ => return Err(UnknownLocale),
        };
        if !c1.is_ascii_lowercase() || !c2.is_ascii_lowercase() {
            return Err(UnknownLocale);
        }
        let country = Country([c1.to_ascii_uppercase(), c2.to_ascii_uppercase()]);
        if Self::OFFERED.iter().any(|offered| offered.country == country) { Ok(Self { language, country }) } else { Err(UnknownLocale) }
    }
}

/// Not a locale that the shop knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a known locale such as en-us")]
pub struct UnknownLocale;

impl Serialize for Locale {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Locale {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_offered_locale_round_trips() {
        for locale in Locale::OFFERED.into_iter().chain([Locale::PSEUDO, Locale::PSEUDO_RTL]) {
            assert_eq!(locale.to_string().parse(), Ok(locale));
        }
        assert_eq!("en-de".parse::<Locale>().map(Locale::bcp47), Ok("en-DE".to_owned()));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "en", "EN-US", "en_us", "en-zz", "xx-us", "en-us ", "éé-us", "../en"] {
            assert_eq!(text.parse::<Locale>(), Err(UnknownLocale), "{text}");
        }
    }
}
