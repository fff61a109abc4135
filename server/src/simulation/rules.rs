//! The decisions that the simulated shop makes: `domain`'s, every one. A test puts a broken one in a place to see it caught.

use domain::{
    FulfilmentId, PaymentId, RefundId, ReturnId,
    dispute::DisputeNews,
    event::Event,
    money::Money,
    offer::Instant,
    order::{
        Cancelling, CannotCancel, CannotEnd, CannotFulfil, CannotPay, CannotRefund, CannotReturn, Needs, NextAttempt, Order, Parcel, Portion, Receipt,
    },
    payment::{News, Unchanged},
    refund::{GoodwillReason, RefundNews},
    sourcing::{self, Part, Short, Split},
    stock::{Balance, Movement, MovementRefused},
};

type Changed = (Order, Vec<Event>);

type Hear = fn(Order, PaymentId, News, bool, RefundId, Instant) -> Result<Changed, Unchanged>;
type ReceiveReturn = fn(Order, ReturnId, Vec<Receipt>, Money, Money, RefundId, Instant) -> Result<Changed, CannotReturn>;
type Pack = fn(Order, FulfilmentId, String, Vec<Portion>, Instant) -> Result<Order, CannotFulfil>;
type Plan = fn(&[sourcing::Line], &[Vec<u32>], Split) -> Result<Vec<Part>, Vec<Short>>;

/// One function a decision.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    pub needs: fn(&Order, PaymentId, &News) -> Needs,
    pub hear: Hear,
    pub hear_refund: fn(Order, RefundId, RefundNews) -> Result<Changed, Unchanged>,
    pub hear_dispute: fn(Order, PaymentId, DisputeNews, Instant) -> Result<Changed, Unchanged>,
    pub can_pay_again: fn(&Order, Instant) -> Result<NextAttempt, CannotPay>,
    pub attempt: fn(Order, PaymentId, Instant, Instant) -> Result<Order, CannotPay>,
    /// The payments whose pages are closed before pieces are given away.
    pub to_close: fn(&Order) -> Vec<PaymentId>,
    pub lapse: fn(Order, Instant) -> Result<Order, CannotEnd>,
    pub withdraw: fn(Order) -> Result<Changed, CannotEnd>,
    pub cancel_unpaid: fn(Order) -> Result<Changed, CannotEnd>,
    pub cancel: fn(Order, Cancelling, Instant) -> Result<Changed, CannotCancel>,
    pub refund: fn(Order, RefundId, Money, GoodwillReason) -> Result<Changed, CannotRefund>,
    pub pack: Pack,
    pub ship: fn(Order, FulfilmentId, Vec<Parcel>, Instant) -> Result<Changed, CannotFulfil>,
    /// Whether a refund is not asked for now.
    pub waits_for_bank: fn(&Order, RefundId) -> bool,
    pub retry_refund: fn(Order, RefundId) -> Result<Changed, CannotRefund>,
    pub receive_return: ReceiveReturn,
    pub plan: Plan,
    pub moved: fn(Balance, Movement) -> Result<Balance, MovementRefused>,
}

impl Rules {
    /// The shop's own.
    pub const OURS: Self = Self {
        needs: Order::needs,
        hear: Order::hear,
        hear_refund: Order::hear_refund,
        hear_dispute: Order::hear_dispute,
        can_pay_again: Order::can_pay_again,
        attempt: Order::attempt,
        to_close: live,
        lapse: Order::lapse,
        withdraw: Order::withdraw,
        cancel_unpaid: Order::cancel_unpaid,
        cancel: Order::cancel,
        refund: Order::refund,
        pack: Order::pack,
        ship: Order::ship,
        waits_for_bank: Order::waits_for_bank,
        retry_refund: Order::retry_refund,
        receive_return: Order::receive_return,
        plan: sourcing::plan,
        moved: |balance, movement| balance.after(movement, false),
    };
}

/// Payments on which money could still come.
fn live(order: &Order) -> Vec<PaymentId> {
    order.payments.iter().filter(|payment| payment.state.is_live()).map(|payment| payment.id).collect()
}
