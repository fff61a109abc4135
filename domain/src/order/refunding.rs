//! Refunds: never more than was captured, never during a dispute.

use super::Order;
use crate::{
    event::Event,
    ids::{PaymentId, RefundId},
    money::{Money, MoneyError},
    payment::PaymentState,
    refund::{GoodwillReason, Refund, RefundReason, RefundState},
};

/// Why no money goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotRefund {
    #[error("nothing was paid")]
    NothingCaptured,
    #[error("an amount must be more than nothing")]
    NotPositive,
    /// Only `left` of what was paid has not gone back.
    #[error("only {left:?} is left to refund")]
    MoreThanCaptured { left: Money },
    /// The bank may take the money back by itself: it would go twice.
    #[error("a dispute is open")]
    Disputed,
    #[error("no such refund, or not one that failed")]
    NotFailed,
    #[error("no such payment, or its amount is settled")]
    NotOdd,
    #[error(transparent)]
    Reckoning(#[from] MoneyError),
}

impl Order {
    /// What was captured by a payment and has neither gone back nor been lost in a dispute.
    fn kept(&self, payment: PaymentId) -> Money {
        let unsent = self.unsent(payment);
        let lost =
            self.disputes.iter().filter(|dispute| dispute.payment == payment && dispute.is_lost()).map(|dispute| dispute.amount.minor).sum::<i64>();
        Money::new((unsent.minor - lost).max(0), unsent.currency)
    }

    /// What was captured by a payment and has not gone back.
    fn unsent(&self, payment: PaymentId) -> Money {
        let zero = Money::zero(self.total.currency);
        let Some(paid) = self.payments.iter().find(|known| known.id == payment && matches!(known.state, PaymentState::Captured { .. })) else {
            return zero;
        };
        let gone =
            self.refunds.iter().filter(|refund| refund.payment == payment && refund.state.counts()).map(|refund| refund.amount.minor).sum::<i64>();
        Money::new((paid.amount.minor - gone).max(0), zero.currency)
    }

    /// Whether a payment came beside the one that the order stands on: all of it goes back for that, and for nothing else.
    pub(super) fn is_duplicate(&self, payment: PaymentId) -> bool {
        self.refunds.iter().any(|refund| refund.payment == payment && refund.reason == RefundReason::PaidTwice)
    }

    /// The payment of which money goes back, and how much of it is left.
    fn source(&self) -> Option<(PaymentId, Money)> {
        let standing = self.payments.iter().map(|payment| payment.id).filter(|payment| !self.is_duplicate(*payment));
        standing.map(|payment| (payment, self.kept(payment))).max_by_key(|(_, kept)| kept.minor)
    }

    /// What may still be refunded, of the payment that is kept.
    pub fn refundable(&self) -> Money {
        self.source().map_or(Money::zero(self.total.currency), |(_, kept)| kept)
    }

    /// What is owed by refunds that got stuck and of which nothing counts as going: it comes out of what may still be refunded.
    pub fn stuck_left(&self) -> Money {
        let left = self.refundable();
        let of = self.source().map(|(payment, _)| payment);
        let owed: i64 = self
            .refunds
            .iter()
            .filter(|refund| Some(refund.payment) == of && self.is_stuck(refund) && !refund.state.counts())
            .map(|refund| refund.amount.minor)
            .sum();
        Money::new(owed.min(left.minor), left.currency)
    }

    /// What may go back because we are sorry: what is left beyond refunds that got stuck, which are asked for again or settled first.
    pub fn goodwill_left(&self) -> Money {
        let left = self.refundable();
        Money::new(left.minor - self.stuck_left().minor, left.currency)
    }

    /// What of the delivery charge has not gone back.
    pub fn delivery_left(&self) -> Money {
        let cancelled: i64 = self.cancellations.iter().map(|cancellation| cancellation.delivery.minor).sum();
        let returned: i64 = self.returns.iter().map(super::Return::delivery_minor).sum();
        Money::new((self.delivery.minor - cancelled - returned).max(0), self.delivery.currency)
    }

    /// Sends money back because we are sorry. No event: the money is only asked for, and `RefundIssued` tells when it went.
    pub fn refund(mut self, id: RefundId, amount: Money, why: GoodwillReason) -> Result<(Self, Vec<Event>), CannotRefund> {
        let left = self.refundable();
        if amount.currency != left.currency {
            return Err(MoneyError::Mixed(amount.currency, left.currency).into());
        }
        if amount.minor <= 0 {
            return Err(CannotRefund::NotPositive);
        }
        if !self.payments.iter().any(|payment| matches!(payment.state, PaymentState::Captured { .. })) {
            return Err(CannotRefund::NothingCaptured);
        }
        if amount.minor > left.minor {
            return Err(CannotRefund::MoreThanCaptured { left });
        }
        self.owe(id, amount, RefundReason::Goodwill)?;
        if let Some(owed) = self.refunds.last_mut() {
            owed.goodwill = Some(why);
        }
        Ok((self, Vec::new()))
    }

