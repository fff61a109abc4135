//! Promotions in SQL: versioned rows, read whenever a cart is priced and again in the order's own transaction. What a promotion is, and which apply,
//! is decided in [`domain::promotion`].

pub mod command;
pub mod customers;
mod described;
pub mod terms;

pub use described::described;

use crate::{
    clock::Clock,
    params,
    sql::{Db, Row, Tx},
};
use anyhow::{Context as _, ensure};
use domain::{PromotionId, offer::Instant, promotion::Promotion};

/// The demo's promotions.
const DEMO: &str = include_str!("../../demo/promotions.json");

/// Promotions that hold or are near: every cart and order is priced with all of them.
pub const PROMOTIONS_MAX: usize = 100;

/// How long before it begins and after it has ended a promotion still stands in the traces of orders, so that staff read why it did not
/// apply: a week.
const NEAR_US: Instant = 7 * 86_400_000_000;

const NEAR: &str = "SELECT p.body FROM promotions p WHERE (p.ends_at IS NULL OR p.ends_at > $2) AND p.valid_from = (SELECT MAX(l.valid_from) FROM \
                    promotions l WHERE l.id = p.id AND l.valid_from <= $1) ORDER BY p.id LIMIT $3";

/// Promotions that hold at `now` or are near: of all markets, for the few there are cost less than an index of them.
pub async fn near(db: &Db, now: Instant) -> anyhow::Result<Vec<Promotion>> {
    read(&db.all(NEAR, params![now, now - NEAR_US, i64::try_from(PROMOTIONS_MAX)?]).await?, now)
}

/// The same as a transaction sees them.
pub async fn near_in(tx: &mut Tx, now: Instant) -> anyhow::Result<Vec<Promotion>> {
    read(&tx.all(NEAR, params![now, now - NEAR_US, i64::try_from(PROMOTIONS_MAX)?]).await?, now)
}

fn read(rows: &[Row], now: Instant) -> anyhow::Result<Vec<Promotion>> {
    let promotions = rows.iter().map(|row| serde_json::from_str::<Promotion>(&row.text("body")?).context("promotions.body"));
    promotions.filter(|promotion| promotion.as_ref().map_or(true, |promotion| promotion.rule.valid_from < now + NEAR_US)).collect()
}

/// Writes a promotion as it is from `now` on.
pub async fn put(tx: &mut Tx, promotion: &Promotion, now: Instant) -> anyhow::Result<()> {
    promotion.rule.check()?;
    let known = tx.all("SELECT DISTINCT id FROM promotions WHERE ends_at IS NULL OR ends_at > $1", params![now - NEAR_US]).await?;
    let is_there = known.iter().any(|row| row.parse("id").is_ok_and(|id: PromotionId| id == promotion.id));
    ensure!(is_there || known.len() < PROMOTIONS_MAX, "there are {PROMOTIONS_MAX} promotions already: end some first, and wait a week");
    tx.execute(
        "INSERT INTO promotions (id, valid_from, body, ends_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (id, valid_from) DO UPDATE SET body = excluded.body, ends_at = excluded.ends_at",
        params![promotion.id, now, serde_json::to_string(promotion)?, promotion.rule.valid_until],
    )
    .await?;
    Ok(())
}

/// Ends a promotion now; one that has not begun has an empty window of the past.
pub async fn end(tx: &mut Tx, promotion: &mut Promotion, now: Instant) -> anyhow::Result<()> {
    promotion.rule.valid_from = promotion.rule.valid_from.min(now - 1);
    promotion.rule.valid_until = Some(now);
    put(tx, promotion, now).await
}

/// The demo's promotions, for a new shop.
pub async fn add_demo(tx: &mut Tx, clock: &Clock) -> anyhow::Result<()> {
    let demo: Vec<serde_json::Value> = serde_json::from_str(DEMO).context("demo/promotions.json")?;
    for mut promotion in demo {
        promotion["id"] = clock.id().to_string().into();
        promotion["valid_from"] = clock.now().into();
        put(tx, &serde_json::from_value(promotion).context("demo/promotions.json")?, clock.now()).await?;
    }
    Ok(())
}
