//! Shopify's product CSV: several rows a product become a draft of it; what cannot be read is refused with its line and column. What the
//! shop knows already is not asked here.

use super::{
    columns::{Cell, Columns, Row},
    names,
    report::Refusal,
    variant::{self, DraftVariant, NO_CHOICE},
};
use crate::catalog::product::{PictureTexts, Status};
use anyhow::Context as _;
use csv::{ByteRecord, ReaderBuilder};
use domain::money::Currency;
use std::collections::HashMap;

/// A file, read.
#[derive(Debug)]
pub(super) struct Sheet {
    pub products: Vec<Draft>,
    pub refusals: Vec<Refusal>,
    /// Gift cards, and products of which no row can be read.
    pub left_out: Vec<LeftOut>,
    /// What the file calls its columns, by our key.
    pub headers: HashMap<&'static str, String>,
}

/// A product that is not taken, with the line of each of its rows: every one is accounted for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LeftOut {
    pub handle: String,
    pub lines: Vec<u64>,
}

/// What taxes tell goods apart by.
const TAX_CATEGORIES: [&str; 4] = ["standard", "clothing", "books", "food"];

/// A product as the file has it. What the file does not say is `None`: a known product keeps it.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    pub handle: String,
    /// Of each of its rows, those too that could not be read.
    pub lines: Vec<u64>,
    pub title: Option<String>,
    /// Whether there is a title that cannot be taken.
    pub is_title_bad: bool,
    pub body: Option<String>,
    pub vendor: Option<String>,
    /// One of [`TAX_CATEGORIES`].
    pub tax_category: Option<String>,
    pub category: Option<String>,
    pub tags: Option<Vec<String>>,
    pub status: Option<Status>,
    pub published: Option<bool>,
    pub seo_title: Option<String>,
    pub seo_description: Option<String>,
    /// Names of its options; empty for a product without choices. `None`: the file names none, or in a row that cannot be read.
    pub options: Option<Vec<String>>,
    pub variants: Vec<DraftVariant>,
    pub images: Vec<DraftImage>,
    /// The images, once read.
    pub pictures: Vec<PictureTexts>,
    /// Whether pictures may be missing because a row or a cell could not be read.
    pub has_gaps: bool,
    /// How a new product is kept from readers because something about it as a whole could not be read.
    pub hidden: Option<Hidden>,
    /// Line of the row that was taken for the one that opens it: the first that can be read.
    pub opened: Option<u64>,
}

/// In which column a mended file shows a product again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hidden {
    Draft,
    Unpublished,
}

#[derive(Clone, Debug)]
pub(super) struct DraftImage {
    pub line: u64,
    pub src: String,
    pub position: u32,
    pub alt: String,
}

const TITLE_CHARS_MAX: usize = 255;
/// Most variants of one product, as in Shopify.
const VARIANTS_MAX: usize = 2_048;
const OPTION_NAMES: [&str; 3] = ["Option1 Name", "Option2 Name", "Option3 Name"];
/// Columns that speak of a product as a whole.
const OF_PRODUCTS: [&str; 14] = [
    "Title",
    "Body (HTML)",
    "Vendor",
    "Tax Category",
    "Product Category",
    "Type",
    "Tags",
    "Published",
    "Status",
    "SEO Title",
    "SEO Description",
    OPTION_NAMES[0],
    OPTION_NAMES[1],
    OPTION_NAMES[2],
];

/// Reads a whole file. An error: it is no product file at all.
pub(super) fn read(bytes: &[u8], currency: Currency) -> anyhow::Result<Sheet> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = ReaderBuilder::new().has_headers(true).flexible(true).from_reader(bytes);
    let columns = Columns::read(reader.byte_headers().context("the file has no header")?)?;
    let mut reading = Reading { currency, products: vec![], places: HashMap::new(), gift_cards: vec![], refusals: vec![] };
    let mut record = ByteRecord::new();
    loop {
        let more = reader.read_byte_record(&mut record);
        let line = record.position().map_or(0, csv::Position::line);
        match more {
            Ok(true) => reading.row(columns.row(&record, line)),
            Ok(false) => break,
            Err(error) => reading.refusals.push(Refusal::new(line, "", format!("the row cannot be read: {error}"))),
        }
    }
    anyhow::ensure!(!reading.places.is_empty() || !reading.refusals.is_empty(), "the file has a header and no rows");
    let mut sheet = Sheet { products: vec![], refusals: reading.refusals, left_out: vec![], headers: columns.into_headers() };
    for (place, draft) in reading.products.into_iter().enumerate() {
        if reading.gift_cards.contains(&place) || draft.opened.is_none() {
            sheet.left_out.push(LeftOut { handle: draft.handle, lines: draft.lines });
        } else {
            sheet.products.push(draft);
        }
    }
    Ok(sheet)
}

struct Reading {
    currency: Currency,
    products: Vec<Draft>,
    /// Where a handle's product is.
    places: HashMap<String, usize>,
    gift_cards: Vec<usize>,
    refusals: Vec<Refusal>,
}

impl Reading {
    fn row(&mut self, mut row: Row<'_>) {
        let taken = self.take(&row);
        self.refusals.append(&mut row.refusals);
        self.refusals.extend(taken.err().flatten());
    }

