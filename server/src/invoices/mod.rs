//! Invoices and credit notes: made after a payment by one consumer of events, numbered without gaps, kept as they were issued. What they say and what
//! they come to is decided in [`domain::invoice`], how they look in `app::invoice`.
//!
//! An order gets an invoice when it is paid and its pieces are sold. One whose money came too late and went back whole gets none: nothing was
//! supplied (Directive 2006/112/EC, art. 220), and no number is drawn. Neither does one that cost nothing: there is no consideration and no tax to
//! account for. Pieces that are exchanged at the same price change no amount, and make no document. A credit note follows each refund of an invoiced
//! order when its money has gone. Orders that were paid before this was known keep whatever they were given then: they have no invoice, and so no notes.
//!
//! An order that is rebuilt from what the provider kept gets a new number, of the generation that the restore began: its first one may be in
//! the shopper's hands, so it is never given to another order.

mod book;
mod kept;
pub mod pdf;
mod sellers;
mod series;

pub use book::Bookkeeper;
pub use kept::{Document, Listed, Sealed, find, of_order};
pub use sellers::seed;
pub use series::begin_anew;
