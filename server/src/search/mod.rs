//! Computed lists: search, filters and sorting over an index in memory that is rebuilt from the catalogue and kept fresh by the projector.
//! It knows texts, offers and availability; documents are the read model's business.

mod query;
mod words;

pub(crate) use words::fold;

use crate::{
    catalog::product::{Product, Variant, text},
    readmodel::{
        documents,
        records::{Record, Shared, bare_shelf},
    },
};
use app::ports::storefront::ShelfKey;
use domain::{
    ProductId,
    catalog::{CARDS_A_PAGE, Card, Shelf},
    live::LiveItem,
    locale::TextLanguage,
    offer::Instant,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

/// All products as lists need them. Reads wait for writes only while a product is exchanged.
#[derive(Debug, Default)]
pub struct Index(RwLock<Inner>);

#[derive(Debug, Default)]
struct Inner {
    shared: Arc<Shared>,
    entries: HashMap<ProductId, Entry>,
    /// Products that are shown, in the shop's own order.
    order: BTreeSet<(i64, ProductId)>,
    categories: HashMap<String, BTreeSet<(i64, ProductId)>>,
    tags: HashMap<String, BTreeSet<(i64, ProductId)>>,
    /// By language: where words stand.
    words: BTreeMap<TextLanguage, BTreeMap<Box<str>, Places>>,
}

/// A product's slug in use by language.
type Slugs = BTreeMap<TextLanguage, String>;
/// Products that a word stands in, with its best weight there.
type Places = HashMap<ProductId, u8>;

#[derive(Clone, Debug)]
struct Entry {
    /// Without descriptions, which documents have.
    product: Arc<Product>,
    variants: Arc<Vec<Variant>>,
    slugs: Arc<Slugs>,
    live: Arc<LiveItem>,
    /// Grows when something but the live values was read anew.
    revision: u64,
    /// Its words by language, to take them out again.
    words: Arc<BTreeMap<TextLanguage, HashMap<Box<str>, u8>>>,
}

/// Weights of where a word stands.
const IN_TITLE: u8 = 12;
const IN_TITLE_END: u8 = 6;
const IN_LABEL: u8 = 4;
const IN_TEXT: u8 = 1;

impl Index {
    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        // A panic while writing leaves an index that the next write mends.
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Exchanges what all products share.
    pub fn set_shared(&self, shared: Arc<Shared>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).shared = shared;
    }

    /// What all products share.
    pub fn shared(&self) -> Arc<Shared> {
        self.read().shared.clone()
    }

    /// Puts products in, or in place of what was there.
    pub fn put(&self, records: &[(Record, Arc<LiveItem>)]) {
        let shared = self.shared();
        let entries: Vec<Entry> = records.iter().map(|(record, live)| Entry::new(record, live.clone(), &shared)).collect();
        let mut inner = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for entry in entries {
            inner.remove(entry.product.id);
            inner.insert(entry);
        }
    }

    /// Exchanges a product's live values alone.
    pub fn put_live(&self, live: Arc<LiveItem>) {
        if let Some(entry) = self.0.write().unwrap_or_else(PoisonError::into_inner).entries.get_mut(&live.product) {
            entry.live = live;
        }
    }

    /// Takes a product out.
    pub fn remove(&self, product: ProductId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(product);
    }

    /// The shelves that show a product now.
    pub fn shelves_of(&self, product: ProductId) -> Vec<ShelfKey> {
        self.read().entries.get(&product).filter(|entry| entry.product.is_shown()).map(|entry| shelves_of(&entry.product)).unwrap_or_default()
    }

    /// All shelves that have products, and all categories.
    pub fn shelves(&self) -> Vec<ShelfKey> {
        let inner = self.read();
        let categories: BTreeSet<&String> = inner.shared.categories.iter().map(|category| &category.key).chain(inner.categories.keys()).collect();
        let tags: BTreeSet<&String> = inner.tags.keys().collect();
        let categories = categories.into_iter().cloned().map(ShelfKey::Category);
        [ShelfKey::All].into_iter().chain(categories).chain(tags.into_iter().cloned().map(ShelfKey::Tag)).collect()
    }

    /// The shelf itself; `None` when there is no such shelf.
    pub fn shelf(&self, key: &ShelfKey, language: TextLanguage) -> Option<Shelf> {
        self.read().shelf(key, language)
    }

    /// How many pages a shelf has, at least one, and how many products; `None` when there is no such shelf.
    pub fn size(&self, key: &ShelfKey) -> Option<(usize, usize)> {
        let inner = self.read();
        inner.shelf(key, TextLanguage::EnUs)?;
        let total = inner.on_shelf(key).count();
        Some((total.div_ceil(CARDS_A_PAGE).max(1), total))
    }

    /// A figure for each page of a shelf that changes when a card on it may have changed.
    pub fn prints(&self, key: &ShelfKey) -> Vec<u64> {
        let inner = self.read();
        let ids: Vec<ProductId> = inner.on_shelf(key).map(|(_, id)| *id).collect();
        let print = |page: &[ProductId]| {
            let mut hasher = DefaultHasher::new();
            for id in page {
                (id, inner.entries.get(id).map(|entry| entry.revision)).hash(&mut hasher);
            }
            hasher.finish()
        };
        if ids.is_empty() { vec![print(&[])] } else { ids.chunks(CARDS_A_PAGE).map(print).collect() }
    }

    /// The cards of one page of a shelf in its default order, from 0.
    pub fn page(&self, key: &ShelfKey, language: TextLanguage, page: usize) -> Vec<Card> {
        let inner = self.read();
        inner.on_shelf(key).skip(page * CARDS_A_PAGE).take(CARDS_A_PAGE).filter_map(|(_, id)| inner.card(*id, language)).collect()
    }

    /// The first cards of a shelf.
    pub fn first_cards(&self, key: &ShelfKey, language: TextLanguage, count: usize) -> Vec<Card> {
        let inner = self.read();
        inner.on_shelf(key).take(count).filter_map(|(_, id)| inner.card(*id, language)).collect()
    }

    /// A product by its handle, as a page's block names it: slug and picture of one value and view.
    pub fn by_handle(&self, handle: &str) -> Option<(Arc<Product>, Arc<Slugs>)> {
        let inner = self.read();
        let entry = inner.entries.values().find(|entry| entry.product.handle == handle && entry.product.is_shown())?;
        Some((entry.product.clone(), entry.slugs.clone()))
    }

    /// How many products are shown.
    pub fn count(&self) -> u32 {
        number(self.read().order.len())
    }

    /// What goes with a product: most shared tags first, other categories before its own, then the shop's order.
    pub fn goes_with(&self, product: &Product) -> Vec<ProductId> {
        let inner = self.read();
        let mut scores: HashMap<(i64, ProductId), i64> = HashMap::new();
        for tag in &product.tags {
            // A tag that a thousand products have says little, and reading it for each of them would take long.
            for key in inner.tags.get(tag).into_iter().flatten().take(GOES_WITH_CANDIDATES) {
                if key.1 != product.id {
                    *scores.entry(*key).or_default() += 2;
                }
            }
        }
        let mut ranked: Vec<((i64, ProductId), i64)> = scores
            .into_iter()
            .map(|(key, score)| {
                let elsewhere = inner.entries.get(&key.1).is_some_and(|entry| entry.product.category != product.category);
                (key, score + i64::from(elsewhere))
            })
            .collect();
        ranked.sort_by_key(|((position, id), score)| (-score, *position, *id));
        ranked.into_iter().take(GOES_WITH).map(|((_, id), _)| id).collect()
    }
}

