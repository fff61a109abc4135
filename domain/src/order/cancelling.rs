//! Cancelling: the whole order before it is paid, any pieces that nobody has begun to pack afterwards.

use super::{By, CannotEnd, CannotRefund, NoSuchPieces, Order, Pieces, Portion, Tally};
use crate::{
    event::Event,
    ids::{CancellationId, RefundId},
    money::Money,
    offer::Instant,
    refund::RefundReason,
};
use serde::{Deserialize, Serialize};

/// Pieces that are not sent after all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancellation {
    pub id: CancellationId,
    pub portions: Vec<Portion>,
    pub by: By,
    pub reason: CancelReason,
    pub at: Instant,
    /// What of the delivery charge went back with them.
    pub delivery: Money,
    /// The refund of their value; `None`: they cost nothing, or nothing was left to refund.
    pub refund: Option<RefundId>,
}

/// Why pieces are cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    ChangedMind,
    /// We cannot find or send it.
    NotAvailable,
    Fraud,
    Other,
}

impl CancelReason {
    pub const ALL: [Self; 4] = [Self::ChangedMind, Self::NotAvailable, Self::Fraud, Self::Other];

    /// The word in forms and tables.
    pub const fn code(self) -> &'static str {
        match self {
            Self::ChangedMind => "changed_mind",
            Self::NotAvailable => "not_available",
            Self::Fraud => "fraud",
            Self::Other => "other",
        }
    }

    /// Reads the word in forms and tables.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

/// A wish to cancel pieces of a paid order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancelling {
    pub id: CancellationId,
    /// The id of the refund, if one is due.
    pub refund: RefundId,
    /// `None`: everything that nobody has begun to pack.
    pub portions: Option<Vec<Portion>>,
    pub by: By,
    pub reason: CancelReason,
}

/// Why nothing is cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotCancel {
    /// Unpaid orders are cancelled whole.
    #[error("the order is not paid")]
    NotPaid,
    #[error("everything is packed, sent or cancelled already")]
    NothingOpen,
    /// Staff cancel what is left; for the shopper there is nothing to get back.
    #[error("the payment was charged back")]
    ChargedBack,
    #[error(transparent)]
    Pieces(#[from] NoSuchPieces),
    #[error(transparent)]
    Refund(#[from] CannotRefund),
}

impl Order {
    /// Ends an order that nobody paid. Close its payment pages first.
    pub fn cancel_unpaid(self) -> Result<(Self, Vec<Event>), CannotEnd> {
        self.end_unpaid(Pieces::Cancelled)
    }

    /// Whether there is anything that can be cancelled now: an order without payment as a whole, pieces of a paid one.
    pub fn can_cancel(&self, by: By) -> Result<(), CannotCancel> {
        match self.pieces {
            Pieces::Held { .. } | Pieces::Lapsed if self.refunds.is_empty() => Ok(()),
            Pieces::Sold if self.is_disputed() => Err(CannotRefund::Disputed.into()),
            Pieces::Sold if self.open_portions().is_empty() => Err(CannotCancel::NothingOpen),
            Pieces::Sold if by == By::Shopper && self.is_charged_back() => Err(CannotCancel::ChargedBack),
            Pieces::Sold => Ok(()),
            Pieces::Held { .. } | Pieces::Lapsed | Pieces::Withdrawn | Pieces::Cancelled => Err(CannotCancel::NothingOpen),
        }
    }

    /// Cancels pieces of a paid order that nobody has begun to pack, and asks for their money back; delivery too when nothing of the
    /// order is or comes to be with the shopper.
    /// The stock takes them back in the same transaction.
    pub fn cancel(mut self, wish: Cancelling, now: Instant) -> Result<(Self, Vec<Event>), CannotCancel> {
        if self.pieces != Pieces::Sold {
            return Err(CannotCancel::NotPaid);
        }
        self.can_cancel(wish.by)?;
        let portions: Vec<Portion> =
            wish.portions.map_or_else(|| self.open_portions(), |all| all.into_iter().filter(|portion| portion.quantity > 0).collect());
        self.check(&portions, Tally::open)?;
        let value = self.value(&portions);
        let cancellation = Cancellation {
            id: wish.id,
            portions,
            by: wish.by,
            reason: wish.reason,
            at: now,
            delivery: Money::zero(self.total.currency),
            refund: None,
        };
        self.cancellations.push(cancellation);
        let whole = self.is_cancelled_whole();
        let delivery = self.delivery_due(&[]);
        let due = value.plus(delivery).map_err(CannotRefund::from)?;
        let refund = self.owe(wish.refund, due, RefundReason::Cancelled)?;
        if let Some(cancellation) = self.cancellations.last_mut() {
            cancellation.delivery = delivery;
            cancellation.refund = refund;
        }
        let (order, cancellation) = (self.id, wish.id);
        let event = if whole { Event::OrderCancelled { order } } else { Event::LinesCancelled { order, cancellation } };
        Ok((self, vec![event]))
    }
}
