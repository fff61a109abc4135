//! Documents that many products share: listings, the shop document, pages of blocks and help. Written again only where they differ from
//! what was written last.

use crate::{
    catalog::{help::HelpTexts, product::text, shelves},
    dynamo::Item,
    readmodel::{
        Projector,
        pages::{PageTexts, help_document},
        records::Shared,
    },
    search::number,
    tariffs,
};
use anyhow::Context as _;
use app::ports::storefront::ShelfKey;
use domain::{
    catalog::{Promises, ShopDocument},
    delivery::{Method, Place, STANDARD, Timetable},
    locale::TextLanguage,
    market::MarketCode,
    offer::Instant,
};
use edge_replica::{keys, stored::ShelfHead};
use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

/// Items written in one go at most: 200 pages of 30 kB.
const ITEMS_AT_ONCE: usize = 200;
/// The slug under which the home page is kept.
const HOME: &str = "home";

impl Projector {
    /// Writes the listings of shelves: heads, and those pages that a card may have changed on.
    pub(super) async fn write_shelves(&self, shelves: &[ShelfKey], version: u64) -> anyhow::Result<()> {
        let mut items = Vec::new();
        let markets: Vec<MarketCode> = self.index.shared().markets.iter().map(|market| market.code).collect();
        for shelf in shelves {
            let pk = keys::listing(shelf);
            let in_english = self.index.shelf(shelf, TextLanguage::EnUs);
            for market in std::iter::once(None).chain(markets.iter().copied().map(Some)) {
                // Most markets sell everything on it and share one set of pages.
                let has_pages = in_english.as_ref().is_some_and(|shelf| market.is_none_or(|market| shelf.counts.contains_key(&market)));
                let prints = if has_pages { self.index.prints(shelf, market) } else { vec![] };
                for language in TextLanguage::ALL {
                    self.add_pages(&mut items, shelf, market, language, &prints, version).await?;
                    if items.len() >= ITEMS_AT_ONCE {
                        self.put(std::mem::take(&mut items)).await?;
                    }
                }
            }
            // Last: it says which pages there are.
            for language in TextLanguage::ALL {
                match self.index.shelf(shelf, language) {
                    Some(shelf) => self.add_if_changed(&mut items, &pk, keys::head(language), version, &ShelfHead { shelf })?,
                    None => self.drop_item(&pk, &keys::head(language)).await?,
                }
            }
        }
        self.put(items).await
    }

    /// Pages of a shelf that changed, and away with those that it no longer has.
    async fn add_pages(
        &self,
        items: &mut Vec<Item>,
        shelf: &ShelfKey,
        market: Option<MarketCode>,
        language: TextLanguage,
        prints: &[u64],
        version: u64,
    ) -> anyhow::Result<()> {
        let pk = keys::listing(shelf);
        // Since a start nobody knows what was written before: the page after the last may be left from then.
        let unknown = market.is_none() && !self.written().contains_key(&(pk.clone(), keys::head(language)));
        for (page, print) in prints.iter().enumerate() {
            let key = (pk.clone(), keys::page(language, market, number(page + 1)));
            if self.written().insert(key.clone(), *print) != Some(*print) {
                items.push(Item::new(key.0, key.1, version, &self.index.page(shelf, market, language, page))?);
            }
        }
        // Whoever read the head a moment ago still asks for a market's own pages; no later head leads to them.
        if market.is_some() && prints.is_empty() {
            return Ok(());
        }
        for gone in prints.len() + 1.. {
            let sk = keys::page(language, market, number(gone));
            let may_be_left = unknown && gone == prints.len() + 1;
            if !may_be_left && !self.written().contains_key(&(pk.clone(), sk.clone())) {
                break;
            }
            self.drop_item(&pk, &sk).await?;
        }
        Ok(())
    }

    async fn drop_item(&self, pk: &str, sk: &str) -> anyhow::Result<()> {
        self.table.delete(pk, sk).await?;
        self.written().remove(&(pk.to_owned(), sk.to_owned()));
        self.hot.forget(pk, sk);
        Ok(())
    }

