//! Which event of an order asks for which mail, and when it is sent: what is about money waits a little for it, so that one mail tells of both.

use super::queue::{When, queue_for, ring};
use crate::{
    clock::Clock,
    events::{Consumer, Envelope},
    orders::story::Happened,
    params,
    sql::{Db, Tx},
};
use anyhow::{Context as _, anyhow};
use app::mail::Kind;
use async_trait::async_trait;
use domain::{
    EventId, OrderId, RefundId,
    event::Event,
    offer::Instant,
    order::{Cancellation, Return, ReturnState},
};

/// How long a mail about pieces waits at most for the refund that is owed for them.
const MONEY_US: Instant = 5 * 60 * 1_000_000;

/// Follows the events of orders. Being told twice is harmless: a mail has one row.
#[derive(Clone, Debug)]
pub struct MailQueue {
    db: Db,
    clock: Clock,
}

impl MailQueue {
    pub const fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }
}

/// Which mail an event asks for, and what it is about.
fn asked_for(event: &Event) -> Option<(OrderId, Kind, String)> {
    Some(match event {
        Event::OrderPlaced { order } => (*order, Kind::Placed, String::new()),
        Event::PaymentCaptured { order, payment } => (*order, Kind::Paid, payment.to_string()),
        Event::PaymentFailed { order, payment } => (*order, Kind::PaymentFailed, payment.to_string()),
        Event::OrderCancelled { order } => (*order, Kind::Cancelled, String::new()),
        Event::LinesCancelled { order, cancellation } => (*order, Kind::PartCancelled, cancellation.to_string()),
        Event::OrderShipped { order, fulfilment } => (*order, Kind::Shipped, fulfilment.to_string()),
        Event::OrderDelivered { order, fulfilment } => (*order, Kind::Delivered, fulfilment.to_string()),
        Event::ReturnRequested { order, return_id } => (*order, Kind::ReturnAnnounced, return_id.to_string()),
        Event::ReturnReceived { order, return_id } => (*order, Kind::Returned, return_id.to_string()),
        Event::ReturnRefused { order, return_id } => (*order, Kind::ReturnRefused, return_id.to_string()),
        Event::RefundIssued { order, refund } => (*order, Kind::Refunded, refund.to_string()),
        _ => return None,
    })
}

#[async_trait]
impl Consumer for MailQueue {
    fn name(&self) -> &'static str {
        "mail"
    }

    async fn consume(&self, envelope: &Envelope) -> anyhow::Result<()> {
        match self.consume_batch(std::slice::from_ref(envelope)).await.pop() {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }

    async fn consume_batch(&self, batch: &[Envelope]) -> Vec<(EventId, anyhow::Error)> {
        let wanted: Vec<_> = batch.iter().filter_map(|envelope| Some((envelope.id, asked_for(&envelope.event)?))).collect();
        if wanted.is_empty() {
            return Vec::new();
        }
        let written = self
            .db
            .transact::<_, anyhow::Error>(|tx| {
                let (wanted, clock) = (wanted.clone(), self.clock.clone());
                Box::pin(async move {
                    for (_, (order, kind, about)) in &wanted {
                        if *kind == Kind::PaymentFailed && !is_missed(tx, *order, about).await? {
                            continue;
                        }
                        let when = when(tx, &clock, *order, *kind, about).await?;
                        let occasion = occasion(tx, *kind, about).await?;
                        queue_for(tx, &clock, (*order, *kind, &occasion, about), when).await?;
                    }
                    Ok(())
                })
            })
            .await;
        match written {
            Ok(()) => {
                ring();
                Vec::new()
            }
            Err(error) => wanted.into_iter().map(|(id, _)| (id, anyhow!("{error:#}"))).collect(),
        }
    }
}

/// What a mail is told once for: what it is about. A refund that a bank sent back is told again once it was paid some other way.
async fn occasion(tx: &mut Tx, kind: Kind, about: &str) -> anyhow::Result<String> {
    if kind != Kind::Refunded {
        return Ok(about.to_owned());
    }
    let outside = tx.first("SELECT id FROM refunds WHERE id = $1 AND state = 'settled_outside'", params![about]).await?.is_some();
    Ok(if outside { format!("outside:{about}") } else { about.to_owned() })
}

