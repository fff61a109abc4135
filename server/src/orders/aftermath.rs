//! What follows a payment, in SQL: disputes, cancellations, fulfilments and returns, each a row with the whole of it as JSON and copies of
//! what lists ask for.

use crate::{
    params,
    sql::{Row, Tx},
};
use anyhow::Context as _;
use domain::{
    offer::Instant,
    order::{Fulfilment, Order},
};
use serde::de::DeserializeOwned;

/// Reads the column `body` of each row.
pub fn bodies<T: DeserializeOwned>(rows: &[Row]) -> anyhow::Result<Vec<T>> {
    rows.iter().map(|row| serde_json::from_str(&row.text("body")?).context("a ledger's body")).collect()
}

/// Saves what differs. The order is locked.
pub async fn save(tx: &mut Tx, provider: &str, before: &Order, after: &Order, now: Instant) -> anyhow::Result<()> {
    for dispute in after.disputes.iter().filter(|dispute| !before.disputes.contains(dispute)) {
        tx.execute(
            "INSERT INTO disputes (provider, reference, order_id, payment_id, state, body, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7) \
             ON CONFLICT (provider, reference) DO UPDATE SET state = excluded.state, body = excluded.body, updated_at = excluded.updated_at",
            params![provider, &dispute.reference, after.id, dispute.payment, dispute.state.word(), serde_json::to_string(dispute)?, now],
        )
        .await?;
    }
    for cancellation in after.cancellations.iter().filter(|known| !before.cancellations.contains(known)) {
        tx.execute(
            "INSERT INTO cancellations (id, order_id, body, created_at) VALUES ($1, $2, $3, $4)",
            params![cancellation.id, after.id, serde_json::to_string(cancellation)?, cancellation.at],
        )
        .await?;
    }
    for gone in before.fulfilments.iter().filter(|known| !after.fulfilments.iter().any(|fulfilment| fulfilment.id == known.id)) {
        tx.execute("DELETE FROM fulfilments WHERE id = $1", params![gone.id]).await?;
    }
    for fulfilment in after.fulfilments.iter().filter(|known| !before.fulfilments.contains(known)) {
        save_fulfilment(tx, after, fulfilment, now).await?;
    }
    for back in after.returns.iter().filter(|known| !before.returns.contains(known)) {
        tx.execute(
            "INSERT INTO returns (id, order_id, state, body, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (id) DO UPDATE SET state = excluded.state, body = excluded.body, updated_at = excluded.updated_at",
            params![back.id, after.id, back.state.word(), serde_json::to_string(back)?, back.requested_at, now],
        )
        .await?;
    }
    Ok(())
}

async fn save_fulfilment(tx: &mut Tx, order: &Order, fulfilment: &Fulfilment, now: Instant) -> anyhow::Result<()> {
    tx.execute(
        "INSERT INTO fulfilments (id, order_id, location, state, body, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $6) \
         ON CONFLICT (id) DO UPDATE SET state = excluded.state, body = excluded.body, updated_at = excluded.updated_at",
        params![fulfilment.id, order.id, &fulfilment.location, fulfilment.state.word(), serde_json::to_string(fulfilment)?, now],
    )
    .await?;
    tx.execute("DELETE FROM parcels WHERE fulfilment_id = $1", params![fulfilment.id]).await?;
    let parcels = fulfilment.state.shipment().map(|shipment| shipment.parcels.as_slice()).unwrap_or_default();
    for (position, parcel) in (0_i64..).zip(parcels).filter(|(_, parcel)| !parcel.tracking.is_empty()) {
        tx.execute(
            "INSERT INTO parcels (fulfilment_id, position, order_id, tracking) VALUES ($1, $2, $3, $4)",
            params![fulfilment.id, position, order.id, normalised(&parcel.tracking)],
        )
        .await?;
    }
    Ok(())
}

/// A parcel's number as it is looked up: capitals and digits only.
pub fn normalised(tracking: &str) -> String {
    tracking.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}
