//! The shop is killed at every point between two steps, while people buy, and started again; the provider lives on. Every capture ends in an
//! order or in a refund, the stock adds up, and nothing that was acknowledged is missing.
//!
//! It needs the binary with failpoints: `cargo xtask test --only crash` builds it, names it in `CRASH_BINARY` and runs this.

use crate::{
    books,
    buyer::Buyer,
    drill,
    load::{self, Load, PATIENCE},
    support,
    world::World,
};
use anyhow::{Context as _, ensure};
use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::Instant;

/// Points at which an order is written again that the shop does not know any more.
const REWRITING: [&str; 3] = ["order-rewritten", "rewritten-pieces-retaken", "rewritten-saved"];

fn crashing() -> anyhow::Result<PathBuf> {
    support::variable("CRASH_BINARY").map(PathBuf::from).context("CRASH_BINARY names the binary with failpoints")
}

/// The names of the points in a binary. The system's library looks for their first character: tests are not optimised, and binaries are
/// hundreds of megabytes.
fn points(binary: &Path) -> anyhow::Result<BTreeSet<String>> {
    let mut reader = BufReader::new(File::open(binary).with_context(|| format!("reading {}", binary.display()))?);
    let mut names = BTreeSet::new();
    let mut piece = Vec::new();
    while reader.read_until(b'<', &mut piece)? > 0 {
        if let Some(rest) = piece.strip_prefix(b"failpoint ") {
            let name: Vec<u8> = rest.iter().copied().take_while(|byte| byte.is_ascii_lowercase() || *byte == b'-').collect();
            if !name.is_empty() && rest.get(name.len()) == Some(&b'>') {
                names.insert(String::from_utf8(name)?);
            }
        }
        piece.clear();
    }
    Ok(names)
}

#[test]
#[ignore = "needs the binary with failpoints: cargo xtask test --only crash"]
fn the_shipped_binary_has_no_failpoints() -> anyhow::Result<()> {
    let (with, shipped) = (points(&crashing()?)?, points(&support::nextgen())?);
    ensure!(with.len() >= 20, "the other one has only {with:?}");
    ensure!(shipped.is_empty(), "{shipped:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the binary with failpoints: cargo xtask test --only crash"]
async fn killed_at_every_other_point_the_shop_loses_no_order_and_no_money() -> anyhow::Result<()> {
    killed_at_half_of_the_points(0).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the binary with failpoints: cargo xtask test --only crash"]
async fn killed_at_the_points_between_the_shop_loses_none_either() -> anyhow::Result<()> {
    killed_at_half_of_the_points(1).await
}

/// Two shops at once, as most of the time is waited: each has the points whose place in the alphabet is even or odd.
async fn killed_at_half_of_the_points(odd: usize) -> anyhow::Result<()> {
    let binary = crashing()?;
    let begun = Instant::now();
    let mut world = World::open(&binary).await?;
    let mut load = Load::new(&world).await?;
    let mut points = points(&binary)?;
    points.retain(|point| !REWRITING.contains(&point.as_str()));
    let points: Vec<_> = points.iter().skip(odd).step_by(2).collect();
    for point in &points {
        world.kill()?;
        // Work that was left over may lead there before anybody buys.
        let ready = world.start(&[("FAILPOINT", point)]).await;
        eprintln!("{:>4.0} s  {point}", begun.elapsed().as_secs_f32());
        if ready.is_ok() {
            let died = load.sell_until_it_dies(&mut world).await.with_context(|| format!("while {point} was armed"))?;
            ensure!(died, "{point} was not reached within {PATIENCE:?}");
        }
        ensure!(world.was_killed()?, "armed with {point} the shop ended otherwise: {ready:?}");
        world.start(&[]).await?;
        let db = world.db().await?;
        let after = || format!("after a crash at {point}");
        load.finish(&db).await.with_context(after)?;
        books::agree(&world).await.with_context(after)?;
        load.check(&world, &db).await.with_context(after)?;
        db.close().await;
    }
    load.sell_undisturbed(&world).await?;
    let books = books::agree(&world).await?;
    let line = format!("killed at each of {} points: {books:?}, nothing lost, in {:.0} s\n", points.len(), begun.elapsed().as_secs_f32());
    std::io::stderr().write_all(line.as_bytes())?;
    ensure!(books.refunds > 0 && books.captures > points.len(), "{line}");
    ensure!(books.disputes > 0 && books.bounced > 0 && books.redemptions > 0, "{line}");
    let served = load.clerk.told();
    ensure!(served.len() == 6, "the clerk got nowhere with some kinds of form: {served:?}");
    world.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the binary with failpoints: cargo xtask test --only crash"]
async fn killed_while_it_writes_lost_orders_again_the_shop_has_them_all_in_the_end() -> anyhow::Result<()> {
    let mut world = World::open(&crashing()?).await?;
    let mut codes = load::codes(&world)?;
    let saved = drill::save(&world)?;
    let mut lost = Vec::new();
    for code in [codes.pop(), None] {
        let mut buyer = Buyer::new(&world)?;
        buyer.code = code;
        buyer.place().await?;
        buyer.pay().await?;
        buyer.sees("Paid").await?;
        lost.push(buyer);
    }
    let before = books::agree(&world).await?;
    // The provider cannot be asked until the shop is open again.
    world.faults(serde_json::json!({ "down": true })).await?;
    let said = drill::lose_and_restore(&mut world, &saved).await?;
    ensure!(said.contains("could not be asked"), "{said}");
    world.faults(serde_json::json!({})).await?;
    for point in REWRITING {
        let ready = world.start(&[("FAILPOINT", point)]).await;
        let armed = Instant::now();
        while world.is_running()? {
            ensure!(armed.elapsed() < PATIENCE, "{point} was not reached within {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        ensure!(world.was_killed()?, "armed with {point} the shop ended otherwise: {ready:?}");
    }
    world.start(&[]).await?;
    for buyer in &lost {
        buyer.sees("Paid").await?;
    }
    ensure!(books::agree(&world).await? == before && before.redemptions == 1, "{before:?}");
    world.close().await
}
