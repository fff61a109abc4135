//! What is committed: orders with their ledgers, holds, balances, keys. Every function here is one transaction, all of it or nothing, as
//! the server's SQL is; the decisions are the rules'.

use super::{invariants, rules::Rules, shelves::Kept, world::World};
use domain::{
    OrderId, PaymentId, ProductId, RefundId, VariantId,
    money::{Currency, Money},
    offer::Instant,
    order::{CannotEnd, CannotPay, HOLD_US, Line, Needs, Order, Pieces, Status},
    payment::{News, Payment, PaymentState, Unchanged},
    refund::{RefundNews, RefundState},
    stock::Balance,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Things that are sold.
pub const VARIANTS: usize = 2;
/// Places where they lie.
pub const LOCATIONS: usize = 2;
/// What a piece costs, taxes included: 119.00 €.
pub const PRICE_MINOR: i64 = 11_900;
/// What delivery costs: 4.90 €.
pub const DELIVERY_MINOR: i64 = 490;

/// A shopper's form: what it says is what the order will be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Form {
    pub cart: u8,
    /// Of the cart; another version is another cart.
    pub version: u8,
    /// The rest of what was filled in.
    pub address: u8,
    /// The idempotency key.
    pub key: u8,
    /// Pieces of each variant.
    pub wanted: [u8; VARIANTS],
}

impl Form {
    /// Whether it asks for the same order.
    pub fn is_same(self, other: Self) -> bool {
        Self { key: 0, ..self } == Self { key: 0, ..other }
    }

    pub const fn has_same_cart(self, other: Self) -> bool {
        self.cart == other.cart && self.version == other.version
    }
}

/// The places' names.
pub const PLACES: [&str; LOCATIONS] = ["rotterdam", "leipzig"];

/// An order's rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub order: Order,
    pub form: Form,
    /// Stands for its cart: at most one order does.
    pub claims: bool,
    pub kept: Vec<Kept>,
    /// When each payment was last heard of, or asked about.
    pub touched: Vec<Instant>,
    /// When each refund is asked for next.
    pub due: Vec<Instant>,
    /// Pieces of each variant that left the stock for it.
    pub out: [i64; VARIANTS],
}

/// An answer that is kept under a form's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub form: Form,
    pub order: usize,
    pub has_location: bool,
}

/// All that a crash leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Store {
    pub orders: Vec<Row>,
    pub keys: Vec<Key>,
    /// By variant, then location.
    pub balances: [[Balance; LOCATIONS]; VARIANTS],
    /// Pieces of each variant that ever came in, less those that were lost.
    pub received: [i64; VARIANTS],
    /// Ids of webhooks that were taken.
    pub heard: Vec<u32>,
}

/// What became of news.
pub enum Heard {
    New,
    Known,
}

/// What became of a wish to end an unpaid order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Yes,
    /// Money may still come.
    No,
    Paid,
}

/// The id of an order's n-th payment, refund or anything else: the order can be read from it.
pub const fn id(order: usize, n: usize) -> Uuid {
    Uuid::from_u128((order as u128) << 16 | n as u128)
}

/// The order that a payment belongs to.
pub fn order_of(payment: PaymentId) -> usize {
    usize::try_from(payment.0.as_u128() >> 16).unwrap_or(usize::MAX)
}

