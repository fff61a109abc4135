//! A file's columns by what they mean, whatever its header calls them, and one row's cells. What the cells say about a product is
//! decided elsewhere.

use super::report::Refusal;
use anyhow::Context as _;
use csv::ByteRecord;
use domain::live::strip_marks;
use std::collections::HashMap;

/// Most characters of one cell.
const CELL_CHARS_MAX: usize = 100_000;

/// What columns are called: our key, then every header that means it, in lower case.
const COLUMNS: [(&str, &[&str]); 32] = [
    ("Handle", &["handle", "url handle"]),
    ("Title", &["title"]),
    ("Body (HTML)", &["body (html)", "body html", "description"]),
    ("Vendor", &["vendor"]),
    ("Product Category", &["product category", "standard product type"]),
    ("Type", &["type", "custom product type"]),
    ("Tags", &["tags"]),
    ("Tax Category", &["tax category"]),
    ("Published", &["published", "published on online store"]),
    ("Status", &["status"]),
    ("Option1 Name", &["option1 name"]),
    ("Option1 Value", &["option1 value"]),
    ("Option2 Name", &["option2 name"]),
    ("Option2 Value", &["option2 value"]),
    ("Option3 Name", &["option3 name"]),
    ("Option3 Value", &["option3 value"]),
    ("Variant SKU", &["variant sku", "sku"]),
    ("Variant Barcode", &["variant barcode", "barcode"]),
    ("Variant Grams", &["variant grams", "weight value (grams)"]),
    ("Variant Handling Days", &["variant handling days"]),
    ("Variant Inventory Tracker", &["variant inventory tracker", "inventory tracker"]),
    ("Variant Inventory Qty", &["variant inventory qty", "inventory quantity"]),
    ("Variant Inventory Policy", &["variant inventory policy", "continue selling when out of stock"]),
    ("Variant Price", &["variant price", "price"]),
    ("Variant Compare At Price", &["variant compare at price", "compare-at price"]),
    ("Image Src", &["image src", "product image url"]),
    ("Image Position", &["image position"]),
    ("Image Alt Text", &["image alt text"]),
    ("Variant Image", &["variant image", "variant image url"]),
    ("Gift Card", &["gift card"]),
    ("SEO Title", &["seo title"]),
    ("SEO Description", &["seo description"]),
];

/// What a row says in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell<T> {
    /// Nothing: the file has no such column, so everything stays as it is.
    Absent,
    Empty,
    Holds(T),
}

impl<T> Cell<T> {
    /// What an absent column leaves as it is: `None`.
    pub(super) fn said_or_empty(self, empty: T) -> Option<T> {
        match self {
            Self::Absent => None,
            Self::Empty => Some(empty),
            Self::Holds(value) => Some(value),
        }
    }
}

/// Where a file has which column.
#[derive(Debug)]
pub(super) struct Columns {
    places: HashMap<&'static str, usize>,
    width: usize,
    /// What the file itself calls them.
    headers: HashMap<&'static str, String>,
}

impl Columns {
    /// Reads a header. An error: it is none of a product file.
    pub(super) fn read(header: &ByteRecord) -> anyhow::Result<Self> {
        let (mut places, mut headers) = (HashMap::new(), HashMap::new());
        for (index, name) in header.iter().enumerate() {
            let name = String::from_utf8_lossy(name).trim().to_owned();
            if let Some((key, _)) = COLUMNS.iter().find(|(_, names)| names.contains(&name.to_lowercase().as_str())) {
                places.entry(*key).or_insert(index);
                headers.entry(*key).or_insert(name);
            }
        }
        for needed in ["Handle", "Title"] {
            places.get(needed).with_context(|| format!("the file has no column {needed}: it is not a product file as Shopify exports it"))?;
        }
        Ok(Self { places, width: header.len(), headers })
    }

    /// What the file calls its columns, by our key.
    pub(super) fn into_headers(self) -> HashMap<&'static str, String> {
        self.headers
    }

    /// A row's cells. Of a row with too many or too few fields the handle alone is believed: the others may stand in the wrong column.
    pub(super) fn row(&self, record: &ByteRecord, line: u64) -> Row<'_> {
        let mut row = Row { columns: self, line, said: HashMap::new(), refusals: vec![], is_broken: record.len() != self.width };
        for (key, index) in &self.places {
            let Some(bytes) = record.get(*index) else { continue };
            match text(bytes) {
                Ok(text) if text.is_empty() => {}
                Ok(text) => {
                    row.said.insert(*key, text);
                }
                Err(reason) => row.refusals.push(Refusal::new(line, key, reason)),
            }
        }
        if row.is_broken {
            row.said.retain(|key, _| *key == "Handle");
            let lines = record.iter().flat_map(|field| field.strip_suffix(b"\n").unwrap_or(field)).filter(|byte| **byte == b'\n').count() as u64;
            let until = if lines > 0 { format!(" and goes on to line {}: is a quote missing?", line + lines) } else { String::new() };
            let reason = format!("the row has {} fields, the header has {}{until}", record.len(), self.width);
            row.refusals = vec![Refusal::new(line, "", reason)];
        }
        row
    }
}

/// A row of the file.
#[derive(Debug)]
pub(super) struct Row<'a> {
    columns: &'a Columns,
    pub line: u64,
    /// Cells by column; none is empty.
    said: HashMap<&'static str, String>,
    /// What could not be read.
    pub refusals: Vec<Refusal>,
    /// Whether nothing but the handle can be believed.
    pub is_broken: bool,
}

impl Row<'_> {
    /// The text of a cell that holds any.
    pub(super) fn get(&self, column: &str) -> Option<&str> {
        self.said.get(column).map(String::as_str)
    }

    /// What the row says in a column. A cell that cannot be read says nothing.
    pub(super) fn cell(&self, column: &str) -> Cell<&str> {
        match self.get(column) {
            Some(text) => Cell::Holds(text),
            None if self.columns.places.contains_key(column) && !self.is_bad(column) => Cell::Empty,
            None => Cell::Absent,
        }
    }

    /// Whether the file has this column at all.
    pub(super) fn has_column(&self, column: &str) -> bool {
        self.columns.places.contains_key(column)
    }

    /// Whether the cell could not be read.
    pub(super) fn is_bad(&self, column: &str) -> bool {
        self.refusals.iter().any(|refusal| refusal.column == column)
    }
}

/// A cell without marks of holes, control characters and space around it, or why it cannot be read.
fn text(bytes: &[u8]) -> Result<String, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8 text".to_owned())?;
    let text = strip_marks(text);
    let text: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    let text = text.trim();
    if text.chars().count() > CELL_CHARS_MAX {
        return Err(format!("is longer than {CELL_CHARS_MAX} characters"));
    }
    Ok(text.to_owned())
}
