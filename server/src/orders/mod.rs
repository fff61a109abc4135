//! The order core: holds, orders and their ledgers, decided in SQL transactions on the writer.
//!
//! [`Orders::place`] makes an order out of a confirmed cart, [`Orders::pay_again`] leads to the payment page once more, [`Orders::hear`]
//! takes a provider's news however it came, [`Orders::tend`] does what time demands, [`Orders::compare`] brings back what our books have lost. What an order may become is decided in
//! [`domain::order`].

mod aftermath;
mod cancel;
mod capsule;
mod change;
mod compare;
mod corrections;
mod differences;
mod fulfil;
mod give_back;
mod hear;
pub mod links;
pub mod lists;
pub mod many;
mod money_back;
mod once;
mod page;
mod pay;
mod place;
mod price;
mod record;
mod request;
pub(crate) mod store;
pub mod story;
mod tend;
pub(crate) mod tokens;
pub mod unshipped;
mod view;
pub mod waits;

pub use change::{ChangeError, Wish};
pub use compare::Compared;
pub use corrections::NOTE_CHARS_MAX;
pub use give_back::Received;
pub use hear::{Heard, WebhookError};
pub use links::subject;
pub use once::{Before, Repeated};
pub use request::{LineText, OrderBody, OrderRequest, PayAgainError, Personal, PlaceOrderError, Placed, RequestedLine};
pub use view::OrderView;

use crate::{clock::Clock, keys::Keys, payments::Provider, sql::Db};
use std::{
    fmt,
    sync::{Arc, atomic::AtomicBool},
};

/// The order core with what it needs of the world.
#[derive(Clone)]
pub struct Orders {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) keys: Arc<Keys>,
    pub(crate) provider: Arc<dyn Provider>,
    /// The public origin, for the way back from the payment page.
    pub(crate) origin: Arc<str>,
    /// The provider spoke of a payment that is not known here: its ledger shall be compared.
    strange: Arc<AtomicBool>,
    /// The form that is carried out, where a member of staff sent one.
    wish: Option<Arc<Wish>>,
}

impl Orders {
    pub fn new(db: Db, clock: Clock, keys: Arc<Keys>, provider: Arc<dyn Provider>, origin: Arc<str>) -> Self {
        Self { db, clock, keys, provider, origin, strange: Arc::default(), wish: None }
    }

    /// Who takes the payments.
    pub fn provider(&self) -> &dyn Provider {
        &*self.provider
    }

    fn author(&self, actor: story::Actor) -> store::Author<'_> {
        store::Author { actor, provider: self.provider.name() }
    }
}

impl fmt::Debug for Orders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Orders").field("provider", &self.provider.name()).finish_non_exhaustive()
    }
}
