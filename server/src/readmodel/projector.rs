//! The projector: the only writer of the read model. It reads what is true now, never what an event says, so that an event may come
//! twice, late or out of order; a version taken before the read makes the newest read win.

use crate::{
    catalog::{
        demo,
        product::{SlugKind, Status},
    },
    clock::Clock,
    dynamo::{Item, Table},
    events::{self, Consumer, Envelope},
    params,
    readmodel::{
        documents,
        records::{self, Record, Shared},
    },
    search::{Index, shelves_of},
    sql::Db,
};
use app::ports::storefront::ShelfKey;
use async_trait::async_trait;
use domain::{EventId, ProductId, event::Event, live::LiveItem, locale::TextLanguage, offer::Instant};
use edge_replica::{
    Hot, keys,
    stored::{ProductItem, SlugItem, SlugTarget},
};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

/// The form of the items; a table with another one is written anew.
const FORMAT: u32 = 5;

/// Products whose items are held at once: about 20 kB each.
const PRODUCTS_AT_ONCE: usize = 200;

/// By whom events are told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// By the outbox, to this process alone: it writes what they lead to.
    Here,
    /// To another process, which wrote the items of products. The index here, and the lists that come from it, follow.
    Elsewhere,
}

/// Follows the catalogue's events.
pub struct Projector {
    pub(super) db: Db,
    pub(super) table: Table,
    pub(super) clock: Clock,
    pub(super) index: Arc<Index>,
    pub(super) hot: Arc<Hot>,
    pub(super) pictures: BTreeMap<String, demo::Sizes>,
    /// Hashes of shelf pages and the like as last written, so that only what differs is written again.
    written: Mutex<HashMap<(String, String), u64>>,
    /// Shelves whose listings are still to be written: kept until that has succeeded.
    dirty: Mutex<BTreeMap<String, ShelfKey>>,
    /// Events that were waiting when everything was projected anyway.
    known: Mutex<HashSet<EventId>>,
    /// Events that were followed here, and when.
    pub(super) seen: Mutex<HashMap<EventId, Instant>>,
    /// When the last look at what others delivered began.
    pub(super) looked: AtomicI64,
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
            dirty: Mutex::default(),
            known: Mutex::default(),
            seen: Mutex::default(),
            looked: AtomicI64::default(),
            turn: tokio::sync::Mutex::default(),
        })
    }

    /// Reads the catalogue into the index, and writes the whole read model when the table has none.
    pub async fn start(&self) -> anyhow::Result<()> {
        let format = self.table.get::<u32>(keys::FORMAT, keys::ONLY).await?.map(|item| item.body);
        self.everything(format != Some(FORMAT)).await
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
        self.looked.store(now, Ordering::Relaxed);
        let shared = Arc::new(Shared::load(&self.db, now).await?);
        self.index.set_shared(shared.clone());
        let mut after = None;
        while let Some((first, last)) = records::next_range(&self.db, after).await? {
            let records = records::load(&self.db, first, last, now).await?;
            let records: Vec<_> =
                records.into_iter().map(|record| (record.live(&shared.markets, version, now), record)).map(|(l, r)| (r, l)).collect();
            self.index.put(&records, now);
            after = Some(last);
        }
        if !write {
            // What waits was committed while nobody looked; a product may have left a shelf that nothing names any more.
            if !waiting.is_empty() {
                self.mark(self.index.shelves());
                self.write_shared(version).await?;
            }
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
        self.mark(self.index.shelves());
        self.write_shared(version).await?;
        // Last: a stop halfway leaves a read model that the next start writes anew.
        self.table.fill(vec![Item::new(keys::FORMAT, keys::ONLY, version, &FORMAT)?]).await?;
        self.hot.clear();
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = waiting;
        Ok(())
    }

    fn version(&self) -> u64 {
        u64::try_from(events::stamp(self.clock.now())).unwrap_or(0)
    }

    pub(super) fn written(&self) -> std::sync::MutexGuard<'_, HashMap<(String, String), u64>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All items of one product. The last is the live one, which tells that the others are others now.
    async fn product_items(&self, record: &Record, live: &LiveItem, version: u64, shared: &Shared) -> anyhow::Result<Vec<Item>> {
        let id = record.product.id;
        let goes_with = self.index.goes_with(&record.product);
        let unsold = live.unsold(&shared.markets, self.clock.now());
        let mut items = Vec::new();
        for language in TextLanguage::ALL {
            let body = if record.product.is_shown() {
                ProductItem::Shown(Box::new(documents::document(record, language, version, shared, goes_with.clone(), unsold.clone())))
            } else if record.product.status == Status::Archived {
                ProductItem::Gone
            } else {
                ProductItem::Hidden
            };
            items.push(Item::new(keys::product(id), keys::document(language), version, &body)?);
        }
        for slug in &record.slugs_ever {
            items.push(Item::new(keys::slug(slug), keys::ONLY, version, &self.slug_item(slug).await?)?);
        }
        items.push(Item::new(keys::product(id), keys::LIVE, version, live)?);
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

    pub(super) async fn follow(&self, batch: &[Envelope], told: Told) -> anyhow::Result<Vec<(EventId, anyhow::Error)>> {
        let failed = self.project_batch(batch, told).await?;
        let now = self.clock.now();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.extend(batch.iter().map(|envelope| (envelope.id, now)));
        for (id, _) in &failed {
            seen.remove(id);
        }
        Ok(failed)
    }

    async fn project_batch(&self, batch: &[Envelope], told: Told) -> anyhow::Result<Vec<(EventId, anyhow::Error)>> {
        let _turn = self.turn.lock().await;
        let version = self.version();
        let mut changed: BTreeMap<ProductId, bool> = BTreeMap::new();
        let mut shop_changed = false;
        let mut locations: BTreeMap<&str, Vec<EventId>> = BTreeMap::new();
        for envelope in batch {
            if self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(&envelope.id) {
                continue;
            }
            match &envelope.event {
                Event::ProductChanged { product } => {
                    changed.insert(*product, true);
                }
                Event::PriceChanged { product, .. } | Event::StockChanged { product, .. } => {
                    changed.entry(*product).or_insert(false);
                }
                Event::LocationChanged { location } => locations.entry(location).or_default().push(envelope.id),
                Event::ShopChanged => shop_changed = true,
                _ => {}
            }
        }
        let documents_too = shop_changed || changed.values().any(|documents| *documents);
        if documents_too {
            self.index.set_shared(Arc::new(Shared::load(&self.db, self.clock.now()).await?));
        }
        let mut failed: Vec<(ProductId, anyhow::Error)> = Vec::new();
        let mut moved = self.project(&changed, version, told, &mut failed).await;
        let mut not_told = Vec::new();
        for (location, events) in locations {
            match self.project_location(location, version, told).await {
                Ok(also_moved) => moved |= also_moved,
                Err(error) => not_told.extend(events.into_iter().map(|id| (id, anyhow::anyhow!("{error:#}")))),
            }
        }
        if documents_too || moved {
            if shop_changed {
                self.mark(self.index.shelves());
            }
            self.write_shared(version).await?;
        }
        let events_of = |product: ProductId| batch.iter().filter(move |envelope| envelope.aggregate == format!("product:{product}"));
        let told = failed.iter().flat_map(|(product, error)| events_of(*product).map(move |envelope| (envelope.id, anyhow::anyhow!("{error:#}"))));
        Ok(told.chain(not_told).collect())
    }

    /// Projects everything that lies at a location, some products at a time.
    async fn project_location(&self, location: &str, version: u64, told: Told) -> anyhow::Result<bool> {
        let (mut moved, mut failed, mut after) = (false, Vec::new(), None);
        loop {
            let products = records::next_at(&self.db, location, after).await?;
            let Some(last) = products.last() else { break };
            after = Some(*last);
            moved |= self.project(&products.into_iter().map(|product| (product, false)).collect(), version, told, &mut failed).await;
        }
        failed.pop().map_or(Ok(moved), |(product, error)| Err(error.context(format!("product {product}"))))
    }

    fn mark(&self, shelves: Vec<ShelfKey>) {
        let mut dirty = self.dirty.lock().unwrap_or_else(PoisonError::into_inner);
        dirty.extend(shelves.into_iter().map(|shelf| (keys::listing(&shelf), shelf)));
    }

    /// Writes what products share, as far as it changed.
    async fn write_shared(&self, version: u64) -> anyhow::Result<()> {
        let dirty: Vec<ShelfKey> = self.dirty.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        self.write_shelves(&dirty, version).await?;
        self.write_shop(version, &self.index.shared()).await?;
        self.write_pages(version).await?;
        // One batch at a time: nothing was marked meanwhile.
        self.dirty.lock().unwrap_or_else(PoisonError::into_inner).clear();
        Ok(())
    }

    /// Projects products, and marks the shelves that show them now or showed them before. One that fails does not keep the others.
    /// Whether a price that came or went has changed what some market sells.
    async fn project(&self, changed: &BTreeMap<ProductId, bool>, version: u64, told: Told, failed: &mut Vec<(ProductId, anyhow::Error)>) -> bool {
        let now = self.clock.now();
        let shared = self.index.shared();
        let ids: Vec<ProductId> = changed.keys().copied().collect();
        let (mut lives, mut whole) = (Vec::new(), Vec::new());
        let mut moved = false;
        for (id, record) in records::load_many(&self.db, &ids, now).await {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    failed.push((id, error));
                    continue;
                }
            };
            let live = record.live(&shared.markets, version, now);
            if changed.get(&id) == Some(&false) {
                if !self.index.sells_elsewhere(&live, now) {
                    lives.push(live);
                    continue;
                }
                moved = true;
            }
            self.mark(self.index.shelves_of(id));
            if record.product.is_shown() {
                self.mark(shelves_of(&record.product));
            }
            whole.push((record, live));
        }
        self.index.put(&whole, now);
        if told == Told::Here {
            self.write_products(&lives, &whole, version, &shared, failed).await;
        }
        for live in lives {
            self.index.put_live(live.clone());
            self.hot.put_live(live);
        }
        for (record, live) in whole {
            self.hot.forget_product(record.product.id, &record.slugs_ever);
            self.hot.put_live(live);
        }
        moved
    }

    /// Writes live values of some products, and everything about others.
    async fn write_products(
        &self,
        lives: &[Arc<LiveItem>],
        whole: &[(Record, Arc<LiveItem>)],
        version: u64,
        shared: &Shared,
        failed: &mut Vec<(ProductId, anyhow::Error)>,
    ) {
        let (mut writes, mut told) = (Vec::new(), Vec::new());
        for live in lives {
            match Item::new(keys::product(live.product), keys::LIVE, version, &**live) {
                Ok(item) => writes.push((live.product, vec![item])),
                Err(error) => failed.push((live.product, error)),
            }
        }
        self.write(&mut writes, failed).await;
        for some in whole.chunks(PRODUCTS_AT_ONCE) {
            for (record, live) in some {
                match self.product_items(record, live, version, shared).await {
                    Ok(mut items) => {
                        let last = items.split_off(items.len() - 1);
                        writes.push((record.product.id, items));
                        told.push((record.product.id, last));
                    }
                    Err(error) => failed.push((record.product.id, error)),
                }
            }
            self.write(&mut writes, failed).await;
            self.write(&mut told, failed).await;
        }
    }

    /// Writes the items of products together; if that fails, product by product, so that one does not keep the others.
    async fn write(&self, writes: &mut Vec<(ProductId, Vec<Item>)>, failed: &mut Vec<(ProductId, anyhow::Error)>) {
        let all = writes.iter().flat_map(|(_, items)| items.clone()).collect();
        let outcome = self.table.put_all_newer(all).await;
        for (product, items) in std::mem::take(writes) {
            if outcome.is_err()
                && let Err(error) = self.table.put_all_newer(items).await
            {
                failed.push((product, error));
            }
        }
    }
}

#[async_trait]
impl Consumer for Projector {
    fn name(&self) -> &'static str {
        "projector"
    }

    async fn consume(&self, envelope: &Envelope) -> anyhow::Result<()> {
        match self.follow(std::slice::from_ref(envelope), Told::Here).await?.pop() {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }

    async fn consume_batch(&self, batch: &[Envelope]) -> Vec<(EventId, anyhow::Error)> {
        self.follow(batch, Told::Here).await.unwrap_or_else(|error| {
            // What all share could not be written: the batch comes again.
            let error = format!("{error:#}");
            batch.iter().map(|envelope| (envelope.id, anyhow::anyhow!("{error}"))).collect()
        })
    }
}
