//! Hot variants: what is free of them at a location lies in several rows, so that buyers do not wait for one. Spreading and gathering are
//! movements of the ledger that sum to nothing, in one transaction; orders take from several rows where one has too few, so nothing is ever
//! out of reach.

use super::{Item, Row, ensure_row, heat, write_ledger};
use crate::{
    background::Stop,
    catalog::locations::safety_sql,
    clock::Clock,
    params,
    sql::{Db, Lost, Tx},
};
use domain::{
    offer::Instant,
    stock::{Movement, level},
};
use std::time::Duration;

/// Rows that a hot variant is spread over where nobody says otherwise.
pub const BUCKETS: u32 = 16;
/// More rows help nobody: buyers at once are bounded by the connections.
pub const BUCKETS_MAX: u32 = 64;
/// So many tries to hold pieces of a variant within a minute make it hot: two a second.
const HOT: u32 = 120;
/// A variant that was not hot for so long (10 min) has cooled down.
const COOL_US: Instant = 10 * 60 * 1_000_000;
/// Spread variants looked after in one round.
const ROUND: i64 = 200;
/// The pause between rounds, and how many make the minute of [`HOT`].
const PAUSE: Duration = Duration::from_secs(1);
const MINUTE: u32 = 60;

/// Spreads what is free of a variant at a location over `buckets` rows, now and whenever more comes in, until [`gather`]. Little stock stays
/// in one row.
pub async fn spread(tx: &mut Tx, clock: &Clock, item: Item, location: &str, buckets: u32) -> anyhow::Result<()> {
    remember(tx, clock, item, location, buckets, true).await?;
    lay(tx, clock, item, location, buckets).await.map(drop)
}

/// Lays what is free of a variant at a location in one row again.
pub async fn gather(tx: &mut Tx, clock: &Clock, item: Item, location: &str) -> anyhow::Result<()> {
    tx.execute("DELETE FROM stock_spreads WHERE variant_id = $1 AND location = $2", params![item.variant, location]).await?;
    lay(tx, clock, item, location, 1).await.map(drop)
}

/// Lays everything that is spread at a location in one row each; what shall be spread is spread again by the next round.
pub async fn gather_all(tx: &mut Tx, clock: &Clock, location: &str) -> anyhow::Result<()> {
    for row in tx.all("SELECT variant_id, product_id FROM stock_spreads WHERE location = $1 ORDER BY variant_id", params![location]).await? {
        let item = Item { product: row.parse("product_id")?, variant: row.parse("variant_id")? };
        lay(tx, clock, item, location, 1).await?;
    }
    Ok(())
}

/// Whether there is a row beside the first in which something is free.
pub(super) async fn is_spread(tx: &mut Tx, item: Item, location: &str) -> anyhow::Result<bool> {
    let row = tx
        .first(
            "SELECT bucket FROM stock_balances WHERE variant_id = $1 AND location = $2 AND bucket > 0 AND free <> 0 LIMIT 1",
            params![item.variant, location],
        )
        .await?;
    Ok(row.is_some())
}

/// Spreads, levels and gathers once a second.
pub struct Keeper {
    db: Db,
    clock: Clock,
    rounds: u32,
}

