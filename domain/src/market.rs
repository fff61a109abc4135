//! Markets: where we sell, in which currency, from which stock, and how tax stands in a price.

use crate::{money::Currency, sourcing::Split};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// An ISO 3166-1 alpha-2 country code in capitals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country(pub(crate) [u8; 2]);

impl Country {
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("ZZ")
    }
}

impl FromStr for Country {
    type Err = UnknownCountry;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.as_bytes() {
            [a, b] if a.is_ascii_uppercase() && b.is_ascii_uppercase() => Ok(Self([*a, *b])),
            _ => Err(UnknownCountry),
        }
    }
}

/// Not two capital letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a country code such as DE")]
pub struct UnknownCountry;

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
impl Serialize for Country {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}
impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A market's code; the seven of today are each one country, and named by it.
pub type MarketCode = Country;

/// Whether displayed prices contain tax.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxMode {
    /// Tax is in the price (EU, GB, JP, KR).
    Inclusive,
    /// Tax comes on top, by address (US, CA).
    Exclusive,
}

/// A market as the version in force describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Market {
    pub code: MarketCode,
    /// Countries it delivers to.
    pub countries: Vec<Country>,
    /// Who sells here, for invoices.
    pub legal_entity: String,
    pub currency: Currency,
    /// The price list's name; several markets may share one.
    pub price_list: String,
    pub tax_mode: TaxMode,
    /// IANA zone of schedules and cut-offs, such as `Europe/Berlin`.
    pub time_zone: String,
    /// Stock locations in order of preference, such as `["rotterdam"]`.
    pub locations: Vec<String>,
    /// Whether an order may come from several of them.
    #[serde(default)]
    pub split: Split,
}
