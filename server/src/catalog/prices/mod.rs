//! Prices in force and what they may be compared with, and the only SQL that reads what a variant costs. Windows that begin and end by themselves
//! are written in [`plan`]; the reference rule is a market's law ([`ReferenceRule`]), and the history that it reads is append-only and begins with
//! the first import.

pub mod command;
mod history;
mod lowered;
mod plan;
mod reference;
mod standing;
mod windows;

pub use history::catch_up;
pub(crate) use history::planned;
pub(crate) use lowered::{General, Piece, of_piece};
pub use plan::{NewWindow, PriceError, prolong, put, schedule, stop, withdraw};
pub use reference::ReferenceRule;
pub use standing::{Standing, State, beginning, list_price, rows, rows_between};
pub(crate) use windows::compute;

use crate::{
    clock::Clock,
    params,
    sql::{Db, Tx},
};
use anyhow::Context as _;
use domain::{
    ProductId, VariantId,
    market::Market,
    money::{Currency, Money},
    offer::{Instant, PriceWindow},
};
use std::collections::{BTreeMap, HashMap};

/// Rows that ended so long ago are no longer read with those in force: by then the history tells of them. Microseconds.
const ENDED_US: Instant = 7 * 86_400_000_000;

/// A variant that is sold, and what an order must know of it.
pub struct Priced {
    pub variant: VariantId,
    pub product: ProductId,
    pub tax_category: String,
    /// Of one piece; 0: not known.
    pub weight_g: u32,
    /// Business days before it leaves, beside its location's.
    pub handling_days: u8,
    /// Sold on although nothing is there.
    pub oversell: bool,
    /// The product's category and tags by their keys, for promotions.
    pub category: String,
    pub tags: Vec<String>,
    /// Now and to come.
    pub windows: Vec<PriceWindow>,
}

/// These variants with their prices in a market and the references that the history bears out. One that has no price, or whose product is
/// not on sale, is left out: the market does not sell it.
pub async fn of(tx: &mut Tx, market: &Market, variants: &[VariantId], now: Instant) -> anyhow::Result<Vec<Priced>> {
    let mut found = Vec::with_capacity(variants.len());
    let mut general: Option<Vec<General>> = None;
    for variant in variants {
        let rows = tx
            .all(
                "SELECT v.product_id, v.weight_g, v.handling_days, v.oversell, t.tax_category, t.category, t.tags, p.currency, p.amount_minor, p.compare_at_minor, p.valid_from, p.valid_until, p.kind FROM prices p \
                 JOIN variants v ON v.id = p.variant_id JOIN products t ON t.id = v.product_id WHERE p.variant_id = $1 AND p.price_list = $2 \
                 AND v.active = 1 AND t.status = 'active' AND t.published = 1 AND (p.valid_until IS NULL OR p.valid_until > $3) ORDER BY p.valid_from",
                params![*variant, &market.price_list, now - ENDED_US],
            )
            .await?;
        let Some(first) = rows.first() else { continue };
        let prices = rows.iter().map(Price::read).collect::<anyhow::Result<Vec<_>>>()?;
        // Without a claim there is no reference, whatever the history says.
        let history = if prices.iter().any(|price| price.compare_at.is_some()) {
            let sql = "SELECT currency, amount_minor, compare_at_minor, valid_from FROM price_history WHERE variant_id = $1 AND price_list = $2 ORDER BY valid_from, id";
            tx.all(sql, params![*variant, &market.price_list]).await?
        } else {
            Vec::new()
        };
        let history = history.iter().map(Shown::read).collect::<anyhow::Result<Vec<_>>>()?;
        if general.is_none() && !history.is_empty() {
            general = Some(lowered::read(&tx.all(lowered::VERSIONS, params![]).await?)?);
        }
        let mut priced = Priced {
            variant: *variant,
            product: first.parse("product_id")?,
            tax_category: first.text("tax_category")?,
            weight_g: u32::try_from(first.int("weight_g")?).unwrap_or(0),
            handling_days: u8::try_from(first.int("handling_days")?).unwrap_or(0),
            oversell: first.flag("oversell")?,
            category: first.text_or_null("category")?.unwrap_or_default(),
            tags: serde_json::from_str(&first.text("tags")?).context("products.tags")?,
            windows: vec![],
        };
        let (product, category, tags) = (priced.product, priced.category.as_str(), priced.tags.as_slice());
        let piece = Piece { market: market.code, product, variant: *variant, category, tags };
        priced.windows = compute(market, &prices, &history, &of_piece(general.as_deref().unwrap_or_default(), piece), now);
        if !priced.windows.is_empty() {
            found.push(priced);
        }
    }
    Ok(found)
}

