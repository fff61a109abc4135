//! Computed lists: search, filters and sorting over an index in memory that is rebuilt from the catalogue and kept fresh by the projector.
//! It knows texts, offers and availability; documents are the read model's business.

mod entry;
mod query;
mod words;

use entry::{Entry, Places, Slugs};
pub(crate) use words::fold;

use crate::{
    catalog::product::{Product, text},
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
    market::MarketCode,
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
    pub fn put(&self, records: &[(Record, Arc<LiveItem>)], now: Instant) {
        let shared = self.shared();
        let entries: Vec<Entry> = records.iter().map(|(record, live)| Entry::new(record, live.clone(), &shared, now)).collect();
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

    /// Whether other markets sell the product than when it was read whole: then its cards and its shelves are others, too.
    pub fn sells_elsewhere(&self, live: &LiveItem, now: Instant) -> bool {
        let inner = self.read();
        inner.entries.get(&live.product).is_some_and(|entry| *entry.unsold != live.unsold(&inner.shared.markets, now))
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

    /// A figure for each page of a shelf, as one market or as a market that sells everything has it, that changes when a card on it
    /// may have changed. A shelf without products has one page.
    pub fn prints(&self, key: &ShelfKey, market: Option<MarketCode>) -> Vec<u64> {
        let inner = self.read();
        let ids: Vec<ProductId> = inner.sold(key, market).collect();
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
    pub fn page(&self, key: &ShelfKey, market: Option<MarketCode>, language: TextLanguage, page: usize) -> Vec<Card> {
        let inner = self.read();
        inner.sold(key, market).skip(page * CARDS_A_PAGE).take(CARDS_A_PAGE).filter_map(|id| inner.card(id, language)).collect()
    }

    /// The first cards of a shelf: as many as it takes for every market to have `count` that it sells, as far as there are so many.
    pub fn first_cards(&self, key: &ShelfKey, language: TextLanguage, count: usize) -> Vec<Card> {
        let inner = self.read();
        let mut taken: BTreeSet<(i64, ProductId)> = BTreeSet::new();
        for market in std::iter::once(None).chain(inner.shared.markets.iter().map(|market| Some(market.code))) {
            taken.extend(inner.on_shelf(key).filter(|(_, id)| inner.is_sold(*id, market)).take(count));
        }
        taken.into_iter().filter_map(|(_, id)| inner.card(id, language)).collect()
    }

    /// The card of a product by its handle, as a page's block names it.
    pub fn card_by_handle(&self, handle: &str, language: TextLanguage) -> Option<Card> {
        let inner = self.read();
        let id = inner.entries.values().find(|entry| entry.product.handle == handle && entry.product.is_shown())?.product.id;
        inner.card(id, language)
    }

    /// A product by its handle, as a page's block names it: slug and picture of one value and view.
    pub fn by_handle(&self, handle: &str) -> Option<(Arc<Product>, Arc<Slugs>)> {
        let inner = self.read();
        let entry = inner.entries.values().find(|entry| entry.product.handle == handle && entry.product.is_shown())?;
        Some((entry.product.clone(), entry.slugs.clone()))
    }

    /// How many products are shown, and in each market that does not sell all of them.
    pub fn count(&self) -> (u32, BTreeMap<MarketCode, u32>) {
        self.read().count(&ShelfKey::All)
    }

    /// The tags that the shop has words for and products with.
    pub fn tags(&self, language: TextLanguage) -> Vec<Shelf> {
        let inner = self.read();
        let known: BTreeSet<&String> = inner.tags.keys().filter(|key| inner.shared.tags.contains_key(*key)).collect();
        known.into_iter().filter_map(|key| inner.shelf(&ShelfKey::Tag(key.clone()), language)).collect()
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

    fn is_sold(&self, id: ProductId, market: Option<MarketCode>) -> bool {
        market.is_none_or(|market| self.entries.get(&id).is_some_and(|entry| !entry.unsold.contains(&market)))
    }

    /// What of a shelf a market sells.
    fn sold(&self, key: &ShelfKey, market: Option<MarketCode>) -> impl Iterator<Item = ProductId> {
        self.on_shelf(key).map(|(_, id)| *id).filter(move |id| self.is_sold(*id, market))
    }

    /// How many products are on a shelf, and in each market that does not sell all of them.
    fn count(&self, key: &ShelfKey) -> (u32, BTreeMap<MarketCode, u32>) {
        let mut total = 0;
        let mut unsold: BTreeMap<MarketCode, u32> = BTreeMap::new();
        for (_, id) in self.on_shelf(key) {
            total += 1;
            for market in self.entries.get(id).iter().flat_map(|entry| entry.unsold.iter()) {
                *unsold.entry(*market).or_default() += 1;
            }
        }
        (total, unsold.into_iter().map(|(market, missing)| (market, total - missing)).collect())
    }

    fn shelf(&self, key: &ShelfKey, language: TextLanguage) -> Option<Shelf> {
        let (count, counts) = self.count(key);
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
        Some(Shelf { count, counts, seo_title, ..shelf })
    }

    fn card(&self, id: ProductId, language: TextLanguage) -> Option<Card> {
        let entry = self.entries.get(&id)?;
        let card = documents::card(&entry.product, &entry.slugs, &entry.variants, language);
        Some(Card { unsold: (*entry.unsold).clone(), ..card })
    }
}

/// The title of the shelf with everything, in the order of [`TextLanguage`].
const ALL: [&str; 6] = ["Everything", "Everything", "Alles", "Tout", "すべての商品", "전체 상품"];

/// When an index was asked.
#[derive(Clone, Copy, Debug)]
struct AsOf {
    language: TextLanguage,
    market: MarketCode,
    now: Instant,
}
