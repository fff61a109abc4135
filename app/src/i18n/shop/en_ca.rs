//! Canadian English: British spelling, American words.

use super::{Shop, en_us::EN_US};
use crate::i18n::Plural;

pub const EN_CA: Shop = Shop {
    cart: "Cart",
    home_title: "Bags, hats, jewellery and quiet tech",
    home_description: "A short range of bags, hats, jewellery and small electronics, made to be used every day.",
    add_to_cart: "Add to cart",
    tax_included: "tax included",
    tax_excluded: "plus tax",
    conflict_help: "Have another look at your cart; it shows what is true now.",
    server_error_help: "Your cart is safe. Try again in a moment.",
    back_to_cart: "Go to the cart",
    colours: Plural { one: "{count} colour", other: "{count} colours" },
    ..EN_US
};
