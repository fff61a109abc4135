//! What an import did, for a person to read.

use std::{collections::BTreeSet, fmt, path::Path};

/// Something in the file that could not be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// From 1, as editors count.
    pub line: u64,
    /// The column's name; empty when the whole row is meant.
    pub column: String,
    pub reason: String,
}

impl Refusal {
    pub(super) fn new(line: u64, column: &str, reason: impl Into<String>) -> Self {
        Self { line, column: column.to_owned(), reason: reason.into() }
    }
}

/// What became of one product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    New { variants: usize },
    Changed { variants: usize },
    Same { variants: usize },
    Refused(Refusal),
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    file: String,
    pub products_read: usize,
    pub products_new: usize,
    pub products_changed: usize,
    pub products_same: usize,
    pub variants: usize,
    pub refusals: Vec<Refusal>,
    /// Pictures that are addresses on the web.
    pub remote_pictures: BTreeSet<String>,
}

impl Report {
    pub(super) fn new(file: &Path, refusals: Vec<Refusal>) -> Self {
        Self { file: file.display().to_string(), refusals, ..Self::default() }
    }

    pub(super) fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::New { variants } => {
                self.products_new += 1;
                self.variants += variants;
            }
            Outcome::Changed { variants } => {
                self.products_changed += 1;
                self.variants += variants;
            }
            Outcome::Same { variants } => {
                self.products_same += 1;
                self.variants += variants;
            }
            Outcome::Refused(refusal) => self.refusals.push(refusal),
        }
    }

    pub(super) fn finish(&mut self) {
        self.refusals.sort_by(|a, b| (a.line, &a.column).cmp(&(b.line, &b.column)));
    }

    /// 0: all rows were taken. 3: some were refused. 1: nothing could be taken.
    pub fn exit_code(&self) -> u8 {
        let taken = self.products_new + self.products_changed + self.products_same;
        match (taken, self.refusals.is_empty()) {
            (_, true) => 0,
            (0, false) => 1,
            (_, false) => 3,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for refusal in &self.refusals {
            let column = if refusal.column.is_empty() { String::new() } else { format!("{}: ", refusal.column) };
            writeln!(f, "{}:{}: {column}{}", self.file, refusal.line, refusal.reason)?;
        }
        if let Some(first) = self.remote_pictures.first() {
            writeln!(
                f,
                "{} pictures are addresses on the web, such as {first}: they were kept, not fetched, and show as a placeholder",
                self.remote_pictures.len()
            )?;
        }
        write!(
            f,
            "{}: {} products read: {} new, {} changed, {} unchanged, with {} variants; {} refused",
            self.file,
            self.products_read,
            self.products_new,
            self.products_changed,
            self.products_same,
            self.variants,
            self.refusals.len()
        )
    }
}
