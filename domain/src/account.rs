//! Who somebody is, parsed: email address, phone number, name. Nothing here proves that it is theirs.

use crate::live::strip_marks;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Removes what no field may hold: hole marks, control and bidi-override characters. Runs of white space become one space.
pub fn clean(text: &str) -> String {
    let text = strip_marks(text);
    let kept = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !c.is_control() && !is_invisible(*c));
    kept.collect::<String>().split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The same with full-width letters, digits and signs made half-width, as codes and addresses on the net are written.
pub fn clean_ascii(text: &str) -> String {
    let narrow = |c: char| match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        // Hyphens of every origin, the Japanese long mark among them.
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30FC}' | '\u{FF70}' => '-',
        c => c,
    };
    clean(text).chars().map(narrow).collect()
}

/// Zero-width and direction-changing characters (Unicode general category Cf, those that make a text lie about itself).
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// An email address that could be delivered to: one `@`, something before it, a domain with a dot after it.
///
/// The strict grammar of RFC 5322 refuses addresses that work and takes some that do not; a mail that arrives is the only proof.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

impl Email {
    /// RFC 5321, 4.5.3.1.3: a path has at most 256 octets, two of them brackets.
    pub const BYTES_MAX: usize = 254;
    /// RFC 5321, 4.5.3.1.1.
    const LOCAL_BYTES_MAX: usize = 64;

    /// Reads what was typed. The domain becomes lower case, the part before the `@` stays as it is.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let text = clean_ascii(text);
        if text.is_empty() {
            return Err(EmailError::Missing);
        }
        if text.len() > Self::BYTES_MAX {
            return Err(EmailError::TooLong);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(EmailError::Malformed)?;
        let local_fits = !local.is_empty()
            && local.len() <= Self::LOCAL_BYTES_MAX
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..")
            && local.chars().all(|c| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c));
        let label_fits = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        };
        let labels: Vec<_> = domain.split('.').collect();
        let last_fits = labels.last().is_some_and(|last| last.chars().count() >= 2 && !last.chars().all(|c| c.is_ascii_digit()));
        if local_fits && labels.len() >= 2 && last_fits && labels.iter().all(|label| label_fits(label)) {
            Ok(Self(format!("{local}@{}", domain.to_lowercase())))
        } else {
            Err(EmailError::Malformed)
        }
    }

    /// As the person wrote it: what mail is sent to.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What two spellings of one mailbox share; only ever hashed, never written to.
    pub fn normalised(&self) -> String {
        self.0.to_lowercase()
    }

    /// The mailbox behind the address: in lower case and without a tag (`ada+shop@…` comes to `ada@…`; RFC 5233). Nobody is a new customer
    /// by a tag. Only ever hashed, never written to.
    pub fn mailbox(&self) -> String {
        let address = self.normalised();
        match address.rsplit_once('@') {
            Some((local, domain)) => {
                format!("{}@{domain}", local.split_once('+').map_or(local, |(name, _)| if name.is_empty() { local } else { name }))
            }
            None => address,
        }
    }
}

/// Why an email address was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    #[error("no email address")]
    Missing,
    #[error("not an email address such as name@example.com")]
    Malformed,
    #[error("an email address has at most 254 characters")]
    TooLong,
}

impl TryFrom<String> for Email {
    type Error = EmailError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}
impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Personal data stays out of logs.
        f.write_str("Email(…)")
    }
}

/// A phone number as a carrier can dial it: digits, perhaps a leading `+`.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Phone(String);

impl Phone {
    /// Reads what was typed; spaces, brackets, dots and hyphens go. ITU-T E.164: at most 15 digits; shorter than 6 reaches nobody.
    pub fn parse(text: &str) -> Result<Self, PhoneError> {
        let text = clean_ascii(text);
        if text.is_empty() {
            return Err(PhoneError::Missing);
        }
        let (plus, rest) = text.strip_prefix('+').map_or(("", text.as_str()), |rest| ("+", rest));
        if !rest.chars().all(|c| c.is_ascii_digit() || " ()-./".contains(c)) {
            return Err(PhoneError::Malformed);
        }
        let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
        if (6..=15).contains(&digits.len()) { Ok(Self(format!("{plus}{digits}"))) } else { Err(PhoneError::Malformed) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a phone number was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    #[error("no phone number")]
    Missing,
    #[error("not a phone number")]
    Malformed,
}

impl TryFrom<String> for Phone {
    type Error = PhoneError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}
impl From<Phone> for String {
    fn from(phone: Phone) -> Self {
        phone.0
    }
}
impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone(…)")
    }
}

/// How to reach somebody about an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    pub email: Email,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
}

/// A name as it stands on a parcel. Names are not split where people do not split them: only Japan's form asks for two parts.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PersonName {
    /// The whole name in the order of its country: `Ada Lovelace`, `山田 花子`.
    pub full: String,
    /// How it is read, where a form asks for it (Japan).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kana: Option<String>,
}

impl fmt::Debug for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonName(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deliverable_addresses_are_taken() {
        for (typed, kept) in [
            (" Ada@Example.COM ", "Ada@example.com"),
            ("o'brien+shop@mail.example.co.uk", "o'brien+shop@mail.example.co.uk"),
            ("hanako＠example.jp", "hanako@example.jp"),
            ("müller@bücher.example", "müller@bücher.example"),
        ] {
            assert_eq!(Email::parse(typed).map(|email| email.as_str().to_owned()), Ok(kept.to_owned()), "{typed}");
        }
    }

    #[test]
    fn what_cannot_be_an_address_is_refused() {
        for typed in
            ["ada", "ada@example", "@example.com", "ada@", "a b@example.com", "ada@-x.com", "ada@1.2", "<b>@x.com", "a..b@x.com", "ada@x..com"]
        {
            assert_eq!(Email::parse(typed).err(), Some(EmailError::Malformed), "{typed}");
        }
        assert_eq!(Email::parse("  ").err(), Some(EmailError::Missing));
        assert_eq!(Email::parse(&format!("{}@example.com", "a".repeat(300))).err(), Some(EmailError::TooLong));
    }

    #[test]
    fn phone_numbers_lose_their_decoration() {
        for (typed, kept) in [("+1 (415) 555-0100", "+14155550100"), ("０３－１２３４－５６７８", "0312345678"), ("030/123 45 67", "0301234567")]
        {
            assert_eq!(Phone::parse(typed).map(|phone| phone.as_str().to_owned()), Ok(kept.to_owned()), "{typed}");
        }
        for typed in ["12345", "call me", "+1234567890123456", "1'; DROP TABLE orders"] {
            assert_eq!(Phone::parse(typed).err(), Some(PhoneError::Malformed), "{typed}");
        }
    }

    #[test]
    fn invisible_characters_and_marks_do_not_survive() {
        assert_eq!(clean(" a\u{202E}b\u{0000}\n\n c\u{E000}d\u{3000}e "), "ab cd e");
    }
}
