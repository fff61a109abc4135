//! Stripe: hosted Checkout, refunds, disputes and signed webhooks, over its HTTP API. Card data is typed at Stripe and never comes here.
//!
//! What Stripe promises, and what is made of it (docs.stripe.com/api/idempotent_requests, /api/checkout/sessions):
//! - An answer is kept under its idempotency key for a day, failures of its own included. The key of a payment page is the payment's id, and
//!   the page's end is counted from the attempt's beginning, so that a key that was forgotten cannot open a second page: it would be too late.
//! - An answer that is played back says what was, not what is: then the session is asked for.
//! - Only who has the answer has the page's address. So a page whose answer was lost is looked for among the sessions of its time, and one
//!   that is not there can be taken for closed.
//! - A card that is declined is no end: the shopper stays on the page and takes another one. `payment_intent.payment_failed` is therefore not
//!   heard; methods that fail after days say so with `checkout.session.async_payment_failed`.

mod call;
mod form;
mod objects;
mod webhook;

use super::{
    Attempt, CapturedPage, CapturedPayment, DisputePage, Patience, Provider, ProviderError, RefundPage, RefundRequest, SESSION_US, SessionRequest,
    WebhookEvent, WebhookFault,
};
use crate::{config::StripeAccess, random};
use async_trait::async_trait;
use call::{Api, Failure};
use domain::{
    PaymentId,
    offer::Instant,
    payment::{Method, News},
    refund::RefundNews,
};
use objects::{Dispute, Intent, List, Refund, Session};

/// The header in which Stripe signs.
const SIGNATURE: &str = "stripe-signature";
const SECOND_US: Instant = 1_000_000;
const MINUTE_US: Instant = 60 * SECOND_US;
const DAY_US: Instant = 24 * 60 * MINUTE_US;
/// How far Stripe's clock may be from ours when sessions are looked for by their time.
const SKEW_US: Instant = 5 * MINUTE_US;
/// Pages of 100 sessions that are looked through for one: 5,000 sessions of about 40 minutes, two a second.
const PAGES_MAX: u32 = 50;
/// The slowest methods settle within so long (SEPA debits): captured sessions are looked for from so much earlier on.
const SETTLES_US: Instant = 14 * DAY_US;

/// Stripe's API with one account.
pub struct Stripe {
    api: Api,
    /// The endpoint's signing secrets: two while one is replaced.
    secrets: Vec<String>,
    checkout: String,
}

impl Stripe {
    pub fn new(access: &StripeAccess) -> anyhow::Result<Self> {
        Ok(Self {
            api: Api::new(&access.api_base, &access.secret_key)?,
            secrets: access.webhook_secrets.clone(),
            checkout: access.checkout_origin().to_owned(),
        })
    }

