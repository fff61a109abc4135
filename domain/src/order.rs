//! An order is ledgers (payments, refunds, disputes, cancellations, fulfilments, returns, what is held) and its status is derived from
//! them. What the lines say was frozen when it was placed and is not decided here; the SQL that makes the decisions stick lives in the
//! server.
//!
//! This file has the way from placing to paying; what follows is in `cancelling`, `fulfilling`, `returning`, `refunding` and `disputing`.

mod cancelling;
mod correcting;
mod disputing;
mod fulfilling;
mod lines;
mod number;
mod progress;
mod refunding;
mod return_terms;
mod returning;

pub use cancelling::{CancelReason, Cancellation, Cancelling, CannotCancel};
pub use correcting::CannotCorrect;
pub use fulfilling::{CannotFulfil, DELIVERED_AFTER_US, Fulfilment, FulfilmentState, PARCELS_MAX, Parcel, Shipment};
pub use lines::{Line, NoSuchPieces, Portion, Tally, shares};
pub use number::{NotAnOrderNumber, OrderNumber};
pub use progress::{Attention, Progress};
pub use refunding::CannotRefund;
pub use return_terms::{legal_withdrawal_days, return_days, return_label};
pub use returning::{CannotReturn, Receipt, Resolution, Restock, Return, ReturnItem, ReturnReason, ReturnState};

use crate::{
    dispute::Dispute,
    event::Event,
    ids::{OrderId, PaymentId, RefundId},
    market::MarketCode,
    money::Money,
    offer::Instant,
    payment::{Decline, News, Odd, Payment, PaymentState, Unchanged},
    refund::{Refund, RefundNews, RefundReason, RefundState},
};
use serde::{Deserialize, Serialize};

/// An order as its ledgers describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub id: OrderId,
    pub market: MarketCode,
    pub total: Money,
    pub placed_at: Instant,
    /// What was ordered, then what replaces it. Their amounts and `delivery` add up to the total, replacements aside.
    pub lines: Vec<Line>,
    /// What delivery costs of the total, taxes included.
    pub delivery: Money,
    pub pieces: Pieces,
    /// In the order in which they were tried.
    pub payments: Vec<Payment>,
    pub refunds: Vec<Refund>,
    pub disputes: Vec<Dispute>,
    pub cancellations: Vec<Cancellation>,
    pub fulfilments: Vec<Fulfilment>,
    pub returns: Vec<Return>,
}

/// Who wants something of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    Shopper,
    Staff,
}

/// What became of the pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Pieces {
    /// Kept for this order, at least until then.
    Held { until: Instant },
    /// Free again; paying takes them again if they are still there.
    Lapsed,
    /// Paid for.
    Sold,
    /// The shopper ordered anew: this order is over.
    Withdrawn,
    /// Cancelled before it was paid.
    Cancelled,
}

/// How long pieces are kept for an order that is not paid: 30 minutes.
pub const HOLD_US: Instant = 30 * 60 * 1_000_000;
/// How long an order may still be paid, with its prices as they were: 7 days.
pub const PAYABLE_US: Instant = 7 * 24 * 3_600 * 1_000_000;
/// Attempts to pay per order. More than that is a machine trying cards.
pub const ATTEMPTS_MAX: usize = 20;

/// What an order is, in one word. Derived, never stored as a truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Status {
    AwaitingPayment {
        until: Instant,
    },
    PaymentFailed {
        reason: Decline,
    },
    PaymentPending,
    Paid {
        at: Instant,
    },
    /// Nothing was paid in time, the pieces are no longer kept.
    Lapsed,
    /// Replaced by a later order of the same cart.
    Withdrawn,
    /// Cancelled whole, before or after it was paid.
    Cancelled,
    /// Money came that cannot be kept and is on its way back.
    Refunding,
    Refunded,
    /// The provider refuses to send the money back: a person is looking.
    RefundFailed,
}

impl Status {
    /// The word in lists and tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::AwaitingPayment { .. } => "awaiting_payment",
            Self::PaymentFailed { .. } => "payment_failed",
            Self::PaymentPending => "payment_pending",
            Self::Paid { .. } => "paid",
            Self::Lapsed => "lapsed",
            Self::Withdrawn => "withdrawn",
            Self::Cancelled => "cancelled",
            Self::Refunding => "refunding",
            Self::Refunded => "refunded",
            Self::RefundFailed => "refund_failed",
        }
    }
}

/// What the stock has to do before [`Order::hear`] may be told that a payment was captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Sell what is held.
    Sell,
    /// Nothing is held any more: take it again if it is there, and sell it.
    Retake,
    /// Nothing; whatever was paid goes back, or nothing was paid.
    Nothing,
}

/// How the next attempt to pay begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextAttempt {
    /// The latest attempt can still be paid: send the shopper there (or ask the provider for its session, again).
    Resume(PaymentId),
    /// A new one.
    New,
}

