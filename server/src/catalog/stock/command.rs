//! `nextgen stock …`: what an operator says about locations and hot variants on the command line, to a shop that runs or that does not.

use super::{Item, buckets::BUCKETS_MAX, gather, spread};
use crate::{
    catalog::locations::{self, Location},
    clock::Clock,
    params,
    sql::{Db, Tx},
    staff::audit::{self, Actor, Change, Subject},
};
use anyhow::{Context as _, bail, ensure};
use clap::Subcommand;
use domain::offer::Instant;
use serde_json::json;

/// What is to be done.
#[derive(Clone, Debug, Subcommand)]
pub enum Task {
    /// The locations, and what each keeps back from the online shop.
    Locations,
    /// Keep pieces back: so many of each variant, or of one, are never sold online from a location.
    Safety {
        /// The location's code: rotterdam
        location: String,
        /// How many; `location` in place of a number: as the location says (with --sku only).
        pieces: String,
        /// Only of the variant with this SKU.
        #[arg(long)]
        sku: Option<String>,
    },
    /// Spread what is free of a hot variant over several rows, so that many buyers at once do not wait for each other.
    Spread {
        sku: String,
        /// 2 to 64
        #[arg(long, default_value_t = super::buckets::BUCKETS)]
        buckets: u32,
    },
    /// Lay a variant's stock in one row again.
    Gather { sku: String },
}

/// Does it, and says what was done.
pub async fn run(db: &Db, clock: &Clock, task: Task) -> anyhow::Result<String> {
    match task {
        Task::Locations => {
            let lines = locations::all(db, clock.now()).await?;
            let lines: Vec<_> = lines.iter().map(|l| format!("{:<16} keeps back {:>4}   {}", l.code, l.safety, l.name)).collect();
            Ok(if lines.is_empty() { "No location has been described: none keeps anything back.".to_owned() } else { lines.join("\n") })
        }
        Task::Safety { location, pieces, sku: None } => {
            let safety: u32 = pieces.parse().ok().context("say how many pieces: a whole number, 0 for none")?;
            let all = locations::all(db, clock.now()).await?;
            let Some(known) = all.into_iter().find(|known| known.code == location) else {
                bail!("there is no location {location:?}: `nextgen stock locations` lists them")
            };
            let location = Location { safety, ..known };
            db.transact::<_, anyhow::Error>(|tx| {
                let (clock, location) = (clock.clone(), location.clone());
                Box::pin(async move {
                    let was = json!({ "keeps back": kept_back(tx, None, &location.code, clock.now()).await? });
                    locations::set(tx, &clock, &location).await?;
                    let is = json!({ "keeps back": safety });
                    log(tx, &clock, "safety stock changed", Subject::Location(location.code), Some(was), is).await
                })
            })
            .await?;
            Ok(format!("{} keeps back {safety} of each variant now.", location.name))
        }
        Task::Safety { location, pieces, sku: Some(sku) } => {
            let item = find(db, &sku).await?;
            let kept = match pieces.as_str() {
                "location" => None,
                number => Some(number.parse::<u32>().ok().context("say how many pieces: a whole number, 0 for none, or `location`")?),
            };
            let known = locations::all(db, clock.now()).await?;
            ensure!(known.iter().any(|known| known.code == location), "there is no location {location:?}: `nextgen stock locations` lists them");
            db.transact::<_, anyhow::Error>(|tx| {
                let (clock, location) = (clock.clone(), location.clone());
                Box::pin(async move {
                    let was = kept_back(tx, Some(item), &location, clock.now()).await?;
                    locations::keep_back(tx, &clock, item, &location, kept).await?;
                    let told = |kept: Option<i64>| {
                        let pieces = kept.map_or_else(|| json!("as the location says"), |pieces| json!(pieces));
                        json!({ "location": location, "keeps back": pieces })
                    };
                    log(tx, &clock, "safety stock changed", Subject::Variant(item.variant), Some(told(was)), told(kept.map(i64::from))).await
                })
            })
            .await?;
            Ok(format!("{location} keeps back {} of {sku} now.", kept.map_or_else(|| "what it keeps of everything".to_owned(), |n| n.to_string())))
        }
        Task::Spread { sku, buckets } => {
            ensure!((2..=BUCKETS_MAX).contains(&buckets), "--buckets takes 2 to {BUCKETS_MAX}");
            let places = everywhere(db, clock, &sku, Some(buckets)).await?;
            Ok(format!("{sku} is spread over {buckets} rows in {places}, wherever enough of it is free."))
        }
        Task::Gather { sku } => {
            let places = everywhere(db, clock, &sku, None).await?;
            Ok(format!("{sku} lies in one row in {places} again."))
        }
    }
}

