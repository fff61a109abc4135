//! The versions of delivery methods, for those who change them.

use super::method;
use crate::{
    clock::Clock,
    events, params,
    sql::{Db, Row, Tx},
};
use domain::{delivery::Method, event::Event, market::MarketCode, offer::Instant};

/// A delivery method from an instant on, with its place among the others of its market.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    pub market: MarketCode,
    pub from: Instant,
    pub position: i64,
    pub method: Method,
}

fn read(row: &Row) -> anyhow::Result<Version> {
    Ok(Version { market: row.parse("market")?, from: row.int("valid_from")?, position: row.int("position")?, method: method(row)? })
}

/// Every version of every method, in order of market, place and time.
pub async fn all(db: &Db, limit: u32) -> anyhow::Result<Vec<Version>> {
    let sql = "SELECT market, valid_from, position, body FROM delivery_methods ORDER BY market, position, code, valid_from LIMIT $1";
    db.all(sql, params![limit]).await?.iter().map(read).collect()
}

/// Every version of a market's method, earliest first.
pub async fn of(tx: &mut Tx, market: MarketCode, code: &str) -> anyhow::Result<Vec<Version>> {
    let sql = "SELECT market, valid_from, position, body FROM delivery_methods WHERE market = $1 AND code = $2 ORDER BY valid_from";
    tx.all(sql, params![market.code(), code]).await?.iter().map(read).collect()
}

/// The place after all methods of a market.
pub async fn last_position(tx: &mut Tx, market: MarketCode) -> anyhow::Result<i64> {
    let row = tx.first("SELECT MAX(position) AS last FROM delivery_methods WHERE market = $1", params![market.code()]).await?;
    Ok(row.map_or(Ok(None), |row| row.int_or_null("last"))?.map_or(0, |last| last + 1))
}

/// Takes back a version that has not begun.
pub async fn remove(tx: &mut Tx, market: MarketCode, code: &str, from: Instant) -> anyhow::Result<()> {
    tx.execute("DELETE FROM delivery_methods WHERE market = $1 AND code = $2 AND valid_from = $3", params![market.code(), code, from]).await?;
    Ok(())
}

/// What `shop_settings` calls the latest beginning of a version that those who show methods were told of.
const TOLD: &str = "delivery_told";

/// Tells of versions that have begun by themselves, also while nothing ran. Several servers may do it at once: readers bear it twice.
pub async fn catch_up(db: &Db, clock: &Clock) -> anyhow::Result<()> {
    let sql = "SELECT MAX(m.valid_from) AS latest, (SELECT s.value FROM shop_settings s WHERE s.name = $2) AS told FROM delivery_methods m \
               WHERE m.valid_from <= $1";
    let Some(row) = db.first(sql, params![clock.now(), TOLD]).await? else { return Ok(()) };
    let Some(latest) = row.int_or_null("latest")? else { return Ok(()) };
    let told = row.text_or_null("told")?.and_then(|told| told.parse::<Instant>().ok());
    if told.is_some_and(|told| told >= latest) {
        return Ok(());
    }
    db.transact::<_, anyhow::Error>(|tx| {
        let clock = clock.clone();
        Box::pin(async move {
            let sql = "INSERT INTO shop_settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
            tx.execute(sql, params![TOLD, latest.to_string()]).await?;
            // The first time nothing was shown before it.
            if told.is_some() {
                events::emit(tx, &clock, &Event::ShopChanged).await?;
            }
            Ok(())
        })
    })
    .await?;
    events::ring();
    Ok(())
}
