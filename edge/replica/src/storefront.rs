//! The Storefront over the items of a table: documents by key, lists by whoever computes them.

use crate::{
    hot::Hot,
    keys,
    stored::{HelpDocument, ProductItem, ShelfHead, ShelfSlugs, SlugItem},
};
use app::ports::storefront::{Facets, Found, Help, ListingQuery, ReadError, ShelfKey, Storefront, View};
use async_trait::async_trait;
use domain::{
    ProductId,
    catalog::{Card, ListingPage, ProductDocument, ShopDocument},
    live::LiveItem,
    locale::TextLanguage,
    market::{Market, MarketCode},
    page::PageDocument,
};
use serde::de::DeserializeOwned;
use std::{collections::HashMap, sync::Arc};

/// Most products asked for at once.
const PRODUCTS_MAX: usize = 100;

/// An item's partition and sort key.
pub type Key = (String, String);

/// A table's items, wherever it is. Implementations give each read a deadline.
#[async_trait]
pub trait Items: Send + Sync {
    /// The bodies of items, as JSON, in any order with their keys; what is missing is left out.
    async fn get(&self, keys: &[Key]) -> Result<Vec<(Key, String)>, ReadError>;
}

/// Whoever computes lists: the index at the origin, or the origin for an edge.
#[async_trait]
pub trait Lists: Send + Sync {
    /// A list whose shelf, if it names one, is named by its key.
    async fn query(&self, view: &View, query: &ListingQuery) -> Result<Found<(ListingPage, Facets)>, ReadError>;
}

/// The public catalogue, read from a replica of the read model.
#[derive(Clone)]
pub struct Replica {
    items: Arc<dyn Items>,
    lists: Arc<dyn Lists>,
    hot: Arc<Hot>,
}

impl Replica {
    pub fn new(items: Arc<dyn Items>, lists: Arc<dyn Lists>, hot: Arc<Hot>) -> Self {
        Self { items, lists, hot }
    }

    async fn read<T: DeserializeOwned>(&self, keys: &[Key]) -> Result<HashMap<Key, T>, ReadError> {
        let read = |(key, body): (Key, String)| match serde_json::from_str(&body) {
            Ok(value) => Ok((key, value)),
            Err(error) => Err(ReadError(format!("the item {} {} is no {}: {error}", key.0, key.1, std::any::type_name::<T>()))),
        };
        self.items.get(keys).await?.into_iter().map(read).collect()
    }

    /// One document, at most a second old.
    async fn document<T: DeserializeOwned + Send + Sync + 'static>(&self, pk: String, sk: String) -> Result<Option<Arc<T>>, ReadError> {
        let key = (pk, sk);
        if let Some(known) = self.hot.document(&key) {
            return Ok(known);
        }
        let document = self.read::<T>(std::slice::from_ref(&key)).await?.remove(&key).map(Arc::new);
        self.hot.put_document(key, document.clone());
        Ok(document)
    }

    /// Many documents of products, at most a second old.
    async fn documents(&self, language: TextLanguage, products: &[ProductId]) -> Result<HashMap<ProductId, Arc<ProductItem>>, ReadError> {
        let mut found = HashMap::with_capacity(products.len());
        let mut missing = Vec::new();
        for product in products {
            let key = (keys::product(*product), keys::document(language));
            match self.hot.document::<ProductItem>(&key) {
                Some(known) => found.extend(known.map(|item| (*product, item))),
                None => missing.push((*product, key)),
            }
        }
        if !missing.is_empty() {
            let keys: Vec<_> = missing.iter().map(|(_, key)| key.clone()).collect();
            let mut read = self.read::<ProductItem>(&keys).await?;
            for (product, key) in missing {
                let item = read.remove(&key).map(Arc::new);
                self.hot.put_document(key, item.clone());
                found.extend(item.map(|item| (product, item)));
            }
        }
        Ok(found)
    }

    /// A shelf's key by its slug: `Err` with the slug in use when it has moved.
    async fn shelf_key(&self, language: TextLanguage, shelf: &ShelfKey) -> Result<Result<ShelfKey, String>, ReadError> {
        let (kind, slug) = match shelf {
            ShelfKey::All => return Ok(Ok(ShelfKey::All)),
            ShelfKey::Category(slug) => ("category", slug),
            ShelfKey::Tag(slug) => ("tag", slug),
        };
        let slugs = self.document::<ShelfSlugs>(keys::SLUGS.to_owned(), keys::ONLY.to_owned()).await?.unwrap_or_default();
        let (key, moved) = slugs.resolve(kind, language, slug);
        Ok(match (moved, shelf) {
            (Some(slug), _) => Err(slug),
            (None, ShelfKey::Category(_)) => Ok(ShelfKey::Category(key)),
            (None, _) => Ok(ShelfKey::Tag(key)),
        })
    }
}

