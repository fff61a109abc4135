//! Putting a backup in place of what is there: only where no shop runs, only when the whole file is good, and keeping what was there.

use super::{ABOUT, ASIDE, About, DATABASE, FORMAT, Occupied, Part, UNPACKED, archive, occupancy::UNFINISHED, stays};
use crate::{clock::Clock, config::Config, invoices, params, random, sql::Db};
use anyhow::{Context as _, bail, ensure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::offer::Instant;
use std::{
    fs::File,
    io::BufReader,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

/// What was put in place.
#[derive(Clone, Debug)]
pub struct Restored {
    pub about: About,
    /// Where lies what was there before, if anything was.
    pub aside: Option<PathBuf>,
}

/// Whoever was told of an event shortly before the backup was taken may have noted it after the table was saved: 10 minutes are told again.
const TOLD_AGAIN_US: Instant = 10 * 60 * 1_000_000;

/// Unpacks `file` beside the shop's things, checks all of it, and only then changes places. Cut off in between, no shop starts until this was
/// run again.
pub async fn restore(config: &Config, clock: &Clock, file: &Path) -> anyhow::Result<Restored> {
    let data = &config.data;
    std::fs::create_dir_all(data).with_context(|| format!("creating {}", data.display()))?;
    let Some(_alone) = Occupied::alone(data)? else {
        bail!("a shop is running in {}: stop it first, or name another folder with --data", data.display());
    };
    let unpacked = data.join(format!("{UNPACKED}{}", URL_SAFE_NO_PAD.encode(random::bytes::<6>())));
    let about = unpack(file, &unpacked).and_then(|about| check(&about, config).map(|()| about));
    let about = match about {
        Ok(about) => about,
        Err(error) => {
            std::fs::remove_dir_all(&unpacked).ok();
            return Err(error.context(format!("{} was not restored, and nothing was changed", file.display())));
        }
    };
    let aside = change_places(data, &unpacked, clock.now())?;
    let db = Db::open(&config.database_url).await?;
    db.migrate().await?;
    tell_again(&db, about.taken_at - TOLD_AGAIN_US, clock.now()).await?;
    db.close().await;
    std::fs::remove_file(data.join(UNFINISHED)).context("noting that the restore is done")?;
    Ok(Restored { about, aside })
}

fn unpack(file: &Path, to: &Path) -> anyhow::Result<About> {
    let source = File::open(file).with_context(|| format!("opening {}", file.display()))?;
    std::fs::DirBuilder::new().mode(0o700).create(to).with_context(|| format!("creating {}", to.display()))?;
    let mut about = None;
    archive::read(BufReader::with_capacity(256 * 1024, source), |name, content| {
        if name == ABOUT {
            let mut text = String::new();
            content.read_to_string(&mut text).context("what it says about itself is not text")?;
            about = Some(serde_json::from_str::<About>(&text).context("what it says about itself cannot be read")?);
            return Ok(());
        }
        ensure!(about.is_some(), "it does not begin with what it is: it is not a backup of this shop");
        let path = to.join(name);
        if let Some(parent) = path.parent() {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
        }
        let mut out = File::options().write(true).create_new(true).mode(0o600).open(&path)?;
        std::io::copy(content, &mut out)?;
        out.sync_all()?;
        Ok(())
    })?;
    about.context("it is empty")
}

/// Whether this release can go on from there, and the configuration leads to it.
fn check(about: &About, config: &Config) -> anyhow::Result<()> {
    ensure!(about.format == FORMAT, "it has form {}, this release reads form {FORMAT}: restore it with nextgen {}", about.format, about.release);
    let known = Db::newest_migration();
    ensure!(
        about.schema <= known,
        "it was written by a newer release ({}, database version {}; this one knows {known}): restore it with that release",
        about.release,
        about.schema
    );
    let embedded = config.database_url.starts_with("sqlite:");
    match about.database {
        Part::Saved => ensure!(
            config.database_url == crate::config::sqlite_in(&config.data),
            "it holds the database, which belongs into {}: unset DATABASE_URL",
            config.data.join(DATABASE).display()
        ),
        Part::Elsewhere => ensure!(!embedded, "its database was in PostgreSQL: restore that first, and name it with DATABASE_URL"),
    }
    Ok(())
}

/// Moves what is there into a folder of its own, and what was unpacked into its place.
fn change_places(data: &Path, unpacked: &Path, now: Instant) -> anyhow::Result<Option<PathBuf>> {
    File::create(data.join(UNFINISHED)).and_then(|marker| marker.sync_all()).context("noting that a restore began")?;
    File::open(data)?.sync_all()?;
    let mut there = Vec::new();
    for entry in std::fs::read_dir(data)? {
        let entry = entry?;
        if !stays(&entry.file_name().to_string_lossy()) {
            there.push(entry.file_name());
        }
    }
    let aside = if there.is_empty() {
        None
    } else {
        let time = jiff::Timestamp::from_microsecond(now).map_or_else(|_| now.to_string(), |at| at.strftime("%Y%m%dT%H%M%SZ").to_string());
        let mut aside = data.join(format!("{ASIDE}{time}"));
        let mut again = 1;
        while aside.exists() {
            again += 1;
            aside = data.join(format!("{ASIDE}{time}-{again}"));
        }
        std::fs::DirBuilder::new().mode(0o700).create(&aside).with_context(|| format!("creating {}", aside.display()))?;
        for name in there {
            std::fs::rename(data.join(&name), aside.join(&name)).with_context(|| format!("putting {} aside", name.display()))?;
        }
        Some(aside)
    };
    for entry in std::fs::read_dir(unpacked)? {
        let entry = entry?;
        std::fs::rename(entry.path(), data.join(entry.file_name())).with_context(|| format!("putting {} in place", entry.path().display()))?;
    }
    std::fs::remove_dir(unpacked).context("removing the emptied folder")?;
    File::open(data)?.sync_all()?;
    Ok(aside)
}

/// Lets every consumer hear again what the saved table may not have: consumers bear being told twice. Invoices that were numbered since the
/// backup may be in somebody's hands, so numbers go on in series of their own.
async fn tell_again(db: &Db, since: Instant, now: Instant) -> anyhow::Result<()> {
    db.transact::<_, anyhow::Error>(|tx| {
        Box::pin(async move {
            tx.execute("UPDATE outbox SET delivered_at = NULL, retry_at = 0 WHERE delivered_at >= $1", params![since]).await?;
            invoices::begin_anew(tx, now).await?;
            Ok(())
        })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Options;

    #[test]
    fn another_releases_backup_and_another_place_are_refused_with_what_to_do() -> anyhow::Result<()> {
        let at = |database_url: Option<&str>| {
            let options = Options { data: Some("/srv/shop".to_owned()), database_url: database_url.map(str::to_owned), ..Options::default() };
            Config::checked(options, Options::default())
        };
        let (embedded, postgres, apart) = (at(None)?, at(Some("postgres://shop@db/shop"))?, at(Some("sqlite:/mnt/shop.db"))?);
        let good = About {
            format: FORMAT,
            release: "9.9.9".to_owned(),
            schema: Db::newest_migration(),
            taken_at: 0,
            database: Part::Saved,
            table: Part::Saved,
        };
        check(&good, &embedded)?;
        for (about, config, says) in [
            (About { format: FORMAT + 1, ..good.clone() }, &embedded, "restore it with nextgen 9.9.9"),
            (About { schema: good.schema + 1, ..good.clone() }, &embedded, "written by a newer release (9.9.9"),
            (good.clone(), &apart, "unset DATABASE_URL"),
            (good.clone(), &postgres, "unset DATABASE_URL"),
            (About { database: Part::Elsewhere, ..good.clone() }, &embedded, "was in PostgreSQL"),
        ] {
            let refused = check(&about, config).expect_err(says).to_string();
            assert!(refused.contains(says), "{refused}");
        }
        check(&About { database: Part::Elsewhere, ..good }, &postgres)
    }
}
