//! An order's number: for people, not for machines.

use std::{fmt, str::FromStr};

/// An order's number as people read it out: `NG-7K2M-Q4XD`. 40 random bits: not guessable from another, and not an invoice number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrderNumber([u8; 8]);

/// Digits and letters that nobody mixes up on the phone: no 0, 1, I, O. 32 of them, so that five bits are one character.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

impl OrderNumber {
    /// A number from random bytes.
    pub fn from_random(bytes: [u8; 5]) -> Self {
        let bits = bytes.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        Self(std::array::from_fn(|place| ALPHABET[usize::try_from(bits >> (35 - 5 * place) & 31).unwrap_or(0)]))
    }
}

impl fmt::Display for OrderNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = std::str::from_utf8(&self.0).unwrap_or("22222222");
        write!(f, "NG-{}-{}", &text[..4], &text[4..])
    }
}
impl fmt::Debug for OrderNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for OrderNumber {
    type Err = NotAnOrderNumber;

    /// Reads what a person typed: small letters, spaces and missing hyphens are fine.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain: Vec<u8> =
            text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'-').map(|byte| byte.to_ascii_uppercase()).take(11).collect();
        let number: [u8; 8] = plain.strip_prefix(b"NG").and_then(|rest| rest.try_into().ok()).ok_or(NotAnOrderNumber)?;
        if number.iter().all(|byte| ALPHABET.contains(byte)) { Ok(Self(number)) } else { Err(NotAnOrderNumber) }
    }
}

/// Not an order number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an order number such as NG-7K2M-Q4XD")]
pub struct NotAnOrderNumber;
