//! What must hold between the shop's books and the provider's at any quiet moment.

use crate::world::World;
use anyhow::{Context as _, ensure};
use domain::coupon::{Caps, Coupon};
use server::{params, sql::Db};
use std::{collections::BTreeMap, time::Duration};

/// One of a coupon's caps.
type Cap = fn(&Caps) -> Option<u32>;

/// What was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Books {
    pub orders: usize,
    pub captures: usize,
    pub refunds: usize,
    /// Refunds that banks sent back.
    pub bounced: usize,
    pub disputes: usize,
    /// Uses of discount codes that count.
    pub redemptions: i64,
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
    let mut books = Books::default();
    // What the provider keeps of each order, by number.
    let mut kept: BTreeMap<String, i64> = BTreeMap::new();
    for session in ledger["sessions"].as_array().context("sessions")? {
        let number = session["number"].as_str().context("a number")?;
        let entry = kept.entry(number.to_owned()).or_default();
        let payment = session["payment"].as_str().context("a payment")?;
        if session["state"]["state"] == "captured" {
            let (amount, back) = (session["amount"]["minor"].as_i64().unwrap_or(0), session["refunded_minor"].as_i64().unwrap_or(0));
            *entry += amount - back;
            books.captures += 1;
            books.refunds += usize::from(back > 0);
            stands(db, "SELECT state FROM payments WHERE id = $1", payment, "captured").await.with_context(|| number.to_owned())?;
        }
        if let Some(stage) = session["dispute"]["stage"].as_str() {
            books.disputes += 1;
            stands(db, "SELECT state FROM disputes WHERE payment_id = $1", payment, stage).await.with_context(|| number.to_owned())?;
        }
    }
    for refund in ledger["refunds"].as_array().context("refunds")? {
        let text = |name: &str| refund[name].as_str().with_context(|| format!("a refund's {name}"));
        books.bounced += usize::from(text("news")? == "bounced");
        stands(db, "SELECT state FROM refunds WHERE id = $1", text("refund")?, text("news")?).await?;
    }
    books.orders = kept.len();
    for (number, kept) in kept {
        money_adds_up(db, &number, kept).await.with_context(|| number.clone())?;
    }
    stock_adds_up(db).await?;
    books.redemptions = coupons_add_up(db).await?;
    invoices_add_up(db).await?;
    Ok(books)
}

/// What is at the provider is here, in the same state.
async fn stands(db: &Db, sql: &'static str, id: &str, there: &str) -> anyhow::Result<()> {
    let row = db.first(sql, params![id]).await?.with_context(|| format!("{id} is {there} at the provider and not known here"))?;
    let here = row.text("state")?;
    ensure!(here == there, "{id} is {there} at the provider and {here} here");
    Ok(())
}

/// The provider keeps what the order's ledger says, and every capture ends in an order or in a refund. A refund that failed or came back is
/// still one: a person sees to it.
async fn money_adds_up(db: &Db, number: &str, kept: i64) -> anyhow::Result<()> {
    let sql = "SELECT o.pieces, o.total_minor, \
               (SELECT CAST(COALESCE(SUM(p.amount_minor), 0) AS BIGINT) FROM payments p WHERE p.order_id = o.id AND p.state = 'captured') AS captured, \
               (SELECT CAST(COALESCE(SUM(r.amount_minor), 0) AS BIGINT) FROM refunds r WHERE r.order_id = o.id AND (r.state IN ('pending', 'issued') \
               OR (r.state = 'requested' AND NOT EXISTS (SELECT 1 FROM disputes d WHERE d.payment_id = r.payment_id AND d.state NOT IN ('won', 'lost'))))) \
               AS back, \
               (SELECT CAST(COALESCE(SUM(r.amount_minor), 0) AS BIGINT) FROM refunds r WHERE r.order_id = o.id \
               AND (o.pieces <> 'sold' OR r.reason = 'paid_twice')) AS owed FROM orders o WHERE o.number = $1";
    let row = db.first(sql, params![number]).await?.context("it is not known here, but the provider has a page for it")?;
    let (captured, back, owed) = (row.int("captured")?, row.int("back")?, row.int("owed")?);
    ensure!(kept == captured - back, "the provider keeps {kept}, the order says {captured} less {back}");
    let bought = if row.text("pieces")? == "sold" { row.int("total_minor")? } else { 0 };
    ensure!(captured == bought + owed, "{captured} were captured, {bought} are sold and {owed} owed ({})", row.text("pieces")?);
    Ok(())
}

