//! What became of each promotion that could have changed a total: frozen into the order with everything else.

use super::Audience;
use crate::{
    discount::Off,
    ids::{PromotionId, VariantId},
    money::Money,
    offer::Instant,
};
use serde::{Deserialize, Serialize};

/// One promotion, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traced {
    /// The promotion's id, or the id of the coupon whose code unlocked it.
    pub promotion: PromotionId,
    /// As it was typed; empty where none is needed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// In the shopper's language.
    pub title: String,
    /// Shoppers hear of it only where it applies.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    pub outcome: Outcome,
}

impl Traced {
    /// Whether shoppers may read it: what applied, the code that they typed, and what is public and has begun.
    pub const fn is_for_shoppers(&self) -> bool {
        match &self.outcome {
            Outcome::Applied { .. } => true,
            Outcome::Left(_) if !self.code.is_empty() => true,
            Outcome::Left(Refusal::NotYet { .. } | Refusal::OtherMarket | Refusal::ForOthers { audience: Audience::Segment(_), .. }) => false,
            Outcome::Left(_) => !self.hidden,
        }
    }

    /// Why it did not apply.
    pub const fn refusal(&self) -> Option<&Refusal> {
        match &self.outcome {
            Outcome::Applied { .. } => None,
            Outcome::Left(refusal) => Some(refusal),
        }
    }
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It took `amount` off: goods, by these lines, or delivery, without any.
    Applied {
        amount: Money,
        how: How,
        lines: Vec<Change>,
    },
    Left(Refusal),
}

/// What it took off one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub variant: VariantId,
    pub amount: Money,
}

/// How its amount came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// So many millionths of what was open of the goods that count.
    Percent {
        millionths: u32,
        base: Money,
    },
    /// At most what they cost.
    Amount {
        amount: Money,
    },
    /// So many pieces cost this instead.
    FixedPrice {
        price: Money,
        pieces: u32,
    },
    /// So many groups of `buy + get`.
    BuyGet {
        buy: u32,
        get: u32,
        millionths: u32,
        groups: u32,
    },
    /// There are so many pieces, and the tier begins at `from`.
    PieceTier {
        pieces: u32,
        from: u32,
        off: Off,
    },
    /// They are worth so much before promotions, and the tier begins at `from`.
    ValueTier {
        value: Money,
        from: Money,
        off: Off,
    },
    FreeDelivery,
}

/// Why a promotion, or a code, gives nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    #[error("there is no such code")]
    Unknown,
    #[error("it does not hold yet")]
    NotYet { from: Instant },
    /// Its window is over, or staff ended it.
    #[error("it does not hold any more")]
    Over,
    #[error("it has been used up")]
    UsedUp,
    #[error("this customer has used it as often as may be")]
    UsedByCustomer,
    #[error("the goods that count are worth {missing:?} too little")]
    BelowMinimum { missing: Money },
    #[error("{missing} pieces that count are missing")]
    TooFewPieces { missing: u32 },
    /// Another market, or another currency.
    #[error("it does not hold in this market")]
    OtherMarket,
    /// The customer is none of these, or nobody knows yet.
    #[error("it is for {audience:?}")]
    ForOthers { audience: Audience, is_known: bool },
    /// No piece that it counts, only reduced ones, delivery that is free or another method, or amounts so small that nothing comes off.
    #[error("there is nothing that it applies to")]
    NothingApplies,
    /// By its title: it saves the shopper as much or more, on pieces that both count.
    #[error("{by:?} saves more, and both do not go together")]
    Beaten { by: String },
    /// By its title: what applies together with that one saves the shopper more.
    #[error("it does not go together with {with:?}")]
    NotCombinable { with: String },
}
