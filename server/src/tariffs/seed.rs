//! The tax rates that a shop starts with, each with its source: a demo's table, to be checked before anybody sells by it. A new rate is a new row
//! with its own start, never a change of an old one.

mod asia;
mod canada;
mod europe;
mod us;
#[cfg(test)]
mod worked_examples;

use super::scope_columns;
use crate::{params, sql::Db};
use domain::tax::Scope;
use jiff::civil::Date;

/// One row of the table.
#[derive(Clone, Copy, Debug)]
struct Row {
    country: &'static str,
    region: &'static str,
    category: &'static str,
    name: &'static str,
    millionths: u32,
    scope: Scope,
    estimated: bool,
    /// The first day on which it is in force.
    from: Date,
    source: &'static str,
}

/// Writes the rows that are missing. Safe to call on every start.
pub async fn seed(db: &Db) -> anyhow::Result<()> {
    db.transact::<_, anyhow::Error>(|tx| {
        Box::pin(async move {
            for row in rows() {
                let (scope, limit) = scope_columns(row.scope);
                tx.execute(
                    "INSERT INTO tax_rates (country, region, category, name, rate_millionths, scope, limit_minor, estimated, source, valid_from) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (country, region, category, name, valid_from) DO NOTHING",
                    params![
                        row.country,
                        row.region,
                        row.category,
                        row.name,
                        row.millionths,
                        scope,
                        limit,
                        row.estimated,
                        row.source,
                        midnight_utc(row.from)
                    ],
                )
                .await?;
            }
            Ok(())
        })
    })
    .await
}

/// Microseconds at the start of a day, UTC: a rate's first hours may differ by the zone, which no order of that night will mind.
pub(super) fn midnight_utc(day: Date) -> i64 {
    jiff::tz::Offset::UTC.to_timestamp(day.at(0, 0, 0, 0)).map_or(0, jiff::Timestamp::as_microsecond)
}

fn rows() -> impl Iterator<Item = Row> {
    us::rows().chain(canada::rows()).chain(europe::rows()).chain(asia::rows())
}

const fn day(year: i16, month: i8, day: i8) -> Date {
    Date::constant(year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tariffs;
    use domain::{
        address::Destination,
        money::{Currency, Money},
        region,
        tax::{self, Part},
    };

    #[test]
    fn every_region_that_an_address_may_name_has_its_row() {
        for country in ["US", "CA"] {
            for (code, name) in region::all(country.parse().expect("a code")) {
                assert!(rows().any(|row| row.country == country && row.region == *code && row.category.is_empty()), "{name}");
            }
        }
        for row in rows() {
            assert!(row.millionths <= 270_000 && !row.source.is_empty(), "{row:?}");
            assert!(row.region.is_empty() || region::name(row.country.parse().expect("a code"), row.region).is_some(), "{row:?}");
        }
    }

    #[tokio::test]
    async fn rates_are_written_once_and_read_by_country() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let db = Db::open(&format!("sqlite:{}", folder.path().join("test.sqlite").display())).await?;
        db.migrate().await?;
        seed(&db).await?;
        seed(&db).await?;
        let canada = "CA".parse()?;
        let rates = tariffs::rates(&db, canada, midnight_utc(day(2026, 1, 1))).await?;
        let at = |region: &str| Destination { country: canada, region: Some(region.to_owned()) };
        let in_force = |region: &str| {
            tax::in_force(
                &rates,
                &at(region),
                Part { category: "", amount: Money::new(100, Currency::CAD), pieces: 1 },
                midnight_utc(day(2026, 1, 1)),
            )
            .iter()
            .map(|rate| (rate.name.clone(), rate.millionths))
            .collect::<Vec<_>>()
        };
        assert_eq!(in_force("QC"), [("GST".to_owned(), 50_000), ("QST".to_owned(), 99_750)]);
        assert_eq!(in_force("NS"), [("HST".to_owned(), 140_000)]);
        Ok(())
    }
}