/// Rows of prices that are read of one product's variants: a hundred variants, each with a price of today and some to come.
const ROWS_MAX: i64 = 1_000;

/// What the variants of a product cost in a market that sells it, in their order, without references.
pub async fn of_product(db: &Db, market: &Market, product: ProductId, now: Instant) -> anyhow::Result<Vec<(VariantId, Vec<PriceWindow>)>> {
    let sql = "SELECT v.id, p.currency, p.amount_minor, p.compare_at_minor, p.valid_from, p.valid_until, p.kind FROM variants v \
               JOIN products t ON t.id = v.product_id JOIN prices p ON p.variant_id = v.id \
               WHERE v.product_id = $1 AND v.active = 1 AND t.status = 'active' AND t.published = 1 AND p.price_list = $2 \
               AND (p.valid_until IS NULL OR p.valid_until > $3) ORDER BY v.position, v.id, p.valid_from LIMIT $4";
    let mut all: Vec<(VariantId, Vec<Price>)> = Vec::new();
    for row in db.all(sql, params![product, &market.price_list, now, ROWS_MAX]).await? {
        let (variant, price) = (row.parse("id")?, Price::read(&row)?);
        match all.last_mut() {
            Some((known, prices)) if *known == variant => prices.push(price),
            _ => all.push((variant, vec![price])),
        }
    }
    Ok(all.into_iter().map(|(variant, prices)| (variant, compute(market, &prices, &[], &[], now))).collect())
}

/// Prices in force and to come, and what was shown before, of one variant in one list.
pub(crate) type Known = (Vec<Price>, Vec<Shown>);

/// The same of all variants of the products with ids from `first` to `last`, by variant and list; and where one is reduced, which promotions lowered
/// prices for everybody.
pub(crate) async fn between(
    db: &Db,
    first: ProductId,
    last: ProductId,
    now: Instant,
) -> anyhow::Result<(HashMap<VariantId, BTreeMap<String, Known>>, Vec<General>)> {
    let mut known: HashMap<VariantId, BTreeMap<String, Known>> = HashMap::new();
    let prices = "SELECT p.variant_id, p.price_list, p.currency, p.amount_minor, p.compare_at_minor, p.valid_from, p.valid_until, p.kind \
                  FROM prices p JOIN variants v ON v.id = p.variant_id WHERE v.product_id >= $1 AND v.product_id <= $2 AND v.active = 1 \
                  AND (p.valid_until IS NULL OR p.valid_until > $3) ORDER BY p.valid_from";
    for row in &db.all(prices, params![first, last, now - ENDED_US]).await? {
        known.entry(row.parse("variant_id")?).or_default().entry(row.text("price_list")?).or_default().0.push(Price::read(row)?);
    }
    let history = "SELECT h.variant_id, h.price_list, h.currency, h.amount_minor, h.compare_at_minor, h.valid_from FROM price_history h \
                   JOIN variants v ON v.id = h.variant_id \
                   WHERE v.product_id >= $1 AND v.product_id <= $2 AND v.active = 1 ORDER BY h.valid_from, h.id";
    for row in &db.all(history, params![first, last]).await? {
        known.entry(row.parse("variant_id")?).or_default().entry(row.text("price_list")?).or_default().1.push(Shown::read(row)?);
    }
    let is_reduced = known.values().flat_map(BTreeMap::values).any(|(prices, _)| prices.iter().any(|price| price.compare_at.is_some()));
    let general = if is_reduced { lowered::read(&db.all(lowered::VERSIONS, params![]).await?)? } else { Vec::new() };
    Ok((known, general))
}