/// Spreads or gathers a variant at every location that has any of it; the locations, for a sentence.
async fn everywhere(db: &Db, clock: &Clock, sku: &str, buckets: Option<u32>) -> anyhow::Result<String> {
    let item = find(db, sku).await?;
    let rows = db.all("SELECT DISTINCT location FROM stock_balances WHERE variant_id = $1 ORDER BY location", params![item.variant]).await?;
    let places = rows.iter().map(|row| row.text("location")).collect::<anyhow::Result<Vec<_>>>()?;
    ensure!(!places.is_empty(), "nothing was ever in stock of {sku}");
    db.transact::<_, anyhow::Error>(|tx| {
        let (clock, places) = (clock.clone(), places.clone());
        Box::pin(async move {
            for place in &places {
                match buckets {
                    Some(buckets) => spread(tx, &clock, item, place, buckets).await?,
                    None => gather(tx, &clock, item, place).await?,
                }
            }
            let (action, is) = match buckets {
                Some(buckets) => ("stock spread", json!({ "rows": buckets, "locations": places.join(", ") })),
                None => ("stock gathered", json!({ "locations": places.join(", ") })),
            };
            log(tx, &clock, action, Subject::Variant(item.variant), None, is).await
        })
    })
    .await?;
    Ok(places.join(" and "))
}

/// What a location keeps back of everything, or of one variant if that has a figure of its own.
async fn kept_back(tx: &mut Tx, item: Option<Item>, location: &str, now: Instant) -> anyhow::Result<Option<i64>> {
    let row = match item {
        None => {
            let sql = "SELECT safety AS pieces FROM stock_locations WHERE code = $1 AND valid_from <= $2 ORDER BY valid_from DESC LIMIT 1";
            tx.first(sql, params![location, now]).await?
        }
        Some(item) => {
            let sql = "SELECT pieces FROM safety_stock WHERE variant_id = $1 AND location = $2 AND valid_from <= $3 ORDER BY valid_from DESC LIMIT 1";
            tx.first(sql, params![item.variant, location, now]).await?
        }
    };
    row.map_or(Ok(None), |row| row.int_or_null("pieces"))
}

async fn log(
    tx: &mut Tx,
    clock: &Clock,
    action: &'static str,
    subject: Subject,
    before: Option<serde_json::Value>,
    after: serde_json::Value,
) -> anyhow::Result<()> {
    Ok(audit::write(tx, clock, Actor::CommandLine, Change { action, subject, before, after: Some(after) }).await?)
}

/// A SKU may be blank or doubled, so it names a variant only where exactly one has it.
async fn find(db: &Db, sku: &str) -> anyhow::Result<Item> {
    let rows = db.all("SELECT id, product_id FROM variants WHERE sku = $1 AND active = 1 LIMIT 2", params![sku]).await?;
    match rows.as_slice() {
        [row] if !sku.is_empty() => Ok(Item { product: row.parse("product_id")?, variant: row.parse("id")? }),
        [] => bail!("no variant on offer has the SKU {sku:?}"),
        _ => bail!("several variants have the SKU {sku:?}"),
    }
}
