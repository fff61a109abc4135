//! The stock ledger in SQL: receipts and counts from the catalogue, holds, sales and releases from the order core. Every change is a
//! conditional single-row update with its ledger row and its event, inside the caller's transaction.

mod buckets;
pub mod command;
mod heat;
mod hold;
mod leaving;

pub use buckets::{Keeper, gather, gather_all, spread};
pub use hold::{Holding, Shortage, hold};
pub use leaving::{Leaving, Piece};

use crate::{clock::Clock, events, params, sql::Tx};
use domain::{
    HoldId, OrderId, ProductId, VariantId,
    event::Event,
    stock::{Balance, Movement},
};

/// Which stock is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Item {
    pub product: ProductId,
    pub variant: VariantId,
}

/// Pieces came in. `cause` names the delivery or the import.
pub async fn receipt(tx: &mut Tx, clock: &Clock, item: Item, location: &str, quantity: u32, cause: &str) -> anyhow::Result<()> {
    let row = Row { location: location.to_owned(), bucket: 0 };
    ensure_row(tx, item.variant, &row).await?;
    move_stock(tx, clock, item, &row, Movement::Receipt(quantity), "", cause).await
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
    let row = Row { location: location.to_owned(), bucket: 0 };
    ensure_row(tx, item.variant, &row).await?;
    // Pieces that are missing are missing from all of them together, not from the first row.
    if difference < 0 && buckets::is_spread(tx, item, location).await? {
        gather(tx, clock, item, location).await?;
    }
    move_stock(tx, clock, item, &row, Movement::Adjustment(difference), reason, cause).await
}

/// Sold pieces come back, whole or not: as a return, or as a return and a loss.
pub(super) async fn come_back(
    tx: &mut Tx,
    clock: &Clock,
    item: Item,
    location: &str,
    movement: Movement,
    reason: &str,
    cause: &str,
) -> anyhow::Result<()> {
    let row = Row { location: location.to_owned(), bucket: 0 };
    ensure_row(tx, item.variant, &row).await?;
    move_stock(tx, clock, item, &row, movement, reason, cause).await
}

/// Free pieces are lost. Whether so many are free is decided by whoever holds the rows ([`lock`]).
pub async fn damage(tx: &mut Tx, clock: &Clock, item: Item, location: &str, quantity: u32, reason: &str, cause: &str) -> anyhow::Result<()> {
    if buckets::is_spread(tx, item, location).await? {
        gather(tx, clock, item, location).await?;
    }
    move_stock(tx, clock, item, &Row { location: location.to_owned(), bucket: 0 }, Movement::Damage(quantity), reason, cause).await
}

/// What the rows of a variant at a location add up to; they are locked until the commit.
pub async fn lock(tx: &mut Tx, variant: VariantId, location: &str) -> anyhow::Result<Balance> {
    tx.execute("UPDATE stock_balances SET free = free WHERE variant_id = $1 AND location = $2", params![variant, location]).await?;
    let rows = tx.all("SELECT free, held FROM stock_balances WHERE variant_id = $1 AND location = $2", params![variant, location]).await?;
    rows.iter().try_fold(Balance::default(), |sum, row| Ok(Balance { free: sum.free + row.int("free")?, held: sum.held + row.int("held")? }))
}

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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    location: String,
    bucket: i64,
}

async fn ensure_row(tx: &mut Tx, variant: VariantId, row: &Row) -> anyhow::Result<()> {
    tx.execute(
        "INSERT INTO stock_balances (variant_id, location, bucket, free, held) VALUES ($1, $2, $3, 0, 0) ON CONFLICT (variant_id, location, bucket) DO NOTHING",
        params![variant, &row.location, row.bucket],
    )
    .await?;
    Ok(())
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