/// A row of `prices`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    pub price: Money,
    /// What the seller says it cost before.
    pub compare_at: Option<i64>,
    pub from: Instant,
    pub until: Option<Instant>,
    /// Beats every list price while it runs.
    pub is_override: bool,
}

impl Price {
    pub(crate) fn read(row: &crate::sql::Row) -> anyhow::Result<Self> {
        Ok(Self {
            price: money(row)?,
            compare_at: row.int_or_null("compare_at_minor")?,
            from: row.int("valid_from")?,
            until: row.int_or_null("valid_until")?,
            is_override: row.text("kind")? == OVERRIDE,
        })
    }
}

impl Shown {
    /// Whether it was shown as a reduction.
    fn is_reduced(&self) -> bool {
        self.compare_at.is_some_and(|before| before > self.price.minor)
    }
}

/// `prices.kind` of what beats the list price.
const OVERRIDE: &str = "override";
const LIST: &str = "list";

/// A row of `price_history`: this price was displayed from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    pub price: Money,
    pub from: Instant,
    /// What the seller said it cost before: then it was shown as a reduction.
    pub compare_at: Option<i64>,
}

impl Shown {
    pub(crate) fn read(row: &crate::sql::Row) -> anyhow::Result<Self> {
        Ok(Self { price: money(row)?, from: row.int("valid_from")?, compare_at: row.int_or_null("compare_at_minor")? })
    }
}

fn money(row: &crate::sql::Row) -> anyhow::Result<Money> {
    let currency: Currency = row.text("currency")?.parse().context("column currency")?;
    Ok(Money::new(row.int("amount_minor")?, currency))
}

/// What a seller says about a price in a list from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewPrice<'a> {
    pub list: &'a str,
    pub variant: VariantId,
    pub price: Money,
    pub compare_at: Option<i64>,
    /// For the history: `import`, `demo`, `operator`, `campaign`.
    pub source: &'static str,
}

/// A list price that is in force, with the row that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    id: String,
    pub list: String,
    pub variant: VariantId,
    pub price: Price,
}

impl InForce {
    fn read(row: &crate::sql::Row) -> anyhow::Result<Self> {
        Ok(Self { id: row.text("id")?, list: row.text("price_list")?, variant: row.parse("variant_id")?, price: Price::read(row)? })
    }
}

/// The list prices in force of a product's variants in all lists, those that began later after those that began earlier.
pub(crate) async fn in_force(tx: &mut Tx, product: ProductId, now: Instant) -> anyhow::Result<Vec<InForce>> {
    tx.all(
        "SELECT p.id, p.price_list, p.variant_id, p.currency, p.amount_minor, p.compare_at_minor, p.valid_from, p.valid_until, p.kind FROM prices p \
         JOIN variants v ON v.id = p.variant_id WHERE v.product_id = $1 AND p.valid_until IS NULL AND p.valid_from <= $2 ORDER BY p.valid_from",
        params![product, now],
    )
    .await?
    .iter()
    .map(InForce::read)
    .collect()
}

/// Makes a price the list price in force, and remembers in the history that it was shown, if no override runs. A list price that begins later
/// stays. Whether anything changed. The caller emits `PriceChanged`; [`put`] also checks and emits.
pub async fn set(tx: &mut Tx, clock: &Clock, new: NewPrice<'_>, now: Instant) -> anyhow::Result<bool> {
    let current = tx
        .first(
            "SELECT id, price_list, variant_id, currency, amount_minor, compare_at_minor, valid_from, valid_until, kind FROM prices \
             WHERE variant_id = $1 AND price_list = $2 AND valid_until IS NULL AND valid_from <= $3 ORDER BY valid_from DESC LIMIT 1",
            params![new.variant, new.list, now],
        )
        .await?;
    let current = current.as_ref().map(InForce::read).transpose()?;
    let is_planned = history::is_planned(tx, new.list, new.variant).await?;
    replace(tx, clock, new, current.as_ref(), is_planned, now).await
}

