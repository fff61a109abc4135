//! Where the shop collects taxes: by country and, in the US and Canada, by region. A place without a row collects. Who has a nexus where is for the
//! seller to know (South Dakota v. Wayfair, 585 U.S. 162 (2018): physical presence, or sales beyond a state's threshold).

use crate::{
    params,
    sql::{Db, Row, Tx},
};
use domain::{market::Country, offer::Instant};

/// What has begun of a country's rows, the oldest first.
pub(super) const OF_COUNTRY: &str = "SELECT region, collects FROM tax_nexus WHERE country = $1 AND valid_from <= $2 ORDER BY region, valid_from";

/// The regions whose taxes are not collected, of rows in order of time; `` is the country's own.
pub(super) fn idle(rows: &[Row]) -> anyhow::Result<Vec<String>> {
    let mut idle: Vec<String> = Vec::new();
    for row in rows {
        let region = row.text("region")?;
        idle.retain(|known| *known != region);
        if !row.flag("collects")? {
            idle.push(region);
        }
    }
    Ok(idle)
}

/// Says from when on a place's taxes are collected, or no longer.
pub(crate) async fn set(tx: &mut Tx, country: Country, region: &str, collects: bool, from: Instant) -> anyhow::Result<()> {
    tx.execute(
        "INSERT INTO tax_nexus (country, region, valid_from, collects) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (country, region, valid_from) DO UPDATE SET collects = excluded.collects",
        params![country.code(), region, from, collects],
    )
    .await?;
    Ok(())
}

/// Whether a place's taxes are collected by the row of that very instant; `None`: there is no such row.
pub(crate) async fn at(tx: &mut Tx, country: Country, region: &str, from: Instant) -> anyhow::Result<Option<bool>> {
    let sql = "SELECT collects FROM tax_nexus WHERE country = $1 AND region = $2 AND valid_from = $3";
    tx.first(sql, params![country.code(), region, from]).await?.map(|row| row.flag("collects")).transpose()
}

/// The same of the latest row before an instant.
pub(crate) async fn before(tx: &mut Tx, country: Country, region: &str, from: Instant) -> anyhow::Result<Option<bool>> {
    let sql = "SELECT collects FROM tax_nexus WHERE country = $1 AND region = $2 AND valid_from < $3 ORDER BY valid_from DESC LIMIT 1";
    tx.first(sql, params![country.code(), region, from]).await?.map(|row| row.flag("collects")).transpose()
}

/// Takes back a row that has not begun.
pub(crate) async fn remove(tx: &mut Tx, country: Country, region: &str, from: Instant) -> Result<(), sqlx::Error> {
    tx.execute("DELETE FROM tax_nexus WHERE country = $1 AND region = $2 AND valid_from = $3", params![country.code(), region, from]).await?;
    Ok(())
}

/// All rows, for staff: country, region, from when, and whether it collects.
pub(crate) async fn all(db: &Db, limit: u32) -> anyhow::Result<Vec<(String, String, Instant, bool)>> {
    let rows =
        db.all("SELECT country, region, valid_from, collects FROM tax_nexus ORDER BY country, region, valid_from LIMIT $1", params![limit]).await?;
    rows.iter().map(|row| Ok((row.text("country")?, row.text("region")?, row.int("valid_from")?, row.flag("collects")?))).collect()
}
