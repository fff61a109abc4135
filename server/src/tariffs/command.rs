//! `nextgen tax …`: which rates are in force, and where the shop collects them. It writes SQL and nothing else, so it works beside a running shop.

use super::{nexus, rates};
use crate::{
    clock::Clock,
    sql::Db,
    staff::audit::{self, Actor, Change, Subject},
};
use anyhow::{Context as _, ensure};
use clap::Subcommand;
use domain::{
    market::Country,
    offer::Instant,
    region,
    tax::{Rate, Scope},
};
use jiff::civil::Date;
use serde_json::json;

/// Tax rates, and where they are collected.
#[derive(Clone, Debug, Subcommand)]
pub enum TaxTask {
    /// List the rates that have begun in a country, each with its source; what is not collected is not among them
    Rates {
        /// US, or US-NY for one state or province.
        place: String,
    },
    /// Collect a place's taxes, now or from a day on (US-TX, or DE for a whole country)
    Collect {
        place: String,
        /// The first day, such as 2027-01-01; it begins at midnight UTC.
        #[arg(long)]
        from: Option<Date>,
    },
    /// Collect a place's taxes no longer: where there is no nexus, and no registration
    Stop {
        place: String,
        /// The first day without.
        #[arg(long)]
        from: Option<Date>,
    },
}

/// Does what it says; the answer is for people.
pub async fn run(db: &Db, clock: &Clock, task: TaxTask) -> anyhow::Result<String> {
    match task {
        TaxTask::Rates { place } => {
            let (country, region) = parse(&place)?;
            let rates = rates(db, country, clock.now()).await?;
            let lines: Vec<String> = rates.iter().filter(|rate| region.is_empty() || rate.region == region).map(line).collect();
            Ok(if lines.is_empty() { format!("No tax is collected in {place}.") } else { lines.join("\n") })
        }
        TaxTask::Collect { place, from } => set(db, clock, &place, true, from).await,
        TaxTask::Stop { place, from } => set(db, clock, &place, false, from).await,
    }
}

async fn set(db: &Db, clock: &Clock, place: &str, collects: bool, from: Option<Date>) -> anyhow::Result<String> {
    let (country, region) = parse(place)?;
    let begins: Instant = from.map_or_else(|| clock.now(), super::seed::midnight_utc);
    ensure!(from.is_none() || begins >= clock.now(), "orders of the past keep their taxes: say a day that is still to come");
    db.transact::<_, anyhow::Error>(|tx| {
        let (clock, place) = (clock.clone(), place.to_owned());
        Box::pin(async move {
            nexus::set(tx, country, region, collects, begins).await?;
            let after = Some(json!({ "collects": collects, "from": from.map(|day| day.to_string()) }));
            let change = Change { action: "tax nexus changed", subject: Subject::Other(format!("tax:{place}")), before: None, after };
            Ok(audit::write(tx, &clock, Actor::CommandLine, change).await?)
        })
    })
    .await?;
    let when = from.map_or_else(|| "now".to_owned(), |day| format!("from {day}"));
    Ok(if collects { format!("Taxes of {place} are collected {when}.") } else { format!("Taxes of {place} are not collected {when}.") })
}

/// `US-TX` or `DE`.
pub(crate) fn parse(place: &str) -> anyhow::Result<(Country, &'static str)> {
    let (country, code) = place.split_once('-').unwrap_or((place, ""));
    let country: Country = country.parse().with_context(|| format!("{place:?} is no place: say DE, or US-TX"))?;
    if code.is_empty() {
        return Ok((country, ""));
    }
    let (known, _) = region::all(country).iter().find(|(known, _)| *known == code).with_context(|| format!("{country} has no region {code:?}"))?;
    Ok((country, known))
}

