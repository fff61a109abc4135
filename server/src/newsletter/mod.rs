//! The newsletter's list: signing up with a confirmation by mail, leaving, what is kept as proof of the consent, and what is forgotten by
//! itself. Issues are written and sent elsewhere, to those whom `nextgen newsletter export` names.
//!
//! An address is sealed with a key of its own and found by a keyed hash. Both links in mails are signed, not stored: the one that confirms
//! names a sign-up, the one that leads out names the address's hash, so that it still works in old issues after somebody came back.

pub mod command;
mod letter;
mod list;
mod sign_up;

pub use letter::compose;
pub use list::{Subscriber, Swept};
pub use sign_up::{Asked, Link};

use crate::{
    clock::Clock,
    keys::Keys,
    params,
    sql::{Db, Tx},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{SubscriptionId, account::Email, locale::Locale};
use std::{net::IpAddr, sync::Arc};

/// What the signatures in links, and the hashes, are for.
const CONFIRM: &str = "newsletter confirm";
const LEAVE: &str = "newsletter leave";
const SUBJECT: &str = "newsletter subject";
const CLIENT: &str = "newsletter client";

/// The list.
#[derive(Clone, Debug)]
pub struct Newsletter {
    db: Db,
    clock: Clock,
    keys: Arc<Keys>,
    /// The public origin, for links in mails.
    origin: Arc<str>,
}

impl Newsletter {
    pub const fn new(db: Db, clock: Clock, keys: Arc<Keys>, origin: Arc<str>) -> Self {
        Self { db, clock, keys, origin }
    }

    /// What an address is found by: unlike an order's subject, so that the tables alone do not join the two.
    fn subject(&self, email: &Email) -> String {
        URL_SAFE_NO_PAD.encode(self.keys.hmac(SUBJECT, email.normalised().as_bytes()))
    }

    /// Where a sign-up came from, so that an address that is named later can be compared with it, and none can be read.
    fn client(&self, address: IpAddr) -> String {
        URL_SAFE_NO_PAD.encode(self.keys.hmac(CLIENT, crate::http::limits::bucket(address).to_string().as_bytes()))
    }

    /// The last part of the link that confirms.
    fn confirm_token(&self, id: SubscriptionId) -> String {
        self.keys.sign(CONFIRM, &id.0.simple().to_string())
    }

    fn confirmed_by(&self, token: &str) -> Option<SubscriptionId> {
        self.keys.verify(CONFIRM, token)?.parse().ok()
    }

    /// The last part of the link that leads out of the list.
    fn leave_token(&self, subject: &str) -> String {
        self.keys.sign(LEAVE, subject)
    }

    /// The page on which somebody leaves the list, and the address that RFC 8058 posts to.
    fn leave_url(&self, locale: Locale, subject: &str) -> String {
        format!("{}{}", self.origin, app::private::newsletter::leave_url(locale, &self.leave_token(subject)))
    }

    fn confirm_url(&self, locale: Locale, id: SubscriptionId) -> String {
        format!("{}{}", self.origin, app::private::newsletter::confirm_url(locale, &self.confirm_token(id)))
    }
}

/// Takes an address off the list: its key, the sealed address and mails that wait. What is kept as proof is somebody else's question.
async fn forget(tx: &mut Tx, id: SubscriptionId) -> Result<u64, sqlx::Error> {
    tx.execute("DELETE FROM mails WHERE order_id = $1", params![id]).await?;
    tx.execute("DELETE FROM newsletter_subscriptions WHERE id = $1", params![id]).await
}
