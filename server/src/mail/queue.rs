//! The rows of mails: queued, asked for again, listed. Which event asks for which is in `follow`; what is sent is written elsewhere.

use super::follow;
use crate::{clock::Clock, orders::Orders, params, sql::Tx};
use app::mail::Kind;
use domain::{EventId, OrderId, offer::Instant};
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

/// The state of a mail that has not been sent. A server of the release before takes whatever is `waiting` and stumbles over kinds that it does
/// not know, with all that it took beside them: those wait under a word that it does not look for. The next release may write `waiting` alone.
pub(super) const fn unsent(kind: Kind) -> &'static str {
    match kind {
        Kind::PaymentFailed | Kind::PartCancelled | Kind::ReturnAnnounced | Kind::ReturnRefused | Kind::ReturnCalledOff => "due",
        Kind::Placed | Kind::Paid | Kind::Shipped | Kind::Delivered | Kind::Refunded | Kind::Cancelled | Kind::Returned | Kind::Link => "waiting",
    }
}

/// When a mail is sent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    Now,
    At(Instant),
    /// Never by itself: another mail tells the same. It can be sent again.
    Told,
}

/// Queues a mail in the caller's transaction, unless it was before. `about`: the payment, refund, shipment, cancellation or return that it
/// tells of.
pub async fn queue(tx: &mut Tx, clock: &Clock, order: OrderId, kind: Kind, occasion: &str, about: &str) -> Result<(), sqlx::Error> {
    queue_for(tx, clock, (order, kind, occasion, about), When::Now).await
}

pub(super) async fn queue_for(
    tx: &mut Tx,
    clock: &Clock,
    (order, kind, occasion, about): (OrderId, Kind, &str, &str),
    when: When,
) -> Result<(), sqlx::Error> {
    let now = clock.now();
    let (state, at) = match when {
        When::Now => (unsent(kind), now),
        When::At(at) => (unsent(kind), at),
        When::Told => ("told", now),
    };
    tx.execute(
        "INSERT INTO mails (id, order_id, kind, occasion, about, state, attempts, next_at, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $8) ON CONFLICT (order_id, kind, occasion) DO NOTHING",
        params![EventId(clock.id()), order, kind.word(), occasion, about, state, at, now],
    )
    .await?;
    Ok(())
}

/// What became of a mail, for whoever looks after orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub kind: Kind,
    /// The payment, refund, shipment, cancellation or return that it tells of; empty for the order itself.
    pub about: String,
    /// `waiting` or `due`, `sent`, `given_up`, or `told`: another mail told the same.
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
        // Of a return that has ended another mail tells.
        if kind == Kind::ReturnAnnounced && !follow::is_awaited(tx, order, &about).await? {
            return Err(CannotResend::NothingToTell);
        }
        let again = "SELECT COUNT(*) AS n FROM mails WHERE order_id = $1 AND occasion LIKE 'again:%' AND created_at > $2";
        let again = tx.first(again, params![order, self.clock.now() - HOUR_US]).await?.map_or(Ok(0), |row| row.int("n"))?;
        if again >= AGAIN_MAX {
            return Err(CannotResend::TooMany);
        }
        queue(tx, &self.clock, order, kind, &format!("again:{}", self.clock.id()), &about).await?;
        Ok(())
    }

    /// An order's mails, the latest first, of the kinds that this release knows.
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
            let Ok(kind) = row.text("kind")?.parse() else { return Ok(None) };
            Ok(Some(Told {
                kind,
                about: row.text("about")?,
                state: row.text("state")?,
                attempts: row.int("attempts")?,
                last_error: row.text_or_null("last_error")?,
                created_at: row.int("created_at")?,
                updated_at: row.int("updated_at")?,
            }))
        };
        rows.iter().filter_map(|row| told(row).transpose()).collect()
    }
}
