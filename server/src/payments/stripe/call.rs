//! One call to Stripe: deadlines, bounded retries with jitter that do what Stripe asks for, a circuit breaker. A POST carries its idempotency
//! key through all its tries.

use crate::{outbound, payments::ProviderError, payments::breaker::Breaker, random};
use anyhow::Context as _;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::{Deserialize, de::DeserializeOwned};
use std::{fmt, time::Duration};
use tokio::time::Instant;

/// The version that requests and answers are written for; `server/tests/support/stripe/description.rs` has its facts.
pub const VERSION: &str = "2026-07-29.dahlia";
/// Tries per call, the first included.
const TRIES: u32 = 3;
/// One try's deadline: opening a session takes Stripe about a second.
const TRY: Duration = Duration::from_secs(4);
/// Stripe is on the far side of an ocean for some: a handshake takes more than on this machine.
const CONNECT: Duration = Duration::from_secs(2);
/// All tries and waits together; a shopper waits no longer.
const TOGETHER: Duration = Duration::from_secs(7);
/// A page of 100 expanded sessions is about a megabyte.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The API as one account.
pub struct Api {
    base: String,
    key: String,
    http: reqwest::Client,
    breaker: Breaker,
}

/// An answer to a POST.
pub struct Answered<T> {
    pub value: T,
    /// What was said to the first request with this key, played back.
    pub replayed: bool,
}

/// Why there is no answer that helps.
#[derive(Debug)]
pub enum Failure {
    /// None in time, or none that says whether something was done.
    Unavailable(anyhow::Error),
    /// Understood and refused.
    Refused(Refusal),
}

/// Stripe's error object (docs.stripe.com/api/errors).
#[derive(Debug, Default)]
pub struct Refusal {
    pub status: u16,
    pub kind: String,
    pub code: Option<String>,
    pub param: Option<String>,
    pub message: String,
    pub replayed: bool,
}

#[derive(Deserialize, Default)]
struct Envelope {
    #[serde(default)]
    error: ErrorObject,
}

#[derive(Deserialize, Default)]
struct ErrorObject {
    #[serde(default, rename = "type")]
    kind: String,
    code: Option<String>,
    param: Option<String>,
    message: Option<String>,
}

impl Refusal {
    /// No object with that id.
    pub fn is_missing(&self) -> bool {
        self.status == 404 || self.code.as_deref() == Some("resource_missing")
    }

    /// The page's end is too near to open it.
    pub fn is_too_late(&self) -> bool {
        self.param.as_deref() == Some("expires_at")
    }

    /// The key was used with other parameters.
    pub fn is_other_words(&self) -> bool {
        self.kind == "idempotency_error"
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.kind)?;
        for part in [&self.code, &self.param].into_iter().flatten() {
            write!(f, ", {part}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl From<Failure> for ProviderError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unavailable(error) => Self::Unavailable(error),
            Failure::Refused(refusal) => Self::Refused(refusal.to_string()),
        }
    }
}

/// A part of a path: what comes from outside cannot lead elsewhere.
pub fn segment(id: &str) -> String {
    utf8_percent_encode(id, NON_ALPHANUMERIC).to_string().replace("%5F", "_")
}

impl Api {
    pub fn new(base: &str, key: &str) -> anyhow::Result<Self> {
        let http = outbound::client(TRY).connect_timeout(CONNECT).build().context("an HTTP client")?;
        Ok(Self { base: base.to_owned(), key: key.to_owned(), http, breaker: Breaker::default() })
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<T, Failure> {
        let request = || self.request(Method::GET, path).query(query);
        Ok(self.call(request, path).await?.value)
    }

    pub async fn post<T: DeserializeOwned>(&self, path: &str, key: &str, form: &[(String, String)]) -> Result<Answered<T>, Failure> {
        let request = || self.request(Method::POST, path).header("idempotency-key", key).form(form);
        self.call(request, path).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.key).header("stripe-version", VERSION)
    }

