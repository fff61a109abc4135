//! Sentinel cards: what happens depends on the number, and the page lists them. Numbers are checked and then forgotten, never stored.

use domain::payment::Decline;
use serde::{Deserialize, Serialize};

/// What a card does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    Pays,
    /// Asks for 3-D Secure first.
    Challenges,
    /// Says "under way" and pays ten seconds later.
    PaysLater,
    /// The same, three days later.
    PaysDaysLater,
    /// Says "under way", and three days later that nothing came.
    FailsDaysLater,
    Declines(Decline),
    /// Pays; its refunds are under way for two days.
    RefundsLater,
    /// Pays; its refunds arrive and come back five days later.
    RefundsBounce,
    /// Pays; its refunds are refused.
    RefundsRefused,
    /// Pays; ten seconds later its bank wants the money back, and two weeks later it is `won` or not.
    Disputes {
        won: bool,
    },
    /// Pays; ten seconds later its bank asks, a week later it claims the money, and two weeks after that the claim is won.
    Inquires,
}

/// The cards in the order in which the page lists them, in three groups: those that pay, those that don't, and those with an aftermath.
pub const CARDS: [&[(&str, Behaviour)]; 3] = [
    &[
        ("4242 4242 4242 4242", Behaviour::Pays),
        ("4000 0000 0000 3220", Behaviour::Challenges),
        ("4000 0000 0000 0077", Behaviour::PaysLater),
        ("4000 0000 0000 3006", Behaviour::PaysDaysLater),
    ],
    &[
        ("4000 0000 0000 0002", Behaviour::Declines(Decline::Declined)),
        ("4000 0000 0000 9995", Behaviour::Declines(Decline::InsufficientFunds)),
        ("4000 0000 0000 0069", Behaviour::Declines(Decline::ExpiredCard)),
        ("4000 0000 0000 0127", Behaviour::Declines(Decline::WrongCode)),
        ("4000 0084 0000 1629", Behaviour::Declines(Decline::NotAuthenticated)),
        ("4000 0000 0000 3014", Behaviour::FailsDaysLater),
    ],
    &[
        ("4000 0000 0000 7726", Behaviour::RefundsLater),
        ("4000 0000 0000 5126", Behaviour::RefundsBounce),
        ("4000 0000 0000 3022", Behaviour::RefundsRefused),
        ("4000 0000 0000 0259", Behaviour::Disputes { won: true }),
        ("4000 0000 0000 2685", Behaviour::Disputes { won: false }),
        ("4000 0000 0000 1976", Behaviour::Inquires),
    ],
];

/// A field of the card form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardField {
    Number,
    Expiry,
    Code,
    Name,
}

/// Reads what was typed. `Err` names the fields that are wrong; `year_month` is today's, as `(2026, 11)`.
pub fn read(number: &str, expiry: &str, code: &str, name: &str, year_month: (i16, i8)) -> Result<Behaviour, Vec<CardField>> {
    let mut wrong = Vec::new();
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let only = |text: &str, also: &str| text.chars().all(|c| c.is_ascii_digit() || also.contains(c));
    let number_digits = digits(number);
    if !(12..=19).contains(&number_digits.len()) || !only(number, " -") || !luhn(&number_digits) {
        wrong.push(CardField::Number);
    }
    let expiry = digits(expiry);
    // MMYY or MMYYYY, as autofill writes it.
    let expires = match expiry.len() {
        4 | 6 => expiry[..2]
            .parse::<i8>()
            .ok()
            .zip(expiry[2..].parse::<i16>().ok())
            .map(|(month, year)| (if year < 100 { year + 2000 } else { year }, month)),
        _ => None,
    };
    if expires.is_none_or(|(year, month)| !(1..=12).contains(&month) || (year, month) < year_month || year > year_month.0 + 30) {
        wrong.push(CardField::Expiry);
    }
    if !(3..=4).contains(&code.trim().len()) || !only(code.trim(), "") {
        wrong.push(CardField::Code);
    }
    if name.trim().is_empty() || name.chars().count() > 100 {
        wrong.push(CardField::Name);
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let known = CARDS.iter().copied().flatten().find(|(card, _)| digits(card) == number_digits);
    Ok(known.map_or(Behaviour::Declines(Decline::Declined), |(_, behaviour)| *behaviour))
}

/// The check digit of ISO/IEC 7812-1, annex B.
fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit - b'0') << (place % 2);
            if digit > 9 { digit - 9 } else { digit }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_card_is_well_formed() {
        for (card, behaviour) in CARDS.iter().copied().flatten() {
            assert_eq!(read(card, "12 / 34", "123", "Ada Lovelace", (2026, 11)), Ok(*behaviour), "{card}");
        }
    }

    #[test]
    fn there_is_a_card_for_each_decline() {
        for reason in Decline::ALL {
            assert!(CARDS[1].iter().any(|(_, behaviour)| *behaviour == Behaviour::Declines(reason)), "{reason:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        use CardField::{Code, Expiry, Name, Number};
        for (number, expiry, code, name, expected) in [
            ("4242 4242 4242 4241", "12/34", "123", "A", vec![Number]),
            ("4242", "12/34", "123", "A", vec![Number]),
            ("4242 4242 4242 4242", "10/26", "123", "A", vec![Expiry]),
            ("4242 4242 4242 4242", "13/34", "123", "A", vec![Expiry]),
            ("4242 4242 4242 4242", "12/2034", "12", "A", vec![Code]),
            ("", "", "", "", vec![Number, Expiry, Code, Name]),
            ("４２４２", "é", "абв", "名", vec![Number, Expiry, Code]),
        ] {
            assert_eq!(read(number, expiry, code, name, (2026, 11)), Err(expected), "{number} {expiry} {code}");
        }
        assert_eq!(read("5555 5555 5555 4444", "11/26", "1234", "A", (2026, 11)), Ok(Behaviour::Declines(Decline::Declined)));
    }
}
