//! Facts that happened. Events carry ids, never personal data, so that they may be kept and replayed after an erasure. They are
//! delivered at least once: every consumer is idempotent.

use crate::ids::{CancellationId, FulfilmentId, OrderId, PaymentId, ProductId, RefundId, ReturnId, SubscriptionId, VariantId};
use serde::{Deserialize, Serialize};

/// A fact, as it stands in the outbox's `payload`; the variant's name is the event's type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    /// Texts, pictures, options, tags, status or slugs changed: documents and listings follow.
    ProductChanged {
        product: ProductId,
    },
    /// A price list's row changed for one variant.
    PriceChanged {
        product: ProductId,
        variant: VariantId,
    },
    /// Free stock of one variant changed.
    StockChanged {
        product: ProductId,
        variant: VariantId,
    },
    /// What a stock location keeps back changed, and with it what is left of everything that lies there.
    LocationChanged {
        location: String,
    },
    /// Markets, categories, delivery tables or help pages changed.
    ShopChanged,
    OrderPlaced {
        order: OrderId,
    },
    PaymentPending {
        order: OrderId,
        payment: PaymentId,
    },
    PaymentCaptured {
        order: OrderId,
        payment: PaymentId,
    },
    PaymentFailed {
        order: OrderId,
        payment: PaymentId,
    },
    /// The whole order is over: replaced by another, or cancelled.
    OrderCancelled {
        order: OrderId,
    },
    /// Some pieces of a paid order are not sent after all.
    LinesCancelled {
        order: OrderId,
        cancellation: CancellationId,
    },
    /// A shipment has left.
    OrderShipped {
        order: OrderId,
        fulfilment: FulfilmentId,
    },
    /// A shipment has arrived, as far as anybody knows.
    OrderDelivered {
        order: OrderId,
        fulfilment: FulfilmentId,
    },
    ReturnRequested {
        order: OrderId,
        return_id: ReturnId,
    },
    ReturnReceived {
        order: OrderId,
        return_id: ReturnId,
    },
    ReturnRefused {
        order: OrderId,
        return_id: ReturnId,
    },
    DisputeOpened {
        order: OrderId,
        payment: PaymentId,
    },
    DisputeClosed {
        order: OrderId,
        payment: PaymentId,
        won: bool,
    },
    RefundIssued {
        order: OrderId,
        refund: RefundId,
    },
    RefundFailed {
        order: OrderId,
        refund: RefundId,
    },
    /// Somebody confirmed a newsletter subscription, or took the consent back: which of both is what the list says.
    ConsentChanged {
        subscription: SubscriptionId,
    },
}

impl Event {
    /// The version of the payload's form; consumers accept this and older ones.
    pub const VERSION: i64 = 1;

