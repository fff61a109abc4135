//! The payment port and its providers. Card data never comes here: the shopper types it on the provider's own page.

pub mod breaker;
pub mod client;
mod none;
mod session;
pub mod signature;
pub mod stripe;
pub mod test_provider;

pub use none::NOBODY;
pub use session::{
    Attempt, CAPSULE_BYTES_MAX, CapturedPage, CapturedPayment, DisputePage, OpenedDispute, RefundPage, RefundRequest, SESSION_US, SentRefund,
    SessionLine, SessionRequest,
};

use crate::{
    background::Background,
    config::{Config, TestProvider},
};
use anyhow::Context as _;
use async_trait::async_trait;
use client::{TestProviderClient, Where};
use domain::{
    PaymentId, RefundId,
    dispute::DisputeNews,
    offer::Instant,
    payment::{Method, News},
    refund::RefundNews,
};
use serde::{Deserialize, Serialize};
use std::{net::Ipv4Addr, sync::Arc};

/// The provider that the configuration asks for; a test provider of our own is started and kept alive.
pub async fn open(config: &Config, background: &mut Background) -> anyhow::Result<Arc<dyn Provider>> {
    if let Some(access) = &config.stripe {
        return Ok(Arc::new(stripe::Stripe::new(access)?));
    }
    let at = match &config.test_provider {
        TestProvider::Off => return Ok(Arc::new(none::NoProvider)),
        TestProvider::At(origin) => Where::Origin(origin.clone()),
        TestProvider::Spawn => {
            let program = std::env::current_exe().context("finding this program, to start the test provider")?;
            test_provider::spawn(program, config.data.clone(), background).await?;
            Where::DataFolder(config.data.clone())
        }
    };
    // The provider is on this machine: its webhooks do not have to find the way through the public origin.
    let mut addr = config.addr;
    if addr.ip().is_unspecified() {
        addr.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    Ok(Arc::new(TestProviderClient::new(at, &config.data, format!("http://{addr}/webhooks/test-provider"))?))
}

/// Somebody who takes payments for us on a page of their own.
///
/// Every call names our own id of the payment or the refund, and that is what keeps it from counting twice: calling again changes nothing and
/// answers the same, or better. Calls have a deadline; whoever needs certainty asks again with [`Provider::session`].
#[async_trait]
pub trait Provider: Send + Sync {
    /// As in `payments.provider` and in the webhook's path.
    fn name(&self) -> &'static str;

    /// The origin of the page where shoppers pay, for `form-action`. `None` while it is not known.
    fn origin(&self) -> Option<String>;

    /// The header in which webhooks are signed.
    fn signature_header(&self) -> &'static str;

    /// How long one waits for this provider's payments.
    fn patience(&self) -> Patience;

    /// Opens a page to pay on, or says what became of the one that was opened before for this payment.
    async fn create_session(&self, request: &SessionRequest) -> Result<News, ProviderError>;

    /// What became of a payment; `None`: the provider never heard of it.
    async fn session(&self, attempt: &Attempt) -> Result<Option<News>, ProviderError>;

    /// Closes the page, so that nobody can pay there any more. Answers what the payment is then: [`News::Closed`], or what it had become
    /// before. A page of which the provider never heard is closed, too; one that is being opened at this very moment may still come to
    /// be, and whoever is handed its address closes it if its payment is over by then.
    async fn close_session(&self, attempt: &Attempt) -> Result<News, ProviderError>;

    /// Sends money back, once per refund; asked again it says how that stands.
    async fn refund(&self, request: &RefundRequest) -> Result<RefundNews, ProviderError>;

    /// Payments that were captured at `since` or later, page by page: `after` is what the page before said is next.
    async fn captured_since(&self, since: Instant, after: Option<&str>) -> Result<CapturedPage, ProviderError>;

    /// Refunds that this shop asked for at `since` or later, page by page.
    async fn refunds_since(&self, since: Instant, after: Option<&str>) -> Result<RefundPage, ProviderError>;

    /// Disputes that were opened at `since` or later, as they stand now, page by page.
    async fn disputes_since(&self, since: Instant, after: Option<&str>) -> Result<DisputePage, ProviderError>;

    /// Reads a webhook if its signature is the provider's and fresh. May ask the provider what the webhook is about.
    async fn webhook(&self, signature: Option<&str>, body: &[u8], now: Instant) -> Result<WebhookEvent, WebhookFault>;
}

/// How long one waits for a provider's payments. Pieces are kept half an hour for a page that is open ([`domain::order::HOLD_US`]).
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// An open payment of which nothing was heard for so long is asked about.
    pub doubt_us: Instant,
    /// The same for one that is under way.
    pub pending_doubt_us: Instant,
    /// Pieces are kept so long for money that is under way; [`Method::hold_us`], short of a reason.
    pub pending_hold_us: fn(Method) -> Instant,
}

/// A webhook that is believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookEvent {
    /// The provider's id of this event: it may come twice.
    pub id: String,
    pub notice: Notice,
}

/// What a webhook tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum Notice {
    Payment {
        payment: PaymentId,
        news: News,
    },
    Refund {
        refund: RefundId,
        news: RefundNews,
    },
    Dispute {
        payment: PaymentId,
        news: DisputeNews,
    },
    /// The provider's, but nothing that matters here.
    Ignored,
}

/// Why a webhook is not heard.
#[derive(Debug, thiserror::Error)]
pub enum WebhookFault {
    #[error(transparent)]
    Forged(#[from] Forged),
    /// Believed, but the provider does not say what it is about: it shall send it again.
    #[error(transparent)]
    Unclear(#[from] ProviderError),
}

/// Not from the provider, too old, or not a webhook at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forged {
    #[error("the signature is missing or not the provider's")]
    Signature,
    #[error("the signature is older or newer than five minutes")]
    Stale,
    #[error("signed, but not an event that we know")]
    Unreadable,
}

/// Why a provider gave no answer that helps.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// No answer in time, or none at all. What was asked for may have happened.
    #[error("the payment provider does not answer")]
    Unavailable(#[source] anyhow::Error),
    /// It understood and refused.
    #[error("the payment provider refuses: {0}")]
    Refused(String),
}
