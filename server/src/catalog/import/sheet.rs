//! Shopify's product CSV: the header sets of 2019 and of today, several rows a product. Rows become drafts; what cannot be read is refused
//! with its line and column.

use super::{names, report::Refusal};
use crate::catalog::product::{PictureTexts, Status};
use anyhow::Context as _;
use csv::{ByteRecord, ReaderBuilder};
use domain::{live::strip_marks, money::Currency};
use std::collections::{HashMap, HashSet};

/// A file, read.
#[derive(Debug)]
pub(super) struct Sheet {
    pub products: Vec<Draft>,
    pub refusals: Vec<Refusal>,
}

/// A product as the file has it.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    pub handle: String,
    /// Of its first row.
    pub line: u64,
    pub title: Option<String>,
    pub body: Option<String>,
    pub vendor: Option<String>,
    pub category: Option<String>,
    /// `None`: the file has no such column.
    pub tags: Option<Vec<String>>,
    pub status: Option<Status>,
    pub published: Option<bool>,
    pub seo_title: Option<String>,
    pub seo_description: Option<String>,
    /// Names of its options; a product without choices has none.
    pub options: Vec<String>,
    pub variants: Vec<DraftVariant>,
    pub images: Vec<DraftImage>,
    /// The images, once read.
    pub pictures: Vec<PictureTexts>,
}

#[derive(Clone, Debug)]
pub(super) struct DraftVariant {
    pub line: u64,
    pub values: Vec<String>,
    pub sku: String,
    pub barcode: String,
    pub weight_g: Option<i64>,
    pub tracked: bool,
    pub oversell: bool,
    pub quantity: Option<i64>,
    /// Minor units. `None`: no price, so not sold.
    pub price: Option<i64>,
    pub compare_at: Option<i64>,
    pub image: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) struct DraftImage {
    pub line: u64,
    pub src: String,
    pub position: u32,
    pub alt: String,
}

/// Limits of one cell, of a quantity and of a weight.
const CELL_CHARS_MAX: usize = 100_000;
const TITLE_CHARS_MAX: usize = 255;
const QUANTITY_MAX: i64 = 1_000_000;
const WEIGHT_G_MAX: i64 = 10_000_000;
/// Most variants of one product, as in Shopify.
const VARIANTS_MAX: usize = 2_048;

/// What columns are called: our key, then every header that means it, in lower case.
const COLUMNS: [(&str, &[&str]); 30] = [
    ("Handle", &["handle", "url handle"]),
    ("Title", &["title"]),
    ("Body (HTML)", &["body (html)", "body html", "description"]),
    ("Vendor", &["vendor"]),
    ("Product Category", &["product category", "standard product type"]),
    ("Type", &["type", "custom product type"]),
    ("Tags", &["tags"]),
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
const OPTION_NAMES: [&str; 3] = ["Option1 Name", "Option2 Name", "Option3 Name"];
const OPTION_VALUES: [&str; 3] = ["Option1 Value", "Option2 Value", "Option3 Value"];

/// Reads a whole file. An error: it is no product file at all.
pub(super) fn read(bytes: &[u8], currency: Currency) -> anyhow::Result<Sheet> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = ReaderBuilder::new().has_headers(true).flexible(true).from_reader(bytes);
    let header = reader.byte_headers().context("the file has no header")?.clone();
    let mut columns: HashMap<&'static str, usize> = HashMap::new();
    for (index, name) in header.iter().enumerate() {
        let name = String::from_utf8_lossy(name).trim().to_lowercase();
        if let Some((key, _)) = COLUMNS.iter().find(|(_, names)| names.contains(&name.as_str())) {
            columns.entry(*key).or_insert(index);
        }
    }
    for needed in ["Handle", "Title"] {
        anyhow::ensure!(columns.contains_key(needed), "the file has no column {needed}: it is not a product file as Shopify exports it");
    }
    let mut reading =
        Reading { columns, width: header.len(), currency, products: vec![], places: HashMap::new(), refusals: vec![], refused: HashSet::new() };
    let mut record = ByteRecord::new();
    loop {
        let more = reader.read_byte_record(&mut record);
        let line = record.position().map_or(0, csv::Position::line);
        match more {
            Ok(true) => reading.row(&record, line),
            Ok(false) => break,
            Err(error) => reading.refusals.push(Refusal::new(line, "", format!("the row cannot be read: {error}"))),
        }
    }
    anyhow::ensure!(!reading.places.is_empty() || !reading.refusals.is_empty(), "the file has a header and no rows");
    let refused = reading.refused;
    reading.products.retain(|draft| !refused.contains(&draft.handle));
    Ok(Sheet { products: reading.products, refusals: reading.refusals })
}

