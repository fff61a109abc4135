//! What orders wait for, copied from their ledgers for the lists of staff: a row for each kind.

use super::{Orders, store};
use crate::{
    params,
    sql::{Tx, Value},
};
use domain::{
    OrderId,
    offer::Instant,
    order::{Attention, Order},
};
use std::collections::BTreeMap;

/// The most urgent kind's word, or nothing.
pub fn first(order: &Order) -> &'static str {
    order.attention().first().map_or("", |attention| attention.word())
}

/// A kind's word, and when evidence is due. Of several disputes the first deadline counts.
pub fn kinds(order: &Order) -> BTreeMap<&'static str, Option<Instant>> {
    let mut kinds: BTreeMap<&'static str, Option<Instant>> = BTreeMap::new();
    for attention in order.attention() {
        let due = if let Attention::Dispute { evidence_due } = attention { evidence_due } else { None };
        let known = kinds.entry(attention.word()).or_default();
        *known = [*known, due].into_iter().flatten().min();
    }
    kinds
}

/// Writes what an order waits for, with the rest of a change at `now`. The order is locked.
pub async fn save(tx: &mut Tx, before: &Order, after: &Order, now: Instant) -> anyhow::Result<()> {
    if kinds(before).is_empty() && kinds(after).is_empty() {
        return Ok(());
    }
    // Whatever the ledgers said before: rows may be there that a server of the release before left.
    clear(tx, after.id).await?;
    write(tx, after, now).await
}

async fn clear(tx: &mut Tx, order: OrderId) -> anyhow::Result<()> {
    tx.execute("DELETE FROM order_waits WHERE order_id = $1", params![order]).await?;
    Ok(())
}

async fn write(tx: &mut Tx, order: &Order, now: Instant) -> anyhow::Result<()> {
    for (kind, due) in kinds(order) {
        tx.execute(
            "INSERT INTO order_waits (order_id, kind, market, turn_at, due_at, as_of) VALUES ($1, $2, $3, $4, $5, $6)",
            params![order.id, kind, order.market.code(), due.unwrap_or(order.placed_at), due, now],
        )
        .await?;
    }
    Ok(())
}

/// Orders whose rows are written anew at once.
const BATCH: i64 = 200;
/// Rows of orders that were changed without them.
const OLD: &str = "SELECT w.order_id AS id FROM order_waits w CROSS JOIN orders o WHERE o.id = w.order_id AND o.updated_at <> w.as_of LIMIT $1";
/// Orders that wait and have no rows.
const NONE: &str = "SELECT o.id FROM orders o WHERE o.attention <> '' AND NOT EXISTS (SELECT 1 FROM order_waits w WHERE w.order_id = o.id) LIMIT $1";

/// Both, with a sample value, for tests that look at their plans.
pub fn statements() -> Vec<(&'static str, Vec<Value>)> {
    vec![(OLD, params![BATCH]), (NONE, params![BATCH])]
}

impl Orders {
    /// Writes anew what a server of the release before left: it knows `orders.attention` alone, and may serve beside this one. Goes on until
    /// nothing is left, or nothing that can be read.
    pub async fn mend_waits(&self) -> anyhow::Result<()> {
        for sql in [OLD, NONE] {
            loop {
                let (mut mended, rows) = (0, self.db.all(sql, params![BATCH]).await?);
                for row in &rows {
                    let order = row.parse::<OrderId>("id")?;
                    match self.mend(order).await {
                        Ok(()) => mended += 1,
                        Err(error) => tracing::error!(%order, error = format!("{error:#}"), "what an order waits for"),
                    }
                }
                if mended == 0 || i64::try_from(rows.len())? < BATCH {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn mend(&self, order: OrderId) -> anyhow::Result<()> {
        let now = self.clock.now();
        self.db
            .transact::<_, anyhow::Error>(|tx| {
                Box::pin(async move {
                    let Some(known) = store::lock(tx, order, now).await? else { return Ok(()) };
                    tx.execute("UPDATE orders SET attention = $2 WHERE id = $1", params![order, first(&known)]).await?;
                    clear(tx, order).await?;
                    write(tx, &known, now).await
                })
            })
            .await
    }
}
