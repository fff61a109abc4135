//! The stock ledger in SQL: receipts and counts from the catalogue, holds, sales and releases from the order core. Every change is a
//! conditional single-row update with its ledger row and its event, inside the caller's transaction.

use crate::{clock::Clock, events, params, sql::Tx};
use anyhow::Context as _;
use domain::{
    HoldId, OrderId, ProductId, VariantId,
    event::Event,
    stock::{Movement, take},
};

/// Which stock is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    pub product: ProductId,
    pub variant: VariantId,
}

/// Pieces came in. `cause` names the delivery or the import.
pub async fn receipt(tx: &mut Tx, clock: &Clock, item: Item, location: &str, quantity: u32, cause: &str) -> anyhow::Result<()> {
    ensure_row(tx, item.variant, location).await?;
    move_stock(tx, clock, item, &Row { location: location.to_owned(), bucket: 0 }, Movement::Receipt(quantity), "", cause).await
}

/// The first pieces of a variant that this transaction made: nothing is known about it yet, so nothing is asked. Its product's event tells.
pub async fn begin(tx: &mut Tx, clock: &Clock, item: Item, location: &str, quantity: u32, cause: &str) -> anyhow::Result<()> {
    tx.execute(
        "INSERT INTO stock_balances (variant_id, location, bucket, free, held) VALUES ($1, $2, 0, $3, 0)",
        params![item.variant, location, quantity],
    )
    .await?;
    if quantity > 0 {
        write_ledger(tx, clock, item, &Row { location: location.to_owned(), bucket: 0 }, Movement::Receipt(quantity), "", cause).await?;
    }
    Ok(())
}

/// A count or an import says that there are `difference` pieces more (or fewer). What is free may fall below zero: the ledger then says
/// that more was promised than is there.
pub async fn adjust(tx: &mut Tx, clock: &Clock, item: Item, location: &str, difference: i64, reason: &str, cause: &str) -> anyhow::Result<()> {
    ensure_row(tx, item.variant, location).await?;
    move_stock(tx, clock, item, &Row { location: location.to_owned(), bucket: 0 }, Movement::Adjustment(difference), reason, cause).await
}

/// For whom and from where stock is held. Until when is the order's business.
#[derive(Clone, Copy, Debug)]
pub struct Holding<'a> {
    pub order: OrderId,
    /// The market's locations in order of preference.
    pub locations: &'a [String],
}

/// Not enough is there: `left` pieces could be had. Nothing was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortage {
    pub variant: VariantId,
    pub left: u32,
}

/// Holds `quantity` pieces for an order: from the first location that has them all, else from several. Variants that are not counted hold
/// nothing; back-order variants go below zero at the first location.
///
/// Call it late in the transaction and with the hottest variant last: the row stays locked until the commit.
pub async fn hold(tx: &mut Tx, clock: &Clock, holding: Holding<'_>, item: Item, quantity: u32) -> anyhow::Result<Result<(), Shortage>> {
    let policy = tx.first("SELECT tracked, oversell FROM variants WHERE id = $1", params![item.variant]).await?;
    let Some(policy) = policy else { return Ok(Err(Shortage { variant: item.variant, left: 0 })) };
    if !policy.flag("tracked")? {
        return Ok(Ok(()));
    }
    let cause = format!("order:{}", holding.order);
    // Each try loses only to somebody who took pieces meanwhile, so the tries are bounded by the stock; the figure bounds the wait.
    for _ in 0..TRIES {
        let rows = rows(tx, item.variant, holding.locations).await?;
        let free: Vec<i64> = rows.iter().map(|row| row.1).collect();
        let Some(parts) = take(&free, quantity) else {
            if policy.flag("oversell")? {
                let location = holding.locations.first().context("a market has a location")?;
                ensure_row(tx, item.variant, location).await?;
                let row = Row { location: location.clone(), bucket: 0 };
                keep(tx, holding, item, &row, quantity, clock).await?;
                move_stock(tx, clock, item, &row, Movement::Hold(quantity), "back-order", &cause).await?;
                return Ok(Ok(()));
            }
            let left = free.iter().filter(|free| **free > 0).sum::<i64>();
            return Ok(Err(Shortage { variant: item.variant, left: u32::try_from(left).unwrap_or(u32::MAX) }));
        };
        let mut taken = Vec::with_capacity(parts.len());
        for (index, pieces) in &parts {
            let row = &rows[*index].0;
            if !shift_if_free(tx, item.variant, row, *pieces).await? {
                break;
            }
            taken.push((row, *pieces));
        }
        if taken.len() < parts.len() {
            for (row, pieces) in taken {
                shift(tx, item.variant, row, Movement::Release(pieces)).await?;
            }
            continue;
        }
        for (row, pieces) in taken {
            keep(tx, holding, item, row, pieces, clock).await?;
            write_ledger(tx, clock, item, row, Movement::Hold(pieces), "", &cause).await?;
        }
        events::emit(tx, clock, &Event::StockChanged { product: item.product, variant: item.variant }).await?;
        return Ok(Ok(()));
    }
    let left = rows(tx, item.variant, holding.locations).await?.iter().map(|row| row.1.max(0)).sum::<i64>();
    Ok(Err(Shortage { variant: item.variant, left: u32::try_from(left).unwrap_or(u32::MAX) }))
}

/// How often [`hold`] plans anew when others take pieces between its read and its update.
const TRIES: u32 = 8;

/// A piece of stock kept for an order, as the table has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub id: HoldId,
    pub item: Item,
    pub quantity: u32,
    row: Row,
}