struct Reading {
    columns: HashMap<&'static str, usize>,
    width: usize,
    currency: Currency,
    products: Vec<Draft>,
    places: HashMap<String, usize>,
    refusals: Vec<Refusal>,
    /// Handles of products that are left out whole.
    refused: HashSet<String>,
}

/// One row's cells by column; none is empty.
type Cells = HashMap<&'static str, String>;

impl Reading {
    fn row(&mut self, record: &ByteRecord, line: u64) {
        match self.cells(record, line).and_then(|cells| self.take(&cells, line)) {
            Ok(()) => {}
            Err(refusal) => self.refusals.push(refusal),
        }
    }

    fn cells(&self, record: &ByteRecord, line: u64) -> Result<Cells, Refusal> {
        if record.len() != self.width {
            return Err(Refusal::new(line, "", format!("the row has {} fields, the header has {}", record.len(), self.width)));
        }
        let mut cells = Cells::new();
        for (key, index) in &self.columns {
            let Some(bytes) = record.get(*index) else { continue };
            let Ok(text) = std::str::from_utf8(bytes) else { return Err(Refusal::new(line, key, "is not UTF-8 text")) };
            let text = strip_marks(text);
            let text: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
            let text = text.trim();
            if text.chars().count() > CELL_CHARS_MAX {
                return Err(Refusal::new(line, key, format!("is longer than {CELL_CHARS_MAX} characters")));
            }
            if !text.is_empty() {
                cells.insert(*key, text.to_owned());
            }
        }
        Ok(cells)
    }

    fn take(&mut self, cells: &Cells, line: u64) -> Result<(), Refusal> {
        let handle = cells.get("Handle").ok_or_else(|| Refusal::new(line, "Handle", "is empty"))?;
        let handle = names::slug(handle).ok_or_else(|| Refusal::new(line, "Handle", format!("{handle:?} cannot be part of an address")))?;
        if self.refused.contains(&handle) {
            return Ok(());
        }
        if cells.get("Gift Card").is_some_and(|text| flag(text) == Some(true)) {
            self.refused.insert(handle.clone());
            return Err(Refusal::new(line, "Gift Card", format!("{handle} is a gift card, and those cannot be sold here: it was left out")));
        }
        let place = if let Some(place) = self.places.get(&handle) {
            *place
        } else {
            let draft = self.first_row(cells, &handle, line).inspect_err(|_| {
                self.refused.insert(handle.clone());
            })?;
            self.products.push(draft);
            self.places.insert(handle, self.products.len() - 1);
            self.products.len() - 1
        };
        let draft = &mut self.products[place];
        let first = draft.line == line;
        let mut said = false;
        if let Some(src) = cells.get("Image Src") {
            let position = cells.get("Image Position").and_then(|text| text.parse().ok()).unwrap_or(u32::MAX);
            let alt = cells.get("Image Alt Text").cloned().unwrap_or_default();
            draft.images.push(DraftImage { line, src: src.clone(), position, alt });
            said = true;
        }
        let of_variants = ["Option1 Value", "Variant Price", "Variant SKU", "Variant Inventory Qty", "Variant Grams"];
        if of_variants.iter().any(|key| cells.contains_key(key)) {
            let variant = variant(cells, line, draft, self.currency)?;
            if draft.variants.len() == VARIANTS_MAX {
                return Err(Refusal::new(line, "", format!("a product has at most {VARIANTS_MAX} variants")));
            }
            draft.variants.push(variant);
            said = true;
        }
        if said || first { Ok(()) } else { Err(Refusal::new(line, "", "the row has neither a variant nor a picture")) }
    }

    fn first_row(&self, cells: &Cells, handle: &str, line: u64) -> Result<Draft, Refusal> {
        let cell = |key: &str| cells.get(key).cloned();
        let title = cell("Title");
        if title.as_ref().is_some_and(|title| title.chars().count() > TITLE_CHARS_MAX) {
            return Err(Refusal::new(line, "Title", format!("is longer than {TITLE_CHARS_MAX} characters")));
        }
        let status = cell("Status")
            .map(|text| Status::parse(&text).ok_or_else(|| Refusal::new(line, "Status", format!("{text:?} is not active, draft or archived"))))
            .transpose()?;
        let published = cell("Published")
            .map(|text| flag(&text).ok_or_else(|| Refusal::new(line, "Published", format!("{text:?} is neither TRUE nor FALSE"))))
            .transpose()?;
        let mut options: Vec<String> = Vec::new();
        for name in OPTION_NAMES.iter().filter_map(|key| cells.get(key)) {
            options.push(name.clone());
        }
        // What Shopify writes for a product without choices.
        if options.len() == 1 && options[0] == "Title" && cells.get("Option1 Value").is_some_and(|value| value == "Default Title") {
            options.clear();
        }
        let category = cell("Type").or_else(|| cell("Product Category").map(|path| path.rsplit('>').next().unwrap_or_default().trim().to_owned()));
        Ok(Draft {
            handle: handle.to_owned(),
            line,
            title,
            body: cell("Body (HTML)"),
            vendor: cell("Vendor"),
            category,
            tags: self.columns.contains_key("Tags").then(|| tags(&cell("Tags").unwrap_or_default())),
            status,
            published,
            seo_title: cell("SEO Title"),
            seo_description: cell("SEO Description"),
            options,
            variants: vec![],
            images: vec![],
            pictures: vec![],
        })
    }
}