/// What was sold has one invoice, no number is missing, and credit notes come to what went back.
async fn invoices_add_up(db: &Db) -> anyhow::Result<()> {
    for (what, sql) in [
        (
            "orders without their one invoice",
            "SELECT o.number FROM orders o WHERE (SELECT COUNT(*) FROM invoices i WHERE i.order_id = o.id AND i.cause = '') \
             <> (CASE WHEN o.pieces = 'sold' AND o.total_minor > 0 THEN 1 ELSE 0 END)",
        ),
        (
            "series with gaps",
            "SELECT s.entity, s.series, s.year, s.generation, s.last FROM invoice_series s WHERE s.last <> (SELECT COUNT(*) FROM invoices i \
             WHERE i.entity = s.entity AND i.series = s.series AND i.year = s.year AND i.generation = s.generation AND i.ordinal <= s.last)",
        ),
        (
            "orders with too few or too many credit notes",
            "SELECT o.number, o.total_minor, o.gone, o.noted FROM (SELECT number, total_minor, \
             (SELECT CAST(COALESCE(SUM(r.amount_minor), 0) AS BIGINT) FROM refunds r WHERE r.order_id = orders.id AND r.reason <> 'paid_twice' \
             AND r.state IN ('issued', 'settled_outside')) AS gone, \
             (SELECT CAST(COALESCE(SUM(i.total_minor), 0) AS BIGINT) FROM invoices i WHERE i.order_id = orders.id AND i.cause <> '') AS noted \
             FROM orders WHERE pieces = 'sold') o WHERE o.noted < o.gone OR o.noted > o.total_minor",
        ),
    ] {
        let astray = db.all(sql, params![]).await?;
        ensure!(astray.is_empty(), "{what}: {:?}", astray.iter().map(server::sql::Row::debug_text).collect::<Vec<_>>());
    }
    Ok(())
}

/// Uses of coupons are counted where there is a cap, and those that count belong to orders that stand; how many there are.
async fn coupons_add_up(db: &Db) -> anyhow::Result<i64> {
    let astray = db
        .all(
            "SELECT r.order_id, r.state, o.pieces, o.status FROM coupon_redemptions r LEFT JOIN orders o ON o.id = r.order_id \
             WHERE o.id IS NULL OR (r.state = 'counted') <> (o.pieces IN ('held', 'sold') AND o.status <> 'cancelled')",
            params![],
        )
        .await?;
    ensure!(astray.is_empty(), "redemptions astray: {:?}", astray.iter().map(server::sql::Row::debug_text).collect::<Vec<_>>());
    let figures: [(Cap, &str); 4] = [
        (
            |caps| caps.total,
            "SELECT c.body, c.used, (SELECT COUNT(*) FROM coupon_redemptions r WHERE r.coupon_id = c.id AND r.state = 'counted') AS counted FROM coupons c",
        ),
        (
            |caps| caps.per_code,
            "SELECT c.body, k.used, (SELECT COUNT(*) FROM coupon_redemptions r WHERE r.code_key = k.key AND r.state = 'counted') AS counted \
             FROM coupon_codes k JOIN coupons c ON c.id = k.coupon_id",
        ),
        (
            |caps| caps.per_customer,
            "SELECT c.body, u.used, (SELECT COUNT(*) FROM coupon_redemptions r WHERE r.coupon_id = c.id AND r.customer = u.customer AND r.state = 'counted') \
             AS counted FROM coupon_customers u JOIN coupons c ON c.id = u.coupon_id",
        ),
        // No customer's row is missing.
        (
            |caps| caps.per_customer,
            "SELECT c.body, (SELECT CAST(COALESCE(SUM(u.used), 0) AS BIGINT) FROM coupon_customers u WHERE u.coupon_id = c.id) AS used, \
             (SELECT COUNT(*) FROM coupon_redemptions r WHERE r.coupon_id = c.id AND r.state = 'counted') AS counted FROM coupons c",
        ),
    ];
    for (cap, sql) in figures {
        for row in db.all(sql, params![]).await? {
            let caps = serde_json::from_str::<Coupon>(&row.text("body")?)?.caps;
            let counted = cap(&caps).map_or(Ok(0), |_| row.int("counted"))?;
            ensure!(row.int("used")? == counted, "a coupon's uses: {}", row.debug_text());
        }
    }
    let all = "SELECT COUNT(*) AS n FROM coupon_redemptions WHERE state = 'counted'";
    db.first(all, params![]).await?.context("a count")?.int("n")
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
