//! The outbox folder: each mail is a file that mail programs open, readable by the owner only. What is older than the newest
//! [`KEPT_MAX`] is removed.

use anyhow::Context as _;
use domain::EventId;
use std::{
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

/// Mails that the folder keeps: enough to look at, about 20 MB.
pub const KEPT_MAX: usize = 1_000;

/// Writes `<id>.eml`: whole or not at all, and over an earlier attempt of the same mail. Blocks.
pub fn put(folder: &Path, id: EventId, message: &[u8]) -> anyhow::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(|| format!("creating {}", folder.display()))?;
    let draft = folder.join(format!(".{id}"));
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft).context("writing a mail")?;
    file.write_all(message).context("writing a mail")?;
    std::fs::rename(&draft, folder.join(format!("{id}.eml"))).context("putting a mail in place")?;
    prune(folder)
}

/// Ids are ordered by time, and so are the names.
fn prune(folder: &Path) -> anyhow::Result<()> {
    let mut mails: Vec<PathBuf> = std::fs::read_dir(folder)
        .context("reading the mail folder")?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
        .collect();
    if mails.len() > KEPT_MAX {
        mails.sort_unstable();
        let surplus = mails.len() - KEPT_MAX;
        for old in &mails[..surplus] {
            // Another process may have been faster.
            std::fs::remove_file(old).ok();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;
    use uuid::Uuid;

    #[test]
    fn the_folder_keeps_the_newest_mails_for_its_owner() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let folder = folder.path().join("mail");
        let id = |n: usize| EventId(Uuid::from_u128(n as u128));
        for n in 0..KEPT_MAX + 2 {
            put(&folder, id(n), b"From: a")?;
        }
        put(&folder, id(KEPT_MAX + 1), b"From: b")?;
        let kept = std::fs::read_dir(&folder)?.count();
        assert_eq!(kept, KEPT_MAX);
        assert!(!folder.join(format!("{}.eml", id(1))).exists(), "the oldest go first");
        let newest = folder.join(format!("{}.eml", id(KEPT_MAX + 1)));
        assert_eq!(std::fs::read(&newest)?, b"From: b", "a repetition replaces its mail");
        assert_eq!((mode(&newest)?, mode(&folder)?), (0o600, 0o700));
        Ok(())
    }

    fn mode(path: &Path) -> anyhow::Result<u32> {
        Ok(std::fs::metadata(path)?.permissions().mode() & 0o777)
    }
}
