//! A payment provider that answers what it is told to, when it is told to.

use crate::{
    payments::{
        Attempt, CapturedPage, DisputePage, Forged, Patience, Provider, ProviderError, RefundPage, RefundRequest, SessionRequest, WebhookEvent,
        WebhookFault,
    },
    simulation::{
        Answer,
        store::{DOUBT_US, PENDING_DOUBT_US, PENDING_HOLD_US},
    },
};
use async_trait::async_trait;
use domain::{PaymentId, RefundId, offer::Instant, payment::News, refund::RefundNews};
use tokio::sync::{mpsc, oneshot};

/// A call of the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Create(PaymentId),
    Session(PaymentId),
    Close(PaymentId),
    Refund(RefundId),
}

/// A call that waits for its answer.
pub struct Waiting {
    pub call: Call,
    pub answer: oneshot::Sender<Option<Answer>>,
}

/// A provider that answers what it is told to, when it is told to.
pub struct Gate(pub mpsc::UnboundedSender<Waiting>);

impl Gate {
    async fn ask(&self, call: Call) -> Result<Answer, ProviderError> {
        let (answer, answered) = oneshot::channel();
        self.0.send(Waiting { call, answer }).ok();
        answered.await.ok().flatten().ok_or_else(|| ProviderError::Unavailable(anyhow::anyhow!("no answer")))
    }

    async fn news(&self, call: Call) -> Result<Option<News>, ProviderError> {
        match self.ask(call).await? {
            Answer::News(news) => Ok(news),
            Answer::Refund(news) => Err(ProviderError::Refused(format!("{news:?}"))),
        }
    }
}

fn known(news: Option<News>) -> Result<News, ProviderError> {
    news.ok_or_else(|| ProviderError::Refused("unknown".to_owned()))
}

#[async_trait]
impl Provider for Gate {
    fn name(&self) -> &'static str {
        "gate"
    }
    fn origin(&self) -> Option<String> {
        None
    }
    fn signature_header(&self) -> &'static str {
        "signature"
    }
    fn patience(&self) -> Patience {
        Patience { doubt_us: DOUBT_US, pending_doubt_us: PENDING_DOUBT_US, pending_hold_us: |_| PENDING_HOLD_US }
    }
    async fn create_session(&self, request: &SessionRequest) -> Result<News, ProviderError> {
        known(self.news(Call::Create(request.payment)).await?)
    }
    async fn session(&self, attempt: &Attempt) -> Result<Option<News>, ProviderError> {
        self.news(Call::Session(attempt.payment)).await
    }
    async fn close_session(&self, attempt: &Attempt) -> Result<News, ProviderError> {
        known(self.news(Call::Close(attempt.payment)).await?)
    }
    async fn refund(&self, request: &RefundRequest) -> Result<RefundNews, ProviderError> {
        match self.ask(Call::Refund(request.refund)).await? {
            Answer::Refund(news) => Ok(news),
            Answer::News(_) => Ok(RefundNews::Unclear),
        }
    }
    async fn captured_since(&self, _: Instant, _: Option<&str>) -> Result<CapturedPage, ProviderError> {
        Err(ProviderError::Refused("it keeps no list".to_owned()))
    }
    async fn refunds_since(&self, _: Instant, _: Option<&str>) -> Result<RefundPage, ProviderError> {
        Err(ProviderError::Refused("it keeps no list".to_owned()))
    }
    async fn disputes_since(&self, _: Instant, _: Option<&str>) -> Result<DisputePage, ProviderError> {
        Err(ProviderError::Refused("it keeps no list".to_owned()))
    }
    async fn webhook(&self, _: Option<&str>, body: &[u8], _: Instant) -> Result<WebhookEvent, WebhookFault> {
        serde_json::from_slice(body).map_err(|_| Forged::Unreadable.into())
    }
}
