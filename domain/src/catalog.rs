//! The catalogue as readers see it: documents of one language, made by the projector and read whole by a page. How products are
//! kept and imported is the server's business.

use crate::{
    delivery::Timetable,
    ids::{ProductId, VariantId},
    locale::{Locale, TextLanguage},
    market::{Market, MarketCode},
    offer::Instant,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A picture and how to ask for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    pub source: PictureSource,
    /// Pixels of the original.
    pub width: u32,
    pub height: u32,
    /// Alternative text; empty only for decoration.
    pub alt: String,
    /// The option value it shows (a colour's slug), if it shows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// `front`, `back`, `detail`, `top`, `inside` …; empty when unknown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub view: String,
}

/// Where a picture's bytes are.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PictureSource {
    /// Ready-made sizes at `/media/{path}-{width}.{avif|webp}`.
    Sized { path: String, widths: Vec<u32> },
    /// One file at `/media/{path}`.
    File { path: String },
    /// An address that an import named and nobody fetched: shown as a placeholder.
    Remote { url: String },
}

/// One choice a product offers, such as its colour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductOption {
    /// Stable key in URLs and filters: `colour`, `size`.
    pub slug: String,
    pub name: String,
    pub values: Vec<OptionValue>,
}

/// One value of an option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionValue {
    pub slug: String,
    pub name: String,
    /// `#RRGGBB` for colours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hex: Option<String>,
}

/// One buyable combination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    pub id: VariantId,
    /// May be empty, doubled or renamed; never an identity.
    pub sku: String,
    /// A value's slug for each of the product's options, in their order.
    pub values: Vec<String>,
    pub weight_g: u32,
}

/// A category or a tag with its address and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelf {
    /// Stable key: `bags-travel`.
    pub key: String,
    /// Its slug in this language.
    pub slug: String,
    pub title: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub seo_title: String,
    #[serde(default)]
    pub seo_description: String,
    /// Published products on it.
    pub count: u32,
    /// How many of them a market sells, where it does not sell all.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counts: BTreeMap<MarketCode, u32>,
    /// A tile picture, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tile: Option<Picture>,
}

impl Shelf {
    /// How many products of it a market sells.
    pub fn count_in(&self, market: MarketCode) -> u32 {
        self.counts.get(&market).copied().unwrap_or(self.count)
    }
}

/// Everything a product page needs but what is live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductDocument {
    pub id: ProductId,
    pub version: u64,
    pub language: TextLanguage,
    /// The current slug per language, for hreflang and the language switch.
    pub slugs: BTreeMap<TextLanguage, String>,
    pub title: String,
    pub summary: String,
    /// Sanitised HTML of paragraphs and lists only.
    pub description_html: String,
    pub details: Vec<String>,
    pub materials: Vec<String>,
    pub vendor: String,
    /// The key and title of its category, if it has one.
    pub category: Option<(String, String)>,
    pub tags: Vec<String>,
    pub options: Vec<ProductOption>,
    pub variants: Vec<Variant>,
    pub pictures: Vec<Picture>,
    pub seo_title: String,
    pub seo_description: String,
    /// ISO 3166-1 country of origin, or empty.
    #[serde(default)]
    pub origin: String,
    /// Products that go with it, best first, at most eight.
    #[serde(default)]
    pub goes_with: Vec<ProductId>,
    /// Markets without a price for it: they do not sell it, and machines are not sent there.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unsold: BTreeSet<MarketCode>,
}

impl ProductDocument {
    /// The slug in this document's language.
    pub fn slug(&self) -> &str {
        self.slugs.get(&self.language).or_else(|| self.slugs.values().next()).map_or("", String::as_str)
    }

    /// The option that colours a product, if it has one.
    pub fn colour(&self) -> Option<&ProductOption> {
        self.options.iter().find(|option| option.slug == "colour")
    }

    /// The product on a shelf.
    pub fn card(&self) -> Card {
        let category = self.category.as_ref().map(|(key, _)| key.clone()).unwrap_or_default();
        let first_variant = self.variants.first().map(|variant| variant.id);
        let head = CardHead { id: self.id, slug: self.slug().to_owned(), title: self.title.clone(), category, first_variant };
        Card { unsold: self.unsold.clone(), ..head.card(&self.tags, &self.options, &self.pictures) }
    }
}