impl Keeper {
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock, rounds: 0 }
    }

    /// Looks after the spread variants until the shop stops.
    pub async fn run(mut self, mut stop: Stop) {
        while !stop.is_requested() {
            if let Err(error) = self.tend().await {
                tracing::warn!(error = format!("{error:#}"), "spreading or gathering stock");
            }
            tokio::select! {
                () = stop.requested() => {}
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    /// One round: hot variants are spread, spread ones are levelled, cool ones gathered. What fails is tried by the next round.
    pub async fn tend(&mut self) -> anyhow::Result<()> {
        let hot = heat::hot(HOT);
        self.rounds += 1;
        if self.rounds >= MINUTE {
            self.rounds = 0;
            heat::forget();
        }
        let clock = &self.clock;
        for item in hot {
            self.db
                .transact::<_, anyhow::Error>(|tx| {
                    let clock = clock.clone();
                    Box::pin(async move {
                        for row in tx.all("SELECT DISTINCT location FROM stock_balances WHERE variant_id = $1", params![item.variant]).await? {
                            remember(tx, &clock, item, &row.text("location")?, BUCKETS, false).await?;
                        }
                        Ok(())
                    })
                })
                .await?;
        }
        let rows = self.db.all("SELECT variant_id, product_id, location, buckets, kept, hot_at FROM stock_spreads LIMIT $1", params![ROUND]).await?;
        for row in rows {
            let item = Item { product: row.parse("product_id")?, variant: row.parse("variant_id")? };
            let (location, buckets) = (row.text("location")?, u32::try_from(row.int("buckets")?)?);
            let is_cool = !row.flag("kept")? && row.int("hot_at")? < clock.now() - COOL_US;
            self.db
                .transact::<_, anyhow::Error>(|tx| {
                    let (clock, location) = (clock.clone(), location.clone());
                    Box::pin(async move {
                        if is_cool { gather(tx, &clock, item, &location).await } else { lay(tx, &clock, item, &location, buckets).await.map(drop) }
                    })
                })
                .await?;
        }
        Ok(())
    }
}

/// Notes that a variant's stock is to be spread. What somebody asked for is not overruled.
async fn remember(tx: &mut Tx, clock: &Clock, item: Item, location: &str, buckets: u32, kept: bool) -> anyhow::Result<()> {
    tx.execute(
        "INSERT INTO stock_spreads (variant_id, location, product_id, buckets, kept, hot_at) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (variant_id, location) DO UPDATE SET hot_at = excluded.hot_at, \
         buckets = CASE WHEN excluded.kept = 1 THEN excluded.buckets ELSE stock_spreads.buckets END, \
         kept = CASE WHEN excluded.kept = 1 THEN 1 ELSE stock_spreads.kept END",
        params![item.variant, location, item.product, buckets, kept, clock.now()],
    )
    .await?;
    Ok(())
}

/// Moves free pieces between the rows of a location until they lie well. Whether anything was moved.
async fn lay(tx: &mut Tx, clock: &Clock, item: Item, location: &str, buckets: u32) -> anyhow::Result<bool> {
    const ROWS: &str = concat!(
        "SELECT s.bucket, s.free, ",
        safety_sql!("$3"),
        " AS safety FROM stock_balances s WHERE s.variant_id = $1 AND s.location = $2 ORDER BY s.bucket"
    );
    let rows = tx.all(ROWS, params![item.variant, location, clock.now()]).await?;
    let (mut free, mut safety) = (Vec::new(), 0);
    for row in &rows {
        let bucket = usize::try_from(row.int("bucket")?)?;
        free.resize(free.len().max(bucket + 1), 0);
        free[bucket] = row.int("free")?;
        safety = u32::try_from(row.int("safety")?)?;
    }
    let Some(best) = level(&free, safety, usize::try_from(buckets.clamp(1, BUCKETS_MAX))?) else { return Ok(false) };
    let cause = format!("level:{}", clock.id());
    for (bucket, best) in (0_i64..).zip(best) {
        let difference = best - usize::try_from(bucket).ok().and_then(|at| free.get(at)).copied().unwrap_or(0);
        if difference == 0 {
            continue;
        }
        let row = Row { location: location.to_owned(), bucket };
        ensure_row(tx, item.variant, &row).await?;
        // By differences, so that orders that are placed meanwhile change nothing about the sum; a row that was emptied meanwhile starts it anew.
        let moved = tx
            .execute(
                "UPDATE stock_balances SET free = free + $4 WHERE variant_id = $1 AND location = $2 AND bucket = $3 AND ($4 >= 0 OR free + $4 >= 0)",
                params![item.variant, location, bucket, difference],
            )
            .await?;
        if moved == 0 {
            return Err(Lost.into());
        }
        write_ledger(tx, clock, item, &row, Movement::Transfer(difference), if buckets > 1 { "spread" } else { "gathered" }, &cause).await?;
    }
    Ok(true)
}