/// How many products go with one, and how many of each tag are looked at.
const GOES_WITH: usize = 8;
const GOES_WITH_CANDIDATES: usize = 200;

pub(crate) fn shelves_of(product: &Product) -> Vec<ShelfKey> {
    let category = product.category.clone().map(ShelfKey::Category);
    [ShelfKey::All].into_iter().chain(category).chain(product.tags.iter().cloned().map(ShelfKey::Tag)).collect()
}

pub(crate) fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl Inner {
    fn insert(&mut self, entry: Entry) {
        let (product, id) = (entry.product.clone(), entry.product.id);
        if product.is_shown() {
            let key = (product.position, id);
            self.order.insert(key);
            if let Some(category) = &product.category {
                self.categories.entry(category.clone()).or_default().insert(key);
            }
            for tag in &product.tags {
                self.tags.entry(tag.clone()).or_default().insert(key);
            }
            for (language, words) in &*entry.words {
                let index = self.words.entry(*language).or_default();
                for (word, weight) in words {
                    index.entry(word.clone()).or_default().insert(id, *weight);
                }
            }
        }
        self.entries.insert(id, entry);
    }

    fn remove(&mut self, id: ProductId) {
        let Some(entry) = self.entries.remove(&id) else { return };
        let key = (entry.product.position, id);
        self.order.remove(&key);
        if let Some(on_shelf) = entry.product.category.as_ref().and_then(|category| self.categories.get_mut(category)) {
            on_shelf.remove(&key);
        }
        for tag in &entry.product.tags {
            if let Some(on_shelf) = self.tags.get_mut(tag) {
                on_shelf.remove(&key);
                if on_shelf.is_empty() {
                    self.tags.remove(tag);
                }
            }
        }
        for (language, words) in &*entry.words {
            let Some(index) = self.words.get_mut(language) else { continue };
            for word in words.keys() {
                if let Some(places) = index.get_mut(word) {
                    places.remove(&id);
                    if places.is_empty() {
                        index.remove(word);
                    }
                }
            }
        }
    }

    fn on_shelf(&self, key: &ShelfKey) -> impl Iterator<Item = &(i64, ProductId)> {
        match key {
            ShelfKey::All => Some(&self.order),
            ShelfKey::Category(category) => self.categories.get(category),
            ShelfKey::Tag(tag) => self.tags.get(tag),
        }
        .into_iter()
        .flatten()
    }

    fn shelf(&self, key: &ShelfKey, language: TextLanguage) -> Option<Shelf> {
        let count = number(self.on_shelf(key).count());
        let slugs = &self.shared.shelf_slugs;
        let shelf = match key {
            ShelfKey::All => bare_shelf("all", "all".to_owned(), ALL[language as usize].to_owned()),
            ShelfKey::Category(key) => documents::category_shelf(self.shared.category(key)?, slugs.slug_of("category", language, key), language),
            ShelfKey::Tag(key) if count > 0 => match self.shared.tags.get(key) {
                Some(tag) => Shelf {
                    description: text(&tag.descriptions, language),
                    seo_description: text(&tag.descriptions, language),
                    ..bare_shelf(key, slugs.slug_of("tag", language, key), text(&tag.titles, language))
                },
                None => bare_shelf(key, key.clone(), key.clone()),
            },
            ShelfKey::Tag(_) => return None,
        };
        let seo_title = if shelf.seo_title.is_empty() { shelf.title.clone() } else { shelf.seo_title };
        Some(Shelf { count, seo_title, ..shelf })
    }

    fn card(&self, id: ProductId, language: TextLanguage) -> Option<Card> {
        let entry = self.entries.get(&id)?;
        Some(documents::card(&entry.product, &entry.slugs, &entry.variants, language))
    }
}

/// The title of the shelf with everything, in the order of [`TextLanguage`].
const ALL: [&str; 6] = ["Everything", "Everything", "Alles", "Tout", "すべての商品", "전체 상품"];

impl Entry {
    fn new(record: &Record, live: Arc<LiveItem>, shared: &Shared) -> Self {
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
    let lines = [&texts.details, &texts.materials]
        .into_iter()
        .flat_map(|lines| crate::catalog::product::pick(lines, language).into_iter().flatten().cloned());
    let html = text(&texts.description_html, language).replace('<', " <");
    let plain: String = html.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect();
    for text in lines.chain([text(&texts.summary, language), plain]) {
        for word in words::index_words(&text) {
            add(&word, IN_TEXT);
        }
    }
    words
}

/// When an index was asked.
#[derive(Clone, Copy, Debug)]
struct AsOf {
    language: TextLanguage,
    market: domain::market::MarketCode,
    now: Instant,
}
