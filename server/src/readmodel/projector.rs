//! The projector: the only writer of the read model. It reads what is true now, never what an event says, so that an event may come
//! twice, late or out of order; a version taken before the read makes the newest read win.

use crate::{
    catalog::{demo, help::HelpTexts, product::SlugKind, shelves},
    clock::Clock,
    dynamo::{Item, Table},
    events::{self, Consumer, Envelope},
    params,
    readmodel::{
        documents,
        hot::Hot,
        keys,
        pages::{HelpDocument, PageTexts},
        records::{self, Record, Shared},
        stored::{ProductItem, SlugItem, SlugTarget},
    },
    search::{Index, shelves_of},
    sql::Db,
};
use anyhow::Context as _;
use app::ports::storefront::ShelfKey;
use async_trait::async_trait;
use domain::{
    EventId, ProductId,
    catalog::{Promises, ShopDocument},
    event::Event,
    live::LiveItem,
    locale::TextLanguage,
    market::MarketCode,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Arc, Mutex, PoisonError},
};

/// Follows the catalogue's events.
pub struct Projector {
    db: Db,
    table: Table,
    clock: Clock,
    index: Arc<Index>,
    hot: Arc<Hot>,
    pictures: BTreeMap<String, demo::Sizes>,
    /// Hashes of shelf pages and the like as last written, so that only what differs is written again.
    written: Mutex<HashMap<(String, String), u64>>,
    /// Events that were waiting when everything was projected anyway.
    known: Mutex<HashSet<EventId>>,
    /// One batch or rebuild at a time.
    turn: tokio::sync::Mutex<()>,
}

impl Projector {
    pub fn new(db: Db, table: Table, clock: Clock, index: Arc<Index>, hot: Arc<Hot>) -> anyhow::Result<Self> {
        Ok(Self {
            db,
            table,
            clock,
            index,
            hot,
            pictures: demo::pictures()?,
            written: Mutex::default(),
            known: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        })
    }

    /// Reads the catalogue into the index, and writes the whole read model when the table has none.
    pub async fn start(&self) -> anyhow::Result<()> {
        // A document that this release cannot read counts as none.
        let shop = self.table.get::<serde_json::Value>("shop", TextLanguage::EnUs.key()).await?;
        let empty = shop.is_none_or(|shop| serde_json::from_value::<ShopDocument>(shop.body).is_err());
        self.everything(empty).await
    }

    /// Writes the whole read model anew.
    pub async fn rebuild(&self) -> anyhow::Result<()> {
        self.everything(true).await
    }

    async fn everything(&self, write: bool) -> anyhow::Result<()> {
        let _turn = self.turn.lock().await;
        let version = self.version();
        let waiting = self.db.all("SELECT id FROM outbox WHERE delivered_at IS NULL", params![]).await?;
        let waiting = waiting.iter().map(|row| row.parse("id")).collect::<anyhow::Result<HashSet<EventId>>>()?;
        let now = self.clock.now();
        let shared = Arc::new(Shared::load(&self.db, now).await?);
        self.index.set_shared(shared.clone());
        let mut after = None;
        while let Some((first, last)) = records::next_range(&self.db, after).await? {
            let records = records::load(&self.db, first, last, now).await?;
            let records: Vec<_> =
                records.into_iter().map(|record| (record.live(&shared.markets, version, now), record)).map(|(l, r)| (r, l)).collect();
            self.index.put(&records);
            after = Some(last);
        }
        if !write {
            return Ok(());
        }
        // A second pass: what goes with a product is known when all are.
        let mut after = None;
        while let Some((first, last)) = records::next_range(&self.db, after).await? {
            let records = records::load(&self.db, first, last, now).await?;
            let mut items = Vec::new();
            for record in &records {
                let live = record.live(&shared.markets, version, now);
                items.extend(self.product_items(record, &live, version, &shared).await?);
            }
            self.table.fill(items).await?;
            after = Some(last);
        }
        self.written().clear();
        self.write_shelves(&self.index.shelves(), version).await?;
        self.write_shop(version, &shared).await?;
        self.write_pages(version).await?;
        self.hot.clear();
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = waiting;
        Ok(())
    }

    fn version(&self) -> u64 {
        u64::try_from(events::stamp(self.clock.now())).unwrap_or(0)
    }

    fn written(&self) -> std::sync::MutexGuard<'_, HashMap<(String, String), u64>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All items of one product.
    async fn product_items(&self, record: &Record, live: &LiveItem, version: u64, shared: &Shared) -> anyhow::Result<Vec<Item>> {
        let id = record.product.id;
        let goes_with = self.index.goes_with(&record.product);
        let mut items = vec![Item::new(keys::product(id), keys::LIVE, version, live)?];
        for language in TextLanguage::ALL {
            let body = if record.product.is_shown() {
                ProductItem::Shown(Box::new(documents::document(record, language, version, shared, goes_with.clone())))
            } else if record.product.status == crate::catalog::product::Status::Archived {
                ProductItem::Gone
            } else {
                ProductItem::Hidden
            };
            items.push(Item::new(keys::product(id), keys::document(language), version, &body)?);
        }
        for slug in &record.slugs_ever {
            items.push(Item::new(keys::slug(slug), keys::ONLY, version, &self.slug_item(slug).await?)?);
        }
        Ok(items)
    }