/// A rate in one line: `US-NY  clothing  sales tax  0.0000 %  below 11000  estimated  source`.
fn line(rate: &Rate) -> String {
    let place = if rate.region.is_empty() { rate.country.to_string() } else { format!("{}-{}", rate.country, rate.region) };
    let scope = match rate.scope {
        Scope::All => String::new(),
        Scope::Below(limit) => format!(", for pieces below {limit}"),
        Scope::Above(limit) => format!(", on what is beyond {limit} a piece"),
        Scope::AsGoods => ", as the goods, in proportion".to_owned(),
        Scope::IfAny => ", if any of the goods is taxed".to_owned(),
    };
    let category = if rate.category.is_empty() { "everything" } else { &rate.category };
    let estimated = if rate.estimated { ", estimated" } else { "" };
    let since = jiff::Timestamp::from_microsecond(rate.valid_from).map_or_else(|_| String::new(), |at| at.strftime("%Y-%m-%d").to_string());
    let (whole, rest) = (rate.millionths / 10_000, rate.millionths % 10_000);
    format!("{place:<6} {category:<11} {} {whole}.{rest:04} %{scope}{estimated}, since {since}: {}", rate.name, rate.source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tariffs;

    const NOW: Instant = 1_796_000_000_000_000;

    #[tokio::test]
    async fn where_there_is_no_nexus_nothing_is_collected() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let db = Db::open(&format!("sqlite:{}", folder.path().join("test.sqlite").display())).await?;
        db.migrate().await?;
        tariffs::seed(&db).await?;
        let clock = Clock::from_fn(|| NOW);
        let us: Country = "US".parse()?;
        let collected = async |region: &str, now| anyhow::Ok(rates(&db, us, now).await?.iter().any(|rate| rate.region == region));
        let stop = |place: &str, from| TaxTask::Stop { place: place.to_owned(), from };
        let collect = |place: &str, from| TaxTask::Collect { place: place.to_owned(), from };
        assert!(collected("TX", NOW).await?, "a place without a row collects");

        run(&db, &clock, stop("US-TX", None)).await?;
        assert!(!collected("TX", NOW).await? && collected("NY", NOW).await?);
        assert!(run(&db, &clock, TaxTask::Rates { place: "US-TX".to_owned() }).await?.starts_with("No tax"));

        // 2027-01-01T00:00Z
        run(&db, &clock, collect("US-TX", Some(Date::constant(2027, 1, 1)))).await?;
        assert!(!collected("TX", 1_798_761_599_999_999).await? && collected("TX", 1_798_761_600_000_000).await?);
        assert!(
            db.transact::<_, anyhow::Error>(|tx| Box::pin(async move {
                Ok(tariffs::rates_in(tx, "US".parse()?, NOW).await?.iter().all(|rate| rate.region != "TX"))
            }))
            .await?
        );

        for (task, why) in [
            (stop("US-XX", None), "no region"),
            (stop("Texas", None), "no place"),
            (stop("US-TX", Some(Date::constant(2020, 1, 1))), "keep their taxes"),
        ] {
            let refused = run(&db, &clock, task).await.expect_err("refused");
            assert!(format!("{refused:#}").contains(why), "{refused:#}");
        }
        Ok(())
    }

    #[tokio::test]
    async fn rates_are_listed_with_what_they_count_for_and_their_source() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let db = Db::open(&format!("sqlite:{}", folder.path().join("test.sqlite").display())).await?;
        db.migrate().await?;
        tariffs::seed(&db).await?;
        let listed = async |place: &str| run(&db, &Clock::from_fn(|| NOW), TaxTask::Rates { place: place.to_owned() }).await;
        let new_york = listed("US-NY").await?;
        assert!(new_york.contains("sales tax 4.0000 %, estimated, since 2025-01-01: https://www.tax.ny.gov"), "{new_york}");
        assert!(new_york.contains("clothing    sales tax 0.0000 %, for pieces below 11000, estimated"), "{new_york}");
        assert!(listed("CA-QC").await?.contains("QST 9.9750 %"));
        assert!(listed("DE").await?.contains("as the goods, in proportion"));
        Ok(())
    }
}
