//! Prices: for each variant and list the list price in force, list prices to come, and overrides from one instant to another. What was shown stays
//! in the history: a list price in force changes from now on, what runs keeps its price, and what is over stays as it is.

use super::{
    Cells, Context, PutError,
    cells::{Reader, instant, parse_instant, parse_money, row, sentence},
};
use crate::{
    catalog::{
        prices::{self, NewPrice, NewWindow, PriceError, Standing, State},
        shelves, terms,
    },
    params,
    sql::{Db, Row, Tx},
};
use anyhow::Context as _;
use app::staff::tables::{Line, Table};
use domain::{VariantId, market::Market, offer::Instant};
use std::collections::HashMap;

const TABLE: Table = Table::Prices;

/// What a row is known by. Without a beginning it is the list price in force, whenever it began.
#[derive(Clone, Copy)]
struct Key<'a> {
    list: &'a str,
    variant: VariantId,
    begins: Option<(Instant, bool)>,
}

impl Key<'_> {
    fn text(&self) -> String {
        let Self { list, variant, .. } = self;
        match self.begins {
            None => format!("{list}|{variant}"),
            Some((from, is_override)) => format!("{list}|{variant}|{}|{}", instant(from), if is_override { "override" } else { "list" }),
        }
    }

    async fn find(&self, tx: &mut Tx, now: Instant) -> anyhow::Result<Option<Standing>> {
        match self.begins {
            None => prices::list_price(tx, self.list, self.variant, now).await,
            Some(begins) => prices::beginning(tx, self.list, self.variant, begins, now).await,
        }
    }
}

fn parsed(key: &str) -> Option<Key<'_>> {
    let parts: Vec<&str> = key.split('|').collect();
    let (list, variant, begins) = match parts.as_slice() {
        [list, variant] => (list, variant, None),
        [list, variant, from, kind @ ("list" | "override")] => (list, variant, Some((parse_instant(from, "UTC").ok()?, *kind == "override"))),
        _ => return None,
    };
    Some(Key { list, variant: variant.parse().ok()?, begins })
}

fn market_of<'a>(cx: &Context<'a>, list: &str) -> Option<&'a Market> {
    cx.markets.iter().find(|market| market.price_list == list)
}

/// The key that a row's cells make.
pub(super) async fn key(tx: &mut Tx, cx: &Context<'_>, cells: &Cells) -> Result<String, PutError> {
    let mut reader = Reader::new(TABLE, cells);
    let (list, sku) = (reader.get("list"), reader.get("sku"));
    let market = market_of(cx, list);
    if market.is_none() {
        let mut known: Vec<&str> = cx.markets.iter().map(|market| market.price_list.as_str()).collect();
        known.dedup();
        reader.wrong("list", format!("There is no price list {list:?}; there are {}.", known.join(", ")));
    }
    let zone = market.map_or("UTC", |market| market.time_zone.as_str());
    let from = reader.read_optional("from", |text| parse_instant(text, zone));
    let variant = match find_variant(tx, sku).await? {
        Ok(variant) => Some(variant),
        Err(why) => {
            reader.wrong("sku", why);
            None
        }
    };
    let is_override = !reader.get("until").is_empty();
    let (variant, from) = reader.done(variant.zip(from.ok()))?;
    let current = Key { list, variant, begins: None };
    let begins = match from {
        None if is_override => Some((cx.now, true)),
        None => None,
        Some(from) if !is_override && from <= cx.now => {
            // As a download has it.
            if current.find(tx, cx.now).await?.is_none_or(|standing| standing.price.from != from) {
                return Err(PutError::wrong("from", "Prices of the past stay as they are: leave it empty for now, or say an instant to come."));
            }
            None
        }
        Some(from) => Some((from, is_override)),
    };
    Ok(Key { begins, ..current }.text())
}

/// A variant by its SKU or id; `Err` inside: why there is none.
async fn find_variant(tx: &mut Tx, sku: &str) -> anyhow::Result<Result<VariantId, String>> {
    if sku.is_empty() {
        return Ok(Err("Say which variant.".to_owned()));
    }
    let rows = tx.all("SELECT id FROM variants WHERE sku = $1 AND active = 1 LIMIT 2", params![sku]).await?;
    if let [row] = rows.as_slice() {
        return row.parse("id").map(Ok);
    }
    let id: Option<VariantId> = sku.parse().ok();
    let row = match id {
        Some(id) => tx.first("SELECT id FROM variants WHERE id = $1 AND active = 1", params![id]).await?,
        None => None,
    };
    Ok(match row {
        Some(row) => Ok(row.parse("id")?),
        None if rows.len() > 1 => Err(format!("Several variants have the SKU {sku:?}: type the id of the one that is meant.")),
        None => Err(format!("No variant on offer has the SKU {sku:?}.")),
    })
}

