//! What the projector reads: whole products out of SQL, many at a time.

use crate::{
    catalog::{
        locations::safety_sql,
        prices::{self, General, Known, Piece, compute, of_piece},
        product::{Product, Variant},
        shelves::{self, Category, Tag},
    },
    params,
    sql::{Db, Row},
};
use domain::{
    ProductId, VariantId,
    catalog::Shelf,
    live::{Availability, LOW_STOCK, LiveItem, LiveVariant},
    locale::TextLanguage,
    market::{Market, MarketCode},
    offer::Instant,
    sourcing,
};
use edge_replica::stored::ShelfSlugs;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

/// A product with everything that its documents are made from.
#[derive(Clone, Debug)]
pub struct Record {
    pub product: Product,
    /// Those on offer, in order.
    pub variants: Vec<Variant>,
    /// The slug in use by language.
    pub slugs: BTreeMap<TextLanguage, String>,
    /// Slugs in use and earlier ones.
    pub slugs_ever: Vec<String>,
    prices: HashMap<VariantId, BTreeMap<String, Known>>,
    /// What lowered prices for everybody, for references.
    general: Arc<[General]>,
    stock: HashMap<VariantId, BTreeMap<String, Lying>>,
}

/// What lies of a variant at one location.
#[derive(Clone, Copy, Debug, Default)]
struct Lying {
    free: i64,
    /// Never sold online.
    safety: u32,
}

/// What all products share, as the index and the projector use it.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    pub markets: Vec<Market>,
    pub categories: Vec<Category>,
    pub tags: HashMap<String, Tag>,
    pub demo: bool,
    /// Shelves whose slug is not their key.
    pub shelf_slugs: ShelfSlugs,
}

impl Shared {
    pub async fn load(db: &Db, now: Instant) -> anyhow::Result<Self> {
        Ok(Self {
            markets: shelves::markets(db, now).await?,
            categories: Category::all(db).await?,
            tags: Tag::all(db).await?.into_iter().map(|tag| (tag.key.clone(), tag)).collect(),
            demo: shelves::setting(db, "demo").await?.is_some(),
            shelf_slugs: shelf_slugs(&db.all(SHELF_SLUGS, vec![]).await?)?,
        })
    }

    pub fn category(&self, key: &str) -> Option<&Category> {
        self.categories.iter().find(|category| category.key == key)
    }
}

/// Slugs of shelves that were given other ones than their keys.
const SHELF_SLUGS: &str = "SELECT kind, language, slug, target, is_current FROM slugs WHERE kind <> 'product' AND target IN \
                           (SELECT target FROM slugs WHERE kind <> 'product' AND slug <> target)";

fn shelf_slugs(rows: &[Row]) -> anyhow::Result<ShelfSlugs> {
    let mut slugs = ShelfSlugs::default();
    for row in rows {
        slugs.add(&row.text("kind")?, row.parse("language")?, row.text("slug")?, row.text("target")?, row.flag("is_current")?);
    }
    Ok(slugs)
}

/// A shelf without its count.
pub(crate) fn bare_shelf(key: &str, slug: String, title: String) -> Shelf {
    Shelf {
        key: key.to_owned(),
        slug,
        title,
        description: String::new(),
        seo_title: String::new(),
        seo_description: String::new(),
        count: 0,
        counts: BTreeMap::new(),
        tile: None,
    }
}

/// The products with ids from `first` to `last`.
pub async fn load(db: &Db, first: ProductId, last: ProductId, now: Instant) -> anyhow::Result<Vec<Record>> {
    let range = || params![first, last];
    let products = db.all("SELECT * FROM products WHERE id >= $1 AND id <= $2", range()).await?;
    let variants = db.all("SELECT * FROM variants WHERE product_id >= $1 AND product_id <= $2 AND active = 1 ORDER BY position, id", range()).await?;
    let slugs =
        db.all("SELECT language, slug, target, is_current FROM slugs WHERE kind = 'product' AND target >= $1 AND target <= $2", range()).await?;
    let (mut prices, general) = prices::between(db, first, last, now).await?;
    let general: Arc<[General]> = general.into();
    let stock = db
        .all(
            concat!(
                "SELECT s.variant_id, s.location, s.free, ",
                safety_sql!("$3"),
                " AS safety FROM stock_balances s JOIN variants v ON v.id = s.variant_id WHERE v.product_id >= $1 AND v.product_id <= $2 AND v.active = 1"
            ),
            params![first, last, now],
        )
        .await?;

    let mut records: HashMap<ProductId, Record> = HashMap::with_capacity(products.len());
    for row in &products {
        let product = Product::read(row)?;
        let record = Record {
            product,
            variants: vec![],
            slugs: BTreeMap::new(),
            slugs_ever: vec![],
            prices: HashMap::new(),
            general: general.clone(),
            stock: HashMap::new(),
        };
        records.insert(record.product.id, record);
    }
    let mut product_of: HashMap<VariantId, ProductId> = HashMap::with_capacity(variants.len());
    for row in &variants {
        let variant = Variant::read(row)?;
        product_of.insert(variant.id, variant.product);
        if let Some(record) = records.get_mut(&variant.product) {
            record.prices.extend(prices.remove(&variant.id).map(|lists| (variant.id, lists)));
            record.variants.push(variant);
        }
    }
    for row in &slugs {
        let Some(record) = records.get_mut(&row.parse("target")?) else { continue };
        let slug = row.text("slug")?;
        if row.flag("is_current")? {
            record.slugs.insert(row.parse("language")?, slug.clone());
        }
        if !record.slugs_ever.contains(&slug) {
            record.slugs_ever.push(slug);
        }
    }
    let find = |row: &Row| -> anyhow::Result<Option<(VariantId, ProductId)>> {
        let variant = row.parse("variant_id")?;
        Ok(product_of.get(&variant).map(|product| (variant, *product)))
    };
    for row in &stock {
        let Some((variant, product)) = find(row)? else { continue };
        let Some(record) = records.get_mut(&product) else { continue };
        let lying = record.stock.entry(variant).or_default().entry(row.text("location")?).or_default();
        lying.free += row.int("free")?;
        lying.safety = u32::try_from(row.int("safety")?)?;
    }
    Ok(records.into_values().collect())
}

