//! How far a paid order has come, and what asks for a person: derived from the ledgers for lists and pages.

use super::{FulfilmentState, Order, Pieces, Portion, ReturnState, Tally};
use crate::{dispute::DisputeState, offer::Instant};
use serde::{Deserialize, Serialize};

/// How far a paid order has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "progress", rename_all = "snake_case")]
pub enum Progress {
    /// Nothing is packed.
    Open,
    Packing,
    /// Some pieces have left, some have not. What is sent in exchange counts neither way.
    PartlyShipped {
        shipped: u32,
        of: u32,
    },
    Shipped,
    /// Everything that was sent has arrived; when the last shipment did.
    Delivered {
        at: Instant,
    },
    /// Everything that was ordered has left; what is sent in exchange has not.
    ExchangeToSend,
    /// Everything that was ordered has arrived; what is sent in exchange is on its way.
    ExchangeSent,
    /// Everything that was sent came back.
    Returned,
}

impl Progress {
    /// The word in lists and tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Packing => "packing",
            Self::PartlyShipped { .. } => "partly_shipped",
            Self::Shipped => "shipped",
            Self::Delivered { .. } => "delivered",
            Self::ExchangeToSend => "exchange_to_send",
            Self::ExchangeSent => "exchange_sent",
            Self::Returned => "returned",
        }
    }
}

/// What asks for a person, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "attention", rename_all = "snake_case")]
pub enum Attention {
    /// Evidence is due; without it the money is lost.
    Dispute { evidence_due: Option<Instant> },
    /// The provider took another amount than was asked for.
    Amount,
    /// A refund does not get through.
    Refund,
    /// The bank took the payment back and pieces are not sent yet: they must be cancelled.
    ChargedBack,
    /// A parcel comes back, or has come.
    Return,
    /// Pieces wait to be packed or sent.
    Ship,
}

impl Attention {
    /// The word in lists and tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dispute { .. } => "dispute",
            Self::Amount => "amount",
            Self::Refund => "refund",
            Self::ChargedBack => "charged_back",
            Self::Return => "return",
            Self::Ship => "ship",
        }
    }
}

impl Order {
    /// How far a paid order has come; `None`: it is not paid, or nothing of it is left to send.
    pub fn progress(&self) -> Option<Progress> {
        if self.pieces != Pieces::Sold {
            return None;
        }
        let sum = |replaces: bool, of: fn(Tally) -> u32| {
            let lines = self.lines.iter().filter(|line| line.replaces.is_some() == replaces);
            lines.map(|line| of(self.tally(line.line))).sum::<u32>()
        };
        let both = |of: fn(Tally) -> u32| sum(false, of) + sum(true, of);
        let wanted = |tally: Tally| tally.ordered - tally.cancelled;
        if both(wanted) == 0 {
            return None;
        }
        let shipped = |tally: Tally| tally.shipped;
        let delivered = |tally: Tally| tally.delivered;
        let arrived =
            self.fulfilments.iter().filter_map(|known| if let FulfilmentState::Delivered { at, .. } = known.state { Some(at) } else { None });
        Some(if both(shipped) == 0 {
            if both(|tally| tally.packing) > 0 { Progress::Packing } else { Progress::Open }
        } else if sum(false, shipped) < sum(false, wanted) {
            Progress::PartlyShipped { shipped: sum(false, shipped), of: sum(false, wanted) }
        } else if sum(true, shipped) < sum(true, wanted) {
            Progress::ExchangeToSend
        } else if both(|tally| tally.returned) == both(shipped) {
            Progress::Returned
        } else if sum(true, delivered) < sum(true, shipped) && sum(false, delivered) == sum(false, shipped) {
            Progress::ExchangeSent
        } else {
            match arrived.max() {
                Some(at) if both(delivered) == both(shipped) => Progress::Delivered { at },
                _ => Progress::Shipped,
            }
        })
    }

    /// What asks for a person, the most urgent first.
    pub fn attention(&self) -> Vec<Attention> {
        let mut all = Vec::new();
        all.extend(self.disputes.iter().filter_map(|dispute| match dispute.state {
            DisputeState::Inquiry { evidence_due } | DisputeState::Open { evidence_due } => Some(Attention::Dispute { evidence_due }),
            _ => None,
        }));
        if self.payments.iter().any(|payment| payment.odd.is_some_and(|odd| !odd.settled)) {
            all.push(Attention::Amount);
        }
        if self.refunds.iter().any(|refund| self.is_stuck(refund)) {
            all.push(Attention::Refund);
        }
        let waits = !self.is_disputed() && !self.unsent_portions().is_empty();
        if waits && self.is_charged_back() {
            all.push(Attention::ChargedBack);
        }
        if self.returns.iter().any(|back| back.state == ReturnState::Requested) {
            all.push(Attention::Return);
        }
        if waits && !self.is_charged_back() {
            all.push(Attention::Ship);
        }
        all
    }

    /// Sold pieces that have not left: open or packed.
    pub fn unsent_portions(&self) -> Vec<Portion> {
        if self.pieces == Pieces::Sold { self.portions(|tally| tally.open() + tally.packing) } else { Vec::new() }
    }
}
