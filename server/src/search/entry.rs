//! One product as lists need it: its texts' words, its offers, and where it is not sold.

use super::words;
use crate::{
    catalog::product::{Product, Variant, pick, text},
    readmodel::records::{Record, Shared},
};
use domain::{ProductId, live::LiveItem, locale::TextLanguage, market::MarketCode, offer::Instant};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

/// A product's slug in use by language.
pub(super) type Slugs = BTreeMap<TextLanguage, String>;
/// Products that a word stands in, with its best weight there.
pub(super) type Places = HashMap<ProductId, u8>;

#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Without descriptions, which documents have.
    pub product: Arc<Product>,
    pub variants: Arc<Vec<Variant>>,
    pub slugs: Arc<Slugs>,
    pub live: Arc<LiveItem>,
    /// Markets that had no price for it when it was read: their lists leave it out.
    pub unsold: Arc<BTreeSet<MarketCode>>,
    /// Grows when something but the live values was read anew.
    pub revision: u64,
    /// Its words by language, to take them out again.
    pub words: Arc<BTreeMap<TextLanguage, HashMap<Box<str>, u8>>>,
}

/// Weights of where a word stands.
const IN_TITLE: u8 = 12;
const IN_TITLE_END: u8 = 6;
const IN_LABEL: u8 = 4;
const IN_TEXT: u8 = 1;

impl Entry {
    pub fn new(record: &Record, live: Arc<LiveItem>, shared: &Shared, now: Instant) -> Self {
        let words = TextLanguage::ALL.into_iter().map(|language| (language, words_of(&record.product, language, shared))).collect();
        let mut product = record.product.clone();
        let texts = &mut product.texts;
        for gone in [&mut texts.summary, &mut texts.description_html, &mut texts.seo_title, &mut texts.seo_description] {
            gone.clear();
        }
        texts.details.clear();
        texts.materials.clear();
        Self {
            product: Arc::new(product),
            variants: Arc::new(record.variants.clone()),
            slugs: Arc::new(record.slugs.clone()),
            revision: live.version,
            unsold: Arc::new(live.unsold(&shared.markets, now)),
            live,
            words: Arc::new(words),
        }
    }
}

/// The words that a product is found by in one language, each with its best weight.
fn words_of(product: &Product, language: TextLanguage, shared: &Shared) -> HashMap<Box<str>, u8> {
    let mut words: HashMap<Box<str>, u8> = HashMap::new();
    let mut add = |word: &str, weight: u8| {
        let best = words.entry(word.into()).or_default();
        *best = weight.max(*best);
    };
    let texts = &product.texts;
    for word in words::index_words(&text(&texts.title, language)) {
        add(&word, IN_TITLE);
        if language == TextLanguage::De {
            for end in words::word_ends(&word) {
                add(end, IN_TITLE_END);
            }
        }
    }
    let category = product.category.as_deref().and_then(|key| shared.category(key)).map(|category| text(&category.titles, language));
    let tags = product.tags.iter().map(|tag| shared.tags.get(tag).map_or_else(|| tag.clone(), |tag| text(&tag.titles, language)));
    let values = product.options.iter().flat_map(|option| option.values.iter().map(|value| text(&value.names, language)));
    for label in category.into_iter().chain(tags).chain(values).chain([product.vendor.clone(), product.handle.clone()]) {
        for word in words::index_words(&label) {
            add(&word, IN_LABEL);
        }
    }
    let lines = [&texts.details, &texts.materials].into_iter().flat_map(|lines| pick(lines, language).into_iter().flatten().cloned());
    let html = text(&texts.description_html, language).replace('<', " <");
    let plain: String = html.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect();
    for text in lines.chain([text(&texts.summary, language), plain]) {
        for word in words::index_words(&text) {
            add(&word, IN_TEXT);
        }
    }
    words
}