/// A product on a shelf.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    pub id: ProductId,
    pub slug: String,
    pub title: String,
    /// Its category's key, which gives the backdrop's tone.
    pub category: String,
    pub is_new: bool,
    /// The first picture: of the first colour.
    pub picture: Option<Picture>,
    /// The colours, each with the picture that shows it; empty without colours.
    pub colours: Vec<CardColour>,
    /// For JSON-LD and the like: the first variant's id.
    pub first_variant: Option<VariantId>,
    /// The colour that a filter chose: the picture shows it, and the link leads to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected: Option<String>,
    /// Markets without a price for it, on whose shelves it does not stand.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unsold: BTreeSet<MarketCode>,
}

/// What a card says of its product beside pictures and colours.
#[derive(Clone, Debug)]
pub struct CardHead {
    pub id: ProductId,
    pub slug: String,
    pub title: String,
    pub category: String,
    pub first_variant: Option<VariantId>,
}

impl CardHead {
    /// The card of a product with these tags, options and pictures.
    pub fn card(self, tags: &[String], options: &[ProductOption], pictures: &[Picture]) -> Card {
        let colours = options.iter().find(|option| option.slug == "colour").map_or(&[][..], |option| &option.values);
        let shows = |value: &OptionValue| {
            let mut of_value = pictures.iter().filter(|picture| picture.value.as_deref() == Some(&value.slug));
            let first = of_value.clone().next();
            of_value.find(|picture| picture.view == "front").or(first).cloned()
        };
        Card {
            id: self.id,
            slug: self.slug,
            title: self.title,
            category: self.category,
            is_new: tags.iter().any(|tag| tag == "new"),
            picture: pictures.first().cloned(),
            colours: colours.iter().map(|value| CardColour { value: value.clone(), picture: shows(value) }).collect(),
            first_variant: self.first_variant,
            selected: None,
            unsold: BTreeSet::new(),
        }
    }
}

/// A colour on a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardColour {
    pub value: OptionValue,
    pub picture: Option<Picture>,
}

/// One page of a shelf in its default order: at most [`CARDS_A_PAGE`] cards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListingPage {
    pub shelf: Shelf,
    /// From 1.
    pub page: u32,
    pub pages: u32,
    pub total: u32,
    pub cards: Vec<Card>,
    /// The next instant at which a price may change that decided which cards these are, and in which order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub good_until: Option<i64>,
}

/// Cards on one page of a listing: divides by 2, 3 and 4 columns.
pub const CARDS_A_PAGE: usize = 24;

/// What every page shares: read once, kept in the hot cache.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopDocument {
    pub version: u64,
    pub language: TextLanguage,
    pub markets: Vec<Market>,
    /// Categories in the order of the navigation.
    pub categories: Vec<Shelf>,
    /// Help pages in the order of the footer: slug and title.
    pub help: Vec<(String, String)>,
    /// Whether this is the demo shop, which says so.
    pub demo: bool,
    /// Published products in all.
    pub products: u32,
    /// How many of them a market sells, where it does not sell all.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counts: BTreeMap<MarketCode, u32>,
    /// Tags that the shop has words for and products with.
    #[serde(default)]
    pub tags: Vec<Shelf>,
    /// Slugs of the promo pages.
    #[serde(default)]
    pub pages: Vec<String>,
    /// What each market promises with every product, from its policies; a market without an entry promises nothing.
    #[serde(default)]
    pub promises: BTreeMap<MarketCode, Promises>,
    /// When each market's standard delivery leaves and arrives, in force and to come, by the instant from which a version holds, earliest first.
    #[serde(default)]
    pub standard: BTreeMap<MarketCode, Vec<(Instant, Timetable)>>,
    /// How many versions of a promo page are shown side by side, by its slug; a page that is not here has one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub experiments: BTreeMap<String, u8>,
}

/// What a market promises with every product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promises {
    /// From which sum of goods on standard delivery is free, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_from: Option<i64>,
    /// Days to send something back.
    #[serde(default)]
    pub return_days: u32,
}

impl ShopDocument {
    /// The market's standard delivery in force; `None` where it has none.
    pub fn standard(&self, market: MarketCode, now: Instant) -> Option<&Timetable> {
        let (_, timetable) = self.standard.get(&market)?.iter().rfind(|(from, _)| *from <= now)?;
        Some(timetable)
    }

    /// How many products a market sells.
    pub fn products_in(&self, market: MarketCode) -> u32 {
        self.counts.get(&market).copied().unwrap_or(self.products)
    }

    /// The categories in which a market sells something, in the order of the navigation.
    pub fn categories_in(&self, market: MarketCode) -> impl Iterator<Item = &Shelf> {
        self.categories.iter().filter(move |shelf| shelf.count_in(market) > 0)
    }

    /// The market that a locale's country belongs to.
    pub fn market(&self, locale: Locale) -> Option<&Market> {
        self.markets.iter().find(|market| market.countries.contains(&locale.country))
    }
}
