//! What staff and shoppers do with a paid order: each deed is one transaction, with what it does to the stock.

use super::{
    Rules,
    ops::Op,
    shelves::{Lies, Turned},
    store::{PLACES, VARIANTS, id, order_of},
    world::World,
};
use domain::{
    CancellationId, FulfilmentId, ProductId, RefundId, ReturnId, VariantId,
    money::Money,
    offer::Instant,
    order::{
        By, CancelReason, Cancelling, FulfilmentState, Order, Parcel, Portion, Receipt, Resolution, Restock, ReturnItem, ReturnReason, ReturnState,
    },
    refund::{GoodwillReason, RefundState},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Something done with an order. It takes the first shipment, return or refund that it fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Deed {
    Pack {
        line: u32,
        pieces: u32,
    },
    Unpack,
    Ship,
    Deliver,
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

/// Where returns come to.
pub const DOOR: usize = 0;

/// What a shipment leaves in.
pub fn parcels() -> Vec<Parcel> {
    vec![Parcel { carrier: "dhl".to_owned(), tracking: String::new() }]
}

impl World {
    /// Does it, if the rules let it.
    pub fn deed(&mut self, index: usize, deed: Deed) {
        let Some(row) = self.store.orders.get(index) else { return };
        let refund = RefundId(id(index, row.order.refunds.len()));
        let done = match deed {
            Deed::Goodwill { .. } | Deed::SettleOutside if self.is_unclear(index) => None,
            Deed::Pack { line, pieces } => self.pack(index, line, pieces).then_some("shipments packed"),
            Deed::Unpack => self.move_on(index, Lies::Shelved, |_, order, id, _| order.unpack(id).ok()).then_some("shipments unpacked"),
            Deed::Ship => self
                .move_on(index, Lies::Shipped, |rules, order, id, now| (rules.ship)(order, id, parcels(), now).ok().map(|changed| changed.0))
                .then_some("shipments sent"),
            Deed::Deliver => self
                .fulfilment(index, "shipped", |_, order, id, now| order.deliver(id, now).ok().map(|changed| changed.0))
                .then_some("shipments delivered"),
            Deed::Cancel { line, pieces } => self.cancel(index, line.map(|line| vec![Portion { line, quantity: pieces }])),
            Deed::Goodwill { minor } => {
                let amount = |order: &Order| Money::new(minor, order.total.currency);
                self.change(index, |rules, order, _| {
                    let amount = amount(&order);
                    (rules.refund)(order, refund, amount, GoodwillReason::Service).ok().map(|changed| changed.0)
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

    /// Whether it is not clear yet how much went back: an answer about a refund is on its way, which takes seconds, or one of two servers that
    /// asked at once was refused what the other was granted, which the comparison of ledgers finds out. That one is not simulated: nobody
    /// decides about more money before.
    fn is_unclear(&self, index: usize) -> bool {
        if self.is_gated {
            return false;
        }
        let is_failed = |refund| self.store.orders[index].order.refunds.iter().any(|known| known.id == refund && known.state == RefundState::Failed);
        let accounts = self.provider.accounts.iter().filter(|account| order_of(account.payment) == index);
        let mut sent = accounts.flat_map(|account| &account.refunds);
        self.tasks.iter().any(|task| task.awaits_refund_of(index)) || sent.any(|sent| sent.is_contested && is_failed(sent.refund))
    }

    /// Packs pieces at the place where the first of them lie.
    fn pack(&mut self, index: usize, line: u32, pieces: u32) -> bool {
        let fulfilment = FulfilmentId(id(index, self.next_fulfilment(index)));
        let (before, place) = (self.store.orders[index].order.clone(), self.shelf(index, line));
        let portions = vec![Portion { line, quantity: pieces }];
        let packed = (self.rules.pack)(before.clone(), fulfilment, PLACES[place].to_owned(), portions, self.now);
        let Ok(after) = packed else { return false };
        let variant = variant_of(&after, line);
        let turned = Turned { variant, location: Some(place), pieces, from: Lies::Shelved, to: Lies::Packed };
        let is_there = self.turn(index, turned, false).is_some();
        if is_there {
            self.save(index, &before, after);
        }
        is_there
    }

    /// Where the first sold pieces of a line lie that nobody has begun to pack.
    pub fn shelf(&self, index: usize, line: u32) -> usize {
        let Some(row) = self.store.orders.get(index) else { return 0 };
        let variant = variant_of(&row.order, line);
        row.kept.iter().find(|kept| kept.is_sold && kept.lies == Lies::Shelved && kept.variant == variant).map_or(0, |kept| kept.location)
    }

    /// Sends what was packed first, or puts it back on its shelf.
    fn move_on(&mut self, index: usize, to: Lies, rule: impl FnOnce(&Rules, Order, FulfilmentId, Instant) -> Option<Order>) -> bool {
        let before = self.store.orders[index].order.clone();
        let known = before.fulfilments.iter().find(|known| FulfilmentState::word(&known.state) == "packing").cloned();
        let Some((known, after)) = known.and_then(|known| Some((known.clone(), rule(&self.rules, before.clone(), known.id, self.now)?))) else {
            return false;
        };
        let location = PLACES.iter().position(|place| *place == known.location);
        for Portion { line, quantity } in known.portions {
            let turned = Turned { variant: variant_of(&before, line), location, pieces: quantity, from: Lies::Packed, to };
            if self.turn(index, turned, false).is_none() {
                self.fail(format!("packed pieces of order {index} are not where they were packed"));
            }
        }
        self.save(index, &before, after);
        true
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

    /// Cancels pieces of a paid order (`None`: all that are open): they go back to the shelves that they lie on.
    pub fn cancel(&mut self, index: usize, portions: Option<Vec<Portion>>) -> Option<&'static str> {
        if self.is_unclear(index) {
            return None;
        }
        let before = self.store.orders[index].order.clone();
        let refund = RefundId(id(index, before.refunds.len()));
        let cancellation = CancellationId(id(index, before.cancellations.len()));
        let wish = Cancelling { id: cancellation, refund, portions, by: By::Shopper, reason: CancelReason::ChangedMind };
        let (after, _) = (self.rules.cancel)(before.clone(), wish, self.now).ok()?;
        let mut are_there = true;
        for Portion { line, quantity } in after.cancellations.last().map(|known| known.portions.clone()).unwrap_or_default() {
            let variant = variant_of(&after, line);
            let turned = Turned { variant, location: None, pieces: quantity, from: Lies::Shelved, to: Lies::Returned };
            let taken = self.turn(index, turned, true);
            are_there &= taken.is_some();
            for (location, pieces) in taken.unwrap_or_default() {
                self.put_back(variant, location, pieces);
            }
        }
        self.save(index, &before, after);
        if !are_there {
            self.fail(format!("open pieces of order {index} are on no shelf"));
        }
        Some("paid pieces cancelled")
    }

    fn receive_return(&mut self, index: usize, refund: RefundId, is_fit: bool, kept_back: i64) -> Option<&'static str> {
        let back = self.announced(index)?;
        let row = &self.store.orders[index];
        let (before, balances, kept) = (row.order.clone(), self.store.balances, row.kept.clone());
        let items = before.returns.iter().find(|known| known.id == back)?.items.clone();
        let mut receipts = Vec::new();
        for item in items {
            let variant = variant_of(&before, item.line);
            let turned = Turned { variant, location: None, pieces: item.quantity, from: Lies::Shipped, to: Lies::Returned };
            if self.turn(index, turned, false).is_none() {
                self.fail(format!("pieces of order {index} come back that were not sent"));
            }
            if is_fit {
                self.put_back(variant, DOOR, item.quantity);
            }
            let exchanged = match item.resolution {
                Resolution::Exchange { variant, .. } => {
                    let mut wanted = [0; VARIANTS];
                    wanted[variant_index(variant)] = item.quantity;
                    self.take(index, wanted, true)
                }
                Resolution::Refund => false,
            };
            let restock = if is_fit { Restock::Shelf } else { Restock::Discard };
            receipts.push(Receipt { line: item.line, quantity: item.quantity, restock, exchanged });
        }
        let delivery = before.delivery_due(&receipts);
        let (kept_back, exchanges) = (Money::new(kept_back, before.total.currency), receipts.iter().any(|receipt| receipt.exchanged));
        if let Ok((after, _)) = (self.rules.receive_return)(before.clone(), back, receipts, kept_back, delivery, refund, self.now) {
            self.save(index, &before, after);
            Some(if exchanges { "returns exchanged" } else { "returns received" })
        } else {
            self.store.balances = balances;
            self.store.orders[index].kept = kept;
            None
        }
    }
}

pub fn variant_index(variant: VariantId) -> usize {
    usize::try_from(variant.0.as_u128()).unwrap_or(0) % VARIANTS
}

/// The variant of an order's line, as an index.
pub fn variant_of(order: &Order, line: u32) -> usize {
    order.lines.iter().find(|known| known.line == line).map_or(0, |known| variant_index(known.variant))
}
