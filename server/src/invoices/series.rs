//! Numbers without gaps: drawn under the row of their series, in the transaction that writes the document.

use crate::{
    params,
    sql::{Lost, Tx},
};
use domain::offer::Instant;

/// A series of an entity in a year.
#[derive(Clone, Copy, Debug)]
pub struct Series<'a> {
    pub entity: &'a str,
    pub name: &'a str,
    pub year: i64,
}

/// A number that was drawn: it counts if the transaction commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drawn {
    pub generation: i64,
    pub ordinal: i64,
}

/// Draws the next number. Who draws holds the series' row until the end of the transaction, so draw last: others wait, or fail as a conflict
/// where the database does not wait, and try again.
pub async fn draw(tx: &mut Tx, series: Series<'_>) -> anyhow::Result<Drawn> {
    let generation = generation(tx).await?;
    let Series { entity, name, year } = series;
    let next = "UPDATE invoice_series SET last = last + 1 WHERE entity = $1 AND series = $2 AND year = $3 AND generation = $4";
    if tx.execute(next, params![entity, name, year, generation]).await? == 0 {
        let first = "INSERT INTO invoice_series (entity, series, year, generation, last) VALUES ($1, $2, $3, $4, 1) \
                     ON CONFLICT (entity, series, year, generation) DO NOTHING";
        if tx.execute(first, params![entity, name, year, generation]).await? == 0 {
            return Err(Lost.into());
        }
        return Ok(Drawn { generation, ordinal: 1 });
    }
    let drawn = "SELECT last FROM invoice_series WHERE entity = $1 AND series = $2 AND year = $3 AND generation = $4";
    let row = tx.first(drawn, params![entity, name, year, generation]).await?.ok_or(Lost)?;
    Ok(Drawn { generation, ordinal: row.int("last")? })
}

/// Ends all series and begins them anew: after a restore, when numbers that the books do not know may have been given.
pub async fn begin_anew(tx: &mut Tx, now: Instant) -> anyhow::Result<()> {
    let generation = generation(tx).await? + 1;
    tx.execute("INSERT INTO invoice_generations (generation, began_at) VALUES ($1, $2)", params![generation, now]).await?;
    Ok(())
}

/// The present one.
async fn generation(tx: &mut Tx) -> anyhow::Result<i64> {
    let row = tx.first("SELECT COALESCE(MAX(generation), 0) AS generation FROM invoice_generations", params![]).await?;
    row.map_or(Ok(0), |row| row.int("generation"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::Db;

    const SERIES: Series<'static> = Series { entity: "demo", name: "DE", year: 2026 };

    async fn next(db: &Db) -> anyhow::Result<Drawn> {
        db.transact::<_, anyhow::Error>(|tx| Box::pin(async move { draw(tx, SERIES).await })).await
    }

    #[tokio::test]
    async fn a_number_that_was_rolled_back_was_never_drawn_and_a_restore_begins_anew() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let db = Db::open(&format!("sqlite:{}", folder.path().join("shop.db").display())).await?;
        db.migrate().await?;
        assert_eq!(next(&db).await?, Drawn { generation: 0, ordinal: 1 });
        let failed = db
            .transact::<(), anyhow::Error>(|tx| {
                Box::pin(async move {
                    assert_eq!(draw(tx, SERIES).await?.ordinal, 2);
                    anyhow::bail!("a power cut")
                })
            })
            .await;
        assert!(failed.is_err());
        assert_eq!(next(&db).await?, Drawn { generation: 0, ordinal: 2 });
        db.transact::<_, anyhow::Error>(|tx| Box::pin(async move { begin_anew(tx, 1).await })).await?;
        assert_eq!(next(&db).await?, Drawn { generation: 1, ordinal: 1 });
        Ok(())
    }
}
