//! What staff and shoppers do with a paid order, done with the real one: each deed takes the same shipment, return or refund.

use super::Twin;
use crate::{
    orders::{ChangeError, Received, store, story::Actor},
    simulation::{
        Deed, World,
        deeds::{DOOR, parcels},
        store::PLACES,
    },
};
use domain::{
    CancellationId, FulfilmentId, RefundId, ReturnId,
    money::Money,
    order::{CancelReason, FulfilmentState, Order, Pieces, Portion, Receipt, Resolution, Restock, ReturnItem, ReturnReason, ReturnState},
    refund::{GoodwillReason, RefundState},
};

/// Where a deed takes its pieces from.
pub fn shelf(world: &World, order: usize, deed: Deed) -> &'static str {
    if let Deed::Pack { line, .. } = deed { PLACES[world.shelf(order, line)] } else { PLACES[0] }
}

impl Twin {
    /// Does it, if the rules let it: whether they did shows in the rows.
    pub async fn deed(&self, index: usize, deed: Deed, shelf: &str) -> anyhow::Result<()> {
        let orders = &self.orders;
        let id = self.order(index).await?;
        let Some(order) = store::load(&self.db, id).await? else { return Ok(()) };
        let new = || self.clock().id();
        let announced = order.returns.iter().find(|back| back.state == ReturnState::Requested);
        let done = match deed {
            Deed::Pack { line, pieces } => orders.pack(id, FulfilmentId(new()), shelf, &[Portion { line, quantity: pieces }], Actor::Shop).await,
            Deed::Unpack => match shipment(&order, "packing") {
                Some(known) => orders.unpack(id, known, Actor::Shop).await,
                None => return Ok(()),
            },
            Deed::Ship => match shipment(&order, "packing") {
                Some(known) => orders.ship(id, known, &parcels(), Actor::Shop).await,
                None => return Ok(()),
            },
            Deed::Deliver => match shipment(&order, "shipped") {
                Some(known) => orders.deliver(id, known, Actor::Shop).await,
                None => return Ok(()),
            },
            // Of an order that is not paid it is another thing.
            Deed::Cancel { .. } if order.pieces != Pieces::Sold => return Ok(()),
            Deed::Cancel { line, pieces } => {
                let portions = line.map(|line| [Portion { line, quantity: pieces }]);
                let portions = portions.as_ref().map(<[_; 1]>::as_slice);
                orders.cancel(id, CancellationId(new()), portions, CancelReason::ChangedMind, Actor::Shopper).await
            }
            Deed::Goodwill { minor } => {
                orders.refund_goodwill(id, RefundId(new()), Money::new(minor, order.total.currency), GoodwillReason::Service, Actor::Shop).await
            }
            Deed::RetryRefund => match order.refunds.iter().find(|refund| refund.state == RefundState::Failed) {
                Some(failed) => orders.retry_refund(id, failed.id, Actor::Shop).await,
                None => return Ok(()),
            },
            Deed::SettleOutside => match order.refunds.iter().find(|refund| refund.state.is_stuck()) {
                Some(stuck) => orders.settle_refund_outside(id, stuck.id, Actor::Shop).await,
                None => return Ok(()),
            },
            Deed::AskReturn { line, pieces, exchanges } => {
                let other = self.items[usize::try_from(line).unwrap_or(0) % 2];
                let exchange = Resolution::Exchange { product: other.product, variant: other.variant };
                let resolution = if exchanges { exchange } else { Resolution::Refund };
                let items = [ReturnItem { line, quantity: pieces, reason: ReturnReason::TooSmall, resolution }];
                orders.request_return(id, ReturnId(new()), &items, Actor::Shopper).await
            }
            Deed::Receive { is_fit, kept_back } => match announced {
                Some(back) => {
                    let restock = if is_fit { Restock::Shelf } else { Restock::Discard };
                    let receipt = |item: &ReturnItem| {
                        let exchanged = matches!(item.resolution, Resolution::Exchange { .. });
                        Receipt { line: item.line, quantity: item.quantity, restock, exchanged }
                    };
                    let received = Received {
                        receipts: back.items.iter().map(receipt).collect(),
                        location: PLACES[DOOR].to_owned(),
                        kept_back: Money::new(kept_back, order.total.currency),
                        delivery: None,
                    };
                    orders.receive_return(id, back.id, &received, Actor::Shop).await
                }
                None => return Ok(()),
            },
            Deed::RefuseReturn => match announced {
                Some(back) => orders.refuse_return(id, back.id, "", Actor::Shop).await,
                None => return Ok(()),
            },
            Deed::CallOffReturn => match announced {
                Some(back) => orders.cancel_return(id, back.id, Actor::Shopper).await,
                None => return Ok(()),
            },
        };
        match done {
            Err(ChangeError::Failed(error)) => Err(error),
            // Refusals are compared as well: nothing has changed.
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

fn shipment(order: &Order, state: &str) -> Option<FulfilmentId> {
    order.fulfilments.iter().find(|known| FulfilmentState::word(&known.state) == state).map(|known| known.id)
}
