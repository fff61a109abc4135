//! Fulfilments: from the shelf to the shopper's door, in as many shipments and parcels as it takes.

use super::{NoSuchPieces, Order, Pieces, Portion, Tally};
use crate::{event::Event, ids::FulfilmentId, offer::Instant};
use serde::{Deserialize, Serialize};

/// One shipment from one location.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fulfilment {
    pub id: FulfilmentId,
    /// The stock location that the pieces leave from.
    pub location: String,
    pub portions: Vec<Portion>,
    pub state: FulfilmentState,
}

/// Where a shipment is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum FulfilmentState {
    /// Somebody is collecting the pieces: they can no longer be cancelled.
    Packing {
        since: Instant,
    },
    Shipped {
        shipment: Shipment,
    },
    /// `assumed`: no carrier told, but it must have arrived by now.
    Delivered {
        shipment: Shipment,
        at: Instant,
        assumed: bool,
    },
}

/// What left the house.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipment {
    pub at: Instant,
    pub parcels: Vec<Parcel>,
}

/// One parcel of a shipment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel {
    /// `dhl`, `ups`, or any name.
    pub carrier: String,
    /// Empty: sent without a number.
    pub tracking: String,
}

/// Parcels in one shipment.
pub const PARCELS_MAX: usize = 20;

/// When a shipment counts as delivered although no carrier told: 14 days after it left, longer than any promised delivery. Periods that
/// begin with the delivery (the right to withdraw) thereby never begin too early in the shop's favour.
pub const DELIVERED_AFTER_US: Instant = 14 * 24 * 3_600 * 1_000_000;

/// Why a shipment does not move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotFulfil {
    #[error("the order is not paid")]
    NotPaid,
    /// What is sent during a dispute may be lost twice.
    #[error("a dispute is open")]
    Disputed,
    /// The bank took the money back: what is sent now is given away.
    #[error("the payment was charged back")]
    ChargedBack,
    #[error("nothing is left to pack")]
    NothingOpen,
    #[error(transparent)]
    Pieces(#[from] NoSuchPieces),
    #[error("no such shipment")]
    Unknown,
    #[error("the shipment has left already")]
    Shipped,
    #[error("the shipment has not left yet")]
    NotShipped,
    #[error("the shipment has arrived already")]
    Delivered,
    #[error("a shipment has 1 to 20 parcels")]
    Parcels,
}

impl FulfilmentState {
    /// The word in the table's `state`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Packing { .. } => "packing",
            Self::Shipped { .. } => "shipped",
            Self::Delivered { .. } => "delivered",
        }
    }

    /// What left, once it has.
    pub const fn shipment(&self) -> Option<&Shipment> {
        match self {
            Self::Packing { .. } => None,
            Self::Shipped { shipment } | Self::Delivered { shipment, .. } => Some(shipment),
        }
    }
}

impl Order {
    /// Whether pieces may be packed and sent now.
    pub fn can_fulfil(&self) -> Result<(), CannotFulfil> {
        if self.pieces != Pieces::Sold {
            return Err(CannotFulfil::NotPaid);
        }
        self.is_paid_for()?;
        if self.open_portions().is_empty() { Err(CannotFulfil::NothingOpen) } else { Ok(()) }
    }

    /// Whether the money for what is sent is here to stay, as far as anybody knows.
    pub fn is_paid_for(&self) -> Result<(), CannotFulfil> {
        if self.is_disputed() {
            return Err(CannotFulfil::Disputed);
        }
        if self.is_charged_back() { Err(CannotFulfil::ChargedBack) } else { Ok(()) }
    }

    /// Begins to pack pieces that are open. The caller has made sure that they lie at `location`. No event: nothing has left.
    pub fn pack(mut self, id: FulfilmentId, location: String, portions: Vec<Portion>, now: Instant) -> Result<Self, CannotFulfil> {
        self.can_fulfil()?;
        let portions: Vec<Portion> = portions.into_iter().filter(|portion| portion.quantity > 0).collect();
        self.check(&portions, Tally::open)?;
        self.fulfilments.push(Fulfilment { id, location, portions, state: FulfilmentState::Packing { since: now } });
        Ok(self)
    }

