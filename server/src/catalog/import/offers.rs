//! A variant's price and its pieces from a file into SQL.
//!
//! The rule of quantities: without `--location` a file counts all pieces of the shop, and is compared with what imports have booked so far
//! at all locations together; with it the file counts that location's pieces and is compared with what imports have booked there. Only the
//! difference is booked, so that the same file changes nothing and sold pieces never come back.

use super::{apply::Terms, columns::Cell, variant::DraftVariant};
use crate::{
    catalog::{
        demo::remember_stock,
        prices::{self, InForce, NewPrice},
        product::Variant,
        stock::{self, Item},
    },
    clock::Clock,
    events, params,
    sql::Tx,
};
use domain::{ProductId, VariantId, event::Event, money::Money};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What the shop knows about a product's variants before a file speaks.
#[derive(Default)]
pub(super) struct Known {
    /// Where prices begin or end by themselves.
    planned: HashSet<(VariantId, String)>,
    /// By variant and price list.
    prices: HashMap<(VariantId, String), InForce>,
    /// Pieces that imports have booked, by variant and location.
    imported: HashMap<VariantId, BTreeMap<String, i64>>,
}

impl Known {
    /// Reads what is known, in one go for all variants of the product.
    pub(super) async fn of(tx: &mut Tx, product: ProductId, terms: &Terms) -> anyhow::Result<Self> {
        let mut known = Self::default();
        for found in prices::in_force(tx, product, terms.now).await? {
            // Should there be two, the later one comes later and wins.
            known.prices.insert((found.variant, found.list.clone()), found);
        }
        known.planned = prices::planned(tx, product).await?.into_iter().collect();
        let rows = tx
            .all(
                "SELECT s.variant_id, s.location, s.quantity FROM imported_stock s JOIN variants v ON v.id = s.variant_id WHERE v.product_id = $1",
                params![product],
            )
            .await?;
        for row in &rows {
            known.imported.entry(row.parse("variant_id")?).or_default().insert(row.text("location")?, row.int("quantity")?);
        }
        Ok(known)
    }
}

/// A variant that the file speaks of.
pub(super) struct Line<'a> {
    pub draft: &'a DraftVariant,
    pub variant: &'a Variant,
    /// Whether it came with this file: its product's event tells of all that is new.
    pub is_new: bool,
}

/// Sets what the file says about the variant's price in every list: an empty cell ends the price, an absent column leaves it. Whether
/// anything changed.
pub(super) async fn price(tx: &mut Tx, clock: &Clock, terms: &Terms, known: &Known, line: &Line<'_>) -> anyhow::Result<bool> {
    let variant = line.variant.id;
    let mut changed = false;
    for list in &terms.lists {
        let key = (variant, list.clone());
        let current = known.prices.get(&key);
        let price = match (line.draft.price, current) {
            (Cell::Holds(minor), _) => Money::new(minor, terms.currency),
            (Cell::Absent, Some(current)) => current.price.price,
            (Cell::Empty, Some(_)) => {
                changed |= prices::end(tx, list, variant, terms.now).await?;
                continue;
            }
            (Cell::Absent | Cell::Empty, None) => continue,
        };
        let compare_at = match line.draft.compare_at {
            Cell::Absent => current.filter(|current| current.price.price.currency == price.currency).and_then(|current| current.price.compare_at),
            Cell::Empty => None,
            Cell::Holds(minor) => Some(minor),
        };
        let new = NewPrice { list, variant, price, compare_at, source: "import" };
        changed |= prices::replace(tx, clock, new, current, known.planned.contains(&key), terms.now).await?;
    }
    if changed && !line.is_new {
        events::emit(tx, clock, &Event::PriceChanged { product: line.variant.product, variant }).await?;
    }
    Ok(changed)
}

/// Books the difference between what this file counts and what imports have booked before. Whether anything changed.
pub(super) async fn count(tx: &mut Tx, clock: &Clock, terms: &Terms, known: &Known, line: &Line<'_>) -> anyhow::Result<bool> {
    let Some(quantity) = line.draft.quantity.filter(|_| line.variant.tracked) else { return Ok(false) };
    // What a shop owes counts as nothing there.
    let quantity = quantity.max(0);
    let item = Item { product: line.variant.product, variant: line.variant.id };
    if line.is_new {
        stock::begin(tx, clock, item, &terms.location, u32::try_from(quantity)?, &terms.cause).await?;
        remember_stock(tx, item.variant, &terms.location, quantity).await?;
        return Ok(true);
    }
    let nowhere = BTreeMap::new();
    let booked = known.imported.get(&item.variant).unwrap_or(&nowhere);
    let last = if terms.is_one_location { booked.get(&terms.location).copied() } else { booked.values().copied().reduce(|a, b| a + b) };
    match last {
        Some(last) if last == quantity => return Ok(false),
        Some(last) => {
            for (location, difference) in spread(tx, terms, item, quantity - last).await? {
                stock::adjust(tx, clock, item, &location, difference, "import", &terms.cause).await?;
                remember_stock(tx, item.variant, &location, booked.get(&location).unwrap_or(&0) + difference).await?;
            }
        }
        None => {
            stock::receipt(tx, clock, item, &terms.location, u32::try_from(quantity)?, &terms.cause).await?;
            remember_stock(tx, item.variant, &terms.location, quantity).await?;
        }
    }
    Ok(true)
}

/// Where a difference is booked: at the location, but fewer pieces of the whole shop than it has free are taken from the others too, as long
/// as they have any. Pieces that nobody has are owed by the location.
async fn spread(tx: &mut Tx, terms: &Terms, item: Item, difference: i64) -> anyhow::Result<Vec<(String, i64)>> {
    if difference >= 0 || terms.is_one_location {
        return Ok(vec![(terms.location.clone(), difference)]);
    }
    let rows = tx
        .all(
            "SELECT location, CAST(SUM(free) AS BIGINT) AS free FROM stock_balances WHERE variant_id = $1 GROUP BY location ORDER BY location",
            params![item.variant],
        )
        .await?;
    let mut free = rows.iter().map(|row| Ok((row.text("location")?, row.int("free")?.max(0)))).collect::<anyhow::Result<Vec<_>>>()?;
    free.sort_by_key(|(location, _)| *location != terms.location);
    let mut missing = -difference;
    let mut parts: BTreeMap<String, i64> = BTreeMap::new();
    for (location, free) in free {
        let part = free.min(missing);
        missing -= part;
        if part > 0 {
            parts.insert(location, -part);
        }
    }
    if missing > 0 {
        *parts.entry(terms.location.clone()).or_default() -= missing;
    }
    Ok(parts.into_iter().collect())
}
