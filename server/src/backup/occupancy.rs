//! Who is in the data folder: any number of shops and imports, or one restore. A lock of the operating system, so that it ends with its
//! process, however that ends.

use anyhow::{Context as _, bail};
use std::{
    fs::{File, TryLockError},
    path::Path,
};

/// The locked file.
pub(super) const IN_USE: &str = "in-use";
/// There while a restore has moved some things and not all.
pub(super) const UNFINISHED: &str = "restore-unfinished";

/// Somebody is in the data folder until this is dropped.
#[derive(Debug)]
pub struct Occupied(#[expect(dead_code, reason = "the lock lives as long as the open file")] File);

impl Occupied {
    /// For those who work with the folder as it is.
    pub fn shared(data: &Path) -> anyhow::Result<Self> {
        let file = open(data)?;
        match file.try_lock_shared() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("{} is being restored from a backup: start again when that is done", data.display()),
            Err(TryLockError::Error(error)) => return Err(error).with_context(|| format!("locking {}", data.join(IN_USE).display())),
        }
        if data.join(UNFINISHED).exists() {
            bail!("a restore into {} was cut off: run nextgen restore again before anything else", data.display());
        }
        Ok(Self(file))
    }

    /// For a restore. `None`: a shop is running.
    pub fn alone(data: &Path) -> anyhow::Result<Option<Self>> {
        let file = open(data)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("locking {}", data.join(IN_USE).display())),
        }
    }
}

fn open(data: &Path) -> anyhow::Result<File> {
    let path = data.join(IN_USE);
    File::options().create(true).append(true).open(&path).with_context(|| format!("opening {}; can NEXTGEN_DATA be written?", path.display()))
}
