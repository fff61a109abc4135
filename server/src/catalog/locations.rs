//! Stock locations: what the staff call them, and how many pieces each keeps back from the online shop. What lies there is the stock
//! ledger's business.

use super::stock::{self, Item};
use crate::{
    clock::Clock,
    events, params,
    sql::{Db, Tx},
};
use domain::{event::Event, offer::Instant};
use serde::Deserialize;

/// The pieces that are never sold online of `s.variant_id` at `s.location`, as an SQL expression; the argument is the placeholder of now.
macro_rules! safety_sql {
    ($now:literal) => {
        concat!(
            "COALESCE((SELECT y.pieces FROM safety_stock y WHERE y.variant_id = s.variant_id AND y.location = s.location AND y.valid_from <= ",
            $now,
            " ORDER BY y.valid_from DESC LIMIT 1), (SELECT w.safety FROM stock_locations w WHERE w.code = s.location AND w.valid_from <= ",
            $now,
            " ORDER BY w.valid_from DESC LIMIT 1), 0)"
        )
    };
}
pub(crate) use safety_sql;

/// A stock location as the version in force describes it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Location {
    pub code: String,
    pub name: String,
    /// Pieces of each variant that are never sold online from here.
    pub safety: u32,
}

/// The locations in force at `now`, by code.
pub async fn all(db: &Db, now: Instant) -> anyhow::Result<Vec<Location>> {
    let rows = db
        .all(
            "SELECT l.code, l.name, l.safety FROM stock_locations l WHERE l.valid_from = \
             (SELECT MAX(v.valid_from) FROM stock_locations v WHERE v.code = l.code AND v.valid_from <= $1) ORDER BY l.code",
            params![now],
        )
        .await?;
    rows.iter().map(|row| Ok(Location { code: row.text("code")?, name: row.text("name")?, safety: u32::try_from(row.int("safety")?)? })).collect()
}

/// Writes a location's version of now; the pages of what lies there follow by an event.
pub async fn set(tx: &mut Tx, clock: &Clock, location: &Location) -> anyhow::Result<()> {
    tx.execute(
        "INSERT INTO stock_locations (code, valid_from, name, safety) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (code, valid_from) DO UPDATE SET name = excluded.name, safety = excluded.safety",
        params![&location.code, clock.now(), &location.name, location.safety],
    )
    .await?;
    // What is kept back of a spread variant lies in its first row: it is laid together, and spread again with the new figure.
    stock::gather_all(tx, clock, &location.code).await?;
    events::emit(tx, clock, &Event::LocationChanged { location: location.code.clone() }).await?;
    Ok(())
}

/// How many pieces of one variant are never sold online from a location; `None`: as many as the location says.
pub async fn keep_back(tx: &mut Tx, clock: &Clock, item: Item, location: &str, pieces: Option<u32>) -> anyhow::Result<()> {
    tx.execute(
        "INSERT INTO safety_stock (variant_id, location, valid_from, pieces) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (variant_id, location, valid_from) DO UPDATE SET pieces = excluded.pieces",
        params![item.variant, location, clock.now(), pieces],
    )
    .await?;
    stock::gather(tx, clock, item, location).await?;
    events::emit(tx, clock, &Event::StockChanged { product: item.product, variant: item.variant }).await?;
    Ok(())
}
