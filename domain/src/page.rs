//! Pages that marketing edits, as readers see them: blocks in one language, targets resolved to what they lead to.

use crate::{
    catalog::{Card, Picture},
    locale::TextLanguage,
};
use serde::{Deserialize, Serialize};

/// A page of blocks in one language: home, and later promo pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageDocument {
    pub slug: String,
    pub version: u64,
    pub language: TextLanguage,
    pub seo_title: String,
    pub seo_description: String,
    pub blocks: Vec<Block>,
}

/// Where a link in a block leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A category by its slug.
    Category(String),
    /// A tag by its slug.
    Tag(String),
    /// A product by its slug.
    Product(String),
    /// A promo page by its slug.
    Page(String),
}

/// One block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Block {
    /// The picture is the page; words stand in its empty part.
    Hero {
        picture: Picture,
        dark: bool,
        kicker: String,
        heading: String,
        text: String,
        button: Option<(String, Target)>,
        /// A product in the picture, named with its price.
        #[serde(default)]
        product: Option<Box<Card>>,
    },
    /// One field of colour a category.
    CategoryTiles { heading: String },
    /// Products in a mosaic: the first `limit` of them that a market sells.
    ProductGrid { heading: String, cards: Vec<Card>, limit: usize, more: Option<Target> },
    /// A picture beside a text on the picture's own backdrop.
    ImageText { picture: Picture, category: String, heading: String, text: String, picture_left: bool, target: Option<Target> },
    /// Paragraphs to read.
    RichText { heading: String, paragraphs: Vec<String> },
    /// One line that leads somewhere.
    Banner { text: String, target: Target },
    /// A statement in large type.
    Quote { text: String, attribution: String },
    /// The newsletter's form. `consent` stands beside it, and `consent_name` says in the proof which text that was; `page` is the page's slug.
    Newsletter { page: String, heading: String, text: String, label: String, button: String, consent: String, consent_name: String },
}
