//! A capsule: a whole order, pressed and sealed, small enough to be kept by the payment provider beside the payment. Whoever reads the
//! provider's ledger sees noise; this shop reads the order again, also when its own books were lost.

use super::{Orders, record::Record, request::OrderBody, store};
use crate::{keys::Keys, params};
use anyhow::{Context as _, ensure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{OrderId, PaymentId, money::Money, offer::Instant};
use serde::{Deserialize, Serialize};
use std::io::Read as _;

/// What stands before the sealed text, and says how to read it.
const FORM: &str = "1.";
/// What a capsule may unfold to: forty times the largest that is ever sealed, and no more than a forger could make us hold.
const PLAIN_BYTES_MAX: u64 = 1024 * 1024;
/// Brotli's effort: 5 presses an order of 50 lines in about a millisecond; 9 would save another tenth and cost five.
const EFFORT: u32 = 5;
/// Brotli's window, 2^18 bytes: more than any order.
const WINDOW: u32 = 18;

/// What is in it. A wire type: fields are added, never renamed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capsule {
    pub order: Record,
    /// The attempt that it goes with: when it began, and for how much.
    pub attempted_at: Instant,
    pub amount: Money,
}

/// Seals an order for one payment. The same order and payment always give the same text, because providers compare repeated calls.
pub fn seal(keys: &Keys, payment: PaymentId, capsule: &Capsule) -> anyhow::Result<String> {
    let mut pressed = Vec::new();
    let plain = serde_json::to_vec(capsule).context("an order for its capsule")?;
    brotli::CompressorReader::new(plain.as_slice(), 4096, EFFORT, WINDOW).read_to_end(&mut pressed)?;
    let sealed = keys.capsule().seal_alike(&context(payment), &pressed);
    Ok(format!("{FORM}{}", URL_SAFE_NO_PAD.encode(sealed)))
}

/// Opens what [`seal`] made for this payment.
pub fn open(keys: &Keys, payment: PaymentId, text: &str) -> anyhow::Result<Capsule> {
    let sealed = text.strip_prefix(FORM).context("a capsule of a form that this release does not know")?;
    let sealed = URL_SAFE_NO_PAD.decode(sealed).context("a capsule that is cut off or changed")?;
    let pressed = keys.capsule().open(&context(payment), &sealed)?;
    let mut plain = Vec::new();
    brotli::Decompressor::new(pressed.as_slice(), 4096).take(PLAIN_BYTES_MAX).read_to_end(&mut plain).context("a capsule's content")?;
    let capsule: Capsule = serde_json::from_slice(&plain).context("a capsule's content")?;
    ensure!(capsule.order.body.texts.len() == capsule.order.body.quote.lines.len(), "a capsule's lines and texts differ in number");
    Ok(capsule)
}

fn context(payment: PaymentId) -> String {
    format!("capsule:{payment}")
}