    async fn slug_item(&self, slug: &str) -> anyhow::Result<SlugItem> {
        let rows = self
            .db
            .all("SELECT language, target, is_current FROM slugs WHERE kind = $1 AND slug = $2", params![SlugKind::Product.key(), slug])
            .await?;
        let mut targets = BTreeMap::new();
        for row in &rows {
            targets.insert(row.parse("language")?, SlugTarget { product: row.parse("target")?, current: row.flag("is_current")? });
        }
        Ok(SlugItem { targets })
    }

    /// Projects one product; the shelves that show it now or showed it before.
    async fn project(&self, id: ProductId, version: u64, documents_too: bool) -> anyhow::Result<Vec<ShelfKey>> {
        let now = self.clock.now();
        let shared = self.index.shared();
        let before = self.index.shelves_of(id);
        let Some(record) = records::load_one(&self.db, id, now).await? else { return Ok(vec![]) };
        let live = record.live(&shared.markets, version, now);
        if !documents_too {
            self.table.put_newer(&keys::product(id), keys::LIVE, version, &*live, None).await?;
            self.index.put_live(live.clone());
            self.hot.put_live(live);
            return Ok(vec![]);
        }
        let is_new = !self.index.contains(id);
        let items = self.product_items(&record, &live, version, &shared).await?;
        if is_new && self.table.is_embedded() {
            // Nobody else writes an embedded table, and one batch waits for the disk once.
            self.table.fill(items).await?;
        } else {
            self.table.put_all_newer(items).await?;
        }
        let after = if record.product.is_shown() { shelves_of(&record.product) } else { vec![] };
        let slugs = record.slugs_ever.clone();
        self.index.put(&[(record, live.clone())]);
        self.hot.forget_product(id, &slugs);
        self.hot.put_live(live);
        Ok(before.into_iter().chain(after).collect())
    }

    async fn write_shelves(&self, shelves: &[ShelfKey], version: u64) -> anyhow::Result<()> {
        let mut items = Vec::new();
        for shelf in shelves {
            let pk = keys::listing(shelf);
            for language in TextLanguage::ALL {
                let pages = self.index.pages(shelf, language);
                // Since a start nobody knows what was written before: the page after the last may be left from then.
                let unknown = !self.written().contains_key(&(pk.clone(), keys::page(language, 1)));
                for page in &pages {
                    self.add_if_changed(&mut items, &pk, keys::page(language, page.page), version, page)?;
                }
                // Pages that the shelf no longer reaches.
                for gone in pages.len() + 1.. {
                    let sk = keys::page(language, crate::search::number(gone));
                    let was_written = self.written().remove(&(pk.clone(), sk.clone())).is_some();
                    if !(was_written || unknown && gone == pages.len() + 1) {
                        break;
                    }
                    self.table.delete(&pk, &sk).await?;
                    self.hot.forget(&pk, &sk);
                }
            }
        }
        self.put(items).await
    }

    async fn write_shop(&self, version: u64, shared: &Shared) -> anyhow::Result<()> {
        let help = self.help_texts().await?;
        let promises = self.promises(&help, shared).await?;
        let mut items = Vec::new();
        for language in TextLanguage::ALL {
            let shelf = |key: &String| self.index.shelf(&ShelfKey::Category(key.clone()), language);
            let mut shop = ShopDocument {
                version: 0,
                language,
                markets: shared.markets.clone(),
                categories: shared.categories.iter().filter_map(|category| shelf(&category.key)).filter(|shelf| shelf.count > 0).collect(),
                help: help.iter().map(|page| (page.slug.clone(), crate::catalog::product::text(&page.title, language))).collect(),
                demo: shared.demo,
                products: self.index.count(),
                promises: promises.clone(),
            };
            if self.is_changed("shop", language.key(), &shop)? {
                shop.version = version;
                items.push(Item::new("shop", language.key(), version, &shop)?);
            }
        }
        self.add_if_changed(&mut items, keys::SLUGS, keys::ONLY.to_owned(), version, &shared.shelf_slugs)?;
        self.put(items).await
    }

    /// What each market promises with every product: from its delivery methods and its policy on returns.
    async fn promises(&self, help: &[HelpTexts], shared: &Shared) -> anyhow::Result<BTreeMap<MarketCode, Promises>> {
        let mut promises = BTreeMap::new();
        for market in &shared.markets {
            let methods = shelves::delivery_methods(&self.db, market, self.clock.now()).await?;
            let free_from = methods.iter().find(|method| method.code == "standard").and_then(|method| method.free_from).map(|from| from.minor);
            let return_days = help.iter().find_map(|page| page.return_days.get(&market.code)).copied().unwrap_or(0);
            promises.insert(market.code, Promises { free_from, return_days });
        }
        Ok(promises)
    }