    /// The aggregate whose sequence orders this event: `product:…`, `order:…`, `location:…`, `newsletter:…`, `shop`.
    pub fn aggregate(&self) -> String {
        match self {
            Self::ProductChanged { product } | Self::PriceChanged { product, .. } | Self::StockChanged { product, .. } => {
                format!("product:{product}")
            }
            Self::LocationChanged { location } => format!("location:{location}"),
            Self::ShopChanged => "shop".to_owned(),
            Self::ConsentChanged { subscription } => format!("newsletter:{subscription}"),
            Self::OrderPlaced { order }
            | Self::PaymentPending { order, .. }
            | Self::PaymentCaptured { order, .. }
            | Self::PaymentFailed { order, .. }
            | Self::OrderCancelled { order }
            | Self::LinesCancelled { order, .. }
            | Self::OrderShipped { order, .. }
            | Self::OrderDelivered { order, .. }
            | Self::ReturnRequested { order, .. }
            | Self::ReturnReceived { order, .. }
            | Self::ReturnRefused { order, .. }
            | Self::DisputeOpened { order, .. }
            | Self::DisputeClosed { order, .. }
            | Self::RefundIssued { order, .. }
            | Self::RefundFailed { order, .. } => format!("order:{order}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    /// What stands in outboxes already is read for ever: a changed line here is a new [`Event::VERSION`].
    #[test]
    fn events_are_written_as_they_always_were() {
        let id = Uuid::from_u128(1);
        let (product, variant) = (ProductId(id), VariantId(Uuid::from_u128(2)));
        let (order, payment, refund) = (OrderId(id), PaymentId(Uuid::from_u128(3)), RefundId(Uuid::from_u128(4)));
        let (cancellation, fulfilment, return_id) = (CancellationId(payment.0), FulfilmentId(payment.0), ReturnId(payment.0));
        let uuid = |last: u8| format!("00000000-0000-0000-0000-00000000000{last}");
        let [one, two, three, four] = [1, 2, 3, 4].map(uuid);
        for (event, json) in [
            (Event::ProductChanged { product }, format!(r#"{{"type":"ProductChanged","product":"{one}"}}"#)),
            (Event::PriceChanged { product, variant }, format!(r#"{{"type":"PriceChanged","product":"{one}","variant":"{two}"}}"#)),
            (Event::StockChanged { product, variant }, format!(r#"{{"type":"StockChanged","product":"{one}","variant":"{two}"}}"#)),
            (Event::LocationChanged { location: "reno".to_owned() }, r#"{"type":"LocationChanged","location":"reno"}"#.to_owned()),
            (Event::ShopChanged, r#"{"type":"ShopChanged"}"#.to_owned()),
            (Event::OrderPlaced { order }, format!(r#"{{"type":"OrderPlaced","order":"{one}"}}"#)),
            (Event::PaymentPending { order, payment }, format!(r#"{{"type":"PaymentPending","order":"{one}","payment":"{three}"}}"#)),
            (Event::PaymentCaptured { order, payment }, format!(r#"{{"type":"PaymentCaptured","order":"{one}","payment":"{three}"}}"#)),
            (Event::PaymentFailed { order, payment }, format!(r#"{{"type":"PaymentFailed","order":"{one}","payment":"{three}"}}"#)),
            (Event::OrderCancelled { order }, format!(r#"{{"type":"OrderCancelled","order":"{one}"}}"#)),
            (Event::LinesCancelled { order, cancellation }, format!(r#"{{"type":"LinesCancelled","order":"{one}","cancellation":"{three}"}}"#)),
            (Event::OrderShipped { order, fulfilment }, format!(r#"{{"type":"OrderShipped","order":"{one}","fulfilment":"{three}"}}"#)),
            (Event::OrderDelivered { order, fulfilment }, format!(r#"{{"type":"OrderDelivered","order":"{one}","fulfilment":"{three}"}}"#)),
            (Event::ReturnRequested { order, return_id }, format!(r#"{{"type":"ReturnRequested","order":"{one}","return_id":"{three}"}}"#)),
            (Event::ReturnReceived { order, return_id }, format!(r#"{{"type":"ReturnReceived","order":"{one}","return_id":"{three}"}}"#)),
            (Event::ReturnRefused { order, return_id }, format!(r#"{{"type":"ReturnRefused","order":"{one}","return_id":"{three}"}}"#)),
            (Event::DisputeOpened { order, payment }, format!(r#"{{"type":"DisputeOpened","order":"{one}","payment":"{three}"}}"#)),
            (
                Event::DisputeClosed { order, payment, won: true },
                format!(r#"{{"type":"DisputeClosed","order":"{one}","payment":"{three}","won":true}}"#),
            ),
            (Event::RefundIssued { order, refund }, format!(r#"{{"type":"RefundIssued","order":"{one}","refund":"{four}"}}"#)),
            (Event::ConsentChanged { subscription: SubscriptionId(id) }, format!(r#"{{"type":"ConsentChanged","subscription":"{one}"}}"#)),
            (Event::RefundFailed { order, refund }, format!(r#"{{"type":"RefundFailed","order":"{one}","refund":"{four}"}}"#)),
        ] {
            assert_eq!(serde_json::to_string(&event).expect("plain data"), json);
            assert_eq!(serde_json::from_str::<Event>(&json).expect("an event"), event);
        }
    }
}
