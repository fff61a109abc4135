//! Coupons in SQL: finding what a code gives, and counting its uses in the order's own transaction. What a coupon is, and every reason to
//! refuse it, is decided in [`domain::coupon`].

pub mod command;
mod redeem;
mod terms;

pub use redeem::{Redemption, follow, note_returned, redeem};

use crate::{
    clock::Clock,
    keys::Keys,
    params,
    promotions::customers,
    sql::{Db, Row, Tx},
};
use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    CartId, CouponId,
    account::Email,
    coupon::{Code, Coupon, NotACode, Usage},
};
use serde::Deserialize;
use std::fmt;

/// The demo's coupon, WELCOME10.
const DEMO: &str = include_str!("../../demo/coupons.json");

/// A coupon that a code led to.
#[derive(Clone, Debug)]
pub struct Found {
    pub coupon: Coupon,
    pub usage: Usage,
}

/// Who a customer is to a coupon's cap: a keyed hash of the mailbox, which says nothing about it.
#[derive(Clone, PartialEq, Eq)]
pub struct Customer(String);

impl Customer {
    pub fn new(keys: &Keys, email: &Email) -> Self {
        Self(URL_SAFE_NO_PAD.encode(keys.hmac("coupon customer", email.mailbox().as_bytes())))
    }
}

impl fmt::Debug for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Customer(…)")
    }
}

const FIND: &str =
    "SELECT c.body, c.ended_at, c.used AS total, k.used AS by_code FROM coupon_codes k JOIN coupons c ON c.id = k.coupon_id WHERE k.key = $1";
const BY_CUSTOMER: &str = "SELECT used FROM coupon_customers WHERE coupon_id = $1 AND customer = $2";
/// Uses of a cart's own orders that nobody paid: the next order of the cart replaces them, so they are no reason to refuse it.
const OWN: &str = "SELECT r.code_key, r.customer FROM coupon_redemptions r JOIN orders o ON o.id = r.order_id \
                   WHERE o.cart_id = $1 AND o.pieces = 'held' AND r.coupon_id = $2 AND r.state = 'counted'";

/// The coupon behind a code, with its uses as a cart sees them: to show, not to decide. `None`: there is none.
pub async fn find(db: &Db, code: &Code, cart: CartId, customer: Option<&Customer>) -> anyhow::Result<Option<Found>> {
    let Some(row) = db.first(FIND, params![code.key()]).await? else { return Ok(None) };
    let mut found = read(&row)?;
    let id = found.coupon.id;
    if let Some(Customer(hash)) = customer {
        found.usage.by_customer = db.first(BY_CUSTOMER, params![id, hash]).await?.map_or(Ok(0), |row| count(&row, "used"))?;
    }
    for own in &db.all(OWN, params![cart, id]).await? {
        let one = |is_counted: bool| u32::from(is_counted);
        let usage = &mut found.usage;
        usage.total = usage.total.saturating_sub(one(found.coupon.caps.total.is_some()));
        usage.by_code = usage.by_code.saturating_sub(one(own.text("code_key")? == code.key()));
        usage.by_customer =
            usage.by_customer.saturating_sub(one(customer.is_some_and(|Customer(hash)| own.text("customer").is_ok_and(|own| own == *hash))));
    }
    Ok(Some(found))
}

/// The same as a transaction sees it, with every use counted.
pub async fn find_in(tx: &mut Tx, code: &Code, customer: &Customer) -> anyhow::Result<Option<Found>> {
    let Some(row) = tx.first(FIND, params![code.key()]).await? else { return Ok(None) };
    let mut found = read(&row)?;
    found.usage.by_customer = tx.first(BY_CUSTOMER, params![found.coupon.id, &customer.0]).await?.map_or(Ok(0), |row| count(&row, "used"))?;
    Ok(Some(found))
}

fn read(row: &Row) -> anyhow::Result<Found> {
    let mut coupon: Coupon = serde_json::from_str(&row.text("body")?).context("coupons.body")?;
    if let Some(ended_at) = row.int_or_null("ended_at")? {
        coupon.rule.valid_until = Some(coupon.rule.valid_until.map_or(ended_at, |until| until.min(ended_at)));
    }
    Ok(Found { coupon, usage: Usage { total: count(row, "total")?, by_code: count(row, "by_code")?, by_customer: 0 } })
}

fn count(row: &Row, column: &str) -> anyhow::Result<u32> {
    Ok(u32::try_from(row.int(column)?)?)
}

/// Stores a coupon without codes.
pub async fn add(tx: &mut Tx, coupon: &Coupon, clock: &Clock) -> anyhow::Result<()> {
    customers::check(tx, &coupon.rule.audience).await?;
    tx.execute(
        "INSERT INTO coupons (id, body, used, ended_at, created_at) VALUES ($1, $2, 0, NULL, $3)",
        params![coupon.id, serde_json::to_string(coupon)?, clock.now()],
    )
    .await?;
    Ok(())
}

/// Stores a code of a coupon. `false`: a code that reads the same is there already, of this coupon or another one, ended or not.
pub async fn add_code(tx: &mut Tx, coupon: CouponId, code: &Code) -> anyhow::Result<bool> {
    let added = tx
        .execute(
            "INSERT INTO coupon_codes (key, code, coupon_id, used) VALUES ($1, $2, $3, 0) ON CONFLICT (key) DO NOTHING",
            params![code.key(), code.as_str(), coupon],
        )
        .await?;
    Ok(added == 1)
}

/// The demo's coupons, for a shop that has none of these codes.
pub async fn add_demo(tx: &mut Tx, clock: &Clock) -> anyhow::Result<()> {
    #[derive(Deserialize)]
    struct Demo {
        code: String,
        coupon: serde_json::Value,
    }
    let demo: Vec<Demo> = serde_json::from_str(DEMO).context("demo/coupons.json")?;
    for Demo { code, mut coupon } in demo {
        coupon["id"] = clock.id().to_string().into();
        coupon["valid_from"] = clock.now().into();
        let coupon: Coupon = serde_json::from_value(coupon).context("demo/coupons.json")?;
        coupon.check()?;
        let code: Code = code.parse().map_err(|error: NotACode| error).context("demo/coupons.json")?;
        if add_code(tx, coupon.id, &code).await? {
            add(tx, &coupon, clock).await?;
        }
    }
    Ok(())
}