/// What a variant is called in cells: its SKU, where no other has the same.
async fn name(tx: &mut Tx, variant: VariantId) -> anyhow::Result<String> {
    let sql = "SELECT v.sku FROM variants v WHERE v.id = $1 AND v.sku <> '' AND NOT EXISTS \
               (SELECT 1 FROM variants o WHERE o.sku = v.sku AND o.id <> v.id AND o.active = 1)";
    tx.first(sql, params![variant]).await?.map_or_else(|| Ok(variant.to_string()), |row| row.text("sku"))
}

fn cells(standing: &Standing, sku: String) -> Cells {
    let price = &standing.price;
    let compare_at = price.compare_at.map(|minor| domain::money::Money::new(minor, price.price.currency).decimal());
    row(
        TABLE,
        &[
            ("list", standing.list.clone()),
            ("sku", sku),
            ("from", instant(price.from)),
            ("until", price.until.filter(|_| price.is_override).map(instant).unwrap_or_default()),
            ("price", price.price.decimal()),
            ("compare_at", compare_at.unwrap_or_default()),
        ],
    )
}

pub(super) async fn read(tx: &mut Tx, cx: &Context<'_>, key: &str) -> anyhow::Result<Option<Cells>> {
    let Some(key) = parsed(key) else { return Ok(None) };
    let Some(standing) = key.find(tx, cx.now).await? else { return Ok(None) };
    Ok(Some(cells(&standing, name(tx, key.variant).await?)))
}

impl From<PriceError> for PutError {
    fn from(error: PriceError) -> Self {
        let column = match &error {
            PriceError::UnknownList(_) => "list",
            PriceError::UnknownVariant => "sku",
            PriceError::Currency { .. } | PriceError::NotPositive => "price",
            PriceError::CompareAt => "compare_at",
            PriceError::Empty | PriceError::Over => "until",
            PriceError::NotToCome => "from",
            PriceError::Failed(_)
            | PriceError::Overlaps { .. }
            | PriceError::TooMany
            | PriceError::NotFound
            | PriceError::IsList
            | PriceError::IsPlanned(_)
            | PriceError::IsOver => "",
        };
        match error {
            PriceError::Failed(error) => Self::Failed(error),
            refused => Self::wrong(column, sentence(&refused.into())),
        }
    }
}

pub(super) async fn put(tx: &mut Tx, cx: &Context<'_>, key: &str, before: Option<&Cells>, cells: &Cells) -> Result<(), PutError> {
    let key = parsed(key).context("a key that was read a moment ago")?;
    let market = market_of(cx, key.list).context("a list that was read a moment ago")?;
    let mut reader = Reader::new(TABLE, cells);
    let price = reader.read("price", |text| parse_money(text, market.currency));
    let compare_at = reader.read_optional("compare_at", |text| parse_money(text, market.currency));
    let until = reader.read_optional("until", |text| parse_instant(text, &market.time_zone));
    let is_override = key.begins.is_some_and(|(_, is_override)| is_override);
    match (&until, is_override) {
        (Ok(Some(_)), false) => reader.wrong("until", "A list price has no end of its own: add an override beside it, or another list price."),
        (Ok(None), true) => reader.wrong("until", "An override ends: say when, or end it."),
        _ => {}
    }
    if before.is_none() && key.begins.is_some_and(|(from, _)| from < cx.now) {
        reader.wrong("from", "Prices of the past stay as they are: leave it empty for now, or say an instant to come.");
    }
    let read = match (price, compare_at, until) {
        (Some(price), Ok(compare_at), Ok(until)) => Some((price, compare_at.map(|money| money.minor), until)),
        _ => None,
    };
    let (price, compare_at, until) = reader.done(read)?;
    let Key { list, variant, .. } = key;
    let Some((from, _)) = key.begins else {
        prices::put(tx, cx.clock, NewPrice { list, variant, price, compare_at, source: "operator" }, cx.now).await?;
        return Ok(());
    };
    let window = NewWindow { list, variant, price, compare_at, from, until };
    match key.find(tx, cx.now).await? {
        None => drop(prices::schedule(tx, cx.clock, window, cx.now).await?),
        Some(standing) => match (standing.state, until) {
            (State::ToCome, _) => {
                prices::withdraw(tx, cx.clock, &standing.id, cx.now).await?;
                prices::schedule(tx, cx.clock, window, cx.now).await?;
            }
            (State::Running, Some(until)) if (standing.price.price, standing.price.compare_at) == (price, compare_at) => {
                prices::prolong(tx, cx.clock, &standing.id, until, cx.now).await?;
            }
            (State::Running, _) => return Err(PutError::wrong("price", "It runs, and shoppers saw it: end it, and add another one from now on.")),
            (State::Over, _) => return Err(PutError::wrong("", "It is over, and stays as it was: add another one.")),
            (State::List, _) => return Err(PutError::wrong("", "It is the list price in force: change that row.")),
        },
    }
    Ok(())
}

