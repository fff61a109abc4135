//! What servers do, cut at every place where a crash or another task may come between: each operation pushes what follows from it. It follows
//! the server's `orders/` step by step.

use super::{
    invariants,
    ops::{Answer, FAILURES, Fate, Op, Task},
    store::{DOUBT_US, Ended, Form, Heard, Key, NotStored, PENDING_DOUBT_US, order_of},
    world::World,
};
use domain::{
    PaymentId, RefundId,
    offer::Instant,
    order::{HOLD_US, NextAttempt, Order, Pieces},
    payment::{News, Payment, PaymentState},
    refund::{RefundNews, RefundState},
};

/// A refund that is under way is asked about so often (6 h).
const UNDER_WAY_US: Instant = 6 * 3_600 * 1_000_000;

/// How long nothing may be heard of a payment before it is asked about.
fn doubt_us(payment: &Payment) -> Instant {
    if payment.state == PaymentState::Pending { PENDING_DOUBT_US } else { DOUBT_US }
}

/// Looks at an order before a wish to cancel it is given up.
const CANCEL_ROUNDS: u8 = 3;
/// Rounds of asking and deciding before a wish to pay is given up.
const ROUNDS: u8 = 4;

impl World {
    /// A task does the next thing it has to do; one that waits for nothing but the provider goes on to its next call.
    pub fn run(&mut self, at: usize, fate: Fate) {
        if at >= self.tasks.len() {
            return;
        }
        let mut task = self.tasks.remove(at);
        self.answer = None;
        loop {
            let Some(op) = task.ops.pop() else { return };
            self.operate(&mut task, op, fate);
            if !self.is_gated || task.waits() {
                break;
            }
        }
        if !task.ops.is_empty() {
            self.tasks.insert(at, task);
        }
    }