    async fn call<T: DeserializeOwned>(&self, request: impl Fn() -> RequestBuilder, path: &str) -> Result<Answered<T>, Failure> {
        let until = Instant::now() + TOGETHER;
        let mut tries = 0;
        loop {
            tries += 1;
            if !self.breaker.allows() {
                return Err(Failure::Unavailable(anyhow::anyhow!("the circuit is open")));
            }
            let left = until.saturating_duration_since(Instant::now()).min(TRY);
            let tried = Tried::read(request().timeout(left).send().await).await;
            self.breaker.record(tried.is_well());
            if let Some(refusal) = tried.needs_attention() {
                tracing::error!(path, status = refusal, "Stripe does not let us in: check STRIPE_SECRET_KEY and what it may do");
            }
            let wait = tried.retry_after.unwrap_or_else(|| random::jitter(100 << tries));
            if !tried.may_be_tried_again() || tries == TRIES || Instant::now() + wait >= until {
                return tried.outcome();
            }
            tracing::debug!(path, tries, error = %tried.said(), "asking Stripe again");
            tokio::time::sleep(wait).await;
        }
    }
}

/// One try.
struct Tried {
    answer: anyhow::Result<(StatusCode, Vec<u8>)>,
    replayed: bool,
    /// `stripe-should-retry`.
    should_retry: Option<bool>,
    retry_after: Option<Duration>,
}

impl Tried {
    async fn read(sent: reqwest::Result<Response>) -> Self {
        let answer = match sent {
            Ok(answer) => answer,
            Err(error) => return Self { answer: Err(error.without_url().into()), replayed: false, should_retry: None, retry_after: None },
        };
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let replayed = header("idempotent-replayed").as_deref() == Some("true");
        let should_retry = header("stripe-should-retry").and_then(|value| value.parse().ok());
        let retry_after = header("retry-after").and_then(|value| value.trim().parse().ok()).map(Duration::from_secs);
        Self { answer: read_bounded(answer).await, replayed, should_retry, retry_after }
    }

    /// Whether Stripe is there and has room for us.
    fn is_well(&self) -> bool {
        self.answer.as_ref().is_ok_and(|(status, _)| !status.is_server_error() && *status != StatusCode::TOO_MANY_REQUESTS)
    }

    /// The status that says that our key is not good.
    fn needs_attention(&self) -> Option<u16> {
        let (status, _) = self.answer.as_ref().ok()?;
        [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(status).then_some(status.as_u16())
    }

    /// Stripe's word first; else what its own libraries do: a lost answer, a conflict with a request that is under way, too many, its failures.
    fn may_be_tried_again(&self) -> bool {
        let Ok((status, _)) = &self.answer else { return true };
        self.should_retry.unwrap_or_else(|| status.is_server_error() || [StatusCode::CONFLICT, StatusCode::TOO_MANY_REQUESTS].contains(status))
    }

    fn said(&self) -> String {
        self.answer.as_ref().map_or_else(|error| format!("{error:#}"), |(status, _)| status.to_string())
    }

    fn outcome<T: DeserializeOwned>(self) -> Result<Answered<T>, Failure> {
        let (status, body) = self.answer.map_err(Failure::Unavailable)?;
        if status.is_success() {
            let value =
                serde_json::from_slice(&body).map_err(|error| Failure::Unavailable(anyhow::Error::new(error).context("an answer of Stripe")))?;
            return Ok(Answered { value, replayed: self.replayed });
        }
        // A conflict is about a request that is still under way; a key that is refused may be mended by a person.
        let unclear = [StatusCode::CONFLICT, StatusCode::TOO_MANY_REQUESTS, StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
        let error = serde_json::from_slice::<Envelope>(&body).unwrap_or_default().error;
        if status.is_server_error() || unclear.contains(&status) {
            return Err(Failure::Unavailable(anyhow::anyhow!("Stripe answers {status}: {}", error.message.unwrap_or_default())));
        }
        Err(Failure::Refused(Refusal {
            status: status.as_u16(),
            kind: error.kind,
            code: error.code,
            param: error.param,
            message: error.message.unwrap_or_default(),
            replayed: self.replayed,
        }))
    }
}

async fn read_bounded(mut answer: Response) -> anyhow::Result<(StatusCode, Vec<u8>)> {
    let status = answer.status();
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await? {
        anyhow::ensure!(body.len() + part.len() <= ANSWER_BYTES_MAX, "an answer of Stripe is longer than {ANSWER_BYTES_MAX} bytes");
        body.extend_from_slice(&part);
    }
    Ok((status, body))
}