/// Why an order cannot be paid (again).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotPay {
    #[error("the order is paid")]
    Paid,
    #[error("a payment is under way")]
    Pending,
    #[error("the order was replaced by a later one")]
    Withdrawn,
    #[error("the order was cancelled")]
    Cancelled,
    #[error("the money for this order went back")]
    Refunded,
    #[error("the order is too old")]
    TooOld,
    #[error("too many attempts")]
    TooManyAttempts,
}

/// Why pieces cannot be given away yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotEnd {
    /// Close the sessions of these first: money may still come.
    #[error("a payment is still open")]
    PaymentLive,
    #[error("nothing is held any more, or it is sold")]
    NotHeld,
    #[error("the hold has not lapsed")]
    TooEarly,
}

impl Order {
    /// The status, from the ledgers.
    pub fn status(&self) -> Status {
        let captured_at = self.payments.iter().find_map(|payment| if let PaymentState::Captured { at } = payment.state { Some(at) } else { None });
        match (self.pieces, captured_at) {
            (Pieces::Sold, _) if self.is_cancelled_whole() => Status::Cancelled,
            (Pieces::Sold, at) => Status::Paid { at: at.unwrap_or(self.placed_at) },
            (_, Some(_)) if self.refunds.iter().any(|refund| self.is_stuck(refund)) => Status::RefundFailed,
            (_, Some(_)) if self.refunds.iter().any(|refund| matches!(refund.state, RefundState::Requested { .. } | RefundState::Pending)) => {
                Status::Refunding
            }
            (_, Some(_)) => Status::Refunded,
            (Pieces::Withdrawn, None) => Status::Withdrawn,
            (Pieces::Cancelled, None) => Status::Cancelled,
            (Pieces::Held { .. } | Pieces::Lapsed, None) => match (self.payments.last().map(|payment| &payment.state), self.pieces) {
                (Some(PaymentState::Pending), _) => Status::PaymentPending,
                (_, Pieces::Lapsed) => Status::Lapsed,
                (Some(PaymentState::Failed { reason, .. }), _) => Status::PaymentFailed { reason: *reason },
                (_, Pieces::Held { until }) => Status::AwaitingPayment { until },
                (_, Pieces::Sold | Pieces::Withdrawn | Pieces::Cancelled) => Status::Withdrawn,
            },
        }
    }

    /// Whether, and how, the order can be paid (again) now. The button asks this, and so does the server.
    pub fn can_pay_again(&self, now: Instant) -> Result<NextAttempt, CannotPay> {
        match self.status() {
            Status::Paid { .. } => return Err(CannotPay::Paid),
            Status::PaymentPending => return Err(CannotPay::Pending),
            Status::Withdrawn => return Err(CannotPay::Withdrawn),
            Status::Cancelled => return Err(CannotPay::Cancelled),
            Status::Refunding | Status::Refunded | Status::RefundFailed => return Err(CannotPay::Refunded),
            Status::AwaitingPayment { .. } | Status::PaymentFailed { .. } | Status::Lapsed => {}
        }
        if now >= self.placed_at.saturating_add(PAYABLE_US) {
            return Err(CannotPay::TooOld);
        }
        if let Some(live) = self.payments.iter().rfind(|payment| payment.state.is_live()) {
            return Ok(NextAttempt::Resume(live.id));
        }
        if self.payments.len() >= ATTEMPTS_MAX {
            return Err(CannotPay::TooManyAttempts);
        }
        Ok(NextAttempt::New)
    }

    /// Begins a new attempt. The caller has made sure of the pieces: held (again) until `until`. No event: nothing is paid yet.
    pub fn attempt(mut self, payment: PaymentId, until: Instant, now: Instant) -> Result<Self, CannotPay> {
        match self.can_pay_again(now)? {
            NextAttempt::Resume(_) => Err(CannotPay::Pending),
            NextAttempt::New => {
                self.payments.push(Payment { id: payment, amount: self.total, created_at: now, state: PaymentState::Created, odd: None });
                self.pieces = Pieces::Held { until };
                Ok(self)
            }
        }
    }

    /// What the stock has to do before `news` of `payment` is heard.
    pub fn needs(&self, payment: PaymentId, news: &News) -> Needs {
        let new_money = self.payments.iter().any(|known| {
            known.id == payment
                && !matches!(known.state, PaymentState::Captured { .. })
                && matches!(news, News::Captured { amount } if *amount == known.amount)
        });
        match self.pieces {
            Pieces::Held { .. } if new_money => Needs::Sell,
            Pieces::Lapsed if new_money && self.refunds.is_empty() => Needs::Retake,
            _ => Needs::Nothing,
        }
    }

