//! What happens later by itself: money that is under way, refunds that arrive or come back, disputes. By the provider's own clock, which
//! tests put forward.

use super::{
    Provider,
    cards::Behaviour,
    ledger::{Entry, State},
    webhooks,
};
use domain::{PaymentId, RefundId, dispute::DisputeStage, offer::Instant, payment::Decline, refund::RefundNews};
use serde::{Deserialize, Serialize};
use std::time::Duration;

const SECOND_US: Instant = 1_000_000;
const DAY_US: Instant = 24 * 3_600 * SECOND_US;
/// How long a payment that is "under way" takes, the quick way and the slow way.
const PAYS_SOON_US: Instant = 10 * SECOND_US;
const PAYS_LATE_US: Instant = 3 * DAY_US;
/// When a bank asks or wants its money back, how long we have to answer, and when it decides.
const DISPUTED_US: Instant = 10 * SECOND_US;
pub(super) const EVIDENCE_US: Instant = 7 * DAY_US;
const DECIDED_US: Instant = 14 * DAY_US;
const REFUND_ARRIVES_US: Instant = 2 * DAY_US;
const REFUND_BOUNCES_US: Instant = 5 * DAY_US;
/// How often the provider looks.
const PAUSE: Duration = Duration::from_millis(200);

/// Something that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    Captures { payment: PaymentId },
    Fails { payment: PaymentId },
    Expires { payment: PaymentId },
    Inquires { payment: PaymentId },
    OpensDispute { payment: PaymentId },
    DecidesDispute { payment: PaymentId, won: bool },
    RefundArrives { refund: RefundId },
    RefundBounces { refund: RefundId },
}

/// What follows from a card that was typed, once its session is `to`.
pub(super) fn after_typing(behaviour: Behaviour, to: State, payment: PaymentId) -> Option<(Instant, What)> {
    match (behaviour, to) {
        (Behaviour::PaysLater, State::Pending) => Some((PAYS_SOON_US, What::Captures { payment })),
        (Behaviour::PaysDaysLater, State::Pending) => Some((PAYS_LATE_US, What::Captures { payment })),
        (Behaviour::FailsDaysLater, State::Pending) => Some((PAYS_LATE_US, What::Fails { payment })),
        (Behaviour::Disputes { .. }, State::Captured) => Some((DISPUTED_US, What::OpensDispute { payment })),
        (Behaviour::Inquires, State::Captured) => Some((DISPUTED_US, What::Inquires { payment })),
        _ => None,
    }
}

/// What becomes of a refund to that card: now, and later.
pub(super) fn of_refund(behaviour: Option<Behaviour>, refund: RefundId) -> (RefundNews, Option<(Instant, What)>) {
    match behaviour {
        Some(Behaviour::RefundsRefused) => (RefundNews::Refused, None),
        Some(Behaviour::RefundsLater) => (RefundNews::Pending, Some((REFUND_ARRIVES_US, What::RefundArrives { refund }))),
        Some(Behaviour::RefundsBounce) => (RefundNews::Issued, Some((REFUND_BOUNCES_US, What::RefundBounces { refund }))),
        _ => (RefundNews::Issued, None),
    }
}

/// Looks again and again, as long as the process lives.
pub(super) async fn run(provider: Provider) {
    loop {
        if let Err(error) = catch_up(&provider) {
            tracing::error!(error = format!("{error:#}"), "what was due could not be booked");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Does everything that is due by now.
pub(super) fn catch_up(provider: &Provider) -> anyhow::Result<()> {
    loop {
        // One lock for looking and doing, so that two that catch up at once do nothing twice.
        let mut ledger = provider.ledger();
        let now = provider.clock.now() + ledger.advanced_us();
        let Some((at, what)) = ledger.due(now) else { return Ok(()) };
        let id = webhooks::new_id(provider);
        let told = match what {
            What::Captures { payment } => ledger.advance(payment, State::Captured, false, &id, now)?,
            What::Fails { payment } => ledger.advance(payment, State::Failed { reason: Decline::Declined }, false, &id, now)?,
            What::Expires { payment } => ledger.advance(payment, State::Closed, false, &id, now)?,
            What::Inquires { payment } => {
                let told = ledger.dispute(payment, DisputeStage::Inquiry { evidence_due: Some(now + EVIDENCE_US) }, &id, now)?;
                ledger.write(Entry::Due { at: now + EVIDENCE_US, what: What::OpensDispute { payment } })?;
                told
            }
            What::OpensDispute { payment } => {
                let told = ledger.dispute(payment, DisputeStage::Open { evidence_due: Some(now + EVIDENCE_US) }, &id, now)?;
                let won = ledger.session(payment).is_some_and(|session| session.behaviour != Some(Behaviour::Disputes { won: false }));
                ledger.write(Entry::Due { at: now + DECIDED_US, what: What::DecidesDispute { payment, won } })?;
                told
            }
            What::DecidesDispute { payment, won } => ledger.dispute(payment, if won { DisputeStage::Won } else { DisputeStage::Lost }, &id, now)?,
            What::RefundArrives { refund } => ledger.settle_refund(refund, RefundNews::Issued, &id, now)?,
            What::RefundBounces { refund } => ledger.settle_refund(refund, RefundNews::Bounced, &id, now)?,
        };
        ledger.write(Entry::Done { at, what })?;
        drop(ledger);
        if let Some(told) = told {
            webhooks::send(provider, told);
        }
    }
}