fn variant(cells: &Cells, line: u64, draft: &Draft, currency: Currency) -> Result<DraftVariant, Refusal> {
    let refuse = |column: &str, reason: String| Refusal::new(line, column, reason);
    let mut values = Vec::with_capacity(draft.options.len());
    for (column, _) in OPTION_VALUES.iter().zip(&draft.options) {
        values.push(cells.get(column).cloned().ok_or_else(|| refuse(column, "is empty".to_owned()))?);
    }
    if draft.variants.iter().any(|known| known.values == values) {
        let what = if values.is_empty() { "the product has one variant only".to_owned() } else { format!("{} is there already", values.join(" / ")) };
        return Err(refuse(OPTION_VALUES[0], what));
    }
    let whole = |column: &str, max: i64| -> Result<Option<i64>, Refusal> {
        let Some(text) = cells.get(column) else { return Ok(None) };
        let number =
            text.split_once('.').map_or(text.as_str(), |(whole, part)| if part.bytes().all(|byte| byte == b'0') { whole } else { text.as_str() });
        let number: i64 = number.parse().map_err(|_| refuse(column, format!("{text:?} is not a whole number")))?;
        if (-max..=max).contains(&number) { Ok(Some(number)) } else { Err(refuse(column, format!("{text} is more than {max}"))) }
    };
    let money = |column: &str| -> Result<Option<i64>, Refusal> {
        cells
            .get(column)
            .map(|text| {
                price(text, currency).ok_or_else(|| refuse(column, format!("{text:?} is not a price in {currency} such as {}", sample(currency))))
            })
            .transpose()
    };
    let weight_g = whole("Variant Grams", WEIGHT_G_MAX)?;
    if weight_g.is_some_and(|grams| grams < 0) {
        return Err(refuse("Variant Grams", "a weight is not negative".to_owned()));
    }
    let policy = cells.get("Variant Inventory Policy").map_or("deny", String::as_str).to_lowercase();
    let oversell = match policy.as_str() {
        "deny" | "false" => false,
        "continue" | "true" => true,
        _ => return Err(refuse("Variant Inventory Policy", format!("{policy:?} is neither deny nor continue"))),
    };
    Ok(DraftVariant {
        line,
        values,
        sku: cells.get("Variant SKU").cloned().unwrap_or_default(),
        barcode: cells.get("Variant Barcode").cloned().unwrap_or_default(),
        weight_g,
        tracked: cells.contains_key("Variant Inventory Tracker"),
        oversell,
        quantity: whole("Variant Inventory Qty", QUANTITY_MAX)?,
        price: money("Variant Price")?,
        compare_at: money("Variant Compare At Price")?,
        image: cells.get("Variant Image").cloned(),
    })
}

/// A price in minor units: digits, at most one point, no more decimals than the currency has.
fn price(text: &str, currency: Currency) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = currency.minor_digits() as usize;
    let (kept, rest) = fraction.split_at_checked(digits.min(fraction.len()))?;
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 10 || !all_digits(whole) || !all_digits(kept) || !rest.bytes().all(|byte| byte == b'0') {
        return None;
    }
    format!("{whole}{kept:0<digits$}").parse().ok()
}

fn sample(currency: Currency) -> String {
    domain::money::Money::new(34 * currency.minor_per_major(), currency).decimal()
}

fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn tags(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|tag| !tag.is_empty()).take(250).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_follow_the_currency() {
        for (text, currency, minor) in [
            ("34.00", "USD", Some(3400)),
            ("34", "USD", Some(3400)),
            ("34.5", "USD", Some(3450)),
            ("34.005", "USD", None),
            ("34.500", "USD", Some(3450)),
            ("4620.00", "JPY", Some(4620)),
            ("4620.50", "JPY", None),
            ("1.250", "KWD", Some(1250)),
            ("-1", "USD", None),
            ("1,299.00", "USD", None),
            ("€3", "EUR", None),
            (".5", "USD", None),
        ] {
            assert_eq!(price(text, currency.parse().expect("a code")), minor, "{text} {currency}");
        }
    }
}
