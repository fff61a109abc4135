//! Sold pieces on their way: which location they lie at until they are sent, and how they come back. A row of `holds` is followed to its
//! end: 'sold' (paid, on the shelf), 'packed', 'shipped', 'returned'. The order's row is locked by the caller.

use super::stock::{self, Item};
use crate::{
    clock::Clock,
    orders::many::{self, many},
    params,
    sql::{Db, Row, Tx},
};
use domain::{HoldId, OrderId, ProductId, VariantId, stock::Movement};
use std::collections::BTreeMap;

/// Sold pieces that lie somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lying {
    pub product: ProductId,
    pub variant: VariantId,
    pub location: String,
    pub quantity: u32,
}

/// What a step of sold pieces turns rows of one state into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Pack,
    Unpack,
    Ship,
}

impl Step {
    const fn states(self) -> (&'static str, &'static str) {
        match self {
            Self::Pack => ("sold", "packed"),
            Self::Unpack => ("packed", "sold"),
            Self::Ship => ("packed", "shipped"),
        }
    }
}

/// Fewer pieces of a variant lie at a location than were named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotThere {
    pub variant: VariantId,
    pub left: u32,
}

/// Where an order's sold pieces lie that nobody has begun to pack.
pub async fn lying(db: &Db, order: OrderId) -> anyhow::Result<Vec<Lying>> {
    let sql = "SELECT product_id, variant_id, location, CAST(SUM(quantity) AS BIGINT) AS quantity FROM holds WHERE order_id = $1 AND state = 'sold' \
               GROUP BY product_id, variant_id, location ORDER BY location, variant_id";
    db.all(sql, params![order]).await?.iter().map(read).collect()
}

pub const LYING_OF_MANY: &str = concat!(
    "SELECT order_id, product_id, variant_id, location, CAST(SUM(quantity) AS BIGINT) AS quantity FROM holds WHERE state = 'sold' AND order_id ",
    many!(),
    " GROUP BY order_id, product_id, variant_id, location ORDER BY order_id, location, variant_id"
);

/// The same of many orders.
pub async fn lying_of_many(db: &Db, orders: impl Iterator<Item = OrderId>) -> anyhow::Result<BTreeMap<OrderId, Vec<Lying>>> {
    let mut lying: BTreeMap<OrderId, Vec<Lying>> = BTreeMap::new();
    for row in many::all(db, LYING_OF_MANY, orders.map(|order| order.to_string())).await? {
        lying.entry(row.parse("order_id")?).or_default().push(read(&row)?);
    }
    Ok(lying)
}

fn read(row: &Row) -> anyhow::Result<Lying> {
    Ok(Lying {
        product: row.parse("product_id")?,
        variant: row.parse("variant_id")?,
        location: row.text("location")?,
        quantity: u32::try_from(row.int("quantity")?)?,
    })
}

/// Takes pieces of a variant at a location one step further. A variant of which the order holds nothing is not counted: it lies anywhere.
pub async fn step(
    tx: &mut Tx,
    clock: &Clock,
    order: OrderId,
    location: &str,
    variant: VariantId,
    quantity: u32,
    step: Step,
) -> anyhow::Result<Result<(), NotThere>> {
    let counted = tx.first("SELECT id FROM holds WHERE order_id = $1 AND variant_id = $2 LIMIT 1", params![order, variant]).await?.is_some();
    if !counted {
        return Ok(Ok(()));
    }
    let (from, to) = step.states();
    let sql = "SELECT id, quantity, location, bucket, product_id FROM holds WHERE order_id = $1 AND variant_id = $2 AND location = $3 AND state = $4 ORDER BY id";
    let rows = tx.all(sql, params![order, variant, location, from]).await?;
    turn(tx, clock, order, variant, &rows, quantity, to).await
}

/// Sold pieces are not sent after all: back on the shelf they lie at.
pub async fn cancel(tx: &mut Tx, clock: &Clock, order: OrderId, item: Item, quantity: u32) -> anyhow::Result<Result<(), NotThere>> {
    let counted = tx.first("SELECT id FROM holds WHERE order_id = $1 AND variant_id = $2 LIMIT 1", params![order, item.variant]).await?.is_some();
    if !counted {
        return Ok(Ok(()));
    }
    let sql =
        "SELECT id, quantity, location, bucket, product_id FROM holds WHERE order_id = $1 AND variant_id = $2 AND state = 'sold' ORDER BY id DESC";
    let rows = tx.all(sql, params![order, item.variant]).await?;
    let mut left = quantity;
    for row in &rows {
        let here = u32::try_from(row.int("quantity")?)?.min(left);
        if here > 0 {
            stock::come_back(tx, clock, item, &row.text("location")?, Movement::Return(here), "cancelled", &format!("order:{order}")).await?;
            left -= here;
        }
    }
    turn(tx, clock, order, item.variant, &rows, quantity, "returned").await
}

/// Sent pieces came back to a location; what is not fit to be sold leaves the books at once.
pub async fn receive(tx: &mut Tx, clock: &Clock, order: OrderId, item: Item, location: &str, quantity: u32, to_shelf: bool) -> anyhow::Result<()> {
    let sql =
        "SELECT id, quantity, location, bucket, product_id FROM holds WHERE order_id = $1 AND variant_id = $2 AND state = 'shipped' ORDER BY id";
    let rows = tx.all(sql, params![order, item.variant]).await?;
    if rows.is_empty() {
        return Ok(());
    }
    let cause = format!("order:{order}");
    stock::come_back(tx, clock, item, location, Movement::Return(quantity), "returned", &cause).await?;
    if !to_shelf {
        stock::come_back(tx, clock, item, location, Movement::Damage(quantity), "returned unfit", &cause).await?;
    }
    if let Err(missing) = turn(tx, clock, order, item.variant, &rows, quantity, "returned").await? {
        anyhow::bail!("{quantity} pieces of {} came back, but only {} were sent", missing.variant, missing.left);
    }
    Ok(())
}

/// Turns `quantity` pieces of these rows into the state `to`, cutting a row where it has more. Too few: nothing is turned.
async fn turn(
    tx: &mut Tx,
    clock: &Clock,
    order: OrderId,
    variant: VariantId,
    rows: &[Row],
    quantity: u32,
    to: &'static str,
) -> anyhow::Result<Result<(), NotThere>> {
    let mut there = 0_u32;
    for row in rows {
        there += u32::try_from(row.int("quantity")?)?;
    }
    if there < quantity {
        return Ok(Err(NotThere { variant, left: there }));
    }
    let mut left = i64::from(quantity);
    for row in rows {
        let (id, pieces): (HoldId, i64) = (row.parse("id")?, row.int("quantity")?);
        if left == 0 {
            break;
        }
        if pieces <= left {
            tx.execute("UPDATE holds SET state = $2 WHERE id = $1", params![id, to]).await?;
            left -= pieces;
        } else {
            tx.execute("UPDATE holds SET quantity = quantity - $2 WHERE id = $1", params![id, left]).await?;
            tx.execute(
                "INSERT INTO holds (id, order_id, variant_id, product_id, location, bucket, quantity, state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                params![
                    HoldId(clock.id()),
                    order,
                    variant,
                    row.parse::<ProductId>("product_id")?,
                    row.text("location")?,
                    row.int("bucket")?,
                    left,
                    to
                ],
            )
            .await?;
            left = 0;
        }
    }
    Ok(Ok(()))
}
