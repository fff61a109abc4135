//! One dispute (chargeback): a bank asks for a payment back. What it means for its order is decided in [`crate::order`].

use crate::{ids::PaymentId, money::Money, offer::Instant};
use serde::{Deserialize, Serialize};

/// A dispute as we know it. Evidence is sent to the provider on its own pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// The provider's id.
    pub reference: String,
    pub payment: PaymentId,
    pub amount: Money,
    /// The provider's word: `fraudulent`, `product_not_received`.
    pub reason: String,
    pub opened_at: Instant,
    pub state: DisputeState,
}

/// Where a dispute stands. It only ever moves forward, in the order of these: news may come twice, late and in any order. Many begin with the
/// bank's claim; some with its inquiry, which moves no money, and becomes a claim if our answer does not satisfy it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub enum DisputeState {
    /// The bank asks, and waits for our answer until then; without it the inquiry becomes a claim.
    Inquiry {
        evidence_due: Option<Instant>,
    },
    /// The bank thinks about our answer: it may still claim the money.
    InquiryAnswered,
    /// The bank waits for our evidence until then; without it the dispute is lost.
    Open {
        evidence_due: Option<Instant>,
    },
    /// The bank decides.
    UnderReview,
    Won {
        at: Instant,
    },
    Lost {
        at: Instant,
    },
}

/// As it is stored: releases that know no inquiries take one for the claim that it may become.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum Stored {
    Open {
        evidence_due: Option<Instant>,
        #[serde(default)]
        is_inquiry: bool,
    },
    UnderReview {
        #[serde(default)]
        is_inquiry: bool,
    },
    Won {
        at: Instant,
    },
    Lost {
        at: Instant,
    },
}

impl From<Stored> for DisputeState {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::Open { evidence_due, is_inquiry: true } => Self::Inquiry { evidence_due },
            Stored::Open { evidence_due, is_inquiry: false } => Self::Open { evidence_due },
            Stored::UnderReview { is_inquiry: true } => Self::InquiryAnswered,
            Stored::UnderReview { is_inquiry: false } => Self::UnderReview,
            Stored::Won { at } => Self::Won { at },
            Stored::Lost { at } => Self::Lost { at },
        }
    }
}

impl From<DisputeState> for Stored {
    fn from(state: DisputeState) -> Self {
        match state {
            DisputeState::Inquiry { evidence_due } => Self::Open { evidence_due, is_inquiry: true },
            DisputeState::InquiryAnswered => Self::UnderReview { is_inquiry: true },
            DisputeState::Open { evidence_due } => Self::Open { evidence_due, is_inquiry: false },
            DisputeState::UnderReview => Self::UnderReview { is_inquiry: false },
            DisputeState::Won { at } => Self::Won { at },
            DisputeState::Lost { at } => Self::Lost { at },
        }
    }
}

/// What a provider says of a dispute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisputeNews {
    pub reference: String,
    pub amount: Money,
    pub reason: String,
    pub stage: DisputeStage,
}

/// The stage that news speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum DisputeStage {
    Inquiry { evidence_due: Option<Instant> },
    InquiryAnswered,
    Open { evidence_due: Option<Instant> },
    UnderReview,
    Won,
    Lost,
}

impl DisputeStage {
    /// Whether a bank that has come here took the payment, if only until it decides.
    pub const fn claims(self) -> bool {
        matches!(self, Self::Open { .. } | Self::UnderReview | Self::Lost)
    }

    /// Whether a bank comes here from there; every dispute begins with an inquiry or a claim.
    pub fn follows(self, earlier: Option<Self>) -> bool {
        let begins = matches!(self, Self::Inquiry { .. } | Self::Open { .. });
        earlier.map_or(begins, |earlier| DisputeState::first(self, 0).rank() > DisputeState::first(earlier, 0).rank())
    }
}

