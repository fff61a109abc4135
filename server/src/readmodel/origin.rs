//! The Storefront over the table, at the origin: documents by key, lists by the index.

use crate::{
    dynamo::Table,
    readmodel::{
        documents,
        hot::Hot,
        keys,
        pages::HelpDocument,
        stored::{ProductItem, ShelfHead, ShelfSlugs, SlugItem},
    },
    search::Index,
};
use app::ports::storefront::{Facets, Found, Help, ListingQuery, ReadError, ShelfKey, Storefront, View};
use async_trait::async_trait;
use domain::{
    ProductId,
    catalog::{Card, ListingPage, ProductDocument, Shelf, ShopDocument},
    live::LiveItem,
    locale::TextLanguage,
    market::{Market, MarketCode},
    page::PageDocument,
};
use serde::de::DeserializeOwned;
use std::{collections::HashMap, sync::Arc, time::Duration};

/// How long a page waits for the table before it says that it cannot be shown.
const READ_MS_MAX: u64 = 2_000;
/// Most products asked for at once.
const PRODUCTS_MAX: usize = 100;

/// The public catalogue at the origin.
#[derive(Clone)]
pub struct Origin {
    table: Table,
    index: Arc<Index>,
    hot: Arc<Hot>,
}

impl Origin {
    pub fn new(table: Table, index: Arc<Index>, hot: Arc<Hot>) -> Self {
        Self { table, index, hot }
    }

    /// One document, at most a second old.
    async fn document<T: DeserializeOwned + Send + Sync + 'static>(&self, pk: String, sk: String) -> Result<Option<Arc<T>>, ReadError> {
        let key = (pk, sk);
        if let Some(known) = self.hot.document(&key) {
            return Ok(known);
        }
        let found = within(self.table.batch_get::<T>(std::slice::from_ref(&key))).await?;
        let document = found.into_iter().next().map(|(_, item)| Arc::new(item.body));
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
            let mut read: HashMap<_, _> = within(self.table.batch_get::<ProductItem>(&keys)).await?.into_iter().collect();
            for (product, key) in missing {
                let item = read.remove(&key).map(|item| Arc::new(item.body));
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

/// Gives a read its deadline, and its failure a form that a page can bear.
async fn within<T>(read: impl Future<Output = anyhow::Result<T>>) -> Result<T, ReadError> {
    match tokio::time::timeout(Duration::from_millis(READ_MS_MAX), read).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(ReadError(format!("{error:#}"))),
        Err(_) => Err(ReadError(format!("no answer within {READ_MS_MAX} ms"))),
    }
}

#[async_trait]
impl Storefront for Origin {
    async fn shop(&self, language: TextLanguage) -> Result<Arc<ShopDocument>, ReadError> {
        self.document("shop".to_owned(), language.key().to_owned()).await?.ok_or_else(|| ReadError("the read model has no shop yet".to_owned()))
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
        let listing = |cards: &Vec<Card>| ListingPage { shelf: head.shelf.clone(), page, pages, total, cards: cards.clone() };
        Ok(cards.map_or(Found::Missing, |cards| Found::Here(Arc::new(listing(&cards)))))
    }

    async fn cards(&self, language: TextLanguage, products: &[ProductId]) -> Result<Vec<Card>, ReadError> {
        let products = &products[..products.len().min(PRODUCTS_MAX)];
        let found = self.documents(language, products).await?;
        let shown = |product: &ProductId| match &**found.get(product)? {
            ProductItem::Shown(document) => Some(documents::card_of(document)),
            _ => None,
        };
        Ok(products.iter().filter_map(shown).collect())
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
            for (_, item) in within(self.table.batch_get::<LiveItem>(&missing)).await? {
                let live = Arc::new(item.body);
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
        Ok(self.index.query(view, &query).map_or(Found::Missing, Found::Here))
    }

    async fn shelf(&self, language: TextLanguage, shelf: &ShelfKey) -> Result<Found<Shelf>, ReadError> {
        Ok(match self.shelf_key(language, shelf).await? {
            Err(slug) => Found::Moved(slug),
            Ok(key) => self.index.shelf(&key, language).map_or(Found::Missing, Found::Here),
        })
    }
}