    pub(super) async fn write_shop(&self, version: u64, shared: &Shared) -> anyhow::Result<()> {
        let help = self.help_texts().await?;
        let promises = self.promises(&help, shared).await?;
        let standard = self.standard(shared).await?;
        let pages: Vec<String> = self.page_texts().await?.iter().map(|page| page.slug().to_owned()).filter(|slug| slug != HOME).collect();
        let (products, counts) = self.index.count();
        let mut items = Vec::new();
        for language in TextLanguage::ALL {
            let shelf = |key: &String| self.index.shelf(&ShelfKey::Category(key.clone()), language);
            let mut shop = ShopDocument {
                version: 0,
                language,
                markets: shared.markets.clone(),
                categories: shared.categories.iter().filter_map(|category| shelf(&category.key)).filter(|shelf| shelf.count > 0).collect(),
                help: help.iter().map(|page| (page.slug.clone(), text(&page.title, language))).collect(),
                demo: shared.demo,
                products,
                counts: counts.clone(),
                tags: self.index.tags(language),
                pages: pages.clone(),
                promises: promises.clone(),
                standard: standard.clone(),
                experiments: BTreeMap::new(),
            };
            if self.is_changed(keys::SHOP, language.key(), &shop)? {
                shop.version = version;
                items.push(Item::new(keys::SHOP, language.key(), version, &shop)?);
            }
        }
        self.add_if_changed(&mut items, keys::SLUGS, keys::ONLY.to_owned(), version, &shared.shelf_slugs)?;
        self.put(items).await
    }

    /// Each market's standard delivery: the version in force, and those to come.
    async fn standard(&self, shared: &Shared) -> anyhow::Result<BTreeMap<MarketCode, Vec<(Instant, Timetable)>>> {
        let now = self.clock.now();
        let mut standard = BTreeMap::new();
        for market in &shared.markets {
            let mut versions = shelves::delivery_versions(&self.db, market, STANDARD).await?;
            let in_force = versions.iter().rposition(|(from, _)| *from <= now).unwrap_or(0);
            // Pages are the same for everybody, so they promise what holds in the home zone.
            let at_home = |(from, method): (Instant, Method)| Some((from, method.to(Place::somewhere(market.code), 0).ok()?.timetable()));
            standard.insert(market.code, versions.split_off(in_force).into_iter().filter_map(at_home).collect());
        }
        Ok(standard)
    }

    /// What each market promises with every product: from its delivery methods and its policy on returns.
    async fn promises(&self, help: &[HelpTexts], shared: &Shared) -> anyhow::Result<BTreeMap<MarketCode, Promises>> {
        let mut promises = BTreeMap::new();
        for market in &shared.markets {
            let methods = tariffs::methods(&self.db, market.code, self.clock.now()).await?;
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

    async fn page_texts(&self) -> anyhow::Result<Vec<PageTexts>> {
        shelves::pages(&self.db, "page").await?.iter().map(|(_, body)| PageTexts::read(body)).collect()
    }

    /// Help pages, and pages of blocks with the cards on them.
    pub(super) async fn write_pages(&self, version: u64) -> anyhow::Result<()> {
        let mut items = Vec::new();
        for mut page in self.help_texts().await? {
            if let Some(words) = page.delivery.take() {
                for market in shelves::markets(&self.db, self.clock.now()).await? {
                    let methods = tariffs::methods(&self.db, market.code, self.clock.now()).await?;
                    page.market_facts.insert(market.code, words.facts(&market, &methods));
                }
            }
            for language in TextLanguage::ALL {
                self.add_if_changed(&mut items, &keys::help(&page.slug), language.key().to_owned(), version, &help_document(&page, language))?;
            }
        }
        let mut pages = self.page_texts().await?;
        if !pages.iter().any(|page| page.slug() == HOME) {
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
        let outcome = self.table.put_all_newer(items.clone()).await;
        let mut written = self.written();
        for item in items {
            self.hot.forget(&item.pk, &item.sk);
            if outcome.is_err() {
                written.remove(&(item.pk, item.sk));
            }
        }
        outcome
    }
}