/// Many products by id, in order; what is not there is left out. One that cannot be read does not keep the others.
pub async fn load_many(db: &Db, ids: &[ProductId], now: Instant) -> Vec<(ProductId, anyhow::Result<Record>)> {
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(TOGETHER) {
        let together = if chunk.len() > 1 { load_together(db, chunk, now).await.ok().flatten() } else { None };
        if let Some(records) = together {
            found.extend(records.into_iter().map(|record| (record.product.id, Ok(record))));
            continue;
        }
        for id in chunk {
            match load(db, *id, *id, now).await {
                Ok(mut records) => found.extend(records.pop().map(|record| (*id, Ok(record)))),
                Err(error) => found.push((*id, Err(error))),
            }
        }
    }
    found
}

/// Products read in one go.
const TOGETHER: usize = 50;

/// Reads neighbours at once, as an import makes them; `None` when there are too many others between them.
async fn load_together(db: &Db, ids: &[ProductId], now: Instant) -> anyhow::Result<Option<Vec<Record>>> {
    let (Some(first), Some(last)) = (ids.iter().min(), ids.iter().max()) else { return Ok(Some(vec![])) };
    let between = db.first("SELECT COUNT(*) AS n FROM products WHERE id >= $1 AND id <= $2", params![*first, *last]).await?;
    let between = between.map_or(Ok(0), |row| row.int("n"))?;
    if usize::try_from(between)? > 2 * ids.len() {
        return Ok(None);
    }
    let records = load(db, *first, *last, now).await?;
    Ok(Some(records.into_iter().filter(|record| ids.contains(&record.product.id)).collect()))
}

/// The next products after `after` of which something lies at a location.
pub async fn next_at(db: &Db, location: &str, after: Option<ProductId>) -> anyhow::Result<Vec<ProductId>> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let rows = db
        .all(
            "SELECT DISTINCT v.product_id FROM variants v JOIN stock_balances s ON s.variant_id = v.id WHERE v.product_id > $1 AND s.location = $2 \
             ORDER BY v.product_id LIMIT 200",
            params![after, location],
        )
        .await?;
    rows.iter().map(|row| row.parse("product_id")).collect()
}

/// The first and last id of the next products after `after`.
pub async fn next_range(db: &Db, after: Option<ProductId>) -> anyhow::Result<Option<(ProductId, ProductId)>> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let ids = db.all("SELECT id FROM products WHERE id > $1 ORDER BY id LIMIT 200", params![after]).await?;
    let (Some(first), Some(last)) = (ids.first(), ids.last()) else { return Ok(None) };
    Ok(Some((first.parse("id")?, last.parse("id")?)))
}

impl Record {
    /// The values that may change on a cached page.
    pub fn live(&self, markets: &[Market], version: u64, now: Instant) -> Arc<LiveItem> {
        let mut by_market = BTreeMap::new();
        for market in markets {
            let mut variants = BTreeMap::new();
            for variant in &self.variants {
                let Some((prices, history)) = self.prices.get(&variant.id).and_then(|lists| lists.get(&market.price_list)) else { continue };
                let lowered = of_piece(&self.general, self.piece(variant.id, market.code));
                let windows = compute(market, prices, history, &lowered, now);
                if !windows.is_empty() {
                    let (availability, location) = self.availability(variant, market);
                    let handling_days = u8::try_from(variant.handling_days).unwrap_or(0);
                    variants.insert(variant.id, LiveVariant { windows, availability, handling_days, location });
                }
            }
            by_market.insert(market.code, variants);
        }
        let live = LiveItem { product: self.product.id, version, documents: 0, published: self.product.is_shown(), markets: by_market };
        Arc::new(LiveItem { documents: self.documents(&live.unsold(markets, now)), ..live })
    }

    fn piece(&self, variant: VariantId, market: MarketCode) -> Piece<'_> {
        let product = &self.product;
        Piece { market, product: product.id, variant, category: product.category.as_deref().unwrap_or_default(), tags: &product.tags }
    }

    /// A hash of what documents are made from.
    fn documents(&self, unsold: &BTreeSet<MarketCode>) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.product, &self.variants, &self.slugs, unsold).hash(&mut hasher);
        hasher.finish()
    }

    /// How much there is, and from where a piece would leave, if not from the market's first location.
    fn availability(&self, variant: &Variant, market: &Market) -> (Availability, Option<String>) {
        if !variant.tracked {
            return (Availability::InStock, None);
        }
        let lying = self.stock.get(&variant.id);
        let at = |location: &String| lying.and_then(|lying| lying.get(location)).map_or(0, |lying| sourcing::sellable(lying.free, lying.safety));
        let at_locations: Vec<u32> = market.locations.iter().map(at).collect();
        let first = at_locations.iter().position(|pieces| *pieces > 0).filter(|first| *first > 0);
        let availability = match sourcing::left(&at_locations, market.split) {
            0 if variant.oversell => Availability::BackOrder,
            0 => Availability::SoldOut,
            left if left <= LOW_STOCK => Availability::Low { left },
            _ => Availability::InStock,
        };
        (availability, first.map(|first| market.locations[first].clone()))
    }
}