    /// The order after a provider's news. `sold` says whether the stock did what [`Order::needs`] asked for; money that finds no pieces
    /// goes back under the id `refund`. Other attempts that are still open are not touched here: the caller closes them. No event of money that
    /// goes back: consumers of `PaymentCaptured` take paid lines out of carts; and none of a page that opens or closes.
    pub fn hear(mut self, payment: PaymentId, news: News, sold: bool, refund: RefundId, now: Instant) -> Result<(Self, Vec<Event>), Unchanged> {
        let needs = self.needs(payment, &news);
        let Some(known) = self.payments.iter_mut().find(|known| known.id == payment) else { return Err(Unchanged::Known) };
        let next = known.clone().hear(news, now)?;
        let event = match next.state {
            PaymentState::Captured { .. } => Some(Event::PaymentCaptured { order: self.id, payment }),
            PaymentState::Pending => Some(Event::PaymentPending { order: self.id, payment }),
            PaymentState::Failed { .. } => Some(Event::PaymentFailed { order: self.id, payment }),
            PaymentState::Created | PaymentState::Open { .. } | PaymentState::Closed { .. } => None,
        };
        let captured = matches!(next.state, PaymentState::Captured { .. });
        let amount = next.amount;
        *known = next;
        if !captured {
            return Ok((self, event.into_iter().collect()));
        }
        if needs != Needs::Nothing && sold {
            self.pieces = Pieces::Sold;
            return Ok((self, event.into_iter().collect()));
        }
        let reason = match self.pieces {
            Pieces::Sold => RefundReason::PaidTwice,
            Pieces::Withdrawn => RefundReason::Withdrawn,
            Pieces::Cancelled => RefundReason::Cancelled,
            Pieces::Held { .. } | Pieces::Lapsed => RefundReason::SoldOutMeanwhile,
        };
        self.refunds.push(Refund { id: refund, payment, amount, reason, goodwill: None, state: RefundState::Requested { attempts: 0 } });
        Ok((self, Vec::new()))
    }

    /// Notes that the provider took another amount than was asked for. Nothing is sold for it; a person must look. No event: nothing is paid.
    pub fn note_odd(mut self, payment: PaymentId, amount: Money) -> Result<Self, Unchanged> {
        let known = self.payments.iter_mut().find(|known| known.id == payment).ok_or(Unchanged::Known)?;
        if known.amount == amount || known.odd.is_some_and(|odd| odd.amount == amount) {
            return Err(Unchanged::Known);
        }
        known.odd = Some(Odd { amount, settled: false });
        Ok(self)
    }

    /// Notes that somebody has looked into it. Nothing more is waited for: the order can be paid again, cancelled, or lapse. No event: what
    /// follows from that tells its own.
    pub fn settle_odd(mut self, payment: PaymentId, now: Instant) -> Result<Self, CannotRefund> {
        let known = self.payments.iter_mut().find(|known| known.id == payment).ok_or(CannotRefund::NotOdd)?;
        let odd = known.odd.as_mut().filter(|odd| !odd.settled).ok_or(CannotRefund::NotOdd)?;
        odd.settled = true;
        if known.state.is_live() {
            known.state = PaymentState::Closed { at: now };
        }
        Ok(self)
    }

    /// The order after a provider's answer about a refund. No event while the money is under way, or is asked for once more.
    pub fn hear_refund(mut self, refund: RefundId, news: RefundNews) -> Result<(Self, Vec<Event>), Unchanged> {
        let known = self.refunds.iter_mut().find(|known| known.id == refund).ok_or(Unchanged::Known)?;
        known.state = known.state.hear(news).ok_or(Unchanged::Known)?;
        let event = match known.state {
            RefundState::Issued => Some(Event::RefundIssued { order: self.id, refund }),
            state if state.is_stuck() => Some(Event::RefundFailed { order: self.id, refund }),
            _ => None,
        };
        Ok((self, event.into_iter().collect()))
    }

    /// Gives the pieces back because nobody paid in time. No event: the order is not over, it can still be paid if they are there.
    pub fn lapse(mut self, now: Instant) -> Result<Self, CannotEnd> {
        let Pieces::Held { until } = self.pieces else { return Err(CannotEnd::NotHeld) };
        if now < until {
            return Err(CannotEnd::TooEarly);
        }
        if self.has_live_payment() {
            return Err(CannotEnd::PaymentLive);
        }
        self.pieces = Pieces::Lapsed;
        Ok(self)
    }

    /// Gives the pieces back because the shopper orders anew.
    pub fn withdraw(self) -> Result<(Self, Vec<Event>), CannotEnd> {
        self.end_unpaid(Pieces::Withdrawn)
    }

    fn end_unpaid(mut self, pieces: Pieces) -> Result<(Self, Vec<Event>), CannotEnd> {
        if !matches!(self.pieces, Pieces::Held { .. } | Pieces::Lapsed) || !self.refunds.is_empty() {
            return Err(CannotEnd::NotHeld);
        }
        if self.has_live_payment() {
            return Err(CannotEnd::PaymentLive);
        }
        self.pieces = pieces;
        let event = Event::OrderCancelled { order: self.id };
        Ok((self, vec![event]))
    }

    /// Whether money may still come.
    pub fn has_live_payment(&self) -> bool {
        self.payments.iter().any(|payment| payment.state.is_live())
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod after_payment;

#[cfg(test)]
mod charged_back;

#[cfg(test)]
mod coming_back;
