//! Canadian English, where it differs.

use super::{Follow, en_us::EN_US};

pub const EN_CA: Follow =
    Follow { cancelled_subject: "Order {number} was cancelled", cancelled_text: "Your order was cancelled. Nothing will be shipped.", ..EN_US };
