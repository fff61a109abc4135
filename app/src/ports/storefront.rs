//! Reads that anyone may make. Implemented over the table by the crate `edge-replica`, for the origin and for the edge alike.

use crate::components::card::Cards;
use async_trait::async_trait;
use domain::{
    ProductId,
    catalog::{Card, ListingPage, ProductDocument, ShopDocument},
    live::LiveItem,
    locale::{Locale, TextLanguage},
    market::{Market, MarketCode},
    offer::Instant,
    search::{Filter, Sort},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// As of what a page is read: nothing in here tells visitors apart.
#[derive(Clone, Debug)]
pub struct View {
    pub locale: Locale,
    pub market: Arc<Market>,
    pub now: Instant,
    /// The public origin without a trailing slash: `https://shop.example`.
    pub origin: Arc<str>,
    pub shop: Arc<ShopDocument>,
    /// For whoever draws a card again.
    pub cards: Arc<Cards>,
}

impl View {
    /// The language of the documents that this view reads.
    pub fn text(&self) -> TextLanguage {
        self.locale.text_language()
    }

    /// Whether this market sells what stands on a card.
    pub fn sells(&self, card: &Card) -> bool {
        !card.unsold.contains(&self.market.code)
    }

    /// The market that a locale's country belongs to.
    pub fn market_of(&self, locale: Locale) -> MarketCode {
        self.shop.market(locale).map_or(locale.country, |market| market.code)
    }
}

/// What an address leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found<T> {
    Here(T),
    /// It has another slug now: 301.
    Moved(String),
    /// It was here once and will not come back: 410.
    Gone,
    /// 404.
    Missing,
}

/// A list that has to be computed: search results, and shelves that are filtered or sorted anew. The edge asks the origin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ListingQuery {
    pub shelf: Option<ShelfKey>,
    /// What was typed, at most [`ListingQuery::TEXT_CHARS_MAX`] characters.
    pub text: Option<String>,
    pub filter: Filter,
    pub sort: Sort,
    /// From 1.
    pub page: u32,
}

impl ListingQuery {
    pub const TEXT_CHARS_MAX: usize = 120;
}

/// A category by key, a tag by key, or everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShelfKey {
    Category(String),
    Tag(String),
    All,
}

/// What a list can be narrowed by, with how many products each choice would leave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facets {
    pub options: Vec<OptionFacet>,
    /// Whether prices differ among the products before the price filter, so that it can narrow anything.
    pub by_price: bool,
    pub in_stock: u32,
}

/// One option to filter by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionFacet {
    pub slug: String,
    pub name: String,
    /// Slug, name, hex and count of each value.
    pub values: Vec<(domain::catalog::OptionValue, u32)>,
}

/// A page of a policy or of service: sanitised blocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Help {
    pub slug: String,
    pub title: String,
    pub seo_title: String,
    pub seo_description: String,
    pub intro: Option<String>,
    /// Heading and paragraphs of each section.
    pub sections: Vec<(String, Vec<String>)>,
    /// Rows of a table of facts, for the market: label and value.
    pub facts: Vec<(String, String)>,
}

/// Why a read gave no answer. Never cached.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the catalogue could not be read: {0}")]
pub struct ReadError(pub String);

/// The public catalogue.
#[async_trait]
pub trait Storefront: Send + Sync {
    /// What all pages share.
    async fn shop(&self, language: TextLanguage) -> Result<Arc<ShopDocument>, ReadError>;

    /// A product by its slug, in any language's current or earlier slug.
    async fn product(&self, language: TextLanguage, slug: &str) -> Result<Found<Arc<ProductDocument>>, ReadError>;

    /// One page of a shelf in its default order, with what the market sells.
    async fn listing(&self, language: TextLanguage, market: MarketCode, shelf: &ShelfKey, page: u32) -> Result<Found<Arc<ListingPage>>, ReadError>;

    /// Cards by product, in the order asked; what is not published is left out. At most 100 at once.
    async fn cards(&self, language: TextLanguage, products: &[ProductId]) -> Result<Vec<Card>, ReadError>;

    /// Something changed: documents that were read a moment ago are read anew.
    fn forget(&self) {}

    /// Live values by product, in any order; at most 100 at once.
    async fn live(&self, products: &[ProductId]) -> Result<Vec<Arc<LiveItem>>, ReadError>;

    /// A promo page or the home page by its slug, as the blocks of its document.
    async fn page(&self, language: TextLanguage, slug: &str) -> Result<Found<Arc<domain::page::PageDocument>>, ReadError>;

    /// A policy or service page for a market.
    async fn help(&self, language: TextLanguage, market: &Market, slug: &str) -> Result<Found<Arc<Help>>, ReadError>;

    /// A computed list with what it can be narrowed by.
    async fn query(&self, view: &View, query: &ListingQuery) -> Result<Found<(ListingPage, Facets)>, ReadError>;
}
