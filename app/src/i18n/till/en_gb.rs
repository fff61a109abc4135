//! British English, where it differs.

use super::{Till, en_us::EN_US};
use crate::i18n::Plural;

pub const EN_GB: Till = Till {
    cart_heading: "Your basket",
    line1: "Address line 1",
    line2: "Address line 2",
    city: "Town or city",
    postcode: "Postcode",
    check_out: "Checkout",
    nothing_to_order: "Nothing in this basket can be ordered right now.",
    said_added: "Added to basket: {product}",
    said_line_full: "{product}: there are already {max} in your basket, which is the most per order. Nothing was added.",
    said_cart_full: "A basket holds at most {max} different things. Nothing was added.",
    said_missing_line: "This was not in the basket any more. Nothing was changed.",
    said_fresh: "We could not find your earlier basket, so this is a fresh one.",
    said_ordered: "This basket was ordered already.",
    back_to_cart: "Back to the basket",
    err_cart_changed: "The basket changed in the meantime, perhaps in another tab. Please look it over and place the order.",
    err_form: "This form does not fit your basket any more. Nothing is lost; please send it again.",
    tax: "VAT",
    cart_title: Plural { one: "Basket, {count} item", other: "Basket, {count} items" },
    err_only_left: Plural {
        one: "Only {count} of {product} is left. Please lower the quantity in the basket. You have not been charged.",
        other: "Only {count} of {product} are left. Please lower the quantity in the basket. You have not been charged.",
    },
    status_cancelled: "Cancelled",
    text_cancelled: "This order is cancelled.",
    text_cancelled_unpaid: "This order is cancelled. Nothing was charged.",
    text_cancelled_paid: "This order is cancelled. The money goes back the way you paid.",
    line_cancelled: "{count} cancelled",
    ..EN_US
};