/// When a mail is sent. One that waits for its money is sent as soon as that has gone, and the money then has no mail of its own.
async fn when(tx: &mut Tx, clock: &Clock, order: OrderId, kind: Kind, about: &str) -> anyhow::Result<When> {
    match kind {
        Kind::Cancelled | Kind::PartCancelled | Kind::Returned => {
            let owed = match kind {
                Kind::Returned => returns(tx, order).await?.iter().find(|back| back.id.to_string() == about).and_then(Return::refund),
                Kind::PartCancelled => {
                    cancellations(tx, order).await?.iter().find(|known| known.id.to_string() == about).and_then(|known| known.refund)
                }
                // The latest one ended the order.
                _ => cancellations(tx, order).await?.last().and_then(|known| known.refund),
            };
            let Some(refund) = owed else { return Ok(When::Now) };
            let state = tx.first("SELECT state FROM refunds WHERE id = $1", params![refund]).await?.map(|row| row.text("state")).transpose()?;
            let is_going = matches!(state.as_deref(), Some("requested" | "pending"));
            Ok(if is_going { When::At(clock.now() + MONEY_US) } else { When::Now })
        }
        Kind::Refunded => {
            let told = match cause(tx, order, about).await? {
                Some((kind, occasion)) => hurry(tx, clock, order, kind, &occasion).await? || tells_already(tx, order, kind, &occasion, about).await?,
                None => false,
            };
            Ok(if told { When::Told } else { When::Now })
        }
        _ => Ok(When::Now),
    }
}

/// The mail about the pieces that a refund is for.
async fn cause(tx: &mut Tx, order: OrderId, refund: &str) -> anyhow::Result<Option<(Kind, String)>> {
    let is_it = |known: Option<RefundId>| known.is_some_and(|known| known.to_string() == refund);
    if let Some(back) = returns(tx, order).await?.iter().find(|back| is_it(back.refund())) {
        return Ok(Some((Kind::Returned, back.id.to_string())));
    }
    let cancellations = cancellations(tx, order).await?;
    let Some(at) = cancellations.iter().position(|known| is_it(known.refund)) else { return Ok(None) };
    let part = cancellations[at].id.to_string();
    let sql = "SELECT id FROM mails WHERE order_id = $1 AND kind = $2 AND occasion = $3";
    if tx.first(sql, params![order, Kind::PartCancelled.word(), &part]).await?.is_some() {
        return Ok(Some((Kind::PartCancelled, part)));
    }
    Ok((at + 1 == cancellations.len()).then(|| (Kind::Cancelled, String::new())))
}

/// Sends a mail now that nobody has begun to send: it is written after this and tells that the money has gone. `false`: it may be out.
async fn hurry(tx: &mut Tx, clock: &Clock, order: OrderId, kind: Kind, occasion: &str) -> anyhow::Result<bool> {
    let sql = "UPDATE mails SET next_at = $4 WHERE order_id = $1 AND kind = $2 AND occasion = $3 AND state IN ('waiting', 'due') AND attempts = 0";
    Ok(tx.execute(sql, params![order, kind.word(), occasion, clock.now()]).await? == 1)
}

/// Whether a mail that may be out was asked for when this refund's money had gone: then it tells of it.
async fn tells_already(tx: &mut Tx, order: OrderId, kind: Kind, occasion: &str, refund: &str) -> anyhow::Result<bool> {
    let sql = "SELECT m.id FROM mails m JOIN refunds r ON r.id = $4 AND r.state = 'issued' AND r.updated_at <= m.created_at \
               WHERE m.order_id = $1 AND m.kind = $2 AND m.occasion = $3";
    Ok(tx.first(sql, params![order, kind.word(), occasion, refund]).await?.is_some())
}

/// In the order in which they were made.
async fn cancellations(tx: &mut Tx, order: OrderId) -> anyhow::Result<Vec<Cancellation>> {
    let rows = tx.all("SELECT body FROM cancellations WHERE order_id = $1 ORDER BY created_at, id", params![order]).await?;
    rows.iter().map(|row| serde_json::from_str(&row.text("body")?).context("cancellations.body")).collect()
}

/// Whether what was announced to come back is still to come.
pub(super) async fn is_awaited(tx: &mut Tx, order: OrderId, back: &str) -> anyhow::Result<bool> {
    Ok(returns(tx, order).await?.iter().any(|known| known.id.to_string() == back && known.state == ReturnState::Requested))
}

/// Whether money that was under way did not come, and nothing else has paid the order. Whoever is declined at once is told by the page.
async fn is_missed(tx: &mut Tx, order: OrderId, payment: &str) -> anyhow::Result<bool> {
    let waits = "SELECT id FROM orders WHERE id = $1 AND pieces IN ('held', 'lapsed')";
    if tx.first(waits, params![order]).await?.is_none() {
        return Ok(false);
    }
    let rows = tx.all("SELECT what FROM order_story WHERE order_id = $1", params![order]).await?;
    for row in rows {
        // Entries of a later release are none of ours.
        let Ok(Happened::Event { event: Event::PaymentPending { payment: known, .. } }) = serde_json::from_str(&row.text("what")?) else { continue };
        if known.to_string() == payment {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn returns(tx: &mut Tx, order: OrderId) -> anyhow::Result<Vec<Return>> {
    let rows = tx.all("SELECT body FROM returns WHERE order_id = $1", params![order]).await?;
    rows.iter().map(|row| serde_json::from_str(&row.text("body")?).context("returns.body")).collect()
}
