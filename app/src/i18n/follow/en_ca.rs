//! Canadian English, where it differs.

use super::{Follow, en_us::EN_US};

pub const EN_CA: Follow = Follow {
    cancelled_items: "Cancelled items",
    why_cancelled: "It is for the cancelled items below.",
    why_cancelled_before: "The order had been cancelled before your payment arrived.",
    cancelled_subject: "Order {number} was cancelled",
    cancelled_text: "Your order was cancelled. Nothing will be shipped.",
    not_available: "We are sorry: we cannot deliver what was cancelled.",
    part_cancelled_subject: "Items of order {number} were cancelled",
    part_cancelled_text: "The items below were cancelled and will not be shipped.",
    cancel_packed: "We are packing your order, so it can no longer be cancelled.",
    cancel_disputed: "Your bank is looking into the payment, so nothing can be cancelled until that is settled.",
    cancel_too_late: "Nothing was cancelled: we have begun to pack some of these items meanwhile. What can still be cancelled is below.",
    cancel_none: "Nothing was cancelled: please choose at least one item.",
    cancelled_item: "Cancelled: {product}, {count}",
    ..EN_US
};
