//! Databases in which a shop has just been opened, with the demo and without: made once a run, and copied for each shop, which saves it ten
//! thousand statements.

use super::{OPENING, create_database};
use server::{
    catalog,
    clock::Clock,
    config::{Config, sqlite_in},
    random,
    sql::Db,
    tariffs,
};
use tokio::sync::OnceCell;

/// Opens a shop in an empty database, at the instant at which every test shop opens.
async fn fill(url: &str, demo: bool) -> anyhow::Result<()> {
    let db = Db::open(url).await?;
    db.migrate().await?;
    tariffs::seed(&db).await?;
    catalog::first_start(&db, &Clock::from_fn(|| OPENING), demo).await?;
    db.close().await;
    Ok(())
}

/// Puts a copy where a shop on SQLite will look for its database.
pub async fn copy_sqlite(config: &Config) -> anyhow::Result<()> {
    static FILES: [OnceCell<Vec<u8>>; 2] = [const { OnceCell::const_new() }; 2];
    let file = FILES[usize::from(config.demo)]
        .get_or_try_init(async || {
            let folder = tempfile::tempdir()?;
            fill(&sqlite_in(folder.path()), config.demo).await?;
            anyhow::Ok(std::fs::read(folder.path().join("shop.db"))?)
        })
        .await?;
    std::fs::create_dir_all(&config.data)?;
    Ok(std::fs::write(config.data.join("shop.db"), file)?)
}

/// A new database of this name on PostgreSQL, as its URL. What it is copied from stays on the server.
pub async fn copy_postgres(server: &str, name: &str, demo: bool) -> anyhow::Result<String> {
    static NAMES: [OnceCell<String>; 2] = [const { OnceCell::const_new() }; 2];
    let template = NAMES[usize::from(demo)]
        .get_or_try_init(async || {
            let name = format!("template_{}", uuid::Uuid::from_bytes(random::bytes()).simple());
            fill(&create_database(server, &name, "template1").await?, demo).await?;
            anyhow::Ok(name)
        })
        .await?;
    create_database(server, name, template).await
}
