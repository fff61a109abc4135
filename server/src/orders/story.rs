//! The story of an order: what happened, when, and who did it, written with the change itself. No personal data in clear.

use crate::{
    clock::Clock,
    params,
    sql::{Db, Tx},
};
use anyhow::Context as _;
use domain::{
    CancellationId, EventId, FulfilmentId, OrderId, PaymentId, RefundId, ReturnId,
    dispute::{Dispute, DisputeState},
    event::Event,
    money::Money,
    offer::Instant,
    order::{FulfilmentState, Order, Pieces, ReturnState},
    payment::{Payment, PaymentState},
    refund::{GoodwillReason, Refund, RefundReason, RefundState},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;
use uuid::Uuid;

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
    /// It is not sent: the bank took the payment, and it with it.
    RefundLeftToBank {
        refund: RefundId,
    },
    /// Money came that is not kept: its refund is asked for at once.
    CapturedInVain {
        payment: PaymentId,
    },
    /// A bank that asks, or claims the money, goes on to this.
    DisputeMoved {
        reference: String,
        state: DisputeState,
    },
    /// Held longer, or again.
    Held {
        until: Instant,
    },
    /// Nobody paid in time.
    Lapsed,
    /// Pieces with which the whole order was cancelled; of others an event tells.
    CancelledPieces {
        cancellation: CancellationId,
    },
    /// A webhook that was known already, however often it came again.
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
    insert(tx, clock, EventId(clock.id()), actor, order, what).await
}

/// Adds an entry unless there is one with this key. It takes its id from it.
pub async fn tell_once(tx: &mut Tx, clock: &Clock, actor: &Actor, order: OrderId, key: &str, what: &Happened) -> anyhow::Result<()> {
    let mut id = [0; 16];
    id.copy_from_slice(&Sha256::digest(key.as_bytes())[..16]);
    insert(tx, clock, EventId(Uuid::from_bytes(id)), actor, order, what).await
}

async fn insert(tx: &mut Tx, clock: &Clock, id: EventId, actor: &Actor, order: OrderId, what: &Happened) -> anyhow::Result<()> {
    tx.execute(
        "INSERT INTO order_story (id, order_id, at, actor, what) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING",
        params![id, order, clock.now(), actor.to_string(), serde_json::to_string(what)?],
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
    all.extend(after.payments.iter().filter_map(|payment| of_payment(before, payment, events)));
    all.extend(after.refunds.iter().filter_map(|refund| of_refund(before, refund, events)));
    all.extend(after.disputes.iter().filter_map(|dispute| of_dispute(before, dispute)));
    for done in after.cancellations.iter().filter(|done| !before.cancellations.iter().any(|known| known.id == done.id)) {
        if !events.contains(&Event::LinesCancelled { order: after.id, cancellation: done.id }) {
            all.push(Happened::CancelledPieces { cancellation: done.id });
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
            Pieces::Lapsed => all.push(Happened::Lapsed),
            Pieces::Held { until } => all.push(Happened::Held { until }),
            _ => {}
        }
    }
    all
}

/// What events do not tell of a payment.
fn of_payment(before: &Order, payment: &Payment, events: &[Event]) -> Option<Happened> {
    let was = before.payments.iter().find(|known| known.id == payment.id);
    let is_captured = |payment: &Payment| matches!(payment.state, PaymentState::Captured { .. });
    if is_captured(payment) && !was.is_some_and(is_captured) && !events.contains(&Event::PaymentCaptured { order: before.id, payment: payment.id }) {
        return Some(Happened::CapturedInVain { payment: payment.id });
    }
    let was = was.and_then(|known| known.odd);
    match payment.odd {
        Some(odd) if was.is_none_or(|was| was.amount != odd.amount) => Some(Happened::OddAmount { payment: payment.id, amount: odd.amount }),
        Some(odd) if odd.settled && was.is_some_and(|was| !was.settled) => Some(Happened::OddSettled { payment: payment.id }),
        _ => None,
    }
}

/// What events do not tell of a refund.
fn of_refund(before: &Order, refund: &Refund, events: &[Event]) -> Option<Happened> {
    let (id, was) = (refund.id, before.refunds.iter().find(|known| known.id == refund.id));
    let Some(was) = was else { return Some(Happened::RefundRequested { refund: id, amount: refund.amount, reason: refund.reason }) };
    match (was.state, refund.state) {
        (was, RefundState::Pending) if was != RefundState::Pending => Some(Happened::RefundPending { refund: id }),
        (RefundState::Failed, RefundState::Requested { .. }) => Some(Happened::RefundRetried { refund: id }),
        (RefundState::Requested { attempts: was }, RefundState::Requested { attempts }) if attempts < was => {
            Some(Happened::RefundRetried { refund: id })
        }
        (RefundState::Requested { .. }, RefundState::SettledOutside) if !events.contains(&Event::RefundIssued { order: before.id, refund: id }) => {
            Some(Happened::RefundLeftToBank { refund: id })
        }
        _ => None,
    }
}

/// What events do not tell of a dispute: they tell that a bank came, and how it ended, not what it wants and by when.
fn of_dispute(before: &Order, dispute: &Dispute) -> Option<Happened> {
    let was = before.disputes.iter().find(|known| known.reference == dispute.reference).map(|known| known.state);
    let is_told = was == Some(dispute.state) || !dispute.state.is_open();
    (!is_told).then(|| Happened::DisputeMoved { reference: dispute.reference.clone(), state: dispute.state })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands in stories already is read for ever.
    #[test]
    fn entries_are_written_as_they_always_were() {
        let id = Uuid::nil();
        for (what, json) in [
            (Happened::Lapsed, r#"{"what":"lapsed"}"#.to_owned()),
            (Happened::Repeated { event_id: "evt_1".to_owned() }, r#"{"what":"repeated","event_id":"evt_1"}"#.to_owned()),
            (Happened::CancelledPieces { cancellation: CancellationId(id) }, format!(r#"{{"what":"cancelled_pieces","cancellation":"{id}"}}"#)),
            (Happened::RefundLeftToBank { refund: RefundId(id) }, format!(r#"{{"what":"refund_left_to_bank","refund":"{id}"}}"#)),
            (Happened::CapturedInVain { payment: PaymentId(id) }, format!(r#"{{"what":"captured_in_vain","payment":"{id}"}}"#)),
            (
                Happened::DisputeMoved { reference: "dp_1".to_owned(), state: DisputeState::InquiryAnswered },
                r#"{"what":"dispute_moved","reference":"dp_1","state":{"state":"under_review","is_inquiry":true}}"#.to_owned(),
            ),
        ] {
            assert_eq!(serde_json::to_string(&what).expect("plain data"), json);
            assert_eq!(serde_json::from_str::<Happened>(&json).expect("an entry"), what);
        }
    }
}
