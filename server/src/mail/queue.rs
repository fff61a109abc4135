//! The rows of mails: queued when something happened, asked for again, settled when sent. What is sent is written elsewhere.

use crate::{
    clock::Clock,
    events::{Consumer, Envelope},
    orders::Orders,
    params,
    sql::{Db, Tx},
};
use anyhow::anyhow;
use app::mail::Kind;
use async_trait::async_trait;
use domain::{EventId, OrderId, event::Event, offer::Instant};
use std::sync::LazyLock;
use tokio::sync::Notify;

/// Mails that one order may be sent again in an hour, links to it among them.
const AGAIN_MAX: i64 = 6;
const HOUR_US: Instant = 3_600 * 1_000_000;
/// Mails of one order that are listed: the latest.
const LISTED: i64 = 200;

static BELL: LazyLock<Notify> = LazyLock::new(Notify::new);

/// Tells this process's mailer that something is due.
pub fn ring() {
    BELL.notify_one();
}

/// Waits for [`ring`].
pub(super) async fn rung() {
    BELL.notified().await;
}

/// Queues a mail in the caller's transaction, unless it was before. `about`: the payment, refund, shipment or return that it tells of.
pub async fn queue(tx: &mut Tx, clock: &Clock, order: OrderId, kind: Kind, occasion: &str, about: &str) -> Result<(), sqlx::Error> {
    let now = clock.now();
    tx.execute(
        "INSERT INTO mails (id, order_id, kind, occasion, about, state, attempts, next_at, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, 'waiting', 0, $6, $6, $6) ON CONFLICT (order_id, kind, occasion) DO NOTHING",
        params![EventId(clock.id()), order, kind.word(), occasion, about, now],
    )
    .await?;
    Ok(())
}

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
        Event::OrderCancelled { order } => (*order, Kind::Cancelled, String::new()),
        Event::OrderShipped { order, fulfilment } => (*order, Kind::Shipped, fulfilment.to_string()),
        Event::OrderDelivered { order, fulfilment } => (*order, Kind::Delivered, fulfilment.to_string()),
        Event::ReturnReceived { order, return_id } => (*order, Kind::Returned, return_id.to_string()),
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
                        queue(tx, &clock, *order, *kind, about, about).await?;
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

/// What became of a mail, for whoever looks after orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub kind: Kind,
    /// The payment, refund, shipment or return that it tells of; empty for the order itself.
    pub about: String,
    /// `waiting`, `sent` or `given_up`.
    pub state: String,
    pub attempts: i64,
    /// Why the latest attempt failed.
    pub last_error: Option<String>,
    pub created_at: Instant,
    /// When it was sent, tried or given up.
    pub updated_at: Instant,
}

/// Why a mail is not sent again.
#[derive(Debug, thiserror::Error)]
pub enum CannotResend {
    #[error("there is no such order")]
    NotFound,
    /// It has not happened: nothing was shipped, refunded, …
    #[error("there is nothing of this kind to tell")]
    NothingToTell,
    /// A few are enough for an hour.
    #[error("enough mails were sent again in the last hour")]
    TooMany,
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl From<sqlx::Error> for CannotResend {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl crate::sql::Conflict for CannotResend {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Failed(error) if error.is_conflict())
    }
}

impl Orders {
    /// Sends the latest mail of a kind once more, with the order's present link. [`Kind::Placed`] and [`Kind::Link`] can always be told.
    pub async fn resend(&self, order: OrderId, kind: Kind) -> Result<(), CannotResend> {
        self.db
            .transact::<_, CannotResend>(|tx| {
                let this = self.clone();
                Box::pin(async move { this.resend_in(tx, order, kind).await })
            })
            .await?;
        ring();
        Ok(())
    }

    /// The same in the caller's transaction; the mailer finds it at its next look.
    pub async fn resend_in(&self, tx: &mut Tx, order: OrderId, kind: Kind) -> Result<(), CannotResend> {
        if tx.first("SELECT id FROM orders WHERE id = $1", params![order]).await?.is_none() {
            return Err(CannotResend::NotFound);
        }
        let latest = "SELECT about FROM mails WHERE order_id = $1 AND kind = $2 ORDER BY created_at DESC, id DESC LIMIT 1";
        let about = match tx.first(latest, params![order, kind.word()]).await? {
            Some(row) => row.text("about")?,
            None if matches!(kind, Kind::Placed | Kind::Link) => String::new(),
            None => return Err(CannotResend::NothingToTell),
        };
        let again = "SELECT COUNT(*) AS n FROM mails WHERE order_id = $1 AND occasion LIKE 'again:%' AND created_at > $2";
        let again = tx.first(again, params![order, self.clock.now() - HOUR_US]).await?.map_or(Ok(0), |row| row.int("n"))?;
        if again >= AGAIN_MAX {
            return Err(CannotResend::TooMany);
        }
        queue(tx, &self.clock, order, kind, &format!("again:{}", self.clock.id()), &about).await?;
        Ok(())
    }

    /// An order's mails, the latest first.
    pub async fn mails(&self, order: OrderId) -> anyhow::Result<Vec<Told>> {
        let rows = self
            .db
            .all(
                "SELECT kind, about, state, attempts, last_error, created_at, updated_at FROM mails WHERE order_id = $1 \
                 ORDER BY created_at DESC, id DESC LIMIT $2",
                params![order, LISTED],
            )
            .await?;
        let told = |row: &crate::sql::Row| {
            Ok(Told {
                kind: row.parse("kind")?,
                about: row.text("about")?,
                state: row.text("state")?,
                attempts: row.int("attempts")?,
                last_error: row.text_or_null("last_error")?,
                created_at: row.int("created_at")?,
                updated_at: row.int("updated_at")?,
            })
        };
        rows.iter().map(told).collect()
    }
}
