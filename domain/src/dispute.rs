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

/// Where a dispute stands. It only ever moves forward: news may come twice, late and in any order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum DisputeState {
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
    Open { evidence_due: Option<Instant> },
    UnderReview,
    Won,
    Lost,
}

impl DisputeState {
    /// The word in the table's `state`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open { .. } => "open",
            Self::UnderReview => "under_review",
            Self::Won { .. } => "won",
            Self::Lost { .. } => "lost",
        }
    }

    /// Whether it is not decided.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open { .. } | Self::UnderReview)
    }

    /// The first state of a dispute.
    pub const fn first(stage: DisputeStage, now: Instant) -> Self {
        match stage {
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
            (Self::Open { evidence_due: known }, Self::Open { evidence_due }) => known != evidence_due && evidence_due.is_some(),
            (Self::Open { .. } | Self::UnderReview, Self::Won { .. } | Self::Lost { .. }) | (Self::Open { .. }, Self::UnderReview) => true,
            (Self::UnderReview | Self::Won { .. } | Self::Lost { .. }, _) => false,
        };
        moves.then_some(next)
    }
}