    fn operate(&mut self, task: &mut Task, op: Op, fate: Fate) {
        match op {
            Op::Place { form, tries } => match self.answered(form) {
                Some(key) if key.form.is_same(form) => task.ops.push(Op::Answer { form, order: key.order }),
                // The key was used for something else.
                Some(_) => task.ops.clear(),
                None => {
                    task.ops.push(Op::Store { form, tries });
                    task.ops.push(Op::Earlier { form });
                }
            },
            Op::Earlier { form } => {
                for (order, row) in self.store.orders.iter().enumerate().rev() {
                    if row.form.cart == form.cart && row.order.pieces != Pieces::Withdrawn {
                        let has_same_cart = row.claims && row.form.has_same_cart(form);
                        let is_sold = row.order.pieces == Pieces::Sold;
                        task.ops.push(Op::MakeRoom { form, order, is_same: row.form.is_same(form), has_same_cart, is_sold });
                    }
                }
            }
            Op::MakeRoom { form, order, is_same, has_same_cart, is_sold } => {
                if has_same_cart && (is_sold || is_same) {
                    self.already_ordered(task, form);
                } else if !is_sold {
                    task.ops.push(Op::Withdraw { form, order, has_same_cart });
                    task.ops.push(Op::Closing { order });
                }
            }
            Op::Withdraw { form, order, has_same_cart } => {
                let ended = if task.closed { self.end_unpaid(order, false) } else { Ended::No };
                if ended == Ended::No || (ended == Ended::Paid && has_same_cart) {
                    self.already_ordered(task, form);
                }
            }
            Op::Store { form, tries } => match self.insert_order(form) {
                Ok(order) => {
                    self.count("orders placed");
                    task.ops.push(Op::Answer { form, order });
                }
                Err(NotStored::KeyTaken) if tries < 2 => task.ops.push(Op::Place { form, tries: tries + 1 }),
                Err(NotStored::KeyTaken | NotStored::CartTaken) => self.count("second tabs turned away"),
                Err(NotStored::OutOfStock) => self.count("orders refused, sold out"),
            },
            Op::Answer { form, order } => {
                task.ops.push(Op::Acknowledge { form, order });
                if self.answered(form).is_some_and(|key| key.has_location) {
                    return;
                }
                let live = self.store.orders[order].order.payments.iter().rfind(|payment| payment.state.is_live());
                match live.map(|payment| (payment.id, &payment.state)) {
                    Some((_, PaymentState::Open { .. })) => task.has_location = true,
                    Some((payment, _)) => task.ops.push(Op::Create { payment, rounds: None }),
                    None => {}
                }
            }
            Op::Acknowledge { form, order } => {
                if task.has_location
                    && let Some(key) = self.store.keys.iter_mut().find(|key| key.form.cart == form.cart && key.form.key == form.key)
                {
                    key.has_location = true;
                }
                if !self.acknowledged.contains(&order) {
                    self.acknowledged.push(order);
                }
            }
            Op::PayAgain { order, rounds } => {
                if rounds < ROUNDS {
                    match (self.rules.can_pay_again)(&self.store.orders[order].order, self.now) {
                        Ok(NextAttempt::Resume(payment)) => task.ops.push(Op::Extend { order, payment, rounds }),
                        Ok(NextAttempt::New) => task.ops.push(Op::Attempt { order, rounds }),
                        Err(_) => {}
                    }
                }
            }
            Op::Extend { order, payment, rounds } => {
                let until = self.now + HOLD_US;
                task.ops.push(if self.hold_until(order, until) {
                    Op::Create { payment, rounds: Some(rounds) }
                } else {
                    Op::PayAgain { order, rounds: rounds + 1 }
                });
            }
            Op::Attempt { order, rounds } => {
                if self.attempt(order) {
                    task.ops.push(Op::PayAgain { order, rounds: rounds + 1 });
                }
            }
            Op::Create { payment, rounds } => self.create(task, payment, rounds, fate),
            Op::Closing { order } => {
                task.closed = true;
                let payments = (self.rules.to_close)(&self.store.orders[order].order);
                task.ops.extend(payments.into_iter().rev().map(|payment| Op::Close { payment, counts: true }));
            }
            Op::Close { payment, counts } => {
                let asked = self.asked(payment);
                let news = self.call(fate, |world| world.provider.close(payment, asked));
                if counts {
                    task.closed &= !matches!(news, None | Some(News::Open { .. } | News::Pending { .. }));
                }
                self.answer = news.clone().map(|news| Answer::News(Some(news)));
                task.ops.extend(news.map(|news| Op::Hear { payment, news }));
            }
            Op::Hear { payment, news } => {
                if matches!(self.hear(payment, news), Heard::New) {
                    task.ops.extend(self.close_others(order_of(payment)));
                }
            }
            Op::Cancel { order, rounds } => match self.store.orders[order].order.pieces {
                _ if rounds == CANCEL_ROUNDS => {}
                Pieces::Cancelled => {}
                Pieces::Sold => {
                    if let Some(what) = self.cancel(order, None) {
                        self.count(what);
                    }
                }
                Pieces::Held { .. } | Pieces::Lapsed | Pieces::Withdrawn => {
                    task.ops.push(Op::CancelUnpaid { order, rounds });
                    task.ops.push(Op::Closing { order });
                }
            },
            Op::CancelUnpaid { order, rounds } => {
                if self.store.orders[order].order.pieces == Pieces::Sold {
                    // It was paid meanwhile.
                    task.ops.push(Op::Cancel { order, rounds: rounds + 1 });
                } else {
                    self.end_unpaid(order, true);
                }
            }
            Op::Lapse { order } => self.lapse(order, task.closed),
            Op::Sweep => {
                let due =
                    |order: &Order| if let Pieces::Held { until } = order.pieces { Some(until).filter(|until| *until <= self.now) } else { None };
                let mut due: Vec<_> = self.store.orders.iter().enumerate().filter_map(|(at, row)| due(&row.order).map(|until| (until, at))).collect();
                due.sort_unstable();
                for (_, order) in due.into_iter().rev() {
                    task.ops.push(Op::Lapse { order });
                    task.ops.push(Op::Closing { order });
                }
            }
            Op::Reconcile => {
                let mut due = Vec::new();
                for row in &self.store.orders {
                    let is_over = matches!(row.order.pieces, Pieces::Sold | Pieces::Withdrawn | Pieces::Cancelled);
                    let live = row.order.payments.iter().zip(&row.touched).filter(|(payment, _)| payment.state.is_live());
                    due.extend(
                        live.filter(|(payment, touched)| **touched <= self.now - doubt_us(payment))
                            .map(|(payment, touched)| (*touched, payment.id, is_over)),
                    );
                }
                due.sort_unstable();
                task.ops.extend(due.into_iter().rev().map(|(_, payment, is_over)| Op::Ask { payment, is_over }));
            }
            Op::Ask { payment, is_over } => self.ask(task, payment, is_over, fate),
            Op::Touch { payment } => self.touch(payment),
            Op::Refunds => {
                let mut due = Vec::new();
                for row in &self.store.orders {
                    let owed = row
                        .order
                        .refunds
                        .iter()
                        .zip(&row.due)
                        .filter(|(refund, _)| matches!(refund.state, RefundState::Requested { .. } | RefundState::Pending));
                    due.extend(owed.filter(|(_, due)| **due <= self.now).map(|(refund, due)| (*due, refund.id, refund.payment, refund.amount.minor)));
                }
                due.sort_unstable();
                task.ops.extend(due.into_iter().rev().map(|(_, refund, payment, minor)| Op::Send { payment, refund, minor }));
            }
            Op::Send { payment, refund, .. } if (self.rules.waits_for_bank)(&self.store.orders[order_of(payment)].order, refund) => {
                self.count("refunds that wait for a bank");
                self.ask_later(order_of(payment), refund);
            }
            Op::Send { payment, refund, minor } => {
                if let Err(fault) = invariants::of_sending(&self.store.orders[order_of(payment)].order, refund) {
                    self.fail(fault);
                }
                task.ops.push(Op::Refund { payment, refund, minor });
                if !self.is_gated {
                    // Decided and asked for in one breath: what else may happen in between is the provider's affair.
                    if let Some(call) = task.ops.pop() {
                        self.operate(task, call, fate);
                    }
                }
            }
            Op::Refund { payment, refund, minor } => {
                let answer = match fate {
                    Fate::Refused => RefundNews::Refused,
                    Fate::Slow => RefundNews::Pending,
                    Fate::Well | Fate::RequestLost | Fate::ReplyLost => RefundNews::Issued,
                };
                let news = self.call(fate, |world| world.provider.refund(payment, refund, minor, answer));
                self.answer = news.map(Answer::Refund);
                task.ops.push(Op::HearRefund { payment, refund, news: news.unwrap_or(RefundNews::Unclear) });
            }
            Op::Arrivals => {
                for order in 0..self.store.orders.len() {
                    let arrives = |order: Order, now| {
                        let (after, events) = order.assume_delivered(now);
                        (!events.is_empty()).then_some(after)
                    };
                    if self.change(order, |_, order, now| arrives(order, now)) {
                        self.count("shipments assumed delivered");
                    }
                }
            }
            Op::HearRefund { payment, refund, news } => {
                self.hear_refund(order_of(payment), refund, news);
                self.ask_later(order_of(payment), refund);
            }
        }
    }

