//! Who sells in a market: rows with the instant from which they hold, at first those of the demo.

use crate::{params, sql::Db};
use anyhow::Context as _;
use domain::{
    invoice::Seller,
    market::{Country, MarketCode},
    offer::Instant,
};
use serde::Deserialize;

const DEMO: &str = include_str!("../../demo/legal_entities.json");

#[derive(Clone, Deserialize)]
struct Row {
    market: Country,
    seller: Seller,
}

/// Writes the demo's entities for markets that have none. Safe to call on every start.
pub async fn seed(db: &Db) -> anyhow::Result<()> {
    let rows: Vec<Row> = serde_json::from_str(DEMO).context("demo/legal_entities.json")?;
    let known = db.all("SELECT DISTINCT market FROM legal_entities", params![]).await?;
    let known = known.iter().map(|row| row.text("market")).collect::<anyhow::Result<Vec<_>>>()?;
    for Row { market, seller } in rows.into_iter().filter(|row| !known.iter().any(|market| market == row.market.code())) {
        let sql = "INSERT INTO legal_entities (market, valid_from, body) VALUES ($1, 0, $2) ON CONFLICT (market, valid_from) DO NOTHING";
        db.execute(sql, params![market.code(), serde_json::to_string(&seller)?]).await?;
    }
    Ok(())
}

/// Who sells in a market at an instant.
pub async fn of(db: &Db, market: MarketCode, at: Instant) -> anyhow::Result<Seller> {
    let sql = "SELECT body FROM legal_entities WHERE market = $1 AND valid_from <= $2 ORDER BY valid_from DESC LIMIT 1";
    let row = db.first(sql, params![market.code(), at]).await?;
    let row = row.with_context(|| format!("nobody is known to sell in {market}: legal_entities has no row for it"))?;
    serde_json::from_str(&row.text("body")?).context("legal_entities.body")
}