impl Orders {
    /// What the capsule of one of an order's payments is made of, and the generation of the order's present link.
    pub(super) async fn unsealed(&self, order: OrderId, payment: PaymentId) -> anyhow::Result<(Capsule, i64)> {
        let row = self
            .db
            .first(
                "SELECT o.number, o.cart_id, o.cart_version, o.fingerprint, o.subject, o.market, o.locale, o.body, o.personal, o.placed_at, c.wrapped_key, \
                 p.created_at, p.amount_minor, p.currency, COALESCE(l.generation, 0) AS generation FROM payments p JOIN orders o ON o.id = p.order_id \
                 LEFT JOIN customer_keys c ON c.subject = o.subject LEFT JOIN order_links l ON l.order_id = o.id WHERE p.id = $1",
                params![payment],
            )
            .await?
            .context("an attempt to pay")?;
        let subject = row.text("subject")?;
        let personal = match (row.bytes_or_null("wrapped_key")?, row.bytes_or_null("personal")?) {
            (Some(wrapped), Some(sealed)) => {
                let plain = self.keys.data_key(&subject, &wrapped)?.open(&order.to_string(), &sealed);
                plain.ok().map(|plain| serde_json::from_slice(&plain)).transpose().context("orders.personal")?
            }
            _ => None,
        };
        let order = Record {
            id: order,
            number: row.text("number")?,
            cart: row.parse("cart_id")?,
            cart_version: u64::try_from(row.int("cart_version")?)?,
            fingerprint: row.text("fingerprint")?,
            market: row.parse("market")?,
            locale: row.parse("locale")?,
            placed_at: row.int("placed_at")?,
            body: serde_json::from_str::<OrderBody>(&row.text("body")?).context("orders.body")?,
            personal,
            subject,
        };
        Ok((Capsule { order, attempted_at: row.int("created_at")?, amount: store::money(&row, "amount_minor")? }, row.int("generation")?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{payments::CAPSULE_BYTES_MAX, random};
    use domain::{CartId, cart::Cart, money::Currency};
    use serde_json::json;
    use uuid::Uuid;

    /// As many lines as a cart takes, none like another, and an address that is long.
    fn largest() -> anyhow::Result<Capsule> {
        let id = || Uuid::from_bytes(random::bytes()).to_string();
        let money = |minor: usize| json!({ "minor": minor, "currency": "GBP" });
        let lines: Vec<_> = (0..Cart::LINES_MAX)
            .map(|n| {
                json!({ "product": id(), "variant": id(), "quantity": n % 9 + 1, "unit": money(1_000 + 37 * n), "unit_was": money(9_999 + n),
                    "total": money((1_000 + 37 * n) * (n % 9 + 1)) })
            })
            .collect();
        let word = |n: usize| format!("{}{}", ["Wool", "Leinen", "Chêne", "革の"][n % 4], &id()[..6]);
        let texts: Vec<_> = (0..Cart::LINES_MAX)
            .map(|n| {
                json!({ "title": format!("{} {} {}", word(n), word(n + 1), word(n + 2)), "options": [word(n), word(n + 3)], "sku": &id()[..12],
                    "slug": format!("{}-{}", word(n), word(n + 1)), "picture": format!("/media/import/{}/{}-front-320.webp", word(n), id()) })
            })
            .collect();
        let names: serde_json::Map<_, _> =
            ["en-us", "en-gb", "de-de", "fr-fr", "ja-jp", "ko-kr"].map(|name| (name.to_owned(), json!("Delivery"))).into_iter().collect();
        let entries = vec![json!({ "label": "subtotal", "amount": money(1), "why": { "lines": { "lines": 50, "pieces": 250 } } }); 8];
        let body = json!({
            "texts": texts,
            "quote": { "lines": lines, "goods": money(1), "delivery": money(0), "taxes": [], "tax_known": true, "total": money(1), "entries": entries },
            "paid": (0..=Cart::LINES_MAX).map(|n| money(n * 97)).collect::<Vec<_>>(),
            "method": { "code": "standard", "names": names, "price": money(395), "free_from": money(5_000), "days_min": 3, "days_max": 5,
                "cut_off": { "hour": 13, "minute": 0, "zone": "Europe/London" }, "ships_from": "rotterdam" },
            "promise": { "from": "2026-11-26", "to": "2026-11-30" },
            "locations": ["rotterdam", "reno", "osaka"]
        });
        let long = |n: usize| id().repeat(3)[..n].to_owned();
        let address = json!({ "country": "GB", "name": { "full": long(100) }, "company": long(100), "line1": long(100), "line2": long(100), "city": long(100),
            "postcode": "SW1Y 4JH" });
        let personal = json!({ "contact": { "email": "ada@example.com", "phone": null }, "delivery": address, "billing": address });
        Ok(Capsule {
            order: Record {
                id: OrderId(Uuid::from_bytes(random::bytes())),
                number: "NG-2222-2222".to_owned(),
                cart: CartId(Uuid::from_bytes(random::bytes())),
                cart_version: 77,
                fingerprint: URL_SAFE_NO_PAD.encode(random::bytes::<32>()),
                market: "GB".parse()?,
                locale: "en-gb".parse().map_err(|_| anyhow::anyhow!("a locale"))?,
                placed_at: 1_795_435_200_000_000,
                body: serde_json::from_value(body)?,
                personal: Some(serde_json::from_value(personal)?),
                subject: URL_SAFE_NO_PAD.encode(random::bytes::<32>()),
            },
            attempted_at: 1_795_435_200_000_000,
            amount: Money::new(1, Currency::GBP),
        })
    }

    #[test]
    fn the_largest_order_fits_into_what_every_provider_keeps() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let keys = Keys::open(folder.path())?;
        let payment = PaymentId(Uuid::from_bytes(random::bytes()));
        let capsule = largest()?;
        let text = seal(&keys, payment, &capsule)?;
        assert!(text.len() <= CAPSULE_BYTES_MAX, "{} characters", text.len());
        assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
        assert_eq!(open(&keys, payment, &text)?, capsule);
        assert_eq!(seal(&keys, payment, &capsule)?, text, "the same each time");
        Ok(())
    }

    #[test]
    fn nobody_else_opens_a_capsule_and_none_opens_for_another_payment() -> anyhow::Result<()> {
        let (folder, other) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let (keys, others) = (Keys::open(folder.path())?, Keys::open(other.path())?);
        let [payment, another] = [1, 2].map(|n| PaymentId(Uuid::from_u128(n)));
        let text = seal(&keys, payment, &largest()?)?;
        assert!(open(&others, payment, &text).is_err() && open(&keys, another, &text).is_err());
        for changed in [text.replacen("1.", "2.", 1), text[..text.len() - 4].to_owned(), format!("{text}AAAA"), String::new()] {
            assert!(open(&keys, payment, &changed).is_err(), "{} characters", changed.len());
        }
        Ok(())
    }
}
