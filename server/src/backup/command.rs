//! `nextgen backup`, `nextgen restore` and `nextgen reconcile`: what they do and say.

use super::{Occupied, Part};
use crate::{
    background::Background,
    clock::Clock,
    config::{Config, TestProvider},
    keys::Keys,
    orders::{Compared, Orders},
    payments::{self, test_provider},
    sql::Db,
};
use anyhow::{Context as _, ensure};
use std::{path::Path, process::ExitCode, sync::Arc};

pub async fn save(config: &Config, file: &Path) -> anyhow::Result<ExitCode> {
    let saved = super::save(config, &Clock::system(), file).await?;
    println!("{} holds {} files, {} bytes.", file.display(), saved.files, saved.bytes);
    if saved.about.database == Part::Elsewhere {
        println!("The database is in PostgreSQL and not in this file: save it now, with pg_dump.");
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn restore(config: Config, file: &Path) -> anyhow::Result<ExitCode> {
    let restored = super::restore(&config, &Clock::system(), file).await?;
    let taken_at = jiff::Timestamp::from_microsecond(restored.about.taken_at)?;
    println!("The shop in {} is as it was at {taken_at:.0}.", config.data.display());
    if let Some(aside) = restored.aside {
        println!("What was there before lies in {}.", aside.display());
    }
    match Box::pin(compare(config, None)).await {
        Ok(compared) => println!("{compared}"),
        Err(error) => println!("The payment provider could not be asked what happened since: the shop asks when it runs again. ({error:#})"),
    }
    Ok(ExitCode::SUCCESS)
}

/// 0, or 3 when a payment belongs to no order.
pub async fn reconcile(config: Config, since: Option<jiff::Timestamp>) -> anyhow::Result<ExitCode> {
    let compared = Box::pin(compare(config, since)).await?;
    println!("{compared}");
    Ok(ExitCode::from(if compared.unexplained == 0 { 0 } else { 3 }))
}

/// Compares the ledgers, beside a running shop or without one.
async fn compare(mut config: Config, since: Option<jiff::Timestamp>) -> anyhow::Result<Compared> {
    // A new key would open nothing that the provider keeps for this shop.
    ensure!(Keys::are_in(&config.data), "there is no shop in {}: --data says where it is", config.data.display());
    // A shop that runs has started its test provider, and two would write one ledger.
    if config.test_provider == TestProvider::Spawn && config.stripe.is_none() && Occupied::alone(&config.data)?.is_none() {
        let port = test_provider::port(&config.data).context("the running shop's test provider has not said yet where it listens")?;
        config.test_provider = TestProvider::At(format!("http://127.0.0.1:{port}").into());
    }
    let _here = Occupied::shared(&config.data)?;
    let keys = Arc::new(Keys::open(&config.data)?);
    let db = Db::open(&config.database_url).await?;
    db.migrate().await?;
    let mut background = Background::new();
    let provider = payments::open(&config, &mut background).await?;
    let compared = Orders::new(db, Clock::system(), keys, provider, config.url).compare(since.map(jiff::Timestamp::as_microsecond)).await;
    background.stop().await;
    compared
}