/// What is held for an order now.
pub async fn held(tx: &mut Tx, order: OrderId) -> anyhow::Result<Vec<Held>> {
    tx.all(
        "SELECT id, variant_id, product_id, location, bucket, quantity FROM holds WHERE order_id = $1 AND state = 'held' ORDER BY variant_id, id",
        params![order],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(Held {
            id: row.parse("id")?,
            item: Item { product: row.parse("product_id")?, variant: row.parse("variant_id")? },
            quantity: u32::try_from(row.int("quantity")?)?,
            row: Row { location: row.text("location")?, bucket: row.int("bucket")? },
        })
    })
    .collect()
}

/// What was held for an order has been paid for. The number of pieces sold; nothing when nothing was held.
pub async fn sell(tx: &mut Tx, clock: &Clock, order: OrderId) -> anyhow::Result<u32> {
    finish(tx, clock, order, "sold", Movement::Sale).await
}

/// What was held for an order is free again. The number of pieces; nothing when nothing was held.
pub async fn release(tx: &mut Tx, clock: &Clock, order: OrderId) -> anyhow::Result<u32> {
    finish(tx, clock, order, "released", Movement::Release).await
}

async fn finish(tx: &mut Tx, clock: &Clock, order: OrderId, state: &'static str, movement: fn(u32) -> Movement) -> anyhow::Result<u32> {
    let mut pieces = 0;
    for held in held(tx, order).await? {
        // The state decides: whoever turns it first moves the stock, a second one finds nothing to do.
        let turned = tx.execute("UPDATE holds SET state = $2 WHERE id = $1 AND state = 'held'", params![held.id, state]).await?;
        if turned == 1 {
            move_stock(tx, clock, held.item, &held.row, movement(held.quantity), "", &format!("order:{order}")).await?;
            pieces += held.quantity;
        }
    }
    Ok(pieces)
}

/// A row of balances.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    location: String,
    bucket: i64,
}

/// The variant's rows in the locations' order, each with what is free.
async fn rows(tx: &mut Tx, variant: VariantId, locations: &[String]) -> anyhow::Result<Vec<(Row, i64)>> {
    let found = tx.all("SELECT location, bucket, free FROM stock_balances WHERE variant_id = $1", params![variant]).await?;
    let mut rows = Vec::with_capacity(found.len());
    for row in &found {
        let location = row.text("location")?;
        if let Some(rank) = locations.iter().position(|known| *known == location) {
            rows.push((rank, Row { location, bucket: row.int("bucket")? }, row.int("free")?));
        }
    }
    rows.sort_by_key(|a| (a.0, a.1.bucket));
    Ok(rows.into_iter().map(|(_, row, free)| (row, free)).collect())
}

async fn ensure_row(tx: &mut Tx, variant: VariantId, location: &str) -> anyhow::Result<()> {
    tx.execute(
        "INSERT INTO stock_balances (variant_id, location, bucket, free, held) VALUES ($1, $2, 0, 0, 0) ON CONFLICT (variant_id, location, bucket) DO NOTHING",
        params![variant, location],
    )
    .await?;
    Ok(())
}

/// Moves pieces from free to held if that many are free: the one statement that decides who gets the last piece.
async fn shift_if_free(tx: &mut Tx, variant: VariantId, row: &Row, pieces: u32) -> anyhow::Result<bool> {
    let touched = tx
        .execute(
            "UPDATE stock_balances SET free = free - $4, held = held + $4 WHERE variant_id = $1 AND location = $2 AND bucket = $3 AND free >= $4",
            params![variant, &row.location, row.bucket, pieces],
        )
        .await?;
    Ok(touched == 1)
}

async fn shift(tx: &mut Tx, variant: VariantId, row: &Row, movement: Movement) -> anyhow::Result<()> {
    let (free, held) = movement.effect();
    let touched = tx
        .execute(
            "UPDATE stock_balances SET free = free + $4, held = held + $5 WHERE variant_id = $1 AND location = $2 AND bucket = $3 AND held + $5 >= 0",
            params![variant, &row.location, row.bucket, free, held],
        )
        .await?;
    anyhow::ensure!(touched == 1, "the balance of {variant} in {} does not bear {movement:?}", row.location);
    Ok(())
}

async fn move_stock(tx: &mut Tx, clock: &Clock, item: Item, row: &Row, movement: Movement, reason: &str, cause: &str) -> anyhow::Result<()> {
    if movement.quantity() == 0 {
        return Ok(());
    }
    write_ledger(tx, clock, item, row, movement, reason, cause).await?;
    shift(tx, item.variant, row, movement).await?;
    // A sale changes nothing that a shopper can see: the pieces were no longer free.
    if movement.effect().0 != 0 {
        events::emit(tx, clock, &Event::StockChanged { product: item.product, variant: item.variant }).await?;
    }
    Ok(())
}

async fn write_ledger(tx: &mut Tx, clock: &Clock, item: Item, row: &Row, movement: Movement, reason: &str, cause: &str) -> anyhow::Result<()> {
    tx.execute(
        "INSERT INTO stock_ledger (id, variant_id, location, bucket, kind, quantity, reason, cause, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        params![clock.id().to_string(), item.variant, &row.location, row.bucket, movement.kind(), movement.quantity(), reason, cause, clock.now()],
    )
    .await?;
    Ok(())
}

async fn keep(tx: &mut Tx, holding: Holding<'_>, item: Item, row: &Row, pieces: u32, clock: &Clock) -> anyhow::Result<()> {
    tx.execute(
        "INSERT INTO holds (id, order_id, variant_id, product_id, location, bucket, quantity, state) VALUES ($1, $2, $3, $4, $5, $6, $7, 'held')",
        params![HoldId(clock.id()), holding.order, item.variant, item.product, &row.location, row.bucket, pieces],
    )
    .await?;
    Ok(())
}
