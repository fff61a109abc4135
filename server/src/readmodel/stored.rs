//! Bodies of items that only the read model itself reads.

use crate::sql::Row;
use domain::{
    ProductId,
    catalog::{CARDS_A_PAGE, ProductDocument, Shelf},
    locale::TextLanguage,
    market::MarketCode,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A product's document, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProductItem {
    Shown(Box<ProductDocument>),
    /// Being prepared, or taken down for now.
    Hidden,
    /// Will not come back.
    Gone,
}

/// A shelf and how much is on it. Its cards stand in items of their own, one a page, so that a product more changes the last page and
/// this, and not every page. A market that does not sell everything on it has pages of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShelfHead {
    pub shelf: Shelf,
}

impl ShelfHead {
    /// How many pages a market sees, at least one.
    pub fn pages_in(&self, market: MarketCode) -> u32 {
        let page = u32::try_from(CARDS_A_PAGE).unwrap_or(u32::MAX);
        self.shelf.count_in(market).div_ceil(page).max(1)
    }

    /// Whose pages a market sees: its own, or those of all that sell everything.
    pub fn pages_of(&self, market: MarketCode) -> Option<MarketCode> {
        self.shelf.counts.contains_key(&market).then_some(market)
    }
}

/// What a slug means in each language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlugItem {
    pub targets: BTreeMap<TextLanguage, SlugTarget>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlugTarget {
    pub product: ProductId,
    /// Whether it is the address in use.
    pub current: bool,
}

/// Shelves whose slug is not their key: kind and language → slug → key and whether it is in use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShelfSlugs(BTreeMap<String, BTreeMap<String, (String, bool)>>);

impl ShelfSlugs {
    pub fn read(rows: &[Row]) -> anyhow::Result<Self> {
        let mut slugs: BTreeMap<String, BTreeMap<String, (String, bool)>> = BTreeMap::new();
        for row in rows {
            let place = place(&row.text("kind")?, row.parse("language")?);
            slugs.entry(place).or_default().insert(row.text("slug")?, (row.text("target")?, row.flag("is_current")?));
        }
        Ok(Self(slugs))
    }

    /// The key behind a slug, and the slug in use if it is another one.
    pub fn resolve(&self, kind: &str, language: TextLanguage, slug: &str) -> (String, Option<String>) {
        let Some(slugs) = self.0.get(&place(kind, language)) else { return (slug.to_owned(), None) };
        let current = |key: &str| slugs.iter().find(|(_, (target, current))| target == key && *current).map(|(slug, _)| slug.clone());
        match slugs.get(slug) {
            Some((key, true)) => (key.clone(), None),
            Some((key, false)) => (key.clone(), Some(current(key).unwrap_or_else(|| key.clone()))),
            None => (slug.to_owned(), current(slug)),
        }
    }

    /// The slug in use of a shelf.
    pub fn slug_of(&self, kind: &str, language: TextLanguage, key: &str) -> String {
        // A shelf that never had another slug is not listed.
        self.0
            .get(&place(kind, language))
            .and_then(|slugs| slugs.iter().find(|(_, (target, current))| target == key && *current))
            .map_or_else(|| key.to_owned(), |(slug, _)| slug.clone())
    }
}

fn place(kind: &str, language: TextLanguage) -> String {
    format!("{kind} {}", language.key())
}
