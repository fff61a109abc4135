//! What a mail about an order says: the same letter as text and as HTML, in the shopper's locale, from what was frozen into the order; and what one
//! about the newsletter's list says. Whom it goes to and how it is sent is the server's business.

mod html;
mod letter;
pub mod newsletter;
mod sentences;
#[cfg(test)]
mod tests;
mod text;

use crate::ports::View;
use domain::{
    address::Address,
    delivery::Promise,
    money::Money,
    order::ReturnReason,
    pricing::Quote,
    refund::{GoodwillReason, RefundReason},
};
use std::{fmt, str::FromStr};

/// What a mail tells of. One kind may be told more than once of an order: each refund, each parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Placed,
    Paid,
    /// Money that was under way did not come.
    PaymentFailed,
    Shipped,
    Delivered,
    Refunded,
    /// The whole order.
    Cancelled,
    /// Some pieces of a paid order.
    PartCancelled,
    ReturnAnnounced,
    /// What was sent back has arrived.
    Returned,
    ReturnRefused,
    ReturnCalledOff,
    /// The way back to the order, asked for by whoever knows its number and address.
    Link,
}

impl Kind {
    pub const ALL: [Self; 13] = [
        Self::Placed,
        Self::Paid,
        Self::PaymentFailed,
        Self::Shipped,
        Self::Delivered,
        Self::Refunded,
        Self::Cancelled,
        Self::PartCancelled,
        Self::ReturnAnnounced,
        Self::Returned,
        Self::ReturnRefused,
        Self::ReturnCalledOff,
        Self::Link,
    ];

    /// The word in tables, addresses and names of files.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Paid => "paid",
            Self::PaymentFailed => "payment_failed",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Refunded => "refunded",
            Self::Cancelled => "cancelled",
            Self::PartCancelled => "part_cancelled",
            Self::ReturnAnnounced => "return_announced",
            Self::Returned => "returned",
            Self::ReturnRefused => "return_refused",
            Self::ReturnCalledOff => "return_called_off",
            Self::Link => "link",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Not the word of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a kind of mail")]
pub struct NotAKind;

impl FromStr for Kind {
    type Err = NotAKind;
    fn from_str(word: &str) -> Result<Self, NotAKind> {
        Self::ALL.into_iter().find(|kind| kind.word() == word).ok_or(NotAKind)
    }
}

/// All that a mail may tell.
#[derive(Clone, Debug)]
pub struct MailData {
    pub kind: Kind,
    /// `NG-7K2M-Q4XD`
    pub number: String,
    /// The order's page, with its origin.
    pub link: String,
    /// As the delivery address says it, in the country's order.
    pub name: String,
    /// What this mail is about: the whole order, or some pieces of it.
    pub lines: Vec<MailLine>,
    pub quote: Quote,
    /// The order's total.
    pub total: Money,
    /// The delivery method's name in the shopper's language.
    pub method: String,
    /// `None`: something was on back-order, and no day was promised.
    pub promise: Option<Promise>,
    pub delivery: Address,
    pub billing: Option<Address>,
    pub parcels: Vec<Parcel>,
    /// How much of the order a shipment is.
    pub share: Share,
    pub payment: Payment,
    /// Whether something was cancelled, packed or sent since it was paid.
    pub is_begun: bool,
    /// What becomes of the money that this mail is about.
    pub money: MoneyBack,
    /// What was kept back of it.
    pub kept_back: Option<Money>,
    /// What of it is the delivery charge.
    pub charge: Option<Money>,
    /// Why money was sent back.
    pub cause: Option<Cause>,
    pub cancelled: Cancelled,
    pub back: Back,
}

/// How much of an order a shipment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    Whole,
    /// More follows.
    Part,
    /// With it, all that was not cancelled has been told of.
    Rest,
    /// Replacements alone.
    Exchange,
}

/// What is known of an order's payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payment {
    /// The pieces are kept meanwhile.
    Awaited,
    UnderWay,
    /// It did not come in time, and still may.
    Late,
    /// Nothing more is asked for: it is paid, or over.
    Settled,
}

/// What becomes of money, as the ledgers have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoneyBack {
    /// There is nothing to say.
    Untold,
    /// None ever came.
    NeverCharged,
    /// Owed, and not sent yet.
    Going(Money),
    Sent(Money),
    /// Sent some other way than it was paid.
    SentOtherwise(Money),
    /// The bank took the payment.
    TakenByBank,
    Nothing,
}

/// Why a refund was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause {
    pub reason: RefundReason,
    pub goodwill: Option<GoodwillReason>,
    /// The order was over before the money came.
    pub too_late: bool,
}

/// Of a cancellation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cancelled {
    /// A later order of the same cart took its place.
    pub replaced: bool,
    /// We cannot send what was ordered.
    pub not_available: bool,
}

/// Of a return.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Back {
    /// It is announced, and the parcel has not come.
    pub awaited: Option<Awaited>,
    /// Replacements.
    pub exchange: Vec<MailLine>,
    /// Whether a replacement has yet to be sent.
    pub exchange_follows: bool,
    /// Whether something that was to be exchanged was not.
    pub not_exchanged: bool,
    /// What was announced and did not come.
    pub missing: Vec<MailLine>,
    /// Why it was refused.
    pub why: String,
}

/// What a return will bring, if all of it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Awaited {
    /// The money that goes back, the label deducted; `None`: none does.
    pub amount: Option<Money>,
    /// Whether everything is exchanged.
    pub all_exchanged: bool,
    /// What the label costs the shopper.
    pub label: Money,
}

/// A line as it was ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailLine {
    pub title: String,
    /// `Tan`, `90 cm`.
    pub options: Vec<String>,
    pub quantity: u32,
    /// Missing where only the pieces matter.
    pub total: Option<Money>,
    /// Of what comes back.
    pub wish: Option<Wish>,
}

/// Why a piece comes back and what is wanted for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    pub reason: ReturnReason,
    /// The replacement's options; `None`: the money.
    pub exchange: Option<String>,
}

/// One parcel of a shipment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    pub carrier: String,
    /// Empty: sent without a number.
    pub tracking: String,
}

/// A mail's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    /// Plain text with LF line ends.
    pub text: String,
    /// A whole document without anything to be loaded.
    pub html: String,
}

/// Writes a mail in the view's locale.
pub fn render(view: &View, data: &MailData) -> Rendered {
    let letter = letter::letter(view, data);
    Rendered { text: text::text(&letter), html: html::html(&letter, view.locale), subject: letter.subject }
}
