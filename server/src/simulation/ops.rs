//! What a server can be doing: operations, each of them one transaction, one read or one call of the provider.

use super::store::{Form, order_of};
use domain::{PaymentId, RefundId, payment::News, refund::RefundNews};
use serde::{Deserialize, Serialize};

/// Failures after which a round of asking ends.
pub const FAILURES: u8 = 3;

/// What becomes of the next call of the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Fate {
    Well,
    /// The provider never hears of it.
    RequestLost,
    /// The provider does it, and nobody hears.
    ReplyLost,
    /// A refund is refused.
    Refused,
    /// A refund is taken on and arrives later.
    Slow,
}

/// What the provider answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// `None`: it never heard of the payment.
    News(Option<News>),
    Refund(RefundNews),
}

/// Something that a server does next.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    Place {
        form: Form,
        tries: u8,
    },
    /// Looks for earlier orders of the cart.
    Earlier {
        form: Form,
    },
    MakeRoom {
        form: Form,
        order: usize,
        is_same: bool,
        has_same_cart: bool,
        is_sold: bool,
    },
    Withdraw {
        form: Form,
        order: usize,
        has_same_cart: bool,
    },
    Store {
        form: Form,
        tries: u8,
    },
    Answer {
        form: Form,
        order: usize,
    },
    Acknowledge {
        form: Form,
        order: usize,
    },
    PayAgain {
        order: usize,
        rounds: u8,
    },
    Extend {
        order: usize,
        payment: PaymentId,
        rounds: u8,
    },
    Attempt {
        order: usize,
        rounds: u8,
    },
    /// Asks for the page of a payment; `rounds` is how often a wish to pay was tried, `None` when an order was just placed.
    Create {
        payment: PaymentId,
        rounds: Option<u8>,
    },
    /// Reads which pages are open, and closes them.
    Closing {
        order: usize,
    },
    /// `counts`: whether pieces are given away only if this succeeds.
    Close {
        payment: PaymentId,
        counts: bool,
    },
    Hear {
        payment: PaymentId,
        news: News,
    },
    /// A wish to cancel; `rounds` is how often it was looked at.
    Cancel {
        order: usize,
        rounds: u8,
    },
    CancelUnpaid {
        order: usize,
        rounds: u8,
    },
    Lapse {
        order: usize,
    },
    Sweep,
    Reconcile,
    Ask {
        payment: PaymentId,
        is_over: bool,
    },
    Touch {
        payment: PaymentId,
    },
    Refunds,
    Send {
        payment: PaymentId,
        refund: RefundId,
        minor: i64,
    },
    /// Calls the provider, after it was decided to.
    Refund {
        payment: PaymentId,
        refund: RefundId,
        minor: i64,
    },
    /// Shipments of which no carrier told.
    Arrivals,
    HearRefund {
        payment: PaymentId,
        refund: RefundId,
        news: RefundNews,
    },
}

/// Something that a server is doing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Task {
    pub server: u8,
    /// The next one last.
    pub ops: Vec<Op>,
    /// Whether all pages that were to be closed are.
    pub closed: bool,
    /// Whether the shopper is led to a page.
    pub has_location: bool,
    pub failures: u8,
}

impl Task {
    /// `ops`: the first one last.
    pub const fn new(server: u8, ops: Vec<Op>) -> Self {
        Self { server, ops, closed: true, has_location: false, failures: 0 }
    }

    /// Whether the provider has answered about a refund of this order, and the order does not know yet.
    pub fn awaits_refund_of(&self, order: usize) -> bool {
        self.ops.iter().any(|op| matches!(op, Op::HearRefund { payment, .. } if order_of(*payment) == order))
    }

    /// Whether it calls the provider next.
    pub fn waits(&self) -> bool {
        match self.ops.last() {
            Some(Op::Create { .. } | Op::Close { .. } | Op::Refund { .. }) => true,
            Some(Op::Ask { .. }) => self.failures < FAILURES,
            _ => false,
        }
    }
}