    /// `Err(None)`: why the row cannot be taken stands in it already.
    fn take(&mut self, row: &Row<'_>) -> Result<(), Option<Refusal>> {
        let refuse = |column: &str, reason: String| Err(Some(Refusal::new(row.line, column, reason)));
        let handle = match row.get("Handle") {
            Some(handle) => handle,
            None if row.is_broken || row.is_bad("Handle") => return Err(None),
            None => return refuse("Handle", "is empty".to_owned()),
        };
        let Some(handle) = names::slug(handle) else {
            return if row.is_broken { Err(None) } else { refuse("Handle", format!("{handle:?} cannot be part of an address")) };
        };
        let place = *self.places.entry(handle.clone()).or_insert_with(|| {
            self.products.push(Draft { handle: handle.clone(), ..Draft::default() });
            self.products.len() - 1
        });
        let draft = &mut self.products[place];
        draft.lines.push(row.line);
        if self.gift_cards.contains(&place) {
            return Ok(());
        }
        if row.get("Gift Card").and_then(flag) == Some(true) {
            self.gift_cards.push(place);
            return refuse("Gift Card", format!("{handle} is a gift card, and those cannot be sold here: it was left out"));
        }
        draft.has_gaps |= row.is_broken || row.is_bad("Image Src");
        if row.is_broken {
            return Ok(());
        }
        let opens = draft.opened.is_none();
        if opens {
            self.refusals.extend(draft.open(row));
        }
        let mut said = row.is_bad("Image Src");
        if let Some(src) = row.get("Image Src") {
            let position = row.get("Image Position").and_then(|text| text.parse().ok()).unwrap_or(u32::MAX);
            let alt = row.get("Image Alt Text").unwrap_or_default().to_owned();
            draft.images.push(DraftImage { line: row.line, src: src.to_owned(), position, alt });
            said = true;
        }
        if variant::is_said(row) {
            draft.add(variant::read(row, draft.options.as_deref(), self.currency)?)?;
            said = true;
        }
        if said || opens { Ok(()) } else { refuse("", "the row has neither a variant nor a picture".to_owned()) }
    }
}

impl Draft {
    /// Takes what a product's first row that can be read says about it as a whole. What cannot be taken comes back; a known product keeps
    /// what it had there, a new one stays hidden.
    fn open(&mut self, row: &Row<'_>) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        let mut refuse = |column: &str, reason: String| refusals.push(Refusal::new(row.line, column, reason));
        let cell = |column: &str| row.get(column).map(str::to_owned);
        self.opened = Some(row.line);
        self.title = cell("Title");
        self.is_title_bad = row.is_bad("Title");
        if self.title.as_ref().is_some_and(|title| title.chars().count() > TITLE_CHARS_MAX) {
            refuse("Title", format!("is longer than {TITLE_CHARS_MAX} characters"));
            (self.title, self.is_title_bad) = (None, true);
        }
        self.status = cell("Status").and_then(|text| {
            let status = Status::parse(&text);
            if status.is_none() {
                refuse("Status", format!("{text:?} is not active, draft or archived"));
            }
            status
        });
        self.published = cell("Published").and_then(|text| {
            let published = flag(&text);
            if published.is_none() {
                refuse("Published", format!("{text:?} is neither TRUE nor FALSE"));
            }
            published
        });
        self.body = cell("Body (HTML)");
        self.vendor = cell("Vendor");
        self.tax_category = cell("Tax Category").map(|text| text.to_lowercase()).and_then(|text| {
            let is_known = TAX_CATEGORIES.contains(&text.as_str());
            if !is_known {
                refuse("Tax Category", format!("{text:?} is none of {}", TAX_CATEGORIES.join(", ")));
            }
            is_known.then_some(text)
        });
        self.category = cell("Type").or_else(|| cell("Product Category").map(|path| path.rsplit('>').next().unwrap_or_default().trim().to_owned()));
        self.seo_title = cell("SEO Title");
        self.seo_description = cell("SEO Description");
        self.tags = match row.cell("Tags") {
            Cell::Holds(text) => Some(tags(text)),
            // A row without a title is not the one that opens the product: that one was lost, and its tags with it.
            Cell::Empty if self.title.is_some() => Some(vec![]),
            Cell::Empty | Cell::Absent => None,
        };
        self.options = options(row);
        let has_lost = self.lines.len() > 1 || OF_PRODUCTS.iter().any(|column| row.is_bad(column)) || !refusals.is_empty();
        let column = if row.has_column("Status") { Hidden::Draft } else { Hidden::Unpublished };
        self.hidden = has_lost.then_some(column);
        refusals
    }

    fn add(&mut self, variant: DraftVariant) -> Result<(), Refusal> {
        if self.variants.iter().any(|known| known.values == variant.values) {
            return Err(variant.is_there_already());
        }
        if self.variants.len() == VARIANTS_MAX {
            return Err(Refusal::new(variant.line, "", format!("a product has at most {VARIANTS_MAX} variants")));
        }
        self.variants.push(variant);
        Ok(())
    }
}

/// The names of a product's options, up to the first that is empty. `None`: there are none, or one cannot be read.
fn options(row: &Row<'_>) -> Option<Vec<String>> {
    if OPTION_NAMES.iter().any(|column| row.is_bad(column)) {
        return None;
    }
    let names: Vec<String> = OPTION_NAMES.iter().map_while(|column| row.get(column)).map(str::to_owned).collect();
    // What Shopify writes for a product without choices.
    if names == ["Title"] && row.get("Option1 Value") == Some(NO_CHOICE) {
        return Some(vec![]);
    }
    (!names.is_empty()).then_some(names)
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