    async fn help_texts(&self) -> anyhow::Result<Vec<HelpTexts>> {
        shelves::pages(&self.db, "help")
            .await?
            .iter()
            .map(|(slug, body)| serde_json::from_str(body).with_context(|| format!("help page {slug}")))
            .collect()
    }

    /// Help pages, and pages of blocks with the cards on them.
    async fn write_pages(&self, version: u64) -> anyhow::Result<()> {
        let mut items = Vec::new();
        for page in self.help_texts().await? {
            for language in TextLanguage::ALL {
                self.add_if_changed(&mut items, &keys::help(&page.slug), language.key().to_owned(), version, &HelpDocument::of(&page, language))?;
            }
        }
        let mut pages = shelves::pages(&self.db, "page").await?.iter().map(|(_, body)| PageTexts::read(body)).collect::<anyhow::Result<Vec<_>>>()?;
        if !pages.iter().any(|page| page.slug() == "home") {
            pages.push(PageTexts::plain_home());
        }
        for page in pages {
            for language in TextLanguage::ALL {
                let mut document = page.document(language, 0, &self.index, &self.pictures);
                if self.is_changed(&keys::blocks(page.slug()), language.key(), &document)? {
                    document.version = version;
                    items.push(Item::new(keys::blocks(page.slug()), language.key(), version, &document)?);
                }
            }
        }
        self.put(items).await
    }

    fn add_if_changed(&self, items: &mut Vec<Item>, pk: &str, sk: String, version: u64, body: &impl serde::Serialize) -> anyhow::Result<()> {
        if self.is_changed(pk, &sk, body)? {
            items.push(Item::new(pk, sk, version, body)?);
        }
        Ok(())
    }

    fn is_changed(&self, pk: &str, sk: &str, body: &impl serde::Serialize) -> anyhow::Result<bool> {
        let mut hasher = DefaultHasher::new();
        serde_json::to_string(body)?.hash(&mut hasher);
        let hash = hasher.finish();
        Ok(self.written().insert((pk.to_owned(), sk.to_owned()), hash) != Some(hash))
    }

    /// Writes what changed; when that fails, it counts as changed the next time too.
    async fn put(&self, items: Vec<Item>) -> anyhow::Result<()> {
        let outcome = if items.len() > 25 && self.table.is_embedded() {
            self.table.fill(items.clone()).await
        } else {
            self.table.put_all_newer(items.clone()).await
        };
        let mut written = self.written();
        for item in items {
            self.hot.forget(&item.pk, &item.sk);
            if outcome.is_err() {
                written.remove(&(item.pk, item.sk));
            }
        }
        outcome
    }

    async fn follow(&self, batch: &[Envelope]) -> anyhow::Result<Vec<(EventId, anyhow::Error)>> {
        let _turn = self.turn.lock().await;
        let version = self.version();
        let mut changed: BTreeMap<ProductId, bool> = BTreeMap::new();
        let mut shop_changed = false;
        for envelope in batch {
            if self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(&envelope.id) {
                continue;
            }
            match envelope.event {
                Event::ProductChanged { product } => {
                    changed.insert(product, true);
                }
                Event::PriceChanged { product, .. } | Event::StockChanged { product, .. } => {
                    changed.entry(product).or_insert(false);
                }
                Event::ShopChanged => shop_changed = true,
                _ => {}
            }
        }
        let documents_too = shop_changed || changed.values().any(|documents| *documents);
        if documents_too {
            self.index.set_shared(Arc::new(Shared::load(&self.db, self.clock.now()).await?));
        }
        let mut failed = Vec::new();
        let mut shelves: BTreeSet<String> = BTreeSet::new();
        let mut dirty = Vec::new();
        for (product, documents) in changed {
            match self.project(product, version, documents).await {
                Ok(touched) => dirty.extend(touched.into_iter().filter(|shelf| shelves.insert(keys::listing(shelf)))),
                Err(error) => {
                    let error = format!("{error:#}");
                    let of_product = |envelope: &&Envelope| envelope.aggregate == format!("product:{product}");
                    failed.extend(batch.iter().filter(of_product).map(|envelope| (envelope.id, anyhow::anyhow!("{error}"))));
                }
            }
        }
        if documents_too {
            if shop_changed {
                dirty = self.index.shelves();
            }
            self.write_shelves(&dirty, version).await?;
            self.write_shop(version, &self.index.shared()).await?;
            self.write_pages(version).await?;
        }
        Ok(failed)
    }
}

#[async_trait]
impl Consumer for Projector {
    fn name(&self) -> &'static str {
        "projector"
    }

    async fn consume(&self, envelope: &Envelope) -> anyhow::Result<()> {
        match self.follow(std::slice::from_ref(envelope)).await?.pop() {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }

    async fn consume_batch(&self, batch: &[Envelope]) -> Vec<(EventId, anyhow::Error)> {
        self.follow(batch).await.unwrap_or_else(|error| {
            // What all share could not be written: the batch comes again.
            let error = format!("{error:#}");
            batch.iter().map(|envelope| (envelope.id, anyhow::anyhow!("{error}"))).collect()
        })
    }
}
