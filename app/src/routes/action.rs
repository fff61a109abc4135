//! Where forms are sent.

use super::encoded;
use domain::{VariantId, locale::Locale};

/// Where a form is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Adds a product to the cart.
    AddLine,
    /// Sets the quantity of a line; 0 removes it.
    ChangeLine {
        variant: VariantId,
    },
    /// Puts a discount code into the cart, or takes it out.
    Coupon,
    PlaceOrder,
    PayAgain {
        secret: String,
    },
    /// Puts what an order had into the cart.
    OrderAgain {
        secret: String,
    },
    /// Cancels an order, or pieces of it.
    CancelOrder {
        secret: String,
    },
    /// The form that announces a return, and where its last step is sent.
    ReturnItems {
        secret: String,
    },
    /// Calls an announced return off.
    KeepItems {
        secret: String,
    },
    /// Gives an order another link.
    RenewLink {
        secret: String,
    },
    /// Tells the postcode that an old link asks for.
    OpenOrder {
        secret: String,
    },
    FindOrder,
    /// Signs an address up for the newsletter: `email`, `consent` (which text stood beside the form), `source` (the page's path).
    Newsletter,
}

impl Action {
    pub fn url(&self, locale: Locale) -> String {
        match self {
            Self::AddLine => format!("/{locale}/cart/lines"),
            Self::ChangeLine { variant } => format!("/{locale}/cart/lines/{variant}"),
            Self::Coupon => format!("/{locale}/cart/coupon"),
            Self::PlaceOrder => format!("/{locale}/checkout"),
            Self::PayAgain { secret } => format!("/{locale}/orders/{}/pay", encoded(secret)),
            Self::OrderAgain { secret } => format!("/{locale}/orders/{}/again", encoded(secret)),
            Self::CancelOrder { secret } => format!("/{locale}/orders/{}/cancel", encoded(secret)),
            Self::ReturnItems { secret } => format!("/{locale}/orders/{}/return", encoded(secret)),
            Self::KeepItems { secret } => format!("/{locale}/orders/{}/keep", encoded(secret)),
            Self::RenewLink { secret } => format!("/{locale}/orders/{}/renew", encoded(secret)),
            Self::OpenOrder { secret } => format!("/{locale}/orders/{}/open", encoded(secret)),
            Self::FindOrder => format!("/{locale}/orders/find"),
            Self::Newsletter => format!("/{locale}/newsletter"),
        }
    }
}