    /// Puts packed pieces back: they are open again. No event: that they were packed was told to nobody.
    pub fn unpack(mut self, id: FulfilmentId) -> Result<Self, CannotFulfil> {
        match self.fulfilment(id)?.state {
            FulfilmentState::Packing { .. } => {
                self.fulfilments.retain(|known| known.id != id);
                Ok(self)
            }
            FulfilmentState::Shipped { .. } | FulfilmentState::Delivered { .. } => Err(CannotFulfil::Shipped),
        }
    }

    /// Sends what was packed.
    pub fn ship(mut self, id: FulfilmentId, parcels: Vec<Parcel>, now: Instant) -> Result<(Self, Vec<Event>), CannotFulfil> {
        self.is_paid_for()?;
        if parcels.is_empty() || parcels.len() > PARCELS_MAX {
            return Err(CannotFulfil::Parcels);
        }
        let order = self.id;
        let fulfilment = self.fulfilment(id)?;
        if !matches!(fulfilment.state, FulfilmentState::Packing { .. }) {
            return Err(CannotFulfil::Shipped);
        }
        fulfilment.state = FulfilmentState::Shipped { shipment: Shipment { at: now, parcels } };
        Ok((self, vec![Event::OrderShipped { order, fulfilment: id }]))
    }

    /// Corrects carriers and numbers of what has left. No event: that it has left was told, and pages show the numbers as they are now.
    pub fn correct_parcels(mut self, id: FulfilmentId, parcels: Vec<Parcel>) -> Result<Self, CannotFulfil> {
        if parcels.is_empty() || parcels.len() > PARCELS_MAX {
            return Err(CannotFulfil::Parcels);
        }
        match &mut self.fulfilment(id)?.state {
            FulfilmentState::Packing { .. } => return Err(CannotFulfil::NotShipped),
            FulfilmentState::Shipped { shipment } | FulfilmentState::Delivered { shipment, .. } => shipment.parcels = parcels,
        }
        Ok(self)
    }

    /// A carrier, or a person, says that a shipment has arrived. No event where that was assumed before, and told.
    pub fn deliver(self, id: FulfilmentId, now: Instant) -> Result<(Self, Vec<Event>), CannotFulfil> {
        self.delivered(id, now, false)
    }

    /// Shipments of which no carrier told, and that must have arrived by now, have arrived.
    pub fn assume_delivered(mut self, now: Instant) -> (Self, Vec<Event>) {
        let overdue = |fulfilment: &&Fulfilment| matches!(&fulfilment.state, FulfilmentState::Shipped { shipment } if now >= shipment.at.saturating_add(DELIVERED_AFTER_US));
        let overdue: Vec<FulfilmentId> = self.fulfilments.iter().filter(overdue).map(|fulfilment| fulfilment.id).collect();
        let mut events = Vec::new();
        for id in overdue {
            if let Ok((after, told)) = self.clone().delivered(id, now, true) {
                self = after;
                events.extend(told);
            }
        }
        (self, events)
    }

    fn delivered(mut self, id: FulfilmentId, now: Instant, assumed: bool) -> Result<(Self, Vec<Event>), CannotFulfil> {
        let order = self.id;
        let fulfilment = self.fulfilment(id)?;
        let shipment = match &fulfilment.state {
            FulfilmentState::Packing { .. } => return Err(CannotFulfil::NotShipped),
            FulfilmentState::Shipped { shipment } => shipment.clone(),
            // A carrier's word replaces our assumption.
            FulfilmentState::Delivered { shipment, assumed: true, .. } if !assumed => {
                fulfilment.state = FulfilmentState::Delivered { shipment: shipment.clone(), at: now, assumed };
                return Ok((self, Vec::new()));
            }
            FulfilmentState::Delivered { .. } => return Err(CannotFulfil::Delivered),
        };
        fulfilment.state = FulfilmentState::Delivered { shipment, at: now, assumed };
        Ok((self, vec![Event::OrderDelivered { order, fulfilment: id }]))
    }

    fn fulfilment(&mut self, id: FulfilmentId) -> Result<&mut Fulfilment, CannotFulfil> {
        self.fulfilments.iter_mut().find(|known| known.id == id).ok_or(CannotFulfil::Unknown)
    }
}
