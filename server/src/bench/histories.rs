//! Simulated histories of the order core, a million of them, and one in a thousand lived once more through SQL.

use crate::{
    simulation::{
        self, Rules,
        twin::{self, Looks},
    },
    sql::Db,
};
use anyhow::Context as _;
use std::{num::NonZero, path::Path, sync::Arc};
use tokio::{sync::Semaphore, task::JoinSet, time::Instant};

/// One history in so many is lived by the real order core as well.
const ONE_IN: usize = 1_000;

/// Lives the histories and prints how many a second there were and what happened in them. The first that breaks a rule, or ends in other
/// rows, is the error.
pub(super) async fn live(from: u64, seeds: u64) -> anyhow::Result<()> {
    let begun = Instant::now();
    let range = from..from.saturating_add(seeds);
    let simulated = range.clone();
    let counts = tokio::task::spawn_blocking(move || simulation::many(simulated, Rules::OURS)).await?;
    let counts = counts.map_err(|broken| anyhow::anyhow!("{broken}"))?;
    for (what, count) in &counts {
        println!("{count:>12} {what}");
    }
    let took = begun.elapsed();
    let each_second = u128::from(seeds) * 1_000 / took.as_millis().max(1);
    println!("{seeds} histories in {:.1} s, {each_second} a second: none of them broke a rule", took.as_secs_f64());
    let begun = Instant::now();
    let twice = through_sql(range).await?;
    println!("{twice} of them once more through SQL, on SQLite, in {:.1} s: all ended in the same rows", begun.elapsed().as_secs_f64());
    Ok(())
}

/// How many there were. Each has a database of its own, a copy of an empty one.
async fn through_sql(seeds: std::ops::Range<u64>) -> anyhow::Result<usize> {
    let folder = tempfile::tempdir()?;
    let empty = Arc::new(folder.path().join("empty.db"));
    let db = Db::open(&url(&empty)).await?;
    db.migrate().await?;
    db.close().await;
    let places = Arc::new(Semaphore::new(std::thread::available_parallelism().map_or(1, NonZero::get)));
    let mut living = JoinSet::new();
    for seed in seeds.step_by(ONE_IN) {
        let (empty, places) = (empty.clone(), places.clone());
        living.spawn(async move {
            let _place = places.acquire_owned().await?;
            let own = tempfile::tempdir()?;
            let file = own.path().join("shop.db");
            std::fs::copy(&*empty, &file).context("copying an empty database")?;
            Box::pin(twin::live_twice(seed, Rules::OURS, &url(&file), own.path(), Looks::AtTheEnd)).await
        });
    }
    let twice = living.len();
    while let Some(lived) = living.join_next().await {
        lived??;
    }
    Ok(twice)
}

fn url(file: &Path) -> String {
    format!("sqlite:{}", file.display())
}
