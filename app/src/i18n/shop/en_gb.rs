//! British English, where it differs from American.

use super::{Shop, en_us::EN_US};
use crate::i18n::Plural;

pub const EN_GB: Shop = Shop {
    cart: "Basket",
    home_title: "Bags, hats, jewellery and quiet tech",
    home_description: "A short range of bags, hats, jewellery and small electronics, made to be used every day.",
    add_to_cart: "Add to basket",
    tax_included: "VAT included",
    tax_excluded: "plus tax",
    conflict_help: "Have another look at your basket; it shows what is true now.",
    server_error_help: "Your basket is safe. Try again in a moment.",
    out_of_reach: "Basket and checkout cannot be reached just now",
    out_of_reach_help: "Your basket is kept. Wait a minute, go back and try again: an order that you send twice is placed once. You can look around in the meantime.",
    back_to_cart: "Go to the basket",
    colours: Plural { one: "{count} colour", other: "{count} colours" },
    ..EN_US
};
