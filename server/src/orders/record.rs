//! An order's rows as they are first written: when it is placed, and when it is rebuilt from what the payment provider kept.

use super::{
    Orders,
    request::{OrderBody, Personal},
    tokens,
};
use crate::{
    coupons::{self, Customer},
    keys::DataKey,
    params,
    sql::Tx,
};
use anyhow::Context as _;
use domain::{
    CartId, OrderId,
    locale::Locale,
    market::MarketCode,
    money::Money,
    offer::Instant,
    order::{Line, Order, Pieces},
    payment::Payment,
};
use serde::{Deserialize, Serialize};

/// Everything about an order that was frozen when it was placed. A wire type: fields are added, never renamed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub id: OrderId,
    /// As people read it out.
    pub number: String,
    pub cart: CartId,
    pub cart_version: u64,
    /// Keyed hash of what was ordered.
    pub fingerprint: String,
    pub market: MarketCode,
    pub locale: Locale,
    pub placed_at: Instant,
    pub body: OrderBody,
    /// `None`: the customer was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub personal: Option<Personal>,
    /// Keyed hash of the customer's normalised email.
    pub subject: String,
}

impl Record {
    /// What at most one order that stands has: the cart in the version that was ordered.
    pub fn claim(&self) -> String {
        format!("{}:{}", self.cart, self.cart_version)
    }

    /// The order with nothing but its lines and its attempts to pay.
    pub fn order(&self, pieces: Pieces, payments: Vec<Payment>) -> anyhow::Result<Order> {
        let quote = &self.body.quote;
        let mut lines = Vec::with_capacity(quote.lines.len());
        for (index, line) in quote.lines.iter().enumerate() {
            let amount = self.body.paid.get(index).copied().unwrap_or(line.total);
            let (product, variant, quantity) = (line.product, line.variant, line.quantity.get());
            lines.push(Line { line: u32::try_from(index)?, product, variant, quantity, amount, replaces: None });
        }
        let goods: i64 = lines.iter().map(|line| line.amount.minor).sum();
        Ok(Order {
            id: self.id,
            market: self.market,
            total: quote.total,
            placed_at: self.placed_at,
            delivery: Money::new(quote.total.minor - goods, quote.total.currency),
            lines,
            pieces,
            payments,
            refunds: Vec::new(),
            disputes: Vec::new(),
            cancellations: Vec::new(),
            fulfilments: Vec::new(),
            returns: Vec::new(),
        })
    }
}

impl Orders {
    /// Writes an order and its lines; its ledgers are the caller's. `false`: another order has this cart or this number, and nothing was
    /// written. Without `claims` it does not stand for its cart.
    pub(super) async fn insert(&self, tx: &mut Tx, record: &Record, order: &Order, claims: bool) -> anyhow::Result<bool> {
        let personal = match &record.personal {
            Some(personal) => {
                let key = self.customer_key(tx, &record.subject, record.placed_at).await?;
                key.seal(&record.id.to_string(), &serde_json::to_vec(personal).context("personal data")?)
            }
            None => Vec::new(),
        };
        let (pieces, hold_until) = match order.pieces {
            Pieces::Held { until } => ("held", until),
            Pieces::Lapsed => ("lapsed", record.placed_at),
            other => anyhow::bail!("an order does not begin as {other:?}"),
        };
        let total = order.total;
        let inserted = tx
            .execute(
                "INSERT INTO orders (id, number, secret_hash, cart_id, cart_version, cart_claim, fingerprint, subject, market, locale, currency, total_minor, \
                 body, personal, pieces, hold_until, status, placed_at, updated_at, delivery_minor) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $18, $19) ON CONFLICT DO NOTHING",
                params![
                    record.id,
                    &record.number,
                    self.secret_hash(&self.secret(record.id, 0)),
                    record.cart,
                    i64::try_from(record.cart_version).context("a cart's version")?,
                    claims.then(|| record.claim()),
                    &record.fingerprint,
                    &record.subject,
                    record.market.code(),
                    record.locale.to_string(),
                    total.currency.code(),
                    total.minor,
                    serde_json::to_string(&record.body).context("an order's body")?,
                    personal,
                    pieces,
                    hold_until,
                    order.status().word(),
                    record.placed_at,
                    order.delivery.minor
                ],
            )
            .await?;
        if inserted == 0 {
            return Ok(false);
        }
        for (line, priced) in order.lines.iter().zip(&record.body.quote.lines) {
            tx.execute(
                "INSERT INTO order_lines (order_id, line, variant_id, product_id, quantity, unit_minor, total_minor, paid_minor) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                params![record.id, line.line, line.variant, line.product, line.quantity, priced.unit.minor, priced.total.minor, line.amount.minor],
            )
            .await?;
        }
        if let (Pieces::Lapsed, Some(personal)) = (order.pieces, &record.personal) {
            let customer = Customer::new(&self.keys, &personal.contact.email);
            coupons::note_returned(tx, record.id, &record.body.quote.discounts, &customer, record.placed_at).await?;
        }
        if let Some(personal) = &record.personal {
            tokens::write(tx, &self.keys, record.id, record.placed_at, personal).await?;
        }
        Ok(true)
    }

    /// Who orders, without saying who: a keyed hash of the normalised email.
    pub(super) fn subject(&self, personal: &Personal) -> String {
        self.subject_of(&personal.contact.email)
    }

    /// The customer's data key, made with the first order. An erased customer who orders again gets a new one.
    async fn customer_key(&self, tx: &mut Tx, subject: &str, now: Instant) -> anyhow::Result<DataKey> {
        const KNOWN: &str = "SELECT wrapped_key FROM customer_keys WHERE subject = $1";
        let known = tx.first(KNOWN, params![subject]).await?;
        if let Some(wrapped) = known.as_ref().map(|row| row.bytes_or_null("wrapped_key")).transpose()?.flatten() {
            return self.keys.data_key(subject, &wrapped);
        }
        let (key, fresh) = self.keys.new_data_key(subject);
        let is_ours = if known.is_none() {
            let insert = "INSERT INTO customer_keys (subject, wrapped_key, created_at) VALUES ($1, $2, $3) ON CONFLICT (subject) DO NOTHING";
            tx.execute(insert, params![subject, fresh, now]).await?
        } else {
            tx.execute("UPDATE customer_keys SET wrapped_key = $2 WHERE subject = $1 AND wrapped_key IS NULL", params![subject, fresh]).await?
        };
        if is_ours == 1 {
            return Ok(key);
        }
        // Another order of this customer was faster.
        let row = tx.first(KNOWN, params![subject]).await?.context("a key was just stored")?;
        let wrapped = row.bytes_or_null("wrapped_key")?.context("a key was just stored")?;
        self.keys.data_key(subject, &wrapped)
    }
}
