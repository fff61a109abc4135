//! Signing up for the newsletter: which mail a sign-up leads to, how long it may be confirmed, and what of a form is kept as proof of the
//! consent. How it is kept, and sending mails, is the server's business.

use crate::{account::clean, offer::Instant};

const MINUTE_US: Instant = 60 * 1_000_000;
const DAY_US: Instant = 24 * 60 * MINUTE_US;

/// How long a sign-up may be confirmed. Then it is forgotten.
pub const CONFIRM_WITHIN_US: Instant = 7 * DAY_US;
/// How long proofs of a consent that was taken back are kept: claims lapse three years from the end of the year in which they arose
/// (§§ 195 and 199 BGB), which is four years at most.
pub const PROOF_KEPT_US: Instant = 4 * 365 * DAY_US + DAY_US;
/// The least time between two mails that ask the same address to confirm.
pub const CONFIRM_AGAIN_US: Instant = 10 * MINUTE_US;
/// The same between two mails about the list to an address that is on it, or that left it: whoever left is not to be pestered by others.
pub const ONCE_A_DAY_US: Instant = DAY_US;
/// Mails that ask one sign-up to be confirmed.
pub const CONFIRM_MAILS_MAX: i64 = 5;

/// Characters of the name of a consent's text.
pub const CONSENT_CHARS_MAX: usize = 64;
/// Characters of a page's path.
pub const SOURCE_CHARS_MAX: usize = 200;

/// How an address stands to the list when it is typed into the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is known of it, or what it asked for is over.
    Unknown,
    /// It was asked to confirm, so often, the last time then.
    Asked { mails: i64, mailed_at: Instant },
    /// It is on the list, and a mail about that was sent then.
    Subscribed { mailed_at: Option<Instant> },
}

/// What is mailed to an address. Whoever typed it is answered the same in every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letter {
    /// With the link that confirms.
    Confirm,
    /// That it is on the list, with the way out.
    Already,
}

impl Letter {
    /// The word in tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Confirm => "newsletter_confirm",
            Self::Already => "newsletter_already",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [Self::Confirm, Self::Already].into_iter().find(|letter| letter.word() == word)
    }
}

/// The mail that a sign-up leads to. `has_left`: the address was on the list once and left it.
pub const fn letter(standing: Standing, has_left: bool, now: Instant) -> Option<Letter> {
    let confirm_again_us = if has_left { ONCE_A_DAY_US } else { CONFIRM_AGAIN_US };
    match standing {
        Standing::Unknown => Some(Letter::Confirm),
        Standing::Asked { mails, mailed_at } if mails < CONFIRM_MAILS_MAX && now - mailed_at >= confirm_again_us => Some(Letter::Confirm),
        Standing::Subscribed { mailed_at: None } => Some(Letter::Already),
        Standing::Subscribed { mailed_at: Some(at) } if now - at >= ONCE_A_DAY_US => Some(Letter::Already),
        Standing::Asked { .. } | Standing::Subscribed { .. } => None,
    }
}

/// The name of the text that stood beside a form, such as `home-2026-12`.
pub fn consent(typed: &str) -> String {
    clean(typed).chars().take(CONSENT_CHARS_MAX).collect()
}

/// The path of the page that a form stood on, without its query, which may tell more than the page; empty for what is no path of ours.
pub fn source(typed: &str) -> String {
    let path = clean(typed);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    if path.starts_with('/') && !path.starts_with("//") { path.chars().take(SOURCE_CHARS_MAX).collect() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_follows_where_none_was_sent_a_moment_ago() {
        let now = 100 * DAY_US;
        let asked = |mails, ago| Standing::Asked { mails, mailed_at: now - ago };
        let subscribed = |ago: Option<Instant>| Standing::Subscribed { mailed_at: ago.map(|ago| now - ago) };
        for (standing, has_left, expected) in [
            (Standing::Unknown, false, Some(Letter::Confirm)),
            (Standing::Unknown, true, Some(Letter::Confirm)),
            (asked(1, CONFIRM_AGAIN_US - 1), false, None),
            (asked(1, CONFIRM_AGAIN_US), false, Some(Letter::Confirm)),
            (asked(1, CONFIRM_AGAIN_US), true, None),
            (asked(1, DAY_US), true, Some(Letter::Confirm)),
            (asked(CONFIRM_MAILS_MAX, DAY_US), false, None),
            (subscribed(None), false, Some(Letter::Already)),
            (subscribed(Some(DAY_US - 1)), false, None),
            (subscribed(Some(DAY_US)), false, Some(Letter::Already)),
        ] {
            assert_eq!(letter(standing, has_left, now), expected, "{standing:?} {has_left}");
        }
    }

    #[test]
    fn letters_are_found_by_their_words() {
        for letter in [Letter::Confirm, Letter::Already] {
            assert_eq!(Letter::parse(letter.word()), Some(letter));
        }
        assert_eq!(Letter::parse("placed"), None);
    }

    #[test]
    fn a_proof_keeps_a_path_and_no_more() {
        for (typed, kept) in [
            ("/de-de", "/de-de"),
            ("/de-de/pages/launch?utm_source=x&email=ada@example.com", "/de-de/pages/launch"),
            ("/en-gb#news", "/en-gb"),
            ("https://evil.example/", ""),
            ("//evil.example", ""),
            ("en-gb", ""),
            ("", ""),
        ] {
            assert_eq!(source(typed), kept, "{typed}");
        }
        assert_eq!(source(&format!("/{}", "a".repeat(900))).chars().count(), SOURCE_CHARS_MAX);
        assert_eq!(consent("  home-1\n\u{202E}x "), "home-1 x");
        assert_eq!(consent(&"ü".repeat(900)).chars().count(), CONSENT_CHARS_MAX);
    }
}
