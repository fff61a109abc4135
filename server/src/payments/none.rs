//! No provider: orders can be placed and not be paid. For shops that are only looked at, and for tests that buy nothing.

use super::{Forged, Provider, ProviderError, RefundRequest, SessionRequest, WebhookEvent};
use async_trait::async_trait;
use domain::{PaymentId, offer::Instant, payment::News, refund::RefundNews};

/// Answers nothing.
#[derive(Clone, Copy, Debug)]
pub struct NoProvider;

fn nobody<T>() -> Result<T, ProviderError> {
    Err(ProviderError::Unavailable(anyhow::anyhow!("no payment provider is configured: set NEXTGEN_TEST_PROVIDER")))
}

#[async_trait]
impl Provider for NoProvider {
    fn name(&self) -> &'static str {
        "none"
    }
    fn origin(&self) -> Option<String> {
        None
    }
    async fn create_session(&self, _: &SessionRequest) -> Result<News, ProviderError> {
        nobody()
    }
    async fn session(&self, _: PaymentId) -> Result<Option<News>, ProviderError> {
        // Nobody ever heard of it, and nobody will take money for it.
        Ok(None)
    }
    async fn close_session(&self, _: PaymentId) -> Result<News, ProviderError> {
        Ok(News::Closed)
    }
    async fn refund(&self, _: &RefundRequest) -> Result<RefundNews, ProviderError> {
        nobody()
    }
    fn webhook(&self, _: Option<&str>, _: &[u8], _: Instant) -> Result<WebhookEvent, Forged> {
        Err(Forged::Signature)
    }
}
