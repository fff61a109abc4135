//! British English, where it differs.

use super::{Follow, en_us::EN_US};

pub const EN_GB: Follow = Follow {
    cancelled_items: "Cancelled items",
    why_withdrawn: "A later order of the same basket had taken the place of this one before your payment arrived.",
    why_cancelled: "It is for the cancelled items below.",
    why_cancelled_before: "The order had been cancelled before your payment arrived.",
    find_postcode_hint: "With the postcode of the delivery address the order opens at once, also if our mail did not reach you.",
    cancelled_subject: "Order {number} was cancelled",
    cancelled_text: "Your order was cancelled. Nothing will be shipped.",
    replaced_text: "A later order of the same basket has taken the place of this one.",
    not_available: "We are sorry: we cannot deliver what was cancelled.",
    part_cancelled_subject: "Items of order {number} were cancelled",
    part_cancelled_text: "The items below were cancelled and will not be shipped.",
    refunded_next: "Depending on your bank it can take a few working days until you see it on your account.",
    gate_title: "Your postcode, please",
    gate_text: "This link is more than 30 days old. To protect your data, please enter the postcode of the delivery address.",
    gate_wrong: "This is not the postcode of the delivery address. Please try again.",
    again_all: "The items of your earlier order are in the basket.",
    again_some: "What can still be bought is in the basket. Not added: {products}",
    again_none: "Nothing was added to the basket, because it cannot be bought right now: {products}",
    cancel_packed: "We are packing your order, so it can no longer be cancelled.",
    cancel_disputed: "Your bank is looking into the payment, so nothing can be cancelled until that is settled.",
    cancel_too_late: "Nothing was cancelled: we have begun to pack some of these items meanwhile. What can still be cancelled is below.",
    cancel_none: "Nothing was cancelled: please choose at least one item.",
    cancelled_item: "Cancelled: {product}, {count}",
    refund_going: "Refund of {amount}: on its way. Your bank may need a few working days.",
    ..EN_US
};
