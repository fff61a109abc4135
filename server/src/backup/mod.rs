//! `nextgen backup` and `nextgen restore`: everything that the embedded shop is, in one file. A payment provider's ledger is nobody's but the
//! provider's: it is never saved and never put back, so that a restored shop can be compared with it.
//!
//! The file is a plain tar: `backup.json` (what it is) first, `SHA256SUMS` last, so that a file that was cut off has none.

mod archive;
pub mod command;
mod occupancy;
mod restore;
mod save;

pub use occupancy::Occupied;
pub use restore::{Restored, restore};
pub use save::{Saved, save};

use domain::offer::Instant;
use serde::{Deserialize, Serialize};

/// What stands first in a backup. A wire type: fields are added, never renamed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The form of the file.
    pub format: u32,
    /// The release that wrote it.
    pub release: String,
    /// The database's newest migration.
    pub schema: i64,
    /// When saving began: everything that was committed before is in it.
    pub taken_at: Instant,
    pub database: Part,
    pub table: Part,
}

/// Whether a store is in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    Saved,
    /// PostgreSQL or DynamoDB: it has means of its own.
    Elsewhere,
}

/// The form that this release writes and reads.
const FORMAT: u32 = 1;
const ABOUT: &str = "backup.json";
const SUMS: &str = "SHA256SUMS";
const DATABASE: &str = "shop.db";
const TABLE: &str = "table.db";
/// What a restore puts aside begins so, and what it unpacks.
const ASIDE: &str = "before-restore-";
const UNPACKED: &str = "restore-";
/// The provider's things stand in the data folder when the shop starts a test provider.
const PROVIDER: &str = "test-provider";

/// Whether a name in the data folder is neither saved nor moved.
fn stays(name: &str) -> bool {
    name == PROVIDER || name == occupancy::IN_USE || name == occupancy::UNFINISHED || name.starts_with(ASIDE) || name.starts_with(UNPACKED)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
