//! What an order is found by that nobody may read in the database: phone number and postcode, as keyed hashes beside the order. The email
//! address needs none, it is the order's subject.

use super::{Orders, request::Personal};
use crate::{
    keys::Keys,
    params,
    sql::{Row, Tx},
};
use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    OrderId,
    account::{Phone, clean_ascii},
    offer::Instant,
};

/// What a token is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Phone,
    Postcode,
}

impl Kind {
    /// The word in the table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Postcode => "postcode",
        }
    }
}

/// Digits of a phone number that count: its last nine, so that it is the same with a country code, with a zero, or with neither.
const PHONE_DIGITS: usize = 9;

/// A phone number as it is looked up.
pub fn phone(phone: &Phone) -> String {
    let digits: Vec<char> = phone.as_str().chars().filter(char::is_ascii_digit).collect();
    digits[digits.len().saturating_sub(PHONE_DIGITS)..].iter().collect()
}

/// A postcode as it is looked up: capitals and digits; of nine digits (ZIP+4) the first five. `None`: too short or too long for one.
pub fn postcode(text: &str) -> Option<String> {
    let bare: String = clean_ascii(text).chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    let fits = (3..=10).contains(&bare.len()) && bare.contains(|c: char| c.is_ascii_digit());
    let is_long = bare.len() == 9 && bare.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| if is_long { bare[..5].to_owned() } else { bare })
}

/// The keyed hash of what [`phone`] and [`postcode`] answer.
pub fn hash(keys: &Keys, kind: Kind, text: &str) -> String {
    URL_SAFE_NO_PAD.encode(&keys.hmac("order token", format!("{}:{text}", kind.word()).as_bytes())[..16])
}

/// Writes an order's tokens anew.
pub async fn write(tx: &mut Tx, keys: &Keys, order: OrderId, placed_at: Instant, personal: &Personal) -> Result<(), sqlx::Error> {
    let mut tokens: Vec<(Kind, String)> = personal.contact.phone.iter().map(|typed| (Kind::Phone, phone(typed))).collect();
    for address in [Some(&personal.delivery), personal.billing.as_ref()].into_iter().flatten() {
        tokens.extend(address.postcode.as_deref().and_then(postcode).map(|text| (Kind::Postcode, text)));
    }
    for (kind, text) in tokens {
        tx.execute(
            "INSERT INTO order_tokens (kind, hash, placed_at, order_id) VALUES ($1, $2, $3, $4) ON CONFLICT (kind, hash, placed_at, order_id) DO NOTHING",
            params![kind.word(), hash(keys, kind, &text), placed_at, order],
        )
        .await?;
    }
    Ok(())
}

/// Orders that are read at once when those from before get their tokens.
const BATCH: i64 = 200;
/// The setting that says up to which order the tokens are written.
const DONE: &str = "order tokens";

impl Orders {
    /// Writes the tokens of orders from before there were any: once, in batches, each where the one before ended.
    pub async fn index_earlier(&self) -> anyhow::Result<()> {
        let setting = self.db.first("SELECT value FROM shop_settings WHERE name = $1", params![DONE]).await?;
        let mut after = setting.map_or(Ok(String::new()), |row| row.text("value"))?;
        if after.is_empty() && self.db.first("SELECT id FROM orders LIMIT 1", params![]).await?.is_none() {
            "all".clone_into(&mut after);
            self.indexed(Vec::new(), &after).await?;
        }
        while after != "all" {
            let rows = self
                .db
                .all(
                    "SELECT o.id, o.placed_at, o.subject, o.personal, c.wrapped_key FROM orders o LEFT JOIN customer_keys c ON c.subject = o.subject \
                     WHERE o.id > $1 ORDER BY o.id LIMIT $2",
                    params![&after, BATCH],
                )
                .await?;
            after = match rows.last() {
                Some(last) if rows.len() == usize::try_from(BATCH)? => last.text("id")?,
                _ => "all".to_owned(),
            };
            let mut found = Vec::with_capacity(rows.len());
            for row in &rows {
                found.extend(self.opened(row)?);
            }
            self.indexed(found, &after).await?;
        }
        Ok(())
    }

    /// The personal data in a row with `id`, `subject`, `personal` and `wrapped_key`, if it can still be read.
    fn opened(&self, row: &Row) -> anyhow::Result<Option<(OrderId, Instant, Personal)>> {
        let Some(wrapped) = row.bytes_or_null("wrapped_key")? else { return Ok(None) };
        let id: OrderId = row.parse("id")?;
        let sealed = row.bytes_or_null("personal")?.unwrap_or_default();
        let Ok(plain) = self.keys.data_key(&row.text("subject")?, &wrapped)?.open(&id.to_string(), &sealed) else { return Ok(None) };
        Ok(Some((id, row.int("placed_at")?, serde_json::from_slice(&plain).context("orders.personal")?)))
    }

    async fn indexed(&self, found: Vec<(OrderId, Instant, Personal)>, after: &str) -> anyhow::Result<()> {
        self.db
            .transact::<_, anyhow::Error>(|tx| {
                let (keys, found, after) = (self.keys.clone(), found.clone(), after.to_owned());
                Box::pin(async move {
                    for (order, placed_at, personal) in &found {
                        write(tx, &keys, *order, *placed_at, personal).await?;
                    }
                    tx.execute(
                        "INSERT INTO shop_settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                        params![DONE, after],
                    )
                    .await?;
                    Ok(())
                })
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_number_and_one_postcode_are_the_same() {
        for (a, b) in [("+1 (415) 555-0100", "4155550100"), ("+44 20 7946 0958", "020 7946 0958"), ("+81-3-1234-5678", "03-1234-5678")] {
            let read = |text| Phone::parse(text).map(|known| phone(&known));
            assert!(read(a).is_ok() && read(a) == read(b), "{a}");
        }
        for (a, b) in [("sw1y4jh", "SW1Y 4JH"), ("１００－０００１", "100-0001"), ("94103-1234", "94103")] {
            assert!(postcode(a).is_some() && postcode(a) == postcode(b), "{a}");
        }
        for none in ["Berlin", "12", "", "1234567890123"] {
            assert_eq!(postcode(none), None, "{none}");
        }
    }
}
