//! Simulated histories, lived once more by the real order core on a real database: both end in the same rows.

use crate::support;
use anyhow::{Context as _, ensure};
use domain::payment::News;
use server::simulation::{
    Rules, once_broken,
    twin::{self, Looks},
    unfold,
};
use std::{collections::BTreeSet, path::Path};

/// One in 250 of the ten thousand histories that are simulated: between them they do most of what can be done.
const SEEDS: std::ops::Range<u64> = 0..10_000;
const ONE_IN: usize = 250;

/// A database of its own for `live`, with a folder beside.
async fn in_a_house(live: impl AsyncFnOnce(&str, &Path) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let data = tempfile::tempdir()?;
    let own = support::own_database().await?;
    let url = own.as_ref().map_or_else(|| format!("sqlite:{}/shop.db", data.path().display()), |own| own.url.clone());
    let outcome = live(&url, data.path()).await;
    if let Some(own) = own {
        own.drop().await?;
    }
    outcome
}

#[tokio::test]
async fn simulated_histories_end_in_the_same_rows_as_real_ones() -> anyhow::Result<()> {
    let mut happened = BTreeSet::new();
    let counts = |seed| unfold(seed, Rules::OURS, true, false).0.counts;
    let twice =
        async |seed| in_a_house(async |url, folder| Box::pin(twin::live_twice(seed, Rules::OURS, url, folder, Looks::AfterEveryStep)).await).await;
    for seed in SEEDS.step_by(ONE_IN) {
        twice(seed).await?;
        happened.extend(counts(seed).into_keys());
    }
    // Histories in which nothing happens are alike everywhere: of what is rarer, the first that has it.
    for what in ["orders sold", "unpaid orders cancelled", "paid pieces cancelled", "shipments sent", "returns announced", "disputes opened"] {
        if !happened.contains(what) {
            let seed = SEEDS.clone().find(|seed| counts(*seed).contains_key(what)).with_context(|| format!("never: {what}"))?;
            twice(seed).await?;
            happened.extend(counts(seed).into_keys());
        }
    }
    Ok(())
}

#[tokio::test]
async fn histories_that_once_ended_in_other_rows_end_in_the_same() -> anyhow::Result<()> {
    for history in once_broken().iter().filter(|history| history.is_gated) {
        in_a_house(async |url, folder| Box::pin(twin::relive(history, Rules::OURS, url, folder, Looks::AfterEveryStep)).await)
            .await
            .with_context(|| history.line())?;
    }
    Ok(())
}

#[tokio::test]
async fn a_simulation_that_decides_otherwise_ends_in_other_rows() -> anyhow::Result<()> {
    let forgets_declines: Rules = Rules {
        hear: |order, payment, news, sold, refund, now| {
            let news = if matches!(news, News::Failed { .. }) { News::Closed } else { news };
            order.hear(payment, news, sold, refund, now)
        },
        ..Rules::OURS
    };
    for seed in SEEDS.step_by(ONE_IN) {
        let live = async |url: &str, folder: &Path| Box::pin(twin::live_twice(seed, forgets_declines, url, folder, Looks::AtTheEnd)).await;
        if let Err(difference) = in_a_house(live).await {
            let told = format!("{difference:#}");
            ensure!(told.contains("simulated:") && told.contains("once_broken.jsonl"), "seed {seed}: {told}");
            return Ok(());
        }
    }
    anyhow::bail!("declines are closed in the simulation, and nothing is noticed")
}