/// [`set`] where the list price in force, if any, was read before in the same transaction, and whether windows are planned.
pub(crate) async fn replace(
    tx: &mut Tx,
    clock: &Clock,
    new: NewPrice<'_>,
    current: Option<&InForce>,
    is_planned: bool,
    now: Instant,
) -> anyhow::Result<bool> {
    let compare_at = new.compare_at.filter(|compare_at| *compare_at > new.price.minor);
    if is_planned {
        history::settle(tx, new.list, new.variant, now).await?;
    }
    if let Some(InForce { id, price: old, .. }) = current {
        if old.price == new.price {
            if old.compare_at == compare_at {
                return Ok(false);
            }
            tx.execute("UPDATE prices SET compare_at_minor = $2 WHERE id = $1", params![id, compare_at]).await?;
            // From now on it is shown as a reduction, or not any more: later reductions ask for that.
            history::shows_now(tx, clock, new.list, new.variant, now, new.source).await?;
            return Ok(true);
        }
        tx.execute("UPDATE prices SET valid_until = $2 WHERE id = $1", params![id, now]).await?;
    }
    let price = Price { price: new.price, compare_at, from: now, until: None, is_override: false };
    insert(tx, clock, new.list, new.variant, &price).await?;
    if is_planned {
        history::shows_now(tx, clock, new.list, new.variant, now, new.source).await?;
    } else {
        remember(tx, clock, new.list, new.variant, Shown::since(&price, now), new.source).await?;
    }
    Ok(true)
}

/// Every row of a variant in a list, those that are over as well.
async fn in_tx(tx: &mut Tx, list: &str, variant: VariantId) -> anyhow::Result<Vec<Price>> {
    let sql = "SELECT currency, amount_minor, compare_at_minor, valid_from, valid_until, kind FROM prices \
               WHERE variant_id = $1 AND price_list = $2 ORDER BY valid_from";
    tx.all(sql, params![variant, list]).await?.iter().map(Price::read).collect()
}

/// Writes a row; its id.
async fn insert(tx: &mut Tx, clock: &Clock, list: &str, variant: VariantId, price: &Price) -> anyhow::Result<String> {
    let id = clock.id().to_string();
    let kind = if price.is_override { OVERRIDE } else { LIST };
    tx.execute(
        "INSERT INTO prices (id, price_list, variant_id, currency, amount_minor, compare_at_minor, valid_from, valid_until, kind) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        params![&id, list, variant, price.price.currency.code(), price.price.minor, price.compare_at, price.from, price.until, kind],
    )
    .await?;
    Ok(id)
}

/// Ends what a list says of a variant: from now on it does not sell it. Overrides end, too, and what is planned vanishes. Whether there was
/// anything.
pub async fn end(tx: &mut Tx, list: &str, variant: VariantId, now: Instant) -> anyhow::Result<bool> {
    if history::is_planned(tx, list, variant).await? {
        history::settle(tx, list, variant, now).await?;
    }
    let key = || params![variant, list, now];
    let planned = tx.execute("DELETE FROM prices WHERE variant_id = $1 AND price_list = $2 AND valid_from > $3", key()).await?;
    let running = "UPDATE prices SET valid_until = $3 WHERE variant_id = $1 AND price_list = $2 AND (valid_until IS NULL OR valid_until > $3)";
    Ok(planned + tx.execute(running, key()).await? > 0)
}

/// Appends to the history.
pub(crate) async fn remember(tx: &mut Tx, clock: &Clock, list: &str, variant: VariantId, shown: Shown, source: &'static str) -> anyhow::Result<()> {
    history::append(tx, clock.id().to_string(), list, variant, shown, source).await
}
