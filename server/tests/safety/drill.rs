//! The drill for PostgreSQL: `pg_dump` of a running shop, a database that is lost, `pg_restore`, with PostgreSQL's own programs.

use crate::{books, buyer::Buyer, world::World};
use anyhow::{Context as _, ensure};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_database_comes_back_from_pg_dump() -> anyhow::Result<()> {
    let mut world = World::open(Path::new(env!("CARGO_BIN_EXE_nextgen"))).await?;
    if world.postgres.is_none() {
        return world.close().await;
    }
    let before = Buyer::buy(&world).await?;
    before.sees("Paid").await?;
    let [file, dump] = ["shop.tar", "shop.dump"].map(|name| world.folder.path().join(name).to_string_lossy().into_owned());
    let said = world.must(&["backup", &file])?;
    assert!(said.contains("pg_dump"), "{said}");
    let url = world.postgres.as_ref().context("a database")?.url.clone();
    run(Command::new(program("pg_dump")?).args(["--format=custom", "--file", &dump, "--dbname", &url]))?;
    world.kill()?;
    world.postgres.as_ref().context("a database")?.empty().await?;
    run(Command::new(program("pg_restore")?).args(["--exit-on-error", "--no-owner", "--dbname", &url, &dump]))?;
    let said = world.must(&["restore", &file])?;
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
