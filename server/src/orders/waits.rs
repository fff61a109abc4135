//! What orders wait for, copied from their ledgers for the lists of staff: a row for each kind.

use super::{Orders, store};
use crate::{params, sql::Tx};
use domain::{
    OrderId,
    offer::Instant,
    order::{Attention, Order},
};
use std::collections::BTreeMap;

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

/// Writes what changed. The order is locked.
pub async fn save(tx: &mut Tx, before: &Order, after: &Order) -> anyhow::Result<()> {
    let was = kinds(before);
    if was == kinds(after) {
        return Ok(());
    }
    if !was.is_empty() {
        clear(tx, after.id).await?;
    }
    write(tx, after).await
}

async fn clear(tx: &mut Tx, order: OrderId) -> anyhow::Result<()> {
    tx.execute("DELETE FROM order_waits WHERE order_id = $1", params![order]).await?;
    Ok(())
}

async fn write(tx: &mut Tx, order: &Order) -> anyhow::Result<()> {
    for (kind, due) in kinds(order) {
        tx.execute(
            "INSERT INTO order_waits (order_id, kind, market, turn_at, due_at) VALUES ($1, $2, $3, $4, $5)",
            params![order.id, kind, order.market.code(), due.unwrap_or(order.placed_at), due],
        )
        .await?;
    }
    Ok(())
}

/// Orders whose rows are written anew in one round.
const BATCH: i64 = 200;

impl Orders {
    /// Writes anew what does not fit: a server of the release before knows `orders.attention` alone, and may serve beside this one.
    pub async fn mend_waits(&self) -> anyhow::Result<()> {
        let missing = "SELECT o.id FROM orders o WHERE o.attention <> '' \
                       AND NOT EXISTS (SELECT 1 FROM order_waits w WHERE w.order_id = o.id AND w.kind = o.attention) LIMIT $1";
        let over = "SELECT DISTINCT o.id FROM order_waits w JOIN orders o ON o.id = w.order_id WHERE o.attention = '' LIMIT $1";
        for sql in [missing, over] {
            for row in self.db.all(sql, params![BATCH]).await? {
                let (order, now) = (row.parse::<OrderId>("id")?, self.clock.now());
                let mended = self.db.transact::<_, anyhow::Error>(|tx| {
                    Box::pin(async move {
                        let Some(known) = store::lock(tx, order, now).await? else { return Ok(()) };
                        clear(tx, order).await?;
                        write(tx, &known).await
                    })
                });
                mended.await?;
            }
        }
        Ok(())
    }
}