    /// Asks again for a refund that failed. No event: that it failed was told, and how it ends will be.
    pub fn retry_refund(mut self, id: RefundId) -> Result<(Self, Vec<Event>), CannotRefund> {
        let known = self
            .refunds
            .iter()
            .position(|refund| refund.id == id && refund.state.is_stuck() && refund.state != RefundState::Bounced)
            .ok_or(CannotRefund::NotFailed)?;
        let refund = self.refunds[known].clone();
        if self.is_disputed() {
            return Err(CannotRefund::Disputed);
        }
        let left = self.kept(refund.payment);
        if !refund.state.counts() && refund.amount.minor > left.minor {
            return Err(CannotRefund::MoreThanCaptured { left });
        }
        self.refunds[known].state = RefundState::Requested { attempts: 0 };
        Ok((self, Vec::new()))
    }

    /// Notes that a stuck refund was paid back some other way: not while a bank claims the payment, which may take the money itself. Money that went back by another refund meanwhile is not owed any more.
    pub fn settle_refund_outside(mut self, id: RefundId) -> Result<(Self, Vec<Event>), CannotRefund> {
        let order = self.id;
        let known = self.refunds.iter().position(|refund| refund.id == id && refund.state.is_stuck()).ok_or(CannotRefund::NotFailed)?;
        if self.is_disputed() {
            return Err(CannotRefund::Disputed);
        }
        let left = self.unsent(self.refunds[known].payment);
        if !self.refunds[known].state.counts() && self.refunds[known].amount.minor > left.minor {
            return Err(CannotRefund::MoreThanCaptured { left });
        }
        self.refunds[known].state = RefundState::SettledOutside;
        Ok((self, vec![Event::RefundIssued { order, refund: id }]))
    }

    /// Whether a person must do something about a refund. One that failed and of whose payment nothing is left here was made good by another,
    /// or by the bank.
    pub fn is_stuck(&self, refund: &Refund) -> bool {
        refund.state.is_stuck() && (refund.state.counts() || self.kept(refund.payment).minor > 0)
    }

    /// Whether a refund must not be asked for now: the bank claims its payment, and the money would go twice. One that is under way is
    /// still asked about.
    pub fn waits_for_bank(&self, refund: RefundId) -> bool {
        self.refunds.iter().any(|known| {
            known.id == refund
                && matches!(known.state, RefundState::Requested { .. })
                && self.disputes.iter().any(|dispute| dispute.payment == known.payment && dispute.state.is_open())
        })
    }

    /// The bank took a payment: of what still waits to go back, the latest first, what is not there any more went with it. No event of its own:
    /// nothing was paid back by us, and `DisputeClosed` tells of the bank.
    pub(super) fn leave_to_bank(&mut self, payment: PaymentId) {
        let captured = self.payments.iter().find(|known| known.id == payment).map_or(0, |known| known.amount.minor);
        let lost: i64 =
            self.disputes.iter().filter(|dispute| dispute.payment == payment && dispute.is_lost()).map(|dispute| dispute.amount.minor).sum();
        let mut gone: i64 =
            self.refunds.iter().filter(|refund| refund.payment == payment && refund.state.counts()).map(|refund| refund.amount.minor).sum();
        let waits = |refund: &&mut Refund| refund.payment == payment && matches!(refund.state, RefundState::Requested { .. });
        for refund in self.refunds.iter_mut().rev().filter(waits) {
            if gone + lost <= captured {
                break;
            }
            gone -= refund.amount.minor;
            refund.state = RefundState::SettledOutside;
        }
    }

    /// Whether a bank is asking for the money.
    pub fn is_disputed(&self) -> bool {
        self.disputes.iter().any(|dispute| dispute.state.is_open())
    }

    /// Whether all that banks do is ask: no money has moved, and it may come to nothing.
    pub fn is_only_asked(&self) -> bool {
        let mut open = self.disputes.iter().filter(|dispute| dispute.state.is_open()).peekable();
        open.peek().is_some() && open.all(|dispute| dispute.state.is_inquiry())
    }

    /// Owes `amount`, or what is left if that is less (some may have gone back in goodwill); `None`: nothing is left, or nothing was due.
    pub(super) fn owe(&mut self, id: RefundId, amount: Money, reason: RefundReason) -> Result<Option<RefundId>, CannotRefund> {
        if self.is_disputed() {
            return Err(CannotRefund::Disputed);
        }
        let (payment, kept) = self.source().ok_or(CannotRefund::NothingCaptured)?;
        let minor = amount.minor.min(kept.minor);
        if minor <= 0 {
            return Ok(None);
        }
        let amount = Money::new(minor, amount.currency);
        self.refunds.push(Refund { id, payment, amount, reason, goodwill: None, state: RefundState::Requested { attempts: 0 } });
        Ok(Some(id))
    }
}
