//! The payment port and its providers. Card data never comes here: the shopper types it on the provider's own page.

pub mod breaker;
pub mod client;
mod none;
pub mod signature;
pub mod test_provider;

use crate::{
    background::Background,
    config::{Config, TestProvider},
};
use anyhow::Context as _;
use async_trait::async_trait;
use client::{TestProviderClient, Where};
use domain::{PaymentId, RefundId, money::Money, order::OrderNumber, payment::News, refund::RefundNews};
use serde::{Deserialize, Serialize};
use std::{net::Ipv4Addr, sync::Arc};

/// The provider that the configuration asks for; a test provider of our own is started and kept alive.
pub async fn open(config: &Config, background: &mut Background) -> anyhow::Result<Arc<dyn Provider>> {
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
/// Every call names our own id of the payment or the refund, and that is its idempotency key: calling again changes nothing and
/// answers the same. Calls have a deadline; whoever needs certainty asks again with [`Provider::session`].
#[async_trait]
pub trait Provider: Send + Sync {
    /// As in `payments.provider` and in the webhook's path.
    fn name(&self) -> &'static str;

    /// The origin of the page where shoppers pay, for `form-action`. `None` while it is not known.
    fn origin(&self) -> Option<String>;

    /// Opens a page to pay on, or says what became of the one that was opened before for this payment.
    async fn create_session(&self, request: &SessionRequest) -> Result<News, ProviderError>;

    /// What became of a payment; `None`: the provider never heard of it.
    async fn session(&self, payment: PaymentId) -> Result<Option<News>, ProviderError>;

    /// Closes the page, so that nobody can pay there any more: also one that is only about to be opened. Answers what the payment is
    /// then: [`News::Closed`], or what it had become before.
    async fn close_session(&self, payment: PaymentId) -> Result<News, ProviderError>;

    /// Sends money back.
    async fn refund(&self, request: &RefundRequest) -> Result<RefundNews, ProviderError>;

    /// Reads a webhook if its signature is the provider's and fresh.
    fn webhook(&self, signature: Option<&str>, body: &[u8], now: domain::offer::Instant) -> Result<WebhookEvent, Forged>;
}

/// What a provider has to know to take a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRequest {
    pub payment: PaymentId,
    /// As the shopper sees it.
    pub number: String,
    pub amount: Money,
    /// As in our URLs: `fr-ca`.
    pub locale: String,
    /// Where the shopper comes back to, whatever happened.
    pub return_url: String,
}

impl SessionRequest {
    pub fn new(payment: PaymentId, number: OrderNumber, amount: Money, locale: domain::locale::Locale, return_url: String) -> Self {
        Self { payment, number: number.to_string(), amount, locale: locale.to_string(), return_url }
    }
}

/// Money to send back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundRequest {
    pub refund: RefundId,
    pub payment: PaymentId,
    pub amount: Money,
}

/// A webhook that is believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookEvent {
    /// The provider's id of this event: it may come twice.
    pub id: String,
    pub payment: PaymentId,
    pub news: News,
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