#[async_trait]
impl Storefront for Replica {
    async fn shop(&self, language: TextLanguage) -> Result<Arc<ShopDocument>, ReadError> {
        self.document(keys::SHOP.to_owned(), language.key().to_owned()).await?.ok_or_else(|| ReadError("the read model has no shop yet".to_owned()))
    }

    async fn product(&self, language: TextLanguage, slug: &str) -> Result<Found<Arc<ProductDocument>>, ReadError> {
        let Some(item) = self.document::<SlugItem>(keys::slug(slug), keys::ONLY.to_owned()).await? else { return Ok(Found::Missing) };
        let own = item.targets.get(&language);
        let Some(target) = own.or_else(|| item.targets.values().next()).copied() else { return Ok(Found::Missing) };
        let found = self.documents(language, &[target.product]).await?;
        let Some(found) = found.get(&target.product) else { return Ok(Found::Missing) };
        Ok(match &**found {
            ProductItem::Gone => Found::Gone,
            ProductItem::Hidden => Found::Missing,
            ProductItem::Shown(document) if own.is_some_and(|own| own.current) || document.slug() == slug => {
                Found::Here(Arc::new((**document).clone()))
            }
            ProductItem::Shown(document) => Found::Moved(document.slug().to_owned()),
        })
    }

    async fn listing(&self, language: TextLanguage, market: MarketCode, shelf: &ShelfKey, page: u32) -> Result<Found<Arc<ListingPage>>, ReadError> {
        let key = match self.shelf_key(language, shelf).await? {
            Ok(key) => key,
            Err(slug) => return Ok(Found::Moved(slug)),
        };
        let (pk, page) = (keys::listing(&key), page.max(1));
        let Some(head) = self.document::<ShelfHead>(pk.clone(), keys::head(language)).await? else { return Ok(Found::Missing) };
        let pages = head.pages_in(market);
        if page > pages {
            return Ok(Found::Missing);
        }
        let cards = self.document::<Vec<Card>>(pk, keys::page(language, head.pages_of(market), page)).await?;
        let total = head.shelf.count_in(market);
        let listing = |cards: &Vec<Card>| ListingPage { shelf: head.shelf.clone(), page, pages, total, cards: cards.clone(), good_until: None };
        Ok(cards.map_or(Found::Missing, |cards| Found::Here(Arc::new(listing(&cards)))))
    }

    async fn cards(&self, language: TextLanguage, products: &[ProductId]) -> Result<Vec<Card>, ReadError> {
        let products = &products[..products.len().min(PRODUCTS_MAX)];
        let found = self.documents(language, products).await?;
        let shown = |product: &ProductId| match &**found.get(product)? {
            ProductItem::Shown(document) => Some(document.card()),
            _ => None,
        };
        Ok(products.iter().filter_map(shown).collect())
    }

    fn forget(&self) {
        self.hot.forget_documents();
    }

    async fn live(&self, products: &[ProductId]) -> Result<Vec<Arc<LiveItem>>, ReadError> {
        let products = &products[..products.len().min(PRODUCTS_MAX)];
        let mut found = Vec::with_capacity(products.len());
        let mut missing = Vec::new();
        for product in products {
            match self.hot.live(*product) {
                Some(live) => found.push(live),
                None => missing.push((keys::product(*product), keys::LIVE.to_owned())),
            }
        }
        if !missing.is_empty() {
            for live in self.read::<LiveItem>(&missing).await?.into_values() {
                let live = Arc::new(live);
                self.hot.put_live(live.clone());
                found.push(live);
            }
        }
        Ok(found)
    }

    async fn page(&self, language: TextLanguage, slug: &str) -> Result<Found<Arc<PageDocument>>, ReadError> {
        Ok(self.document(keys::blocks(slug), language.key().to_owned()).await?.map_or(Found::Missing, Found::Here))
    }

    async fn help(&self, language: TextLanguage, market: &Market, slug: &str) -> Result<Found<Arc<Help>>, ReadError> {
        let document = self.document::<HelpDocument>(keys::help(slug), language.key().to_owned()).await?;
        Ok(document.map_or(Found::Missing, |document| Found::Here(Arc::new(document.for_market(language, market)))))
    }

    async fn query(&self, view: &View, query: &ListingQuery) -> Result<Found<(ListingPage, Facets)>, ReadError> {
        let shelf = match &query.shelf {
            None => None,
            Some(shelf) => match self.shelf_key(view.text(), shelf).await? {
                Ok(key) => Some(key),
                Err(slug) => return Ok(Found::Moved(slug)),
            },
        };
        let mut query = ListingQuery { shelf, ..query.clone() };
        if let Some(text) = &mut query.text {
            *text = text.chars().take(ListingQuery::TEXT_CHARS_MAX).collect();
        }
        self.lists.query(view, &query).await
    }
}