    /// A session by Stripe's own id, with its payment intent and how that is paid.
    async fn by_id(&self, id: &str) -> Result<Option<Session>, Failure> {
        let path = format!("/v1/checkout/sessions/{}", call::segment(id));
        match self.api.get(&path, &[("expand[]", "payment_intent.payment_method")]).await {
            Ok(session) => Ok(Some(session)),
            Err(Failure::Refused(refusal)) if refusal.is_missing() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    async fn look_up(&self, attempt: &Attempt) -> Result<Option<Session>, Failure> {
        match &attempt.session {
            Some(id) => self.by_id(id).await,
            None => self.look_for(attempt.payment, attempt.created_at).await,
        }
    }

    /// Looks for a session whose answer was lost, among those that were made while its attempt could open one.
    async fn look_for(&self, payment: PaymentId, created_at: Instant) -> Result<Option<Session>, Failure> {
        let from = ((created_at - SKEW_US) / SECOND_US).to_string();
        let to = ((created_at + SESSION_US - form::OPEN_MIN_US + SKEW_US) / SECOND_US).to_string();
        let reference = payment.to_string();
        let mut found: Option<Session> = None;
        let mut after = None::<String>;
        for _ in 0..PAGES_MAX {
            let mut query = vec![("limit", "100"), ("created[gte]", &from), ("created[lte]", &to), ("expand[]", "data.payment_intent")];
            if let Some(after) = &after {
                query.push(("starting_after", after));
            }
            let page: List<Session> = self.api.get("/v1/checkout/sessions", &query).await?;
            after = page.data.last().map(|last| last.id.clone());
            // Two under one payment: the one with the money counts.
            for session in page.data.into_iter().filter(|session| session.client_reference_id.as_deref() == Some(&reference)) {
                if found.as_ref().is_none_or(|known| known.weight() < session.weight()) {
                    found = Some(session);
                }
            }
            if !page.has_more || found.is_some() {
                return Ok(found);
            }
        }
        Err(Failure::Unavailable(anyhow::anyhow!("too many sessions to look for one whose answer was lost")))
    }

    async fn refunds_of(&self, intent: &str, request: &RefundRequest) -> Result<Option<Refund>, Failure> {
        let reference = request.refund.to_string();
        let page: List<Refund> = self.api.get("/v1/refunds", &[("limit", "100"), ("payment_intent", intent)]).await?;
        Ok(page.data.into_iter().find(|refund| refund.metadata.get("refund") == Some(&reference)))
    }

    /// Whose payment an intent is.
    async fn payment_of(&self, intent: &str) -> Result<Option<PaymentId>, Failure> {
        let intent: Intent = self.api.get(&format!("/v1/payment_intents/{}", call::segment(intent)), &[]).await?;
        Ok(intent.payment())
    }
}

#[async_trait]
impl Provider for Stripe {
    fn name(&self) -> &'static str {
        "stripe"
    }

    fn origin(&self) -> Option<String> {
        Some(self.checkout.clone())
    }

    fn signature_header(&self) -> &'static str {
        SIGNATURE
    }

    /// Vouchers and bank transfers take days; Stripe's limit of a hundred calls a second is for all that a shop does.
    fn patience(&self) -> Patience {
        Patience { doubt_us: 2 * MINUTE_US, pending_doubt_us: 30 * MINUTE_US, pending_hold_us: Method::hold_us }
    }

    async fn create_session(&self, request: &SessionRequest) -> Result<News, ProviderError> {
        let key = request.payment.to_string();
        let mut form = form::session(request)?;
        let mut made = self.api.post::<Session>("/v1/checkout/sessions", &key, &form).await;
        if matches!(&made, Err(Failure::Refused(refusal)) if refusal.param.as_deref() == Some("customer_email")) {
            // An address that we take and Stripe does not: its page asks for one.
            form.retain(|(name, _)| name != "customer_email");
            made = self.api.post("/v1/checkout/sessions", &key, &form).await;
        }
        let made = match made {
            Ok(made) if made.replayed => self.by_id(&made.value.id).await?,
            Ok(made) => Some(made.value),
            // Too late to open a page for this attempt, or one was opened with other words: what became of that one?
            Err(Failure::Refused(refusal)) if refusal.is_too_late() => match self.look_for(request.payment, begun(request)).await? {
                Some(session) => Some(session),
                None => return Ok(News::Closed),
            },
            Err(Failure::Refused(refusal)) if refusal.is_other_words() => self.look_for(request.payment, begun(request)).await?,
            Err(failure) => return Err(failure.into()),
        };
        let session = made.ok_or_else(|| ProviderError::Unavailable(anyhow::anyhow!("Stripe made a session and does not know it")))?;
        session.news()
    }

    async fn session(&self, attempt: &Attempt) -> Result<Option<News>, ProviderError> {
        self.look_up(attempt).await?.map(|session| session.news()).transpose()
    }

    async fn close_session(&self, attempt: &Attempt) -> Result<News, ProviderError> {
        let id = match &attempt.session {
            Some(id) => id.clone(),
            None => match self.look_for(attempt.payment, attempt.created_at).await? {
                Some(session) => session.id,
                // Nobody has its address, and nobody will be given it.
                None => return Ok(News::Closed),
            },
        };
        // A key of its own for each wish to close: an answer of another time would not help.
        let key = format!("expire-{}", uuid::Uuid::from_bytes(random::bytes()).simple());
        match self.api.post::<Session>(&format!("/v1/checkout/sessions/{}/expire", call::segment(&id)), &key, &[]).await {
            Ok(closed) => closed.value.news(),
            // It is not open any more, or never was.
            Err(Failure::Refused(refusal)) => match self.by_id(&id).await?.map(|session| session.news()).transpose()? {
                None => Ok(News::Closed),
                Some(News::Open { .. }) => Err(ProviderError::Refused(refusal.to_string())),
                Some(news) => Ok(news),
            },
            Err(failure) => Err(failure.into()),
        }
    }

