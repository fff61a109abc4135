//! Pieces that are sold and have not left the house: on the shelf, and no longer in the stock ledger's balances.

use super::store;
use crate::{params, sql::Db};
use domain::{OrderId, VariantId, order::FulfilmentState};
use std::collections::BTreeMap;

/// Most orders that are looked at; a variant with more of them waiting shows at least so many.
const ORDERS_MAX: u32 = 5_000;

pub const UNSHIPPED: &str = "SELECT h.order_id, h.location, o.progress, CAST(SUM(h.quantity) AS BIGINT) AS pieces, \
     (SELECT COUNT(*) FROM cancellations c WHERE c.order_id = h.order_id) AS cancellations FROM holds h JOIN orders o ON o.id = h.order_id \
     WHERE h.variant_id = $1 AND h.state = 'sold' AND o.progress IN ('open', 'packing', 'partly_shipped', 'exchange_to_send') \
     GROUP BY h.order_id, h.location, o.progress ORDER BY h.order_id LIMIT $2";

/// Sold pieces of a variant that have not left, by the location that they are to leave from.
pub async fn unshipped(db: &Db, variant: VariantId) -> anyhow::Result<BTreeMap<String, u32>> {
    let rows = db.all(UNSHIPPED, params![variant, ORDERS_MAX]).await?;
    let mut orders: BTreeMap<String, (bool, BTreeMap<String, u32>)> = BTreeMap::new();
    for row in &rows {
        let order = orders.entry(row.text("order_id")?).or_default();
        order.0 |= matches!(&*row.text("progress")?, "partly_shipped" | "exchange_to_send") || row.int("cancellations")? > 0;
        *order.1.entry(row.text("location")?).or_default() += u32::try_from(row.int("pieces")?)?;
    }
    let mut there = BTreeMap::new();
    for (order, (is_partly_gone, mut pieces)) in orders {
        if is_partly_gone {
            take_what_left(db, order.parse()?, variant, &mut pieces).await?;
        }
        for (location, pieces) in pieces {
            *there.entry(location).or_default() += pieces;
        }
    }
    Ok(there)
}

/// Takes off what was sent and what was cancelled: from the shipment's location first, then from wherever there are some.
async fn take_what_left(db: &Db, order: OrderId, variant: VariantId, pieces: &mut BTreeMap<String, u32>) -> anyhow::Result<()> {
    let Some(order) = store::load(db, order).await? else { return Ok(()) };
    let lines: Vec<u32> = order.lines.iter().filter(|line| line.variant == variant).map(|line| line.line).collect();
    let is_left: u32 = lines.iter().map(|line| order.tally(*line)).map(|tally| tally.open() + tally.packing).sum();
    let mut gone = pieces.values().sum::<u32>().saturating_sub(is_left);
    let shipped = order.fulfilments.iter().filter(|fulfilment| !matches!(fulfilment.state, FulfilmentState::Packing { .. }));
    for fulfilment in shipped {
        let sent: u32 = fulfilment.portions.iter().filter(|portion| lines.contains(&portion.line)).map(|portion| portion.quantity).sum();
        if let Some(there) = pieces.get_mut(&fulfilment.location) {
            let here = sent.min(gone).min(*there);
            *there -= here;
            gone -= here;
        }
    }
    for there in pieces.values_mut() {
        let here = gone.min(*there);
        *there -= here;
        gone -= here;
    }
    Ok(())
}
