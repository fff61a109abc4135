//! What staff and shoppers do with a paid order: each deed is one transaction, with what it does to the stock.

use super::{
    Rules,
    ops::Op,
    store::{VARIANTS, id},
    world::World,
};
use domain::{
    CancellationId, FulfilmentId, ProductId, RefundId, ReturnId, VariantId,
    money::Money,
    offer::Instant,
    order::{
        By, CancelReason, Cancelling, FulfilmentState, Order, Parcel, Portion, Receipt, Resolution, Restock, ReturnItem, ReturnReason, ReturnState,
    },
    refund::RefundState,
};
use uuid::Uuid;

/// Something done with an order. It takes the first shipment, return or refund that it fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deed {
    Pack {
        line: u32,
        pieces: u32,
    },
    Unpack,
    Ship,
    Deliver,
    /// No carrier told, and time went by.
    AssumeDelivered,
    /// `None`: all that is open.
    Cancel {
        line: Option<u32>,
        pieces: u32,
    },
    Goodwill {
        minor: i64,
    },
    RetryRefund,
    SettleOutside,
    AskReturn {
        line: u32,
        pieces: u32,
        exchanges: bool,
    },
    Receive {
        is_fit: bool,
        kept_back: i64,
    },
    RefuseReturn,
    CallOffReturn,
}

impl World {
    /// Does it, if the rules let it.
    pub fn deed(&mut self, index: usize, deed: Deed) {
        let Some(row) = self.store.orders.get(index) else { return };
        let refund = RefundId(id(index, row.order.refunds.len()));
        let done = match deed {
            Deed::Pack { line, pieces } => {
                let fulfilment = FulfilmentId(id(index, self.next_fulfilment(index)));
                let portions = vec![Portion { line, quantity: pieces }];
                self.change(index, |rules, order, now| (rules.pack)(order, fulfilment, "here".to_owned(), portions, now).ok())
                    .then_some("shipments packed")
            }
            Deed::Unpack => self.fulfilment(index, "packing", |_, order, id, _| order.unpack(id).ok()).then_some("shipments unpacked"),
            Deed::Ship => {
                let parcels = vec![Parcel { carrier: "dhl".to_owned(), tracking: String::new() }];
                self.fulfilment(index, "packing", |rules, order, id, now| (rules.ship)(order, id, parcels, now).ok().map(|changed| changed.0))
                    .then_some("shipments sent")
            }
            Deed::Deliver => self
                .fulfilment(index, "shipped", |_, order, id, now| order.deliver(id, now).ok().map(|changed| changed.0))
                .then_some("shipments delivered"),
            Deed::AssumeDelivered => {
                let changes = |order: Order, now| {
                    let (after, events) = order.assume_delivered(now);
                    (!events.is_empty()).then_some(after)
                };
                self.change(index, |_, order, now| changes(order, now)).then_some("shipments assumed delivered")
            }
            Deed::Cancel { line, pieces } => {
                let portions = line.map(|line| vec![Portion { line, quantity: pieces }]);
                self.cancel(index, refund, portions).then_some("paid pieces cancelled")
            }
            Deed::Goodwill { minor } => {
                let amount = |order: &Order| Money::new(minor, order.total.currency);
                self.change(index, |rules, order, _| {
                    let amount = amount(&order);
                    (rules.refund)(order, refund, amount).ok().map(|changed| changed.0)
                })
                .then_some("goodwill refunds")
            }
            Deed::RetryRefund => {
                let failed = row.order.refunds.iter().find(|refund| refund.state == RefundState::Failed).map(|refund| refund.id);
                failed.is_some_and(|failed| self.retry_refund(index, failed)).then_some("failed refunds asked for again")
            }
            Deed::SettleOutside => {
                let stuck = row.order.refunds.iter().find(|refund| refund.state.is_stuck()).map(|refund| refund.id);
                stuck
                    .is_some_and(|stuck| self.change(index, |_, order, _| order.settle_refund_outside(stuck).ok().map(|changed| changed.0)))
                    .then_some("stuck refunds settled outside")
            }
            Deed::AskReturn { line, pieces, exchanges } => {
                let resolution = if exchanges {
                    Resolution::Exchange { product: ProductId(Uuid::nil()), variant: VariantId(Uuid::from_u128(u128::from(line % 2))) }
                } else {
                    Resolution::Refund
                };
                let items = vec![ReturnItem { line, quantity: pieces, reason: ReturnReason::TooSmall, resolution }];
                let back = ReturnId(id(index, row.order.returns.len()));
                self.change(index, |_, order, now| order.request_return(back, items, By::Shopper, now).ok().map(|changed| changed.0))
                    .then_some("returns announced")
            }
            Deed::Receive { is_fit, kept_back } => self.receive_return(index, refund, is_fit, kept_back),
            Deed::RefuseReturn => self
                .announced(index)
                .is_some_and(|back| self.change(index, |_, order, now| order.refuse_return(back, String::new(), now).ok().map(|changed| changed.0)))
                .then_some("returns refused"),
            Deed::CallOffReturn => self
                .announced(index)
                .is_some_and(|back| self.change(index, |_, order, now| order.cancel_return(back, now).ok()))
                .then_some("returns called off"),
        };
        if let Some(what) = done {
            self.count(what);
        }
    }

