//! A coupon's code: what is typed, and the key by which it is found whatever the typing.

use crate::account::clean_ascii;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A code as it was typed, with the key that all its spellings share.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Code {
    typed: String,
    key: String,
}

impl Code {
    /// Characters that count, so without spaces and hyphens: fewer are guessed, more are not typed.
    pub const CHARS: std::ops::RangeInclusive<usize> = 3..=32;
    /// What may be typed, spaces and hyphens included.
    pub const TYPED_CHARS_MAX: usize = 64;
    /// What may stand before the random part of [`Code::from_random`].
    pub const PREFIX_CHARS_MAX: usize = 16;

    /// As it was typed.
    pub fn as_str(&self) -> &str {
        &self.typed
    }

    /// What it is found by.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// A code that nobody guesses: 60 random bits in Crockford's alphabet, after a prefix. `SPRING-7K2M-Q4XD-P90A`.
    pub fn from_random(prefix: &str, bytes: [u8; 8]) -> Result<Self, NotACode> {
        if prefix.chars().count() > Self::PREFIX_CHARS_MAX {
            return Err(NotACode);
        }
        let bits = u64::from_be_bytes(bytes);
        let letters: [char; 12] = std::array::from_fn(|place| char::from(ALPHABET[usize::try_from(bits >> (5 * place) & 31).unwrap_or(0)]));
        let mut text = prefix.to_owned();
        for group in letters.chunks(4) {
            if !text.is_empty() {
                text.push('-');
            }
            text.extend(group);
        }
        text.parse()
    }
}

/// Crockford's Base32: what [`fold`] leaves of digits and letters, without U. 32 of them, so that five bits are one character.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl FromStr for Code {
    type Err = NotACode;

    /// Reads what a person typed. Spaces, hyphens, dots and capitals do not matter; what looks alike counts as the same.
    fn from_str(text: &str) -> Result<Self, NotACode> {
        let typed = clean_ascii(text);
        if typed.chars().count() > Self::TYPED_CHARS_MAX {
            return Err(NotACode);
        }
        let key = typed.chars().filter(|c| !matches!(c, ' ' | '-' | '_' | '.')).map(fold).collect::<Option<String>>().ok_or(NotACode)?;
        if Self::CHARS.contains(&key.len()) { Ok(Self { typed, key }) } else { Err(NotACode) }
    }
}

/// Digits and Latin capitals; O counts as 0, I and L as 1, and Cyrillic and Greek letters as the Latin ones that they look like
/// (Unicode TS 39, confusables). `None` for everything else.
fn fold(c: char) -> Option<char> {
    let mut upper = c.to_uppercase();
    let (Some(c), None) = (upper.next(), upper.next()) else { return None };
    Some(match c {
        'O' | 'О' | 'Ο' => '0',
        'I' | 'L' | 'І' | 'Ι' | 'Ӏ' => '1',
        'А' | 'Α' => 'A',
        'В' | 'Β' => 'B',
        'С' => 'C',
        'Е' | 'Ε' => 'E',
        'Н' | 'Η' => 'H',
        'Ј' => 'J',
        'К' | 'Κ' => 'K',
        'М' | 'Μ' => 'M',
        'Ν' => 'N',
        'Р' | 'Ρ' => 'P',
        'Ѕ' => 'S',
        'Т' | 'Τ' => 'T',
        'У' | 'Υ' => 'Y',
        'Х' | 'Χ' => 'X',
        'Ζ' => 'Z',
        c if c.is_ascii_alphanumeric() => c,
        _ => return None,
    })
}

/// Not a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a code has {} to {} letters (A to Z) and digits; spaces and hyphens do not count", Code::CHARS.start(), Code::CHARS.end())]
pub struct NotACode;

impl TryFrom<String> for Code {
    type Error = NotACode;
    fn try_from(text: String) -> Result<Self, NotACode> {
        text.parse()
    }
}
impl From<Code> for String {
    fn from(code: Code) -> Self {
        code.typed
    }
}
impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.typed)
    }
}
impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({})", self.typed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(text: &str) -> Result<String, NotACode> {
        text.parse::<Code>().map(|code| code.key().to_owned())
    }

    #[test]
    fn however_it_is_typed_it_is_the_same_code() {
        for text in [
            "WELCOME10",
            "welcome10",
            " Welcome-10 ",
            "WELC0ME1O",
            "we1c0me lo",
            "ＷＥＬＣＯＭＥ１０",
            "WЕLСОМЕ10",
            "WEL\u{200b}COME10",
            "WELCOME.10",
        ] {
            assert_eq!(key(text).as_deref(), Ok("WE1C0ME10"), "{text}");
        }
        assert_eq!(" Welcome-10 ".parse::<Code>().map(|code| code.to_string()), Ok("Welcome-10".to_owned()), "as it was typed");
    }

    #[test]
    fn what_is_no_code_is_refused() {
        let (long, spaced) = ("A".repeat(33), format!("A{}BC", " -".repeat(40)));
        for text in ["", "  ", "AB", "--- --", "10 %", "GRÜN", "割引", "A\u{301}BC", "Straße", "<b>", "'; DROP", &long, &spaced] {
            assert_eq!(key(text), Err(NotACode), "{text}");
        }
        assert!(key("ABC").is_ok() && key(&"A".repeat(32)).is_ok());
    }

    #[test]
    fn a_random_code_has_sixty_bits_and_its_prefix() {
        let code = |prefix, bytes| Code::from_random(prefix, bytes).map(|code| code.to_string());
        assert_eq!(code("SPRING", [0; 8]).as_deref(), Ok("SPRING-0000-0000-0000"));
        assert_eq!(code("", [255; 8]).as_deref(), Ok("ZZZZ-ZZZZ-ZZZZ"));
        assert_eq!(code("A PREFIX TOO LONG", [0; 8]), Err(NotACode));
    }

    proptest! {
        #[test]
        fn reading_is_stable_and_never_fails_badly(text in ".{0,80}") {
            if let Ok(code) = text.parse::<Code>() {
                prop_assert!(code.key().bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase()));
                prop_assert_eq!(key(code.as_str()), Ok(code.key().to_owned()));
                prop_assert_eq!(key(code.key()), Ok(code.key().to_owned()));
            }
        }

        #[test]
        fn random_codes_differ_as_their_bits_do(a: u64, b: u64) {
            let key = |bits: u64| Code::from_random("", bits.to_be_bytes()).map(|code| code.key().to_owned());
            prop_assert_eq!(key(a) == key(b), a << 4 == b << 4);
        }
    }
}
