//! Where the shop collects taxes: by country and, in the US and Canada, by region. A place without a row collects. Who has a nexus where is for the
//! seller to know (South Dakota v. Wayfair, 585 U.S. 162 (2018): physical presence, or sales beyond a state's threshold).

use crate::{
    params,
    sql::{Row, Tx},
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
pub(super) async fn set(tx: &mut Tx, country: Country, region: &str, collects: bool, from: Instant) -> anyhow::Result<()> {
    tx.execute(
        "INSERT INTO tax_nexus (country, region, valid_from, collects) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (country, region, valid_from) DO UPDATE SET collects = excluded.collects",
        params![country.code(), region, from, collects],
    )
    .await?;
    Ok(())
}