    /// Calls end within seconds and a person's second try comes later: no answer to the first is still under way.
    fn retry_refund(&mut self, index: usize, failed: RefundId) -> bool {
        let done = self.change(index, |rules, order, _| (rules.retry_refund)(order, failed).ok().map(|changed| changed.0));
        if done {
            self.provider.forget_refusal(failed);
            for task in &mut self.tasks {
                task.ops.retain(|op| !matches!(op, Op::HearRefund { refund, .. } if *refund == failed));
            }
        }
        done
    }

    fn next_fulfilment(&self, index: usize) -> usize {
        let known = self.store.orders[index].order.fulfilments.iter().map(|known| known.id.0.as_u128() & 0xffff).max();
        known.map_or(0, |last| usize::try_from(last).unwrap_or(0) + 1)
    }

    fn fulfilment(&mut self, index: usize, state: &str, rule: impl FnOnce(&Rules, Order, FulfilmentId, Instant) -> Option<Order>) -> bool {
        let known = self.store.orders[index].order.fulfilments.iter().find(|known| FulfilmentState::word(&known.state) == state);
        known.map(|known| known.id).is_some_and(|id| self.change(index, |rules, order, now| rule(rules, order, id, now)))
    }

    fn announced(&self, index: usize) -> Option<ReturnId> {
        self.store.orders[index].order.returns.iter().find(|back| back.state == ReturnState::Requested).map(|back| back.id)
    }

    fn cancel(&mut self, index: usize, refund: RefundId, portions: Option<Vec<Portion>>) -> bool {
        let before = self.store.orders[index].order.clone();
        let cancellation = CancellationId(id(index, before.cancellations.len()));
        let wish = Cancelling { id: cancellation, refund, portions, by: By::Shopper, reason: CancelReason::ChangedMind };
        let Ok((after, _)) = (self.rules.cancel)(before.clone(), wish, self.now) else { return false };
        for Portion { line, quantity } in after.cancellations.last().map(|known| known.portions.clone()).unwrap_or_default() {
            self.put_back(index, variant_of(&after, line), quantity);
        }
        self.save(index, &before, after);
        true
    }

    fn receive_return(&mut self, index: usize, refund: RefundId, is_fit: bool, kept_back: i64) -> Option<&'static str> {
        let back = self.announced(index)?;
        let row = &self.store.orders[index];
        let (before, balances, kept) = (row.order.clone(), self.store.balances, row.kept.len());
        let items = before.returns.iter().find(|known| known.id == back)?.items.clone();
        let mut receipts = Vec::new();
        for item in items {
            let exchanged = match item.resolution {
                Resolution::Exchange { variant, .. } => {
                    let mut wanted = [0; VARIANTS];
                    wanted[variant_index(variant)] = item.quantity;
                    self.take(index, wanted, true)
                }
                Resolution::Refund => false,
            };
            let restock = if is_fit { Restock::Shelf } else { Restock::Discard };
            if is_fit {
                self.put_back(index, variant_of(&before, item.line), item.quantity);
            }
            receipts.push(Receipt { line: item.line, quantity: item.quantity, restock, exchanged });
        }
        let delivery = before.delivery_due(&receipts);
        let (kept_back, exchanges) = (Money::new(kept_back, before.total.currency), receipts.iter().any(|receipt| receipt.exchanged));
        if let Ok((after, _)) = (self.rules.receive_return)(before.clone(), back, receipts, kept_back, delivery, refund, self.now) {
            self.save(index, &before, after);
            Some(if exchanges { "returns exchanged" } else { "returns received" })
        } else {
            self.store.balances = balances;
            self.store.orders[index].kept.truncate(kept);
            None
        }
    }
}

fn variant_index(variant: VariantId) -> usize {
    usize::try_from(variant.0.as_u128()).unwrap_or(0) % VARIANTS
}

/// The variant of an order's line, as an index.
pub fn variant_of(order: &Order, line: u32) -> usize {
    order.lines.iter().find(|known| known.line == line).map_or(0, |known| variant_index(known.variant))
}
