//! The links that open orders without a login: what their secrets are derived from, how one is renewed, and how an order is found again.

use super::{
    OrderView, Orders,
    story::{self, Actor, Happened},
};
use crate::{
    failpoint,
    keys::Keys,
    mail::{self, CannotResend},
    params,
    sql::Tx,
};
use anyhow::Context as _;
use app::mail::Kind;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    OrderId,
    account::{Email, clean_ascii},
    address::Address,
    offer::Instant,
    order::OrderNumber,
    postcode,
};
use subtle::ConstantTimeEq as _;

/// How long a link opens an order by itself: 30 days. Then it asks for the postcode, because mails are forwarded and lie about.
pub const OPEN_US: Instant = 30 * 24 * 3_600 * 1_000_000;
/// Postcodes that may be tried with one link, and for one order a day without. A country has thousands.
pub const TRIES_MAX: i64 = 10;
const DAY_US: Instant = 24 * 3_600 * 1_000_000;

/// Both count a try, unless there were too many: `$4` is today, or nothing.
const TRY_LINK: &str = "INSERT INTO order_links (order_id, generation, made_at, tries, finds, finds_on) VALUES ($1, 0, $2, 1, 0, $4) \
                        ON CONFLICT (order_id) DO UPDATE SET tries = order_links.tries + 1 WHERE order_links.tries < $3";
const TRY_FIND: &str = "INSERT INTO order_links (order_id, generation, made_at, tries, finds, finds_on) VALUES ($1, 0, $2, 0, 1, $4) \
                        ON CONFLICT (order_id) DO UPDATE SET finds = CASE WHEN order_links.finds_on = $4 THEN order_links.finds + 1 ELSE 1 END, \
                        finds_on = $4 WHERE order_links.finds_on <> $4 OR order_links.finds < $3";

/// How somebody comes to be asked for the postcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// With an old link.
    Link,
    /// With number and address. Renewing the link, which they may bring about, gains no further tries.
    Find,
}

/// What became of a postcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    Right,
    Wrong,
    /// Too many were tried: only a new link helps.
    Locked,
}

impl Orders {
    /// The secret in an order's link: 128 bits that only this shop can derive from the order's id and the link's generation, so that
    /// nothing that opens an order is stored.
    pub(crate) fn secret(&self, order: OrderId, generation: i64) -> String {
        let mut from = order.0.as_bytes().to_vec();
        // The first links were derived from the id alone.
        if generation > 0 {
            from.extend(generation.to_be_bytes());
        }
        URL_SAFE_NO_PAD.encode(&self.keys.hmac("order secret", &from)[..16])
    }

