//! What the checkout asks for, what it is answered, and every reason to refuse.

use crate::{catalog::stock::Shortage, sql::Conflict};
use domain::{
    CartId, ProductId, VariantId,
    account::Contact,
    address::Address,
    cart::Quantity,
    coupon::Code,
    delivery::{Method, NotOffered, Promise},
    locale::Locale,
    market::Market,
    money::Money,
    order::{CannotPay, OrderNumber},
    pricing::Quote,
    promotion::Refusal,
    sourcing::Split,
};
use serde::{Deserialize, Serialize};

/// An order as the shopper confirmed it.
#[derive(Clone, Debug)]
pub struct OrderRequest {
    /// The form's idempotency key: the same key with the same content gets the same answer.
    pub key: String,
    pub cart: CartId,
    pub cart_version: u64,
    pub market: Market,
    pub locale: Locale,
    pub lines: Vec<RequestedLine>,
    pub personal: Personal,
    /// The delivery method's code.
    pub method: String,
    /// The code that the review counted, if there was one.
    pub coupon: Option<Code>,
    /// What the review said it costs. Another total is refused, and nothing is stored.
    pub confirmed_total: Money,
}

/// One line of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestedLine {
    pub product: ProductId,
    pub variant: VariantId,
    pub quantity: Quantity,
    pub text: LineText,
}

/// What a line says, frozen into the order: products are renamed, orders are not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineText {
    pub title: String,
    /// `Tan`, `90 cm`.
    #[serde(default)]
    pub options: Vec<String>,
    #[serde(default)]
    pub sku: String,
    /// The product's slug in the order's language.
    #[serde(default)]
    pub slug: String,
    /// The picture's source, as in `domain::catalog`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
}

/// Who orders, where it goes, who pays. Stored encrypted with the customer's own key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Personal {
    pub contact: Contact,
    pub delivery: Address,
    /// `None`: the delivery address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing: Option<Address>,
}

/// What is frozen into an order and is nobody's secret. A wire type: fields are added, never renamed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderBody {
    /// In the order of `quote.lines`.
    pub texts: Vec<LineText>,
    pub quote: Quote,
    /// What of the total each line costs, and at last delivery: after discounts, with taxes. Empty in orders from before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paid: Vec<Money>,
    /// As it was for the address: price, days and name of its zone.
    pub method: Method,
    /// As if everything were there, where something is not: [`OrderBody::promised`].
    pub promise: Promise,
    /// Some pieces were on back-order: nobody knew a day.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub undated: bool,
    /// The market's stock locations in order of preference, for taking stock again.
    pub locations: Vec<String>,
    /// Whether several of them may send it.
    #[serde(default)]
    pub split: Split,
}

impl OrderBody {
    /// The days that were promised; `None`: pieces were on back-order.
    pub fn promised(&self) -> Option<Promise> {
        (!self.undated).then_some(self.promise)
    }
}

/// An order that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    pub number: OrderNumber,
    /// In the order's link.
    pub secret: String,
    /// The provider's page. `None`: the provider does not answer; the order page offers to pay.
    pub redirect_url: Option<String>,
}

/// Why no order was placed. Nothing was stored.
#[derive(Debug, thiserror::Error)]
pub enum PlaceOrderError {
    #[error("there is nothing to order")]
    Empty,
    /// Every variant of which too few are left.
    #[error("too few are left")]
    OutOfStock(Vec<Shortage>),
    /// Variants that this market does not sell (any more).
    #[error("some are not sold here")]
    NotSold(Vec<VariantId>),
    #[error("the total is another one now")]
    PriceChanged(Box<Quote>),
    /// The code gives nothing (any more).
    #[error("the discount code: {0}")]
    Coupon(Refusal),
    #[error("this delivery method is not offered")]
    UnknownMethod,
    /// It takes no parcel of this weight, or goes to other places only.
    #[error("this delivery method: {0}")]
    NotOffered(NotOffered),
    /// Tax on top depends on a region that the address lacks.
    #[error("the address leaves the tax open")]
    TaxUnknown,
    /// The key came with something else before.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The first request with this key is still under way: wait for a moment and send the same again.
    #[error("a request with this idempotency key is under way")]
    InFlight,
    /// This cart has been ordered: look there.
    #[error("this cart has been ordered already")]
    CartAlreadyOrdered { secret: String },
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl From<sqlx::Error> for PlaceOrderError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl Conflict for PlaceOrderError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Failed(error) if error.is_conflict())
    }
}

/// Why an order cannot be paid now.
#[derive(Debug, thiserror::Error)]
pub enum PayAgainError {
    #[error("there is no such order")]
    NotFound,
    #[error(transparent)]
    Refused(#[from] CannotPay),
    /// The hold had lapsed and the pieces are gone.
    #[error("too few are left")]
    OutOfStock(Vec<Shortage>),
    /// The order stands; try again in a moment.
    #[error("the payment provider does not answer")]
    ProviderDown,
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl From<sqlx::Error> for PayAgainError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl Conflict for PayAgainError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Failed(error) if error.is_conflict())
    }
}
