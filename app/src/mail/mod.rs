//! What a mail about an order says: the same letter as text and as HTML, in the shopper's locale, from what was frozen into the order.
//! Whom it goes to and how it is sent is the server's business.

mod html;
mod letter;
#[cfg(test)]
mod tests;
mod text;

use crate::ports::View;
use domain::{address::Address, delivery::Promise, money::Money, pricing::Quote};
use std::{fmt, str::FromStr};

/// What a mail tells of. One kind may be told more than once of an order: each refund, each parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Placed,
    Paid,
    Shipped,
    Delivered,
    Refunded,
    Cancelled,
    /// What was sent back has arrived.
    Returned,
    /// The way back to the order, asked for by whoever knows its number and address.
    Link,
}

impl Kind {
    pub const ALL: [Self; 8] =
        [Self::Placed, Self::Paid, Self::Shipped, Self::Delivered, Self::Refunded, Self::Cancelled, Self::Returned, Self::Link];

    /// The word in tables, addresses and names of files.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Paid => "paid",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Refunded => "refunded",
            Self::Cancelled => "cancelled",
            Self::Returned => "returned",
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
    /// What this mail is about: the whole order, or one shipment of it.
    pub lines: Vec<MailLine>,
    pub quote: Quote,
    /// What was paid, or what goes back.
    pub amount: Money,
    /// The delivery method's name in the shopper's language.
    pub method: String,
    pub promise: Promise,
    pub delivery: Address,
    pub billing: Option<Address>,
    pub parcels: Vec<Parcel>,
    /// A shipment that is not all of the order.
    pub is_part: bool,
    /// Cancelled because a later order of the same cart took its place.
    pub replaced: bool,
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
