//! Money: integer minor units with a currency, never a float. Formatting for people lives in `app::i18n`.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// An ISO 4217 currency.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    pub const USD: Self = Self(*b"USD");
    pub const CAD: Self = Self(*b"CAD");
    pub const GBP: Self = Self(*b"GBP");
    pub const EUR: Self = Self(*b"EUR");
    pub const JPY: Self = Self(*b"JPY");
    pub const KRW: Self = Self(*b"KRW");

    /// The code, as in `EUR`.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// How many decimal digits the minor unit has: 2 for the euro, 0 for the yen, 3 for dinars (ISO 4217, table A.1).
    pub fn minor_digits(self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF" | b"UGX" | b"UYI" | b"VND" | b"VUV" | b"XAF"
            | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            b"CLF" | b"UYW" => 4,
            _ => 2,
        }
    }

    /// Minor units in one major unit: 100 for the euro, 1 for the yen.
    pub fn minor_per_major(self) -> i64 {
        10_i64.pow(self.minor_digits())
    }

    /// Every currency that there is, for properties that hold in all of them.
    pub fn all() -> impl Iterator<Item = Self> {
        ACTIVE.split_ascii_whitespace().filter_map(|code| code.parse().ok())
    }
}

/// ISO 4217's active codes that have a minor unit (list one of the maintenance agency, SIX, of 2026-01-01: without the lev, with the euro in
/// Bulgaria), and last its funds and units of account. Metals, SDR and the like have none, and are no money of a shop.
const ACTIVE: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP \
CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS \
KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN \
PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX \
USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG \
BOV CHE CHW CLF COU MXV USN UYI UYW";

impl FromStr for Currency {
    type Err = UnknownCurrency;
    fn from_str(code: &str) -> Result<Self, Self::Err> {
        let bytes: [u8; 3] = code.as_bytes().try_into().map_err(|_| UnknownCurrency)?;
        if ACTIVE.split_ascii_whitespace().any(|known| known == code) { Ok(Self(bytes)) } else { Err(UnknownCurrency) }
    }
}

/// Not an active ISO 4217 code in capitals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an ISO 4217 currency code such as EUR")]
pub struct UnknownCurrency;

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}
impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        code.parse().map_err(serde::de::Error::custom)
    }
}

/// An amount of money in minor units (cents, yen). Amounts are at most 10^15 minor units either way, which no sum of a cart reaches.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Minor units; negative for what is taken off.
    pub minor: i64,
    /// In which currency.
    pub currency: Currency,
}

impl Money {
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// The sum. Errors when currencies differ or the sum leaves the range.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.minor.checked_add(other.minor).map(|minor| Self::new(minor, self.currency)).ok_or(MoneyError::Overflow)
    }

    /// The difference. Errors when currencies differ or the result leaves the range.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.minor.checked_sub(other.minor).map(|minor| Self::new(minor, self.currency)).ok_or(MoneyError::Overflow)
    }

    /// This amount, `count` times.
    pub fn times(self, count: u32) -> Result<Self, MoneyError> {
        self.minor.checked_mul(i64::from(count)).map(|minor| Self::new(minor, self.currency)).ok_or(MoneyError::Overflow)
    }

    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// The plain decimal figure that machines read (JSON-LD, feeds): `48.00`, `4620`, `1.250`.
    pub fn decimal(self) -> String {
        let digits = self.currency.minor_digits() as usize;
        let sign = if self.minor < 0 { "-" } else { "" };
        let units = self.minor.unsigned_abs();
        if digits == 0 {
            return format!("{sign}{units}");
        }
        let scale = 10_u64.pow(self.currency.minor_digits());
        format!("{sign}{}.{:0digits$}", units / scale, units % scale)
    }

    /// An amount that somebody typed, with a point or a comma and at most as many decimals as the currency has: `12`, `12.5`, `12,50`.
    /// Signs and thousands separators are refused: what `1.250` means is a matter of countries.
    pub fn parse(text: &str, currency: Currency) -> Option<Self> {
        let text = text.trim();
        let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
        let digits = currency.minor_digits() as usize;
        let is_figure = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let fits = !whole.is_empty() && whole.len() <= 12 && fraction.len() <= digits && is_figure(whole) && is_figure(fraction);
        if !fits || (fraction.is_empty() && text.len() > whole.len()) {
            return None;
        }
        format!("{whole}{fraction:0<digits$}").parse().ok().map(|minor| Self::new(minor, currency))
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency { Ok(()) } else { Err(MoneyError::Mixed(self.currency, other.currency)) }
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency)
    }
}