    /// What is stored of a secret, to find its order.
    pub(crate) fn secret_hash(&self, secret: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.keys.hmac("order secret hash", secret.as_bytes()))
    }

    /// The secret that opens an order now.
    pub async fn present_secret(&self, order: OrderId) -> anyhow::Result<String> {
        let row = self.db.first("SELECT generation FROM order_links WHERE order_id = $1", params![order]).await?;
        Ok(self.secret(order, row.map_or(Ok(0), |row| row.int("generation"))?))
    }

    /// Makes a new link and mails it; the present one stops working. The new secret.
    pub async fn renew_link(&self, order: OrderId, actor: &Actor) -> anyhow::Result<String> {
        let secret = self
            .db
            .transact::<_, anyhow::Error>(|tx| {
                let (this, actor) = (self.clone(), actor.clone());
                Box::pin(async move { this.renew_in(tx, order, &actor).await })
            })
            .await?;
        failpoint!("link-committed");
        mail::ring();
        Ok(secret)
    }

    async fn renew_in(&self, tx: &mut Tx, order: OrderId, actor: &Actor) -> anyhow::Result<String> {
        tx.execute(
            "INSERT INTO order_links (order_id, generation, made_at, tries, finds, finds_on) VALUES ($1, 1, $2, 0, 0, 0) \
             ON CONFLICT (order_id) DO UPDATE SET generation = order_links.generation + 1, made_at = excluded.made_at, tries = 0",
            params![order, self.clock.now()],
        )
        .await?;
        let row = tx.first("SELECT generation FROM order_links WHERE order_id = $1", params![order]).await?.context("a link was just made")?;
        let generation = row.int("generation")?;
        let secret = self.secret(order, generation);
        let changed = tx.execute("UPDATE orders SET secret_hash = $2 WHERE id = $1", params![order, self.secret_hash(&secret)]).await?;
        anyhow::ensure!(changed == 1, "a link of an order that is not there");
        failpoint!("link-replaced");
        story::tell(tx, &self.clock, actor, order, &Happened::LinkRenewed).await?;
        mail::queue(tx, &self.clock, order, Kind::Link, &format!("renewed:{generation}"), "").await?;
        Ok(secret)
    }

    /// Whether an order's link asks for the postcode before it shows anything. There is nothing to protect once the customer is erased.
    pub fn asks_for_postcode(&self, order: &OrderView) -> bool {
        order.personal.is_some() && self.clock.now().saturating_sub(order.link_made_at) >= OPEN_US
    }

    /// Compares what was typed with the delivery address. Every try counts before it is looked at, so that many at once gain nothing; with a
    /// link the right one begins the count anew. An address without a postcode fits nothing.
    pub async fn check_postcode(&self, order: &OrderView, typed: &str, way: Way) -> anyhow::Result<Checked> {
        let (sql, today) = match way {
            Way::Link => (TRY_LINK, 0),
            Way::Find => (TRY_FIND, self.clock.now() / DAY_US),
        };
        let values = params![order.id, order.placed_at, TRIES_MAX, today];
        let counted = self.db.transact::<_, sqlx::Error>(|tx| Box::pin(tx.execute(sql, values.clone()))).await?;
        if counted == 0 {
            return Ok(Checked::Locked);
        }
        let Some(personal) = &order.personal else { return Ok(Checked::Wrong) };
        if !fits(&personal.delivery, typed) {
            return Ok(Checked::Wrong);
        }
        if way == Way::Link {
            let id = params![order.id];
            self.db.transact::<_, sqlx::Error>(|tx| Box::pin(tx.execute("UPDATE order_links SET tries = 0 WHERE order_id = $1", id.clone()))).await?;
        }
        Ok(Checked::Right)
    }

    /// The order with this number, if it was placed with this email address.
    pub async fn find(&self, number: OrderNumber, email: &Email) -> anyhow::Result<Option<OrderId>> {
        let subject = self.subject_of(email);
        let row = self.db.first("SELECT id, subject FROM orders WHERE number = $1", params![number.to_string()]).await?;
        let (id, known) = match row {
            Some(row) => (Some(row.parse("id")?), row.text("subject")?),
            None => (None, String::new()),
        };
        Ok(if bool::from(subject.as_bytes().ct_eq(known.as_bytes())) { id } else { None })
    }

    /// Mails the way back to an order: the present link while it opens the order by itself, a new one otherwise. So nobody who only knows
    /// number and address can end a link that is in use.
    pub async fn mail_link(&self, order: OrderId) -> Result<(), CannotResend> {
        let row = self
            .db
            .first(
                "SELECT COALESCE(l.made_at, o.placed_at) AS made_at, COALESCE(l.tries, 0) AS tries FROM orders o \
                 LEFT JOIN order_links l ON l.order_id = o.id WHERE o.id = $1",
                params![order],
            )
            .await?
            .ok_or(CannotResend::NotFound)?;
        let is_open = self.clock.now().saturating_sub(row.int("made_at")?) < OPEN_US;
        if is_open && row.int("tries")? < TRIES_MAX {
            return self.resend(order, Kind::Link).await;
        }
        self.renew_link(order, &Actor::Shopper).await?;
        Ok(())
    }

    /// Who orders with this address, without saying who: a keyed hash of the normalised email.
    pub(crate) fn subject_of(&self, email: &Email) -> String {
        subject(&self.keys, email)
    }
}

/// What a customer's orders have in common: a keyed hash of the email address, which says nothing about it.
pub fn subject(keys: &Keys, email: &Email) -> String {
    URL_SAFE_NO_PAD.encode(keys.hmac("subject", email.normalised().as_bytes()))
}

fn fits(delivery: &Address, typed: &str) -> bool {
    let typed = clean_ascii(typed);
    let Some(known) = &delivery.postcode else { return false };
    // In the country's spelling; only the first five digits of a ZIP code matter to people.
    let read = postcode::parse(delivery.country, &typed).unwrap_or(typed);
    let plain = |text: &str| -> String {
        let plain: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect();
        if delivery.country.code() == "US" { plain.chars().take(5).collect() } else { plain }
    };
    bool::from(plain(&read).as_bytes().ct_eq(plain(known).as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::account::PersonName;

    fn at(country: &str, postcode: Option<&str>) -> Address {
        Address {
            country: country.parse().expect("a country"),
            name: PersonName { full: "Ada".to_owned(), kana: None },
            company: None,
            line1: String::new(),
            line2: None,
            city: String::new(),
            region: None,
            postcode: postcode.map(str::to_owned),
        }
    }

    #[test]
    fn postcodes_fit_however_they_are_typed() {
        for (country, known, typed) in [
            ("GB", "SW1Y 4JH", "sw1y4jh"),
            ("JP", "100-0001", "１００ー０００１"),
            ("CA", "G1R 2V1", " g1r2v1 "),
            ("US", "94103", "94103-1234"),
            ("US", "94103-1234", "94103"),
            ("DE", "10115", "10115"),
        ] {
            assert!(fits(&at(country, Some(known)), typed), "{country} {typed}");
        }
        for (country, known, typed) in [("GB", Some("SW1Y 4JH"), "SW1Y"), ("DE", Some("10115"), ""), ("DE", None, ""), ("DE", Some("10115"), "10116")]
        {
            assert!(!fits(&at(country, known), typed), "{country} {typed}");
        }
    }
}