impl DisputeState {
    /// The word in the table's `state`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Inquiry { .. } => "inquiry",
            Self::InquiryAnswered => "inquiry_answered",
            Self::Open { .. } => "open",
            Self::UnderReview => "under_review",
            Self::Won { .. } => "won",
            Self::Lost { .. } => "lost",
        }
    }

    /// Whether it is not decided.
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Won { .. } | Self::Lost { .. })
    }

    /// Whether the bank only asks: no money has moved.
    pub const fn is_inquiry(self) -> bool {
        matches!(self, Self::Inquiry { .. } | Self::InquiryAnswered)
    }

    /// Until when the bank waits for us, where it said so.
    pub const fn due(self) -> Option<Instant> {
        match self {
            Self::Inquiry { evidence_due } | Self::Open { evidence_due } => evidence_due,
            Self::InquiryAnswered | Self::UnderReview | Self::Won { .. } | Self::Lost { .. } => None,
        }
    }

    /// The first state of a dispute.
    pub const fn first(stage: DisputeStage, now: Instant) -> Self {
        match stage {
            DisputeStage::Inquiry { evidence_due } => Self::Inquiry { evidence_due },
            DisputeStage::InquiryAnswered => Self::InquiryAnswered,
            DisputeStage::Open { evidence_due } => Self::Open { evidence_due },
            DisputeStage::UnderReview => Self::UnderReview,
            DisputeStage::Won => Self::Won { at: now },
            DisputeStage::Lost => Self::Lost { at: now },
        }
    }

    /// The state after news; `None` when it changes nothing.
    pub fn hear(self, stage: DisputeStage, now: Instant) -> Option<Self> {
        let next = Self::first(stage, now);
        let moves = match (self, next) {
            (Self::Inquiry { evidence_due: known }, Self::Inquiry { evidence_due })
            | (Self::Open { evidence_due: known }, Self::Open { evidence_due }) => known != evidence_due && evidence_due.is_some(),
            _ => next.rank() > self.rank(),
        };
        moves.then_some(next)
    }

    const fn rank(self) -> u8 {
        match self {
            Self::Inquiry { .. } => 0,
            Self::InquiryAnswered => 1,
            Self::Open { .. } => 2,
            Self::UnderReview => 3,
            Self::Won { .. } | Self::Lost { .. } => 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_earlier_releases_stored_is_read_and_they_read_what_we_store() {
        let read = |text: &str| serde_json::from_str::<DisputeState>(text).expect("a state");
        assert_eq!(read(r#"{"state":"open","evidence_due":7}"#), DisputeState::Open { evidence_due: Some(7) });
        assert_eq!(read(r#"{"state":"under_review"}"#), DisputeState::UnderReview);
        for state in [
            DisputeState::Inquiry { evidence_due: Some(7) },
            DisputeState::InquiryAnswered,
            DisputeState::Open { evidence_due: None },
            DisputeState::UnderReview,
            DisputeState::Won { at: 1 },
            DisputeState::Lost { at: 1 },
        ] {
            let text = serde_json::to_string(&state).expect("plain data");
            assert_eq!(read(&text), state);
            assert!(!text.contains("\"inquiry"), "{text}");
        }
    }

    #[test]
    fn news_move_a_dispute_forward_and_never_back() {
        let (early, late) = (Some(7), Some(9));
        let inquiry = |evidence_due| DisputeStage::Inquiry { evidence_due };
        let open = |evidence_due| DisputeStage::Open { evidence_due };
        let (answered, review, won, lost) = (DisputeStage::InquiryAnswered, DisputeStage::UnderReview, DisputeStage::Won, DisputeStage::Lost);
        // What is known, what is told, whether that is heard.
        for (known, told, heard) in [
            (inquiry(early), inquiry(early), false),
            (inquiry(early), inquiry(late), true),
            (inquiry(early), inquiry(None), false),
            (inquiry(early), answered, true),
            (inquiry(early), open(late), true),
            (inquiry(early), won, true),
            (answered, inquiry(late), false),
            // The bank is not satisfied: there is evidence to send, with a deadline of its own.
            (answered, open(late), true),
            (answered, review, true),
            (answered, won, true),
            (answered, lost, true),
            (open(early), open(early), false),
            (open(None), open(late), true),
            (open(early), open(None), false),
            (open(early), inquiry(late), false),
            (open(early), answered, false),
            (open(early), review, true),
            (open(early), lost, true),
            (review, open(late), false),
            (review, answered, false),
            (review, review, false),
            (review, won, true),
            (won, lost, false),
            (won, open(late), false),
            (lost, won, false),
        ] {
            let next = DisputeState::first(known, 1).hear(told, 2);
            assert_eq!(next, heard.then(|| DisputeState::first(told, 2)), "{known:?}, then {told:?}");
        }
    }
}
