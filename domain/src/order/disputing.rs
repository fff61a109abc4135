//! Disputes of an order's payments.

use super::Order;
use crate::{
    dispute::{Dispute, DisputeNews, DisputeState},
    event::Event,
    ids::PaymentId,
    offer::Instant,
    payment::Unchanged,
};

impl Dispute {
    /// Whether the bank took the money.
    pub const fn is_lost(&self) -> bool {
        matches!(self.state, DisputeState::Lost { .. })
    }
}

impl Order {
    /// Whether a bank took the payment that this order stands on. One that had been paid twice still stands on the other payment.
    pub fn is_charged_back(&self) -> bool {
        self.disputes.iter().any(|dispute| dispute.is_lost() && !self.is_duplicate(dispute.payment))
    }

    /// The order after a provider's news of a dispute. No event between its beginning and its end: what a shopper may do stays the same.
    pub fn hear_dispute(mut self, payment: PaymentId, news: DisputeNews, now: Instant) -> Result<(Self, Vec<Event>), Unchanged> {
        let order = self.id;
        if !self.payments.iter().any(|known| known.id == payment) {
            return Err(Unchanged::Known);
        }
        let known = self.disputes.iter_mut().find(|known| known.reference == news.reference);
        let is_new = known.is_none();
        let state = if let Some(known) = known {
            known.state = known.state.hear(news.stage, now).ok_or(Unchanged::Known)?;
            known.amount = news.amount;
            known.state
        } else {
            let state = DisputeState::first(news.stage, now);
            let (reference, amount, reason) = (news.reference, news.amount, news.reason);
            self.disputes.push(Dispute { reference, payment, amount, reason, opened_at: now, state });
            state
        };
        let mut events = Vec::new();
        if is_new {
            events.push(Event::DisputeOpened { order, payment });
        }
        match state {
            DisputeState::Won { .. } => events.push(Event::DisputeClosed { order, payment, won: true }),
            DisputeState::Lost { .. } => {
                self.leave_to_bank(payment);
                events.push(Event::DisputeClosed { order, payment, won: false });
            }
            DisputeState::Inquiry { .. } | DisputeState::InquiryAnswered | DisputeState::Open { .. } | DisputeState::UnderReview => {}
        }
        Ok((self, events))
    }
}
