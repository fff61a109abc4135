//! What is asked of Stripe, as its forms want it.

use crate::payments::{ProviderError, RefundRequest, SESSION_US, SessionLine, SessionRequest};
use domain::{
    money::{Currency, Money},
    offer::Instant,
};
use std::collections::BTreeMap;

/// A session must stay open for so long at least: 30 minutes (docs.stripe.com/api/checkout/sessions/create, `expires_at`).
pub const OPEN_MIN_US: Instant = 30 * 60 * 1_000_000;
const _: () = assert!(SESSION_US >= OPEN_MIN_US && SESSION_US <= 24 * 2 * OPEN_MIN_US, "30 minutes to 24 hours");
/// Characters of a metadata value (docs.stripe.com/metadata).
const VALUE_MAX: usize = 500;
/// Characters of a line's name: Stripe takes more, its page shows less.
const NAME_MAX: usize = 250;

/// A new session.
pub fn session(request: &SessionRequest) -> Result<Vec<(String, String)>, ProviderError> {
    let payment = request.payment.to_string();
    let mut form = Form::default();
    form.set("mode", "payment");
    form.set("client_reference_id", &payment);
    form.set("success_url", &request.success_url);
    form.set("cancel_url", &request.cancel_url);
    form.set("expires_at", request.expires_at.div_euclid(1_000_000));
    form.set("locale", locale(&request.locale));
    // Our prices are made per market: no other currency at Stripe's own rate.
    form.set("adaptive_pricing[enabled]", "false");
    if let Some(email) = &request.email {
        form.set("customer_email", email);
    }
    for (place, line) in request.items().iter().enumerate() {
        let (name, quantity, unit) = unit(line)?;
        form.set(&format!("line_items[{place}][quantity]"), quantity);
        form.set(&format!("line_items[{place}][price_data][currency]"), currency(line.amount.currency));
        form.set(&format!("line_items[{place}][price_data][unit_amount]"), unit);
        form.set(&format!("line_items[{place}][price_data][product_data][name]"), name);
    }
    for whose in ["metadata", "payment_intent_data[metadata]"] {
        form.set(&format!("{whose}[payment]"), &payment);
        form.set(&format!("{whose}[number]"), &request.number);
    }
    form.set("payment_intent_data[description]", &request.number);
    // ASCII: cutting between bytes is cutting between characters.
    for (place, part) in request.capsule().unwrap_or_default().as_bytes().chunks(VALUE_MAX).enumerate() {
        form.set(&format!("metadata[{}]", capsule_key(place)), String::from_utf8_lossy(part));
    }
    Ok(form.0)
}

/// A refund of a payment intent.
pub fn refund(request: &RefundRequest, intent: &str) -> Result<Vec<(String, String)>, ProviderError> {
    let mut form = Form::default();
    form.set("payment_intent", intent);
    form.set("amount", amount(request.amount)?);
    form.set("metadata[refund]", request.refund);
    form.set("metadata[payment]", request.attempt.payment);
    Ok(form.0)
}

/// The capsule that [`session`] left in the metadata.
pub fn capsule(metadata: &BTreeMap<String, String>) -> Option<String> {
    let parts: String = (0..).map_while(|place| metadata.get(&capsule_key(place))).map(String::as_str).collect();
    if parts.is_empty() { None } else { Some(parts) }
}

fn capsule_key(place: usize) -> String {
    format!("capsule_{place:02}")
}

#[derive(Default)]
struct Form(Vec<(String, String)>);

impl Form {
    fn set(&mut self, name: &str, value: impl ToString) {
        self.0.push((name.to_owned(), value.to_string()));
    }
}

/// A line as so many pieces at a price each; one of all pieces when that does not divide.
fn unit(line: &SessionLine) -> Result<(String, u32, i64), ProviderError> {
    let name: String = line.title.chars().take(NAME_MAX).collect();
    let total = amount(line.amount)?;
    let pieces = i64::from(line.quantity.max(1));
    if total % pieces == 0 {
        return Ok((name, line.quantity.max(1), total / pieces));
    }
    Ok((format!("{name} × {pieces}"), 1, total))
}

