//! The HTTP client of the test provider: deadlines, bounded retries with jitter, a circuit breaker. Every call carries its idempotency key,
//! so a retry after a lost reply is harmless.

use super::{
    Attempt, CapturedPage, DisputePage, Forged, Patience, Provider, ProviderError, RefundPage, RefundRequest, SessionRequest, WebhookEvent,
    WebhookFault, breaker::Breaker, signature, test_provider,
};
use crate::{outbound, random};
use anyhow::Context as _;
use async_trait::async_trait;
use domain::{
    offer::Instant,
    payment::{Method as PaymentMethod, News},
    refund::RefundNews,
};
use reqwest::{Method, StatusCode};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Tries per call, the first included.
const TRIES: u32 = 3;
/// One try's deadline. Three of them and the waits between stay under seven seconds, which a shopper still waits.
const DEADLINE: Duration = Duration::from_secs(2);
const SECOND_US: Instant = 1_000_000;

/// Talks to a test provider.
pub struct TestProviderClient {
    at: Where,
    secret: Vec<u8>,
    /// Where the provider sends its webhooks.
    notify_url: String,
    http: reqwest::Client,
    breaker: Breaker,
    /// The origin that stood in the port file, and when it was read.
    read: Mutex<Option<(tokio::time::Instant, String)>>,
}

/// Where the provider listens.
#[derive(Clone, Debug)]
pub enum Where {
    /// At a fixed origin.
    Origin(Arc<str>),
    /// At the port that stands in this data folder's port file, whatever it is after a restart.
    DataFolder(PathBuf),
}

impl TestProviderClient {
    /// `data` holds the secret that shop and test provider share (made if it is missing).
    pub fn new(at: Where, data: &std::path::Path, notify_url: String) -> anyhow::Result<Self> {
        let http = outbound::client(DEADLINE).build().context("an HTTP client")?;
        Ok(Self { at, secret: test_provider::secret(data)?, notify_url, http, breaker: Breaker::default(), read: Mutex::default() })
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        key: &str,
        body: Option<serde_json::Value>,
    ) -> Result<(StatusCode, serde_json::Value), ProviderError> {
        let mut tries = 0;
        loop {
            tries += 1;
            if !self.breaker.allows() {
                return Err(ProviderError::Unavailable(anyhow::anyhow!("the circuit is open")));
            }
            let outcome = self.try_once(method.clone(), path, key, body.as_ref()).await;
            self.breaker.record(outcome.is_ok());
            match outcome {
                Ok(answer) => return Ok(answer),
                Err(error) if tries >= TRIES => return Err(ProviderError::Unavailable(error)),
                Err(error) => tracing::debug!(error = format!("{error:#}"), path, tries, "asking the payment provider again"),
            }
            tokio::time::sleep(random::jitter(50 << tries)).await;
        }
    }

    async fn try_once(
        &self,
        method: Method,
        path: &str,
        key: &str,
        body: Option<&serde_json::Value>,
    ) -> anyhow::Result<(StatusCode, serde_json::Value)> {
        let origin = self.origin().context("the test provider has not said yet where it listens")?;
        let mut request =
            self.http.request(method, format!("{origin}{path}")).bearer_auth(String::from_utf8_lossy(&self.secret)).header("idempotency-key", key);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        anyhow::ensure!(!status.is_server_error() && status != StatusCode::TOO_MANY_REQUESTS, "it answers {status}");
        let body = answer.bytes().await?;
        Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
    }
}

fn read<T: serde::de::DeserializeOwned>((status, body): (StatusCode, serde_json::Value)) -> Result<T, ProviderError> {
    if !status.is_success() {
        return Err(ProviderError::Refused(format!("{status}: {body}")));
    }
    serde_json::from_value(body).map_err(|error| ProviderError::Unavailable(anyhow::Error::new(error).context("an answer that cannot be read")))
}

#[async_trait]
impl Provider for TestProviderClient {
    fn name(&self) -> &'static str {
        "test-provider"
    }

    fn origin(&self) -> Option<String> {
        match &self.at {
            Where::Origin(origin) => Some(origin.to_string()),
            Where::DataFolder(data) => {
                // Asked for on every page: the file is read once a second.
                let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some((at, origin)) = &*read
                    && at.elapsed() < Duration::from_secs(1)
                {
                    return Some(origin.clone());
                }
                let origin = format!("http://127.0.0.1:{}", test_provider::port(data)?);
                *read = Some((tokio::time::Instant::now(), origin.clone()));
                Some(origin)
            }
        }
    }

    fn signature_header(&self) -> &'static str {
        signature::HEADER
    }

    /// It is on this machine, so it may be asked often.
    fn patience(&self) -> Patience {
        Patience { doubt_us: 30 * SECOND_US, pending_doubt_us: 30 * SECOND_US, pending_hold_us: PaymentMethod::hold_us }
    }

    async fn create_session(&self, request: &SessionRequest) -> Result<News, ProviderError> {
        let mut body = serde_json::to_value(request).map_err(|error| ProviderError::Refused(error.to_string()))?;
        body["notify_url"] = self.notify_url.clone().into();
        read(self.call(Method::POST, "/v1/sessions", &request.payment.to_string(), Some(body)).await?)
    }

    async fn session(&self, attempt: &Attempt) -> Result<Option<News>, ProviderError> {
        let payment = attempt.payment;
        let answer = self.call(Method::GET, &format!("/v1/sessions/{payment}"), &payment.to_string(), None).await?;
        if answer.0 == StatusCode::NOT_FOUND { Ok(None) } else { read(answer).map(Some) }
    }

    async fn close_session(&self, attempt: &Attempt) -> Result<News, ProviderError> {
        let payment = attempt.payment;
        read(self.call(Method::POST, &format!("/v1/sessions/{payment}/close"), &payment.to_string(), None).await?)
    }

    async fn refund(&self, request: &RefundRequest) -> Result<RefundNews, ProviderError> {
        let body = serde_json::json!({ "refund": request.refund, "payment": request.attempt.payment, "amount": request.amount });
        read(self.call(Method::POST, "/v1/refunds", &request.refund.to_string(), Some(body)).await?)
    }

    async fn captured_since(&self, since: Instant, after: Option<&str>) -> Result<CapturedPage, ProviderError> {
        let after = after.map(|after| format!("&after={after}")).unwrap_or_default();
        read(self.call(Method::GET, &format!("/v1/captured?since={since}{after}"), "", None).await?)
    }

    async fn refunds_since(&self, since: Instant, after: Option<&str>) -> Result<RefundPage, ProviderError> {
        let after = after.map(|after| format!("&after={after}")).unwrap_or_default();
        read(self.call(Method::GET, &format!("/v1/refunds?since={since}{after}"), "", None).await?)
    }

    async fn disputes_since(&self, since: Instant, after: Option<&str>) -> Result<DisputePage, ProviderError> {
        let after = after.map(|after| format!("&after={after}")).unwrap_or_default();
        read(self.call(Method::GET, &format!("/v1/disputes?since={since}{after}"), "", None).await?)
    }

    async fn webhook(&self, signature: Option<&str>, body: &[u8], now: Instant) -> Result<WebhookEvent, WebhookFault> {
        signature::verify(&[&self.secret], signature, body, now)?;
        Ok(serde_json::from_slice(body).map_err(|_| Forged::Unreadable)?)
    }
}