/// What has not begun is gone, an override that runs ends now; without its list price a list does not sell the variant any more.
pub(super) async fn end(tx: &mut Tx, cx: &Context<'_>, key: &str) -> Result<(), PutError> {
    let key = parsed(key).context("a key that was read a moment ago")?;
    if key.begins.is_none() {
        return Ok(prices::stop(tx, cx.clock, key.list, key.variant, cx.now).await?);
    }
    let standing = key.find(tx, cx.now).await?.context("it was read a moment ago")?;
    prices::withdraw(tx, cx.clock, &standing.id, cx.now).await?;
    Ok(())
}

const fn word(state: State) -> &'static str {
    match state {
        State::List | State::Running => "in force",
        State::ToCome => "to come",
        State::Over => "ended",
    }
}

pub(super) async fn state(tx: &mut Tx, key: &str, now: Instant) -> anyhow::Result<&'static str> {
    let Some(key) = parsed(key) else { return Ok("") };
    let standing = key.find(tx, now).await?;
    // What was planned as a list price and has begun is changed and ended as the list price in force.
    let is_other = |standing: &Standing| key.begins.is_some() && standing.state == State::List;
    Ok(standing.map_or("", |standing| if is_other(&standing) { "replaced" } else { word(standing.state) }))
}

/// Rows of a page: those of this many variants, where a list is named, or else fewer.
pub(super) async fn page(db: &Db, wanted: &str, after: Option<&str>, limit: u32, now: Instant) -> anyhow::Result<(Vec<Line>, Option<String>)> {
    let markets = shelves::markets(db, now).await?;
    let mut lists: Vec<&str> = markets.iter().map(|market| market.price_list.as_str()).collect();
    lists.sort_unstable();
    lists.dedup();
    let (first, rest) = wanted.split_once(' ').unwrap_or((wanted, ""));
    let (list, wanted) = if lists.contains(&first) { (Some(first), rest.trim()) } else { (None, wanted) };
    let variants_max = if list.is_some() { limit } else { (limit / u32::try_from(lists.len().max(1))?).max(1) };
    let (variants, next) = if wanted.is_empty() { by_id(db, after, variants_max).await? } else { found(db, wanted, after, variants_max).await? };
    let mut standing = Vec::new();
    if wanted.is_empty() {
        if let Some((last, _)) = variants.last() {
            standing = prices::rows_between(db, after.and_then(|after| after.parse().ok()), *last, now).await?;
        }
    } else {
        for (variant, _) in &variants {
            for list in lists.iter().filter(|known| list.is_none_or(|list| list == **known)) {
                standing.extend(prices::rows(db, list, *variant, now).await?);
            }
        }
    }
    let skus: HashMap<VariantId, String> = variants.into_iter().collect();
    let lines = standing.into_iter().filter(|row| list.is_none_or(|list| list == row.list)).map(|row| {
        let begins = (row.state != State::List).then_some((row.price.from, row.price.is_override));
        let key = Key { list: &row.list, variant: row.variant, begins }.text();
        Line { key, cells: cells(&row, skus.get(&row.variant).cloned().unwrap_or_default()), state: word(row.state) }
    });
    Ok((lines.collect(), next))
}

/// Variants on offer and what cells call them, by id, after one of them; and what the next ones come after.
type Variants = (Vec<(VariantId, String)>, Option<String>);

async fn by_id(db: &Db, after: Option<&str>, limit: u32) -> anyhow::Result<Variants> {
    let sql = "SELECT v.id, v.sku, (SELECT COUNT(*) FROM variants o WHERE o.sku = v.sku AND o.active = 1) AS same FROM variants v \
               WHERE v.active = 1 AND v.id > $1 ORDER BY v.id LIMIT $2";
    let rows = db.all(sql, params![after.unwrap_or_default(), limit + 1]).await?;
    let mut variants = rows.iter().map(called).collect::<anyhow::Result<Vec<_>>>()?;
    let more = variants.len() > limit as usize;
    variants.truncate(limit as usize);
    let next = variants.last().filter(|_| more).map(|(last, _)| last.to_string());
    Ok((variants, next))
}

fn called(row: &Row) -> anyhow::Result<(VariantId, String)> {
    let (id, sku): (VariantId, _) = (row.parse("id")?, row.text("sku")?);
    Ok((id, if sku.is_empty() || row.int("same")? > 1 { id.to_string() } else { sku }))
}

async fn found(db: &Db, wanted: &str, after: Option<&str>, limit: u32) -> anyhow::Result<Variants> {
    let mut found = terms::find(db, wanted, after, limit + 1).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).map(terms::Found::key);
    let mut variants: Vec<(VariantId, String)> = Vec::new();
    for one in &found {
        let sql = "SELECT v.id, v.sku, (SELECT COUNT(*) FROM variants o WHERE o.sku = v.sku AND o.active = 1) AS same FROM variants v \
                   WHERE v.active = 1 AND v.product_id = $1 AND ($2 = '' OR v.id = $2) ORDER BY v.position, v.id LIMIT 100";
        let variant = one.variant.map(|variant| variant.to_string()).unwrap_or_default();
        for row in &db.all(sql, params![one.product, variant]).await? {
            let known = called(row)?;
            if !variants.contains(&known) {
                variants.push(known);
            }
        }
    }
    Ok((variants, next))
}
