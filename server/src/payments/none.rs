//! No provider: orders can be placed and not be paid. For shops that are only looked at, and for tests that buy nothing.

use super::{
    Attempt, CapturedPage, DisputePage, Forged, Patience, Provider, ProviderError, RefundPage, RefundRequest, SessionRequest, WebhookEvent,
    WebhookFault, signature,
};
use async_trait::async_trait;
use domain::{offer::Instant, order::HOLD_US, payment::News, refund::RefundNews};

/// Its name.
pub const NOBODY: &str = "none";

/// Answers nothing.
#[derive(Clone, Copy, Debug)]
pub struct NoProvider;

fn nobody<T>() -> Result<T, ProviderError> {
    Err(ProviderError::Unavailable(anyhow::anyhow!("no payment provider is configured: set NEXTGEN_PAYMENTS or NEXTGEN_TEST_PROVIDER")))
}

#[async_trait]
impl Provider for NoProvider {
    fn name(&self) -> &'static str {
        NOBODY
    }
    fn origin(&self) -> Option<String> {
        None
    }
    fn signature_header(&self) -> &'static str {
        signature::HEADER
    }
    fn patience(&self) -> Patience {
        Patience { doubt_us: HOLD_US, pending_doubt_us: HOLD_US, pending_hold_us: |_| HOLD_US }
    }
    async fn create_session(&self, _: &SessionRequest) -> Result<News, ProviderError> {
        nobody()
    }
    async fn session(&self, _: &Attempt) -> Result<Option<News>, ProviderError> {
        // Nobody ever heard of it, and nobody will take money for it.
        Ok(None)
    }
    async fn close_session(&self, _: &Attempt) -> Result<News, ProviderError> {
        Ok(News::Closed)
    }
    async fn refund(&self, _: &RefundRequest) -> Result<RefundNews, ProviderError> {
        nobody()
    }
    async fn captured_since(&self, _: Instant, _: Option<&str>) -> Result<CapturedPage, ProviderError> {
        Ok(CapturedPage::default())
    }
    async fn refunds_since(&self, _: Instant, _: Option<&str>) -> Result<RefundPage, ProviderError> {
        Ok(RefundPage::default())
    }
    async fn disputes_since(&self, _: Instant, _: Option<&str>) -> Result<DisputePage, ProviderError> {
        Ok(DisputePage::default())
    }
    async fn webhook(&self, _: Option<&str>, _: &[u8], _: Instant) -> Result<WebhookEvent, WebhookFault> {
        Err(Forged::Signature.into())
    }
}
