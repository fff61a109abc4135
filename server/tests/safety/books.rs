//! What must hold between the shop's books and the provider's at any quiet moment.

use crate::world::World;
use anyhow::{Context as _, ensure};
use server::{params, sql::Db};
use std::{collections::BTreeMap, time::Duration};

/// What was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Books {
    pub orders: usize,
    pub captures: usize,
    pub refunds: usize,
}

/// Waits for the books to agree, at most half a minute; what they say, or what is wrong.
pub async fn agree(world: &World) -> anyhow::Result<Books> {
    let db = world.db().await?;
    let mut wrong = anyhow::anyhow!("never looked");
    for _ in 0..120 {
        match compare(world, &db).await {
            Ok(books) => return Ok(books),
            Err(error) => wrong = error,
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    Err(wrong.context("the books do not agree after half a minute"))
}

async fn compare(world: &World, db: &Db) -> anyhow::Result<Books> {
    let ledger = world.ledger().await?;
    let sessions = ledger["sessions"].as_array().context("sessions")?;
    let mut books = Books::default();
    // What the provider keeps of each order, by number.
    let mut kept: BTreeMap<String, i64> = BTreeMap::new();
    for session in sessions {
        let number = session["number"].as_str().context("a number")?;
        let entry = kept.entry(number.to_owned()).or_default();
        if session["state"]["state"] == "captured" {
            let (amount, back) = (session["amount"]["minor"].as_i64().unwrap_or(0), session["refunded_minor"].as_i64().unwrap_or(0));
            *entry += amount - back;
            books.captures += 1;
            books.refunds += usize::from(back > 0);
            let payment = session["payment"].as_str().context("a payment")?;
            let row = db
                .first("SELECT state FROM payments WHERE id = $1", params![payment])
                .await?
                .with_context(|| format!("{number}: its payment is not known"))?;
            ensure!(row.text("state")? == "captured", "{number}: captured there, {} here", row.text("state")?);
        }
    }
    books.orders = kept.len();
    for (number, kept) in kept {
        let sql = "SELECT o.pieces, o.total_minor, (SELECT CAST(COALESCE(SUM(r.amount_minor), 0) AS BIGINT) FROM refunds r WHERE r.order_id = o.id \
                   AND r.state IN ('requested', 'pending', 'issued') AND r.reason <> 'paid_twice') AS back FROM orders o WHERE o.number = $1";
        let row = db.first(sql, params![&number]).await?;
        let row = row.with_context(|| format!("{number} is not known here, but the provider has a page for it"))?;
        let owed = if row.text("pieces")? == "sold" { row.int("total_minor")? - row.int("back")? } else { 0 };
        ensure!(kept == owed, "{number} ({}): the provider keeps {kept}, the order says {owed}", row.text("pieces")?);
    }
    stock_adds_up(db).await?;
    Ok(books)
}

/// The stock ledger adds up to the balances, nothing was sold that was not there, and what is held belongs to orders that wait.
async fn stock_adds_up(db: &Db) -> anyhow::Result<()> {
    let rows = db
        .all(
            "SELECT b.variant_id, b.location, b.bucket, b.free, b.held, \
             CAST(COALESCE(SUM(CASE l.kind WHEN 'receipt' THEN l.quantity WHEN 'adjustment' THEN l.quantity WHEN 'return' THEN l.quantity \
             WHEN 'transfer' THEN l.quantity WHEN 'release' THEN l.quantity WHEN 'hold' THEN -l.quantity WHEN 'damage' THEN -l.quantity ELSE 0 END), 0) AS BIGINT) AS free_by_ledger, \
             CAST(COALESCE(SUM(CASE l.kind WHEN 'hold' THEN l.quantity WHEN 'release' THEN -l.quantity WHEN 'sale' THEN -l.quantity ELSE 0 END), 0) AS BIGINT) \
             AS held_by_ledger FROM stock_balances b LEFT JOIN stock_ledger l ON l.variant_id = b.variant_id AND l.location = b.location AND l.bucket = b.bucket \
             GROUP BY b.variant_id, b.location, b.bucket, b.free, b.held",
            params![],
        )
        .await?;
    for row in &rows {
        ensure!(row.int("free")? == row.int("free_by_ledger")? && row.int("held")? == row.int("held_by_ledger")?, "stock: {}", row.debug_text());
        ensure!(row.int("held")? >= 0, "stock: {}", row.debug_text());
    }
    let astray = db
        .first(
            "SELECT COUNT(*) AS n FROM holds h LEFT JOIN orders o ON o.id = h.order_id WHERE (h.state = 'held' AND (o.pieces IS NULL OR o.pieces <> 'held')) \
             OR (o.pieces = 'sold' AND h.state = 'held')",
            params![],
        )
        .await?
        .context("a count")?
        .int("n")?;
    ensure!(astray == 0, "{astray} holds belong to no order that waits");
    let sold = "SELECT (SELECT CAST(COALESCE(SUM(h.quantity), 0) AS BIGINT) FROM holds h WHERE h.state IN ('sold', 'packed', 'shipped', 'returned')) AS held, \
                (SELECT CAST(COALESCE(SUM(l.quantity), 0) AS BIGINT) FROM stock_ledger l WHERE l.kind = 'sale') AS booked";
    let row = db.first(sold, params![]).await?.context("sums")?;
    ensure!(row.int("held")? == row.int("booked")?, "{} pieces sold by orders, {} by the ledger", row.int("held")?, row.int("booked")?);
    Ok(())
}
