//! Bodies of items that are no documents for pages: written by the projector, read by the storefront alone.

use app::{i18n, ports::Help};
use domain::{
    ProductId,
    catalog::{CARDS_A_PAGE, ProductDocument, Shelf},
    locale::{Locale, TextLanguage},
    market::{Market, MarketCode},
    money::Money,
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
    /// Adds a slug of a shelf; one that is in use is its address.
    pub fn add(&mut self, kind: &str, language: TextLanguage, slug: String, key: String, in_use: bool) {
        self.0.entry(place(kind, language)).or_default().insert(slug, (key, in_use));
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

/// A help page in one language for all markets. Amounts in facts are `{money:MINOR:CURRENCY}` until a market's readers see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelpDocument {
    pub help: Help,
    /// Facts that hold in one market only.
    pub market_facts: BTreeMap<MarketCode, Vec<(String, String)>>,
}

impl HelpDocument {
    /// The page for a market, amounts as its readers write them.
    pub fn for_market(&self, language: TextLanguage, market: &Market) -> Help {
        let mut help = self.help.clone();
        help.facts.extend(self.market_facts.get(&market.code).cloned().unwrap_or_default());
        if let Some(locale) = locale(language, market) {
            for (_, value) in &mut help.facts {
                *value = write_money(value, |money| i18n::price(money, locale));
            }
        }
        help
    }
}

fn locale(language: TextLanguage, market: &Market) -> Option<Locale> {
    let (language, _) = language.key().split_once('-')?;
    format!("{language}-{}", market.code.code().to_ascii_lowercase()).parse().ok()
}

/// Writes the money tokens of a text out.
pub fn write_money(text: &str, write: impl Fn(Money) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{money:") {
        out.push_str(before);
        let Some((token, tail)) = after.split_once('}') else { break };
        let money = token.split_once(':').and_then(|(minor, currency)| Some(Money::new(minor.parse().ok()?, currency.parse().ok()?)));
        out.extend(money.map(&write));
        rest = tail;
    }
    out.push_str(rest);
    out
}