/// Why two amounts could not be put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    #[error("{0} and {1} cannot be added")]
    Mixed(Currency, Currency),
    #[error("the amount is too large")]
    Overflow,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_follow_the_currency() {
        for (minor, code, text) in [(4800, "USD", "48.00"), (-5, "EUR", "-0.05"), (4620, "JPY", "4620"), (1250, "KWD", "1.250"), (0, "GBP", "0.00")] {
            assert_eq!(Money::new(minor, code.parse().expect("known")).decimal(), text);
        }
    }

    #[test]
    fn every_currency_has_its_minor_unit_and_is_read_as_it_is_written() {
        // ISO 4217, list one: all others have two decimals.
        let by_digits = |digits| Currency::all().filter(move |currency| currency.minor_digits() == digits).map(|currency| currency.to_string());
        let none = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF UYI";
        assert_eq!(by_digits(0).collect::<Vec<_>>().join(" "), none);
        assert_eq!(by_digits(3).collect::<Vec<_>>().join(" "), "BHD IQD JOD KWD LYD OMR TND");
        assert_eq!(by_digits(4).collect::<Vec<_>>().join(" "), "CLF UYW");
        let all: std::collections::BTreeSet<_> = Currency::all().collect();
        assert_eq!((Currency::all().count(), all.len(), by_digits(2).count()), (164, 164, 164 - 17 - 7 - 2));
        for currency in all {
            for minor in [0, 1, 9, 10, 99, 100, 12_345, 999_999_999_999] {
                let money = Money::new(minor, currency);
                assert_eq!(Money::parse(&money.decimal(), currency), Some(money), "{money:?}");
            }
            // One unit of it, and no more where it has no parts.
            assert_eq!(Money::parse("1", currency), Some(Money::new(10_i64.pow(currency.minor_digits()), currency)));
        }
    }

    #[test]
    fn typed_amounts_are_read_or_refused() {
        for (text, currency, minor) in [
            ("12", Currency::EUR, Some(1_200)),
            (" 12.5 ", Currency::EUR, Some(1_250)),
            ("12,50", Currency::EUR, Some(1_250)),
            ("0.05", Currency::EUR, Some(5)),
            ("4620", Currency::JPY, Some(4_620)),
            ("46.20", Currency::JPY, None),
            ("12.505", Currency::EUR, None),
            ("1,234.00", Currency::EUR, None),
            ("-5", Currency::EUR, None),
            ("12.", Currency::EUR, None),
            (".5", Currency::EUR, None),
            ("€5", Currency::EUR, None),
            ("", Currency::EUR, None),
            ("9999999999999", Currency::EUR, None),
        ] {
            assert_eq!(Money::parse(text, currency).map(|money| money.minor), minor, "{text}");
        }
    }

    #[test]
    fn different_currencies_never_add_up() {
        let refused = Money::new(1, Currency::USD).plus(Money::new(1, Currency::EUR));
        assert_eq!(refused, Err(MoneyError::Mixed(Currency::USD, Currency::EUR)));
        assert_eq!(Money::new(i64::MAX, Currency::USD).plus(Money::new(1, Currency::USD)), Err(MoneyError::Overflow));
    }

    #[test]
    fn an_unknown_code_is_refused() {
        for code in ["usd", "EURO", "XXX", "", "€"] {
            assert_eq!(code.parse::<Currency>(), Err(UnknownCurrency));
        }
    }
}