    async fn refund(&self, request: &RefundRequest) -> Result<RefundNews, ProviderError> {
        let session = self.look_up(&request.attempt).await?;
        let Some(intent) = session.as_ref().and_then(Session::intent_id) else { return Ok(RefundNews::Refused) };
        // Keys are forgotten after a day, refunds are asked for longer: what was made is found by our own id.
        if let Some(known) = self.refunds_of(intent, request).await? {
            return Ok(known.news());
        }
        let form = form::refund(request, intent)?;
        let key = request.refund.to_string();
        let made = match self.api.post::<Refund>("/v1/refunds", &key, &form).await {
            // A refusal of another time: things may have changed since. One more key an hour.
            Err(Failure::Refused(refusal)) if refusal.replayed => {
                let key = format!("{key}.{}", request.at / (60 * MINUTE_US));
                self.api.post("/v1/refunds", &key, &form).await
            }
            made => made,
        };
        match made {
            Ok(made) => Ok(made.value.news()),
            Err(Failure::Refused(refusal)) => {
                tracing::warn!(refund = %request.refund, %refusal, "Stripe refuses a refund");
                Ok(RefundNews::Refused)
            }
            Err(failure) => Err(failure.into()),
        }
    }

    async fn captured_since(&self, since: Instant, after: Option<&str>) -> Result<CapturedPage, ProviderError> {
        let from = ((since - SETTLES_US) / SECOND_US).max(0).to_string();
        let mut query = vec![("limit", "100"), ("status", "complete"), ("created[gte]", from.as_str()), ("expand[]", "data.payment_intent")];
        if let Some(after) = after {
            query.push(("starting_after", after));
        }
        let page: List<Session> = self.api.get("/v1/checkout/sessions", &query).await?;
        let next = page.data.last().filter(|_| page.has_more).map(|last| last.id.clone());
        let mut payments = Vec::with_capacity(page.data.len());
        for session in &page.data {
            // An account may have sessions that are not ours, of kinds that tell no amount.
            let Some(payment) = session.payment() else { continue };
            if let News::Captured { amount } = session.news()? {
                payments.push(CapturedPayment { payment, amount, at: session.paid_at_s() * SECOND_US, capsule: form::capsule(&session.metadata) });
            }
        }
        Ok(CapturedPage { payments, next })
    }

    async fn refunds_since(&self, since: Instant, after: Option<&str>) -> Result<RefundPage, ProviderError> {
        let from = (since / SECOND_US).max(0).to_string();
        let mut query = vec![("limit", "100"), ("created[gte]", from.as_str())];
        if let Some(after) = after {
            query.push(("starting_after", after));
        }
        let page: List<Refund> = self.api.get("/v1/refunds", &query).await?;
        let next = page.data.last().filter(|_| page.has_more).map(|last| last.id.clone());
        Ok(RefundPage { refunds: page.data.iter().filter_map(Refund::sent).collect(), next })
    }

    /// A dispute names its intent, and the intent our payment.
    async fn disputes_since(&self, since: Instant, after: Option<&str>) -> Result<DisputePage, ProviderError> {
        let from = (since / SECOND_US).max(0).to_string();
        let mut query = vec![("limit", "100"), ("created[gte]", from.as_str()), ("expand[]", "data.payment_intent")];
        if let Some(after) = after {
            query.push(("starting_after", after));
        }
        let page: List<Dispute> = self.api.get("/v1/disputes", &query).await?;
        let next = page.data.last().filter(|_| page.has_more).map(|last| last.id.clone());
        Ok(DisputePage { disputes: page.data.iter().filter_map(Dispute::opened).collect(), next })
    }

    async fn webhook(&self, signature: Option<&str>, body: &[u8], now: Instant) -> Result<WebhookEvent, WebhookFault> {
        webhook::read(self, signature, body, now).await
    }
}

/// When the attempt of a request began.
const fn begun(request: &SessionRequest) -> Instant {
    request.expires_at - SESSION_US
}
