//! The story of an order: what happened, when, and who did it, written with the change itself. No personal data in clear.

use crate::{
    clock::Clock,
    params,
    sql::{Db, Tx},
};
use anyhow::Context as _;
use domain::{
    CancellationId, EventId, FulfilmentId, OrderId, PaymentId, RefundId, ReturnId,
    event::Event,
    money::Money,
    offer::Instant,
    order::{FulfilmentState, Order, ReturnState},
    refund::{GoodwillReason, RefundReason, RefundState},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Who does something to an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Time, or a rule.
    Shop,
    Shopper,
    /// The payment provider's news.
    Provider,
    /// A member of staff, by id.
    Staff(String),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shop => f.write_str("shop"),
            Self::Shopper => f.write_str("shopper"),
            Self::Provider => f.write_str("provider"),
            Self::Staff(id) => write!(f, "staff:{id}"),
        }
    }
}

impl From<&str> for Actor {
    fn from(text: &str) -> Self {
        match text {
            "shopper" => Self::Shopper,
            "provider" => Self::Provider,
            other => other.strip_prefix("staff:").map_or(Self::Shop, |id| Self::Staff(id.to_owned())),
        }
    }
}

/// What happened, beyond what events say. A wire type: entries are added, never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Happened {
    /// As other services were told.
    Event {
        event: Event,
    },
    Packed {
        fulfilment: FulfilmentId,
    },
    Unpacked {
        fulfilment: FulfilmentId,
    },
    ParcelsCorrected {
        fulfilment: FulfilmentId,
    },
    ReturnCancelled {
        return_id: ReturnId,
    },
    RefundRequested {
        refund: RefundId,
        amount: Money,
        reason: RefundReason,
    },
    /// Why money goes back although nothing came back.
    Goodwill {
        refund: RefundId,
        why: GoodwillReason,
    },
    /// The provider took another amount than was asked for.
    OddAmount {
        payment: PaymentId,
        amount: Money,
    },
    /// Somebody has looked into it.
    OddSettled {
        payment: PaymentId,
    },
    RefundPending {
        refund: RefundId,
    },
    RefundRetried {
        refund: RefundId,
    },
    /// Held longer, or again.
    Held {
        until: Instant,
    },
    /// Nobody paid in time.
    Lapsed,
    CancelledPieces {
        cancellation: CancellationId,
    },
    /// A webhook that was known already.
    Repeated {
        event_id: String,
    },
    AddressChanged,
    /// Sealed with the customer's key, base64: notes name people.
    Note {
        sealed: String,
    },
    MailSent {
        mail: String,
    },
    LinkRenewed,
}

/// One entry, read.
#[derive(Clone, Debug)]
pub struct Entry {
    pub at: Instant,
    pub actor: Actor,
    pub what: Happened,
}

/// Entries of one order that are read at most; the newest count.
const ENTRIES_MAX: i64 = 500;

/// Adds an entry.
pub async fn tell(tx: &mut Tx, clock: &Clock, actor: &Actor, order: OrderId, what: &Happened) -> anyhow::Result<()> {
    tx.execute(
        "INSERT INTO order_story (id, order_id, at, actor, what) VALUES ($1, $2, $3, $4, $5)",
        params![EventId(clock.id()), order, clock.now(), actor.to_string(), serde_json::to_string(what)?],
    )
    .await?;
    Ok(())
}

/// The story, newest first.
pub async fn of(db: &Db, order: OrderId) -> anyhow::Result<Vec<Entry>> {
    db.all("SELECT at, actor, what FROM order_story WHERE order_id = $1 ORDER BY at DESC, id DESC LIMIT $2", params![order, ENTRIES_MAX])
        .await?
        .iter()
        .map(|row| {
            let what = serde_json::from_str(&row.text("what")?).context("order_story.what")?;
            Ok(Entry { at: row.int("at")?, actor: Actor::from(row.text("actor")?.as_str()), what })
        })
        .collect()
}

/// Tells what differs between `before` and `after`, and the events.
pub(super) async fn tell_changes(tx: &mut Tx, clock: &Clock, actor: &Actor, before: &Order, after: &Order, events: &[Event]) -> anyhow::Result<()> {
    for what in changes(before, after, events) {
        tell(tx, clock, actor, after.id, &what).await?;
    }
    Ok(())
}

fn changes(before: &Order, after: &Order, events: &[Event]) -> Vec<Happened> {
    let mut all: Vec<Happened> = events.iter().map(|event| Happened::Event { event: event.clone() }).collect();
    for refund in &after.refunds {
        let was = before.refunds.iter().find(|known| known.id == refund.id).map(|known| known.state);
        match (was, refund.state) {
            (None, _) => all.push(Happened::RefundRequested { refund: refund.id, amount: refund.amount, reason: refund.reason }),
            (Some(was), RefundState::Pending) if was != RefundState::Pending => all.push(Happened::RefundPending { refund: refund.id }),
            (Some(RefundState::Failed), RefundState::Requested { .. }) => all.push(Happened::RefundRetried { refund: refund.id }),
            _ => {}
        }
    }
    for payment in &after.payments {
        let was = before.payments.iter().find(|known| known.id == payment.id).and_then(|known| known.odd);
        match payment.odd {
            Some(odd) if was.is_none_or(|was| was.amount != odd.amount) => all.push(Happened::OddAmount { payment: payment.id, amount: odd.amount }),
            Some(odd) if odd.settled && was.is_some_and(|was| !was.settled) => all.push(Happened::OddSettled { payment: payment.id }),
            _ => {}
        }
    }
    for fulfilment in &after.fulfilments {
        let was = before.fulfilments.iter().find(|known| known.id == fulfilment.id);
        match (was, &fulfilment.state) {
            (None, FulfilmentState::Packing { .. }) => all.push(Happened::Packed { fulfilment: fulfilment.id }),
            (Some(was), state) if was.state.word() == state.word() && was != fulfilment && events.is_empty() => {
                all.push(Happened::ParcelsCorrected { fulfilment: fulfilment.id });
            }
            _ => {}
        }
    }
    let gone = before.fulfilments.iter().filter(|known| !after.fulfilments.iter().any(|fulfilment| fulfilment.id == known.id));
    all.extend(gone.map(|known| Happened::Unpacked { fulfilment: known.id }));
    for back in after.returns.iter().filter(|back| matches!(back.state, ReturnState::Cancelled { .. })) {
        if before.returns.iter().any(|known| known.id == back.id && known.state == ReturnState::Requested) {
            all.push(Happened::ReturnCancelled { return_id: back.id });
        }
    }
    if after.pieces != before.pieces {
        match after.pieces {
            domain::order::Pieces::Lapsed => all.push(Happened::Lapsed),
            domain::order::Pieces::Held { until } => all.push(Happened::Held { until }),
            _ => {}
        }
    }
    all
}