/// An amount as Stripe counts: the currency's minor units, so yen and won as they are; two decimals for ISK and UGX, which have none, none for
/// MGA, which has two, and thousandths only in tens (docs.stripe.com/currencies, "Minor units in API amounts" and "Special cases").
fn amount(money: Money) -> Result<i64, ProviderError> {
    let refuse = || ProviderError::Refused(format!("Stripe cannot charge {} {}", money.decimal(), money.currency));
    match (money.currency.code(), money.currency.minor_digits()) {
        ("ISK" | "UGX", _) => money.minor.checked_mul(100).ok_or_else(refuse),
        ("MGA", _) if money.minor % 100 == 0 => Ok(money.minor / 100),
        ("MGA", _) => Err(refuse()),
        (_, 0 | 2) => Ok(money.minor),
        (_, 3) if money.minor % 10 == 0 => Ok(money.minor),
        _ => Err(refuse()),
    }
}

/// An amount of Stripe's as ours; `None`: a currency or a fraction that we do not know.
pub fn money(amount: i64, currency: &str) -> Option<Money> {
    let currency: Currency = currency.to_ascii_uppercase().parse().ok()?;
    match currency.code() {
        "ISK" | "UGX" if amount % 100 == 0 => Some(Money::new(amount / 100, currency)),
        "ISK" | "UGX" => None,
        "MGA" => amount.checked_mul(100).map(|minor| Money::new(minor, currency)),
        _ => Some(Money::new(amount, currency)),
    }
}

fn currency(currency: Currency) -> String {
    currency.code().to_ascii_lowercase()
}

/// Stripe's name of a locale.
fn locale(ours: &str) -> &'static str {
    match ours {
        "fr-ca" => "fr-CA",
        "en-gb" => "en-GB",
        _ => match ours.get(..2) {
            Some("en") => "en",
            Some("de") => "de",
            Some("fr") => "fr",
            Some("ja") => "ja",
            Some("ko") => "ko",
            _ => "auto",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_what_stripe_counts_in() {
        for (minor, code, expected) in [
            (4_620, "JPY", Some(4_620)),
            (64_000, "KRW", Some(64_000)),
            (4_800, "USD", Some(4_800)),
            (500, "ISK", Some(50_000)),
            (5_120, "KWD", Some(5_120)),
            (5_124, "KWD", None),
            (250_000, "MGA", Some(2_500)),
            (250_020, "MGA", None),
        ] {
            let ours = Money::new(minor, code.parse().expect("a currency"));
            let theirs = amount(ours).ok();
            assert_eq!(theirs, expected, "{code}");
            if let Some(theirs) = theirs {
                assert_eq!(money(theirs, &code.to_ascii_lowercase()), Some(ours), "{code}");
            }
        }
        assert_eq!((money(50_001, "isk"), money(1, "xxx")), (None, None));
    }

    #[test]
    fn every_currency_comes_back_from_stripe_as_it_went() {
        // "Zero-decimal currencies" of docs.stripe.com/currencies; UGX is among its special cases.
        let whole = ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"];
        for currency in Currency::all() {
            // Twelve of the currency's own units.
            let ours = Money::new(12 * currency.minor_per_major(), currency);
            let Ok(theirs) = amount(ours) else {
                assert_eq!(currency.minor_digits(), 4, "{currency}: units of account are not charged");
                continue;
            };
            assert_eq!(money(theirs, &currency.code().to_ascii_lowercase()), Some(ours), "{currency}");
            assert_eq!(theirs == 12, whole.contains(&currency.code()) || currency.code() == "UYI", "{currency}: {theirs}");
        }
    }

    #[test]
    fn a_line_is_pieces_at_a_price_or_all_of_them() {
        let line = |quantity, minor| SessionLine { title: "Gürtel".to_owned(), quantity, amount: Money::new(minor, Currency::EUR) };
        assert_eq!(unit(&line(3, 300)).ok(), Some(("Gürtel".to_owned(), 3, 100)));
        assert_eq!(unit(&line(3, 301)).ok(), Some(("Gürtel × 3".to_owned(), 1, 301)));
        let long = SessionLine { title: "ü".repeat(300), ..line(1, 1) };
        assert_eq!(unit(&long).map(|(name, ..)| name.chars().count()).ok(), Some(NAME_MAX));
    }

    #[test]
    fn a_capsule_is_cut_and_put_together_again() {
        let text: String = (0..1_203_u32).map(|n| char::from(b'!' + u8::try_from(n % 94).unwrap_or(0))).collect();
        let metadata: BTreeMap<String, String> = text
            .as_bytes()
            .chunks(VALUE_MAX)
            .enumerate()
            .map(|(place, part)| (capsule_key(place), String::from_utf8_lossy(part).into_owned()))
            .collect();
        assert_eq!((metadata.len(), capsule(&metadata)), (3, Some(text)));
        assert_eq!(capsule(&BTreeMap::new()), None);
    }
}
