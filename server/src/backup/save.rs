//! Saving a shop that may be running: the databases as they are at one instant, keys and uploads as they lie there.

use super::{ABOUT, About, DATABASE, FORMAT, Occupied, Part, TABLE, archive::Writer, stays};
use crate::{clock::Clock, config::Config, dynamo::Place, keys::Keys, random};
use anyhow::{Context as _, ensure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sqlx::{Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{
    fs::File,
    io::{BufWriter, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    str::FromStr as _,
    time::Duration,
};

/// What was saved.
#[derive(Clone, Debug)]
pub struct Saved {
    pub about: About,
    pub files: usize,
    pub bytes: u64,
}

/// Writes `to`, all of it or nothing: under another name first, flushed, then renamed. Nobody but the owner can read it, for it holds the
/// shop's keys.
pub async fn save(config: &Config, clock: &Clock, to: &Path) -> anyhow::Result<Saved> {
    ensure!(Keys::are_in(&config.data), "there is no shop in {}: --data says where it is", config.data.display());
    ensure!(!to.exists(), "{} is there already: choose another name, or remove it", to.display());
    let _here = Occupied::shared(&config.data)?;
    let folder = match to.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let scratch = tempfile::Builder::new().prefix(".nextgen-backup-").tempdir_in(folder);
    let scratch = scratch.with_context(|| format!("writing into {}", folder.display()))?;
    let taken_at = clock.now();
    // The table first: what SQL knows beyond it is told again after a restore, because events may come twice.
    let mut stores: Vec<(&str, PathBuf)> = Vec::new();
    if let Place::Embedded { file: Some(file) } = &config.dynamodb {
        snapshot(SqliteConnectOptions::new().filename(file), &scratch.path().join(TABLE)).await.context("saving the table")?;
        stores.push((TABLE, scratch.path().join(TABLE)));
    }
    let table = if stores.is_empty() { Part::Elsewhere } else { Part::Saved };
    let (database, schema) = if config.database_url.starts_with("sqlite:") {
        let options = SqliteConnectOptions::from_str(&config.database_url)?;
        let schema = snapshot(options, &scratch.path().join(DATABASE)).await.context("saving the database")?;
        stores.push((DATABASE, scratch.path().join(DATABASE)));
        (Part::Saved, schema)
    } else {
        (Part::Elsewhere, 0)
    };
    let about = About { format: FORMAT, release: env!("CARGO_PKG_VERSION").to_owned(), schema, taken_at, database, table };

    let draft = folder.join(format!(".{}.{}", to.file_name().unwrap_or_default().to_string_lossy(), URL_SAFE_NO_PAD.encode(random::bytes::<6>())));
    let written = write(config, &about, &stores, &draft).and_then(|saved| {
        // A link fails where the name was taken meanwhile; a rename would replace what came there.
        std::fs::hard_link(&draft, to).with_context(|| format!("naming the backup {}", to.display()))?;
        File::open(folder)?.sync_all()?;
        Ok(saved)
    });
    std::fs::remove_file(&draft).ok();
    written
}

fn write(config: &Config, about: &About, stores: &[(&str, PathBuf)], draft: &Path) -> anyhow::Result<Saved> {
    let file = File::options().write(true).create_new(true).mode(0o600).open(draft).with_context(|| format!("writing {}", draft.display()))?;
    let mut archive = Writer::new(BufWriter::with_capacity(256 * 1024, file), u64::try_from(about.taken_at / 1_000_000).unwrap_or(0));
    let description = serde_json::to_vec_pretty(about)?;
    archive.add(ABOUT, description.len() as u64, &mut description.as_slice())?;
    let mut files = 0;
    for (name, path) in stores {
        add(&mut archive, name, path)?;
        files += 1;
    }
    for (name, path) in loose(&config.data)? {
        add(&mut archive, &name, &path)?;
        files += 1;
    }
    let file = archive.finish()?.into_inner().context("writing the last bytes")?;
    file.sync_all().context("writing to disk")?;
    Ok(Saved { about: about.clone(), files, bytes: file.metadata()?.len() })
}

fn add(archive: &mut Writer<impl std::io::Write>, name: &str, path: &Path) -> anyhow::Result<()> {
    let mut file = File::open(path).with_context(|| format!("reading {}", path.display()))?;
    let size = file.metadata()?.len();
    archive.add(name, size, &mut file).with_context(|| format!("saving {}", path.display()))
}

/// Keys, uploads and whatever else lies in the data folder, but databases and what stays. In the order of their names.
fn loose(data: &Path) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    let mut folders = vec![(String::new(), data.to_owned())];
    while let Some((prefix, folder)) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
            let entry = entry?;
            let file_name = entry.file_name();
            let name = file_name.to_str().with_context(|| format!("{} has a name that is not text", entry.path().display()))?;
            if prefix.is_empty() && (stays(name) || [DATABASE, TABLE].iter().any(|store| name.starts_with(store))) {
                continue;
            }
            let name = format!("{prefix}{name}");
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => folders.push((format!("{name}/"), entry.path())),
                Ok(metadata) if metadata.is_file() => found.push((name, entry.path())),
                _ => {}
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Copies a SQLite database as it is at one instant, while others write to it, and checks the copy. Its newest migration, if it has any.
/// https://www.sqlite.org/lang_vacuum.html#vacuuminto
async fn snapshot(from: SqliteConnectOptions, to: &Path) -> anyhow::Result<i64> {
    let mut connection = SqliteConnection::connect_with(&from.create_if_missing(false).busy_timeout(Duration::from_secs(30))).await?;
    sqlx::query("VACUUM INTO $1").bind(to.to_string_lossy().as_ref()).execute(&mut connection).await?;
    connection.close().await?;
    let mut copy = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(to).read_only(true)).await?;
    let verdict: String = sqlx::query("PRAGMA quick_check(1)").fetch_one(&mut copy).await?.try_get(0)?;
    ensure!(verdict == "ok", "the database is damaged: {verdict}");
    let migrated = sqlx::query("SELECT name FROM sqlite_master WHERE name = '_sqlx_migrations'").fetch_optional(&mut copy).await?.is_some();
    let schema = if migrated { sqlx::query("SELECT MAX(version) FROM _sqlx_migrations").fetch_one(&mut copy).await?.try_get(0)? } else { 0 };
    copy.close().await?;
    // Read back below, and by nobody else.
    File::options().write(true).open(to)?.flush()?;
    Ok(schema)
}
