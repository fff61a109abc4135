//! Correcting where an order goes, until somebody has begun to pack it.

use super::{Order, Pieces};
use crate::address::Destination;

/// Why a delivery address stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotCorrect {
    /// A label may be printed already.
    #[error("packing has begun")]
    Packed,
    #[error("the order is over")]
    Over,
    /// Tax was reckoned for the country and region of the old address, delivery for its zone.
    #[error("another country, region or delivery zone")]
    Elsewhere,
}

impl Order {
    /// Whether the delivery address may be corrected at all.
    pub fn can_correct_address(&self) -> Result<(), CannotCorrect> {
        if matches!(self.pieces, Pieces::Withdrawn | Pieces::Cancelled) || self.is_cancelled_whole() {
            return Err(CannotCorrect::Over);
        }
        if self.fulfilments.is_empty() { Ok(()) } else { Err(CannotCorrect::Packed) }
    }

    /// Whether it may become this one: what tax depends on stays.
    pub fn may_go_to(&self, before: &Destination, after: &Destination) -> Result<(), CannotCorrect> {
        self.can_correct_address()?;
        if before == after { Ok(()) } else { Err(CannotCorrect::Elsewhere) }
    }
}
