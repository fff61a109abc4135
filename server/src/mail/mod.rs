//! Mails about orders and about the newsletter's list: which are due, sending them, and what became of each. What they say is `app::mail`'s
//! business.
//!
//! [`MailQueue`] follows the orders' events and writes one row a mail, [`Mailer`] sends what is due. A crash between sending and noting it
//! sends again under the same Message-ID, so that a mailbox can tell.

mod compose;
mod folder;
mod follow;
mod place;
mod queue;
mod send;
mod smtp;
mod tell;

pub use compose::{Envelope, Letter, sealed};
pub use folder::KEPT_MAX;
pub use follow::MailQueue;
pub use place::{Place, Server, sender};
pub use queue::{CannotResend, Told, queue, ring};
pub use send::{Delivery, Mailer};
