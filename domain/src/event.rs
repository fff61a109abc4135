//! Facts that happened. Events carry ids, never personal data, so that they may be kept and replayed after an erasure. They are
//! delivered at least once: every consumer is idempotent.

use crate::ids::{OrderId, PaymentId, ProductId, RefundId, VariantId};
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
    OrderCancelled {
        order: OrderId,
    },
    RefundIssued {
        order: OrderId,
        refund: RefundId,
    },
    RefundFailed {
        order: OrderId,
        refund: RefundId,
    },
}

impl Event {
    /// The version of the payload's form; consumers accept this and older ones.
    pub const VERSION: i64 = 1;

    /// The aggregate whose sequence orders this event: `product:…`, `order:…`, `shop`.
    pub fn aggregate(&self) -> String {
        match self {
            Self::ProductChanged { product } | Self::PriceChanged { product, .. } | Self::StockChanged { product, .. } => {
                format!("product:{product}")
            }
            Self::ShopChanged => "shop".to_owned(),
            Self::OrderPlaced { order }
            | Self::PaymentPending { order, .. }
            | Self::PaymentCaptured { order, .. }
            | Self::PaymentFailed { order, .. }
            | Self::OrderCancelled { order }
            | Self::RefundIssued { order, .. }
            | Self::RefundFailed { order, .. } => format!("order:{order}"),
        }
    }
}
