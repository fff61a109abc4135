//! One typed id a noun. Ids are UUIDs (version 7 where we make them, RFC 9562); making one needs a clock and randomness, so
//! it happens outside `domain`.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    )*};
}

id! {
    /// A product, whatever its slug or texts are today.
    ProductId,
    /// One buyable combination of option values. A SKU is only an attribute of it.
    VariantId,
    /// A visitor's cart.
    CartId,
    /// One wish to change something: the same id with the same payload is the same wish.
    MutationId,
    /// An order. Not its number: numbers are shown to people, ids are not.
    OrderId,
    /// One attempt to pay for an order.
    PaymentId,
    /// One refund of a payment.
    RefundId,
    /// Pieces of an order that are not sent after all.
    CancellationId,
    /// One shipment of an order from one location, in one or more parcels.
    FulfilmentId,
    /// Pieces that a shopper sends back.
    ReturnId,
    /// Stock kept for an order.
    HoldId,
    /// A coupon: what its codes give, to whom and when.
    CouponId,
    /// A promotion: a rule that changes a total.
    PromotionId,
    /// An address on the newsletter's list, from its sign-up until it leaves; a new one when it comes back.
    SubscriptionId,
    /// An event in the outbox.
    EventId,
    /// Somebody who works here.
    StaffId,
}
