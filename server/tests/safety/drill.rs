//! Saving and losing a whole shop: with `nextgen backup` alone, and on PostgreSQL with PostgreSQL's own programs.

use crate::{books, buyer::Buyer, support, world::World};
use anyhow::{Context as _, ensure};
use std::{path::PathBuf, process::Command};

/// What a backup left: the shop's file, and the database's dump where that is PostgreSQL.
pub struct Saved {
    file: String,
    dump: Option<String>,
}

/// Saves the shop while it runs.
pub fn save(world: &World) -> anyhow::Result<Saved> {
    let path = |name: &str| world.folder.path().join(name).to_string_lossy().into_owned();
    let file = path("shop.tar");
    let said = world.must(&["backup", &file])?;
    let Some(postgres) = &world.postgres else { return Ok(Saved { file, dump: None }) };
    ensure!(said.contains("pg_dump"), "{said}");
    let dump = path("shop.dump");
    run(Command::new(program("pg_dump")?).args(["--format=custom", "--file", &dump, "--dbname", &postgres.url]))?;
    Ok(Saved { file, dump: Some(dump) })
}

/// Kills the shop, loses its database, and brings it back as it was saved. What the restore says.
pub async fn lose_and_restore(world: &mut World, saved: &Saved) -> anyhow::Result<String> {
    world.kill()?;
    if let (Some(postgres), Some(dump)) = (&world.postgres, &saved.dump) {
        postgres.empty().await?;
        run(Command::new(program("pg_restore")?).args(["--exit-on-error", "--no-owner", "--dbname", &postgres.url, dump]))?;
    }
    world.must(&["restore", &saved.file])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_database_comes_back_from_pg_dump() -> anyhow::Result<()> {
    let mut world = World::open(&support::nextgen()).await?;
    if world.postgres.is_none() {
        return world.close().await;
    }
    let before = Buyer::buy(&world).await?;
    before.sees("Paid").await?;
    let saved = save(&world)?;
    let said = lose_and_restore(&mut world, &saved).await?;
    assert!(said.contains("before-restore-"), "{said}");
    world.start(&[]).await?;
    before.sees("Paid").await?;
    let after = Buyer::buy(&world).await?;
    after.sees("Paid").await?;
    let books = books::agree(&world).await?;
    assert_eq!((books.orders, books.captures, books.refunds), (2, 2, 0));
    world.close().await
}

/// The newest of the installed PostgreSQL's programs: those of a server are at home with it.
fn program(name: &str) -> anyhow::Result<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")?
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin").join(name))))
        .filter(|(_, program)| program.is_file())
        .collect();
    found.sort();
    found.pop().map(|(_, program)| program).with_context(|| format!("no {name} in /usr/lib/postgresql: install PostgreSQL's client programs"))
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output()?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