fn euros(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

impl World {
    /// Everything that makes an order, or nothing: the order's index.
    pub fn insert_order(&mut self, form: Form) -> Result<usize, NotStored> {
        if self.store.keys.iter().any(|key| key.form.cart == form.cart && key.form.key == form.key) {
            return Err(NotStored::KeyTaken);
        }
        if self.store.orders.iter().any(|row| row.claims && row.form.has_same_cart(form)) {
            return Err(NotStored::CartTaken);
        }
        let index = self.store.orders.len();
        let mut lines = Vec::new();
        for (variant, pieces) in form.wanted.iter().enumerate().filter(|(_, pieces)| **pieces > 0) {
            let (line, quantity) = (u32::try_from(lines.len()).unwrap_or(0), u32::from(*pieces));
            let (product, id) = (ProductId(Uuid::nil()), VariantId(Uuid::from_u128(variant as u128)));
            lines.push(Line { line, product, variant: id, quantity, amount: euros(PRICE_MINOR * i64::from(quantity)), replaces: None });
        }
        let total = euros(lines.iter().map(|line| line.amount.minor).sum::<i64>() + DELIVERY_MINOR);
        let order = Order {
            id: OrderId(id(index, 0)),
            market: self.market,
            total,
            placed_at: self.now,
            lines,
            delivery: euros(DELIVERY_MINOR),
            pieces: Pieces::Held { until: self.now + HOLD_US },
            payments: vec![Payment { id: PaymentId(id(index, 0)), amount: total, created_at: self.now, state: PaymentState::Created, odd: None }],
            refunds: Vec::new(),
            disputes: Vec::new(),
            cancellations: Vec::new(),
            fulfilments: Vec::new(),
            returns: Vec::new(),
        };
        let row = Row { order, form, claims: true, kept: Vec::new(), touched: vec![self.now], due: Vec::new(), out: [0; VARIANTS] };
        self.store.orders.push(row);
        if !self.hold(index) {
            self.store.orders.pop();
            return Err(NotStored::OutOfStock);
        }
        self.store.keys.push(Key { form, order: index, has_location: false });
        self.judge(index);
        Ok(index)
    }

    /// The effect of a provider's news, however it came.
    pub fn hear(&mut self, payment: PaymentId, news: News) -> Heard {
        let index = order_of(payment);
        let Some(row) = self.store.orders.get(index) else { return Heard::Known };
        let (before, is_pending) = (row.order.clone(), matches!(news, News::Pending { .. }));
        let needs = (self.rules.needs)(&before, payment, &news);
        let sold = match needs {
            Needs::Sell => {
                self.sell(index);
                true
            }
            Needs::Retake => {
                let taken = self.hold(index);
                if taken {
                    self.sell(index);
                }
                self.count(if taken { "lapsed orders paid late and sold" } else { "lapsed orders paid late, pieces gone" });
                taken
            }
            Needs::Nothing => false,
        };
        let refund = RefundId(id(index, before.refunds.len()));
        let named = if let News::Captured { amount } = &news { Some(*amount) } else { None };
        match (self.rules.hear)(before.clone(), payment, news, sold, refund, self.now) {
            Ok((after, _)) => {
                self.save(index, &before, after);
                self.wait_for_money(index, is_pending);
                Heard::New
            }
            Err(Unchanged::Known) => Heard::Known,
            Err(Unchanged::AmountDiffers) => match named.map(|amount| before.clone().note_odd(payment, amount)) {
                Some(Ok(after)) => {
                    self.save(index, &before, after);
                    self.wait_for_money(index, is_pending);
                    Heard::New
                }
                _ => Heard::Known,
            },
        }
    }

    /// Pieces are kept longer for money that is under way, and when it will not come, for as long as anybody has who is to pay.
    fn wait_for_money(&mut self, index: usize, is_pending: bool) {
        let (now, order) = (self.now, &mut self.store.orders[index].order);
        let is_over = !order.has_live_payment();
        if let Pieces::Held { until } = &mut order.pieces {
            if is_pending {
                *until = (now + PENDING_HOLD_US).max(*until);
            } else if is_over {
                *until = (now + HOLD_US).min(*until);
            }
        }
    }

    pub fn hear_refund(&mut self, index: usize, refund: RefundId, news: RefundNews) -> bool {
        self.change(index, |rules, order, _| (rules.hear_refund)(order, refund, news).ok().map(|changed| changed.0))
    }

    /// One transaction that only changes ledgers; `false`: refused.
    pub fn change(&mut self, index: usize, rule: impl FnOnce(&Rules, Order, Instant) -> Option<Order>) -> bool {
        let Some(row) = self.store.orders.get(index) else { return false };
        let before = row.order.clone();
        let Some(after) = rule(&self.rules, before.clone(), self.now) else { return false };
        self.save(index, &before, after);
        true
    }

    /// Ends a hold whose time is over, once nobody can pay any more; else waits on.
    pub fn lapse(&mut self, index: usize, closed: bool) {
        let before = self.store.orders[index].order.clone();
        match (self.rules.lapse)(before.clone(), self.now) {
            Ok(after) => {
                self.count("holds lapsed");
                self.release(index);
                self.save(index, &before, after);
            }
            Err(_) if before.has_live_payment() => {
                let waits = closed || before.payments.iter().any(|payment| payment.state == PaymentState::Pending);
                self.hold_until(index, self.now + if waits { HOLD_US } else { DOUBT_US });
            }
            Err(_) => {}
        }
    }

    /// Makes room for a new order of the same cart, or cancels.
    pub fn end_unpaid(&mut self, index: usize, cancels: bool) -> Ended {
        let before = self.store.orders[index].order.clone();
        let ended = if cancels { (self.rules.cancel_unpaid)(before.clone()) } else { (self.rules.withdraw)(before.clone()) };
        match ended {
            Ok((after, _)) => {
                self.count(if cancels { "unpaid orders cancelled" } else { "unpaid orders replaced" });
                self.release(index);
                self.save(index, &before, after);
                Ended::Yes
            }
            Err(CannotEnd::PaymentLive | CannotEnd::TooEarly) => Ended::No,
            Err(CannotEnd::NotHeld) if matches!(before.status(), Status::Paid { .. }) => Ended::Paid,
            Err(CannotEnd::NotHeld) => {
                self.store.orders[index].claims &= cancels;
                Ended::Yes
            }
        }
    }

    /// Keeps the pieces for another half hour, as somebody is about to pay.
    pub fn hold_until(&mut self, index: usize, until: Instant) -> bool {
        let order = &mut self.store.orders[index].order;
        let is_held = matches!(order.pieces, Pieces::Held { .. });
        if is_held {
            order.pieces = Pieces::Held { until };
        }
        is_held
    }

    /// A new attempt to pay, with the pieces held (again). `false`: the shopper is told why not.
    pub fn attempt(&mut self, index: usize) -> bool {
        let before = self.store.orders[index].order.clone();
        let payment = PaymentId(id(index, before.payments.len()));
        let after = match (self.rules.attempt)(before.clone(), payment, self.now + HOLD_US, self.now) {
            Ok(after) => after,
            // Another tab was faster.
            Err(CannotPay::Pending) => return true,
            Err(_) => return false,
        };
        if before.pieces == Pieces::Lapsed && !self.hold(index) {
            return false;
        }
        self.count("attempts to pay again");
        self.save(index, &before, after);
        true
    }

    /// Saves an order's ledgers; what follows from the change for the other columns follows here.
    pub fn save(&mut self, index: usize, before: &Order, after: Order) {
        let now = self.now;
        let row = &mut self.store.orders[index];
        for (n, payment) in after.payments.iter().enumerate() {
            match before.payments.get(n) {
                // An odd amount is noted, and asked about again like any other.
                Some(known) if known.state == payment.state => {}
                Some(_) => row.touched[n] = now,
                None => row.touched.push(now),
            }
        }
        for (n, refund) in after.refunds.iter().enumerate() {
            match before.refunds.get(n) {
                Some(known) if known == refund => {}
                Some(_) => {
                    let attempts = if let RefundState::Requested { attempts } = refund.state { attempts } else { 0 };
                    row.due[n] = now + (60_i64 << attempts.min(9)).min(6 * 3_600) * 1_000_000;
                }
                None => row.due.push(now),
            }
        }
        if matches!(after.pieces, Pieces::Withdrawn | Pieces::Cancelled) {
            row.claims = false;
        }
        row.order = after;
        if let Err(fault) = invariants::of_change(self, index, before) {
            self.fail(fault);
        }
        self.judge(index);
    }

    /// Looks at an order after its transaction.
    pub fn judge(&mut self, index: usize) {
        self.store.orders[index].out = invariants::out(&self.store.orders[index].order);
        if let Err(fault) = invariants::of_order(self, index).and_then(|()| invariants::of_stock(&self.store)) {
            self.fail(fault);
        }
    }
}

/// Why an order was not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotStored {
    KeyTaken,
    CartTaken,
    OutOfStock,
}

/// A payment is in doubt when nobody has said anything about it for so long (30 s).
pub const DOUBT_US: Instant = 30 * 1_000_000;
/// The same for money that is under way (10 min), and how long pieces are kept for it (2 h).
pub const PENDING_DOUBT_US: Instant = 10 * 60 * 1_000_000;
pub const PENDING_HOLD_US: Instant = 2 * 3_600 * 1_000_000;
