//! What an import did, for a person to read.

use super::sheet::LeftOut;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
    path::Path,
};

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
pub(super) struct Outcome {
    pub became: Became,
    /// That were taken.
    pub variants: usize,
    /// Rows of it that were not taken, or why all were not.
    pub refusals: Vec<Refusal>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Became {
    New,
    /// New and not shown, because something about it could not be read.
    NewHidden,
    Changed,
    Same,
    LeftOut,
}

impl Outcome {
    pub(super) fn left_out(refusals: Vec<Refusal>) -> Self {
        Self { became: Became::LeftOut, variants: 0, refusals }
    }
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    file: String,
    /// All that follow together.
    pub products_read: usize,
    pub products_new: usize,
    pub products_changed: usize,
    pub products_same: usize,
    /// Of the new ones those that are not shown until a file mends what could not be read.
    pub products_hidden: usize,
    pub variants: usize,
    pub refusals: Vec<Refusal>,
    /// Pictures that are addresses on the web, each with the line that names it first.
    pub remote_pictures: BTreeMap<String, u64>,
    left_out: Vec<LeftOut>,
    /// What the file calls its columns, by our key.
    headers: HashMap<&'static str, String>,
}

impl Report {
    pub(super) fn new(file: &Path, refusals: Vec<Refusal>, headers: HashMap<&'static str, String>) -> Self {
        Self { file: file.display().to_string(), refusals, headers, ..Self::default() }
    }

    /// A column as the file calls it.
    fn header<'a>(&'a self, column: &'a str) -> &'a str {
        self.headers.get(column).map_or(column, String::as_str)
    }

    /// What became of the product of this handle, whose rows are these.
    pub(super) fn add(&mut self, handle: &str, lines: &[u64], outcome: Outcome) {
        self.products_read += 1;
        self.variants += outcome.variants;
        self.refusals.extend(outcome.refusals);
        match outcome.became {
            Became::New => self.products_new += 1,
            Became::NewHidden => {
                self.products_new += 1;
                self.products_hidden += 1;
            }
            Became::Changed => self.products_changed += 1,
            Became::Same => self.products_same += 1,
            Became::LeftOut => self.left_out.push(LeftOut { handle: handle.to_owned(), lines: lines.to_vec() }),
        }
    }

    /// A product that was left out before it came to SQL.
    pub(super) fn leave_out(&mut self, product: LeftOut) {
        self.products_read += 1;
        self.left_out.push(product);
    }

    /// Names a picture that is an address on the web.
    pub(super) fn remote(&mut self, address: &str, line: u64) {
        let first = self.remote_pictures.entry(address.to_owned()).or_insert(line);
        *first = line.min(*first);
    }

    /// Accounts for the rows of products that were left out, as far as nothing is said about them yet, and brings all into the file's order.
    pub(super) fn finish(&mut self) {
        let named: HashSet<u64> = self.refusals.iter().map(|refusal| refusal.line).collect();
        for LeftOut { handle, lines } in &self.left_out {
            let rest = lines.iter().filter(|line| !named.contains(line));
            self.refusals.extend(rest.map(|line| Refusal::new(*line, "", format!("{handle} was left out, and this row with it"))));
        }
        self.refusals.sort_by(|a, b| (a.line, &a.column).cmp(&(b.line, &b.column)));
    }

    /// How many products were not taken; each of their rows is among the refusals.
    pub fn products_left_out(&self) -> usize {
        self.left_out.len()
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
            let column = if refusal.column.is_empty() { String::new() } else { format!("{}: ", self.header(&refusal.column)) };
            writeln!(f, "{}:{}: {column}{}", self.file, refusal.line, refusal.reason)?;
        }
        if !self.remote_pictures.is_empty() {
            let count = self.remote_pictures.len();
            writeln!(f, "{}: kept, not fetched, shown as a placeholder: pictures that are addresses on the web ({count})", self.file)?;
            let mut addresses: Vec<_> = self.remote_pictures.iter().collect();
            addresses.sort_by_key(|(_, line)| **line);
            for (address, line) in addresses {
                writeln!(f, "{}:{line}: {}: {address}", self.file, self.header("Image Src"))?;
            }
        }
        if self.products_hidden > 0 {
            let count = self.products_hidden;
            writeln!(
                f,
                "{}: not shown, because something about them could not be read ({count} new): mend it, and import again with the column Status or Published",
                self.file
            )?;
        }
        write!(
            f,
            "{}: {} products read: {} new, {} changed, {} unchanged, {} left out, with {} variants; {} refused",
            self.file,
            self.products_read,
            self.products_new,
            self.products_changed,
            self.products_same,
            self.products_left_out(),
            self.variants,
            self.refusals.len()
        )
    }
}