    /// The key that a form's key was stored as before.
    fn answered(&self, form: Form) -> Option<Key> {
        self.store.keys.iter().find(|key| key.form.cart == form.cart && key.form.key == form.key).copied()
    }

    /// The shopper is told of the order that the cart has, or answered as before if this very form was.
    fn already_ordered(&mut self, task: &mut Task, form: Form) {
        task.ops.clear();
        match self.answered(form) {
            Some(key) if key.form.is_same(form) => task.ops.push(Op::Answer { form, order: key.order }),
            _ => self.count("second tabs turned away"),
        }
    }

    /// What follows a commit: other pages of a paid order are closed.
    pub fn close_others(&self, order: usize) -> Vec<Op> {
        let order = &self.store.orders[order].order;
        if !order.payments.iter().any(|payment| matches!(payment.state, PaymentState::Captured { .. })) {
            return Vec::new();
        }
        let live = order.payments.iter().rev().filter(|payment| payment.state.is_live());
        live.map(|payment| Op::Close { payment: payment.id, counts: false }).collect()
    }

    fn create(&mut self, task: &mut Task, payment: PaymentId, rounds: Option<u8>, fate: Fate) {
        let asked = self.asked(payment);
        let Some(news) = self.call(fate, |world| world.provider.create(payment, asked)) else { return };
        self.answer = Some(Answer::News(Some(news.clone())));
        let is_open = matches!(news, News::Open { .. });
        task.has_location |= is_open;
        if let Some(rounds) = rounds.filter(|_| !is_open) {
            task.ops.push(Op::PayAgain { order: order_of(payment), rounds: rounds + 1 });
        }
        task.ops.push(Op::Hear { payment, news });
    }

    fn ask(&mut self, task: &mut Task, payment: PaymentId, is_over: bool, fate: Fate) {
        if task.failures == FAILURES {
            return;
        }
        task.ops.push(Op::Touch { payment });
        let asked = self.asked(payment);
        let answer = if is_over {
            self.call(fate, |world| Some(world.provider.close(payment, asked)))
        } else {
            self.call(fate, |world| world.provider.session(payment))
        };
        self.answer = answer.clone().map(Answer::News);
        match answer {
            Some(Some(news)) => task.ops.push(Op::Hear { payment, news }),
            Some(None) => {}
            None => task.failures += 1,
        }
    }

    /// What is under way, waits for a bank or was asked for too often is asked about seldom.
    fn ask_later(&mut self, index: usize, refund: RefundId) {
        let (now, Some(row)) = (self.now, self.store.orders.get_mut(index)) else { return };
        for (known, due) in row.order.refunds.iter().zip(&mut row.due) {
            if known.id == refund && (known.state == RefundState::Pending || *due <= now) {
                *due = now + UNDER_WAY_US;
            }
        }
    }

    fn touch(&mut self, payment: PaymentId) {
        let row = &mut self.store.orders[order_of(payment)];
        for (known, touched) in row.order.payments.iter().zip(&mut row.touched) {
            if known.id == payment && known.state.is_live() {
                *touched = self.now;
            }
        }
    }

    /// Calls the provider; `None`: no answer comes.
    fn call<T>(&mut self, fate: Fate, does: impl FnOnce(&mut Self) -> T) -> Option<T> {
        match fate {
            Fate::RequestLost => {
                self.count("requests lost");
                None
            }
            Fate::ReplyLost => {
                drop(does(self));
                self.count("replies lost");
                None
            }
            Fate::Well | Fate::Refused | Fate::Slow => Some(does(self)),
        }
    }

    fn asked(&self, payment: PaymentId) -> domain::money::Money {
        self.store.orders[order_of(payment)].order.total
    }
}
