//! The merchant's API: sessions, refunds, the ledger. Whoever calls it has the shared secret.

use super::{
    Provider, due, failed, json,
    ledger::{Entry, Session, State},
    moves, webhooks,
};
use crate::{
    payments::{CapturedPage, CapturedPayment, DisputePage, OpenedDispute, RefundPage, SentRefund, SessionRequest},
    random,
};
use axum::{
    Router,
    body::Bytes,
    extract::{Path, Query, Request, State as Shared},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{PaymentId, RefundId, money::Money, offer::Instant, payment::News, refund::RefundNews};
use http::{HeaderMap, Method, StatusCode, header};
use serde::Deserialize;
use std::time::Duration;
use subtle::ConstantTimeEq as _;

/// Payments on a page of the captured ones.
const PAGE: usize = 100;

pub(super) fn routes(provider: &Provider) -> Router<Provider> {
    Router::new()
        .route("/v1/sessions", post(create_session))
        .route("/v1/sessions/{payment}", get(session))
        .route("/v1/sessions/{payment}/close", post(close_session))
        .route("/v1/refunds", get(refunds).post(refund))
        .route("/v1/captured", get(captured))
        .route("/v1/disputes", get(disputes))
        .route("/v1/ledger", get(ledger))
        .layer(middleware::from_fn_with_state(provider.clone(), merchant_only))
}

async fn merchant_only(Shared(provider): Shared<Provider>, headers: HeaderMap, request: Request, next: Next) -> Response {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Bearer "));
    if !given.is_some_and(|given| bool::from(given.as_bytes().ct_eq(&provider.secret))) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let changes = request.method() == Method::POST;
    if let Some(refused) = lost_on_the_way(&provider, changes) {
        return refused;
    }
    if let Err(error) = due::catch_up(&provider) {
        return failed(&error);
    }
    let answer = next.run(request).await;
    let delay_ms = provider.faults().delay_replies_ms;
    tokio::time::sleep(Duration::from_millis(delay_ms)).await;
    if changes {
        let mut faults = provider.faults();
        if faults.lose_replies > 0 {
            faults.lose_replies -= 1;
            return StatusCode::BAD_GATEWAY.into_response();
        }
    }
    answer
}

fn lost_on_the_way(provider: &Provider, changes: bool) -> Option<Response> {
    let mut faults = provider.faults();
    if faults.down {
        return Some(StatusCode::SERVICE_UNAVAILABLE.into_response());
    }
    if faults.too_many > 0 {
        faults.too_many -= 1;
        return Some((StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "0")]).into_response());
    }
    if changes && faults.lose_requests > 0 {
        faults.lose_requests -= 1;
        return Some(StatusCode::BAD_GATEWAY.into_response());
    }
    None
}

fn news(provider: &Provider, session: &Session) -> News {
    match session.state {
        State::Open | State::Challenged => {
            News::Open { session: session.secret.chars().take(8).collect(), redirect_url: format!("{}/pay/{}", provider.origin, session.secret) }
        }
        State::Pending => session.pending(),
        State::Captured => News::Captured { amount: session.amount },
        State::Failed { reason } => News::Failed { reason },
        State::Closed => News::Closed,
    }
}

#[derive(Deserialize)]
struct NewSession {
    #[serde(flatten)]
    asked: SessionRequest,
    notify_url: String,
}

async fn create_session(Shared(provider): Shared<Provider>, body: Bytes) -> Response {
    let Ok(NewSession { asked, notify_url }) = serde_json::from_slice(&body) else { return StatusCode::UNPROCESSABLE_ENTITY.into_response() };
    let urls = [&asked.success_url, &asked.cancel_url, &notify_url];
    if asked.amount.minor <= 0 || !urls.iter().all(|url| url.starts_with("http://") || url.starts_with("https://")) {
        return StatusCode::UNPROCESSABLE_ENTITY.into_response();
    }
    let at = provider.clock.now();
    let mut ledger = provider.ledger();
    if let Some(known) = ledger.session(asked.payment) {
        let same = known.amount == asked.amount && known.number == asked.number;
        return if same { json(&news(&provider, known)) } else { StatusCode::CONFLICT.into_response() };
    }
    // The shop's clock is not put forward with ours.
    let expires_at = asked.expires_at + ledger.advanced_us();
    if ledger.is_barred(asked.payment) || asked.expires_at <= at {
        return json(&News::Closed);
    }
    let session = Session {
        payment: asked.payment,
        secret: URL_SAFE_NO_PAD.encode(random::bytes::<18>()),
        number: asked.number.clone(),
        amount: asked.amount,
        lines: asked.items(),
        locale: asked.locale.clone(),
        success_url: asked.success_url.clone(),
        cancel_url: asked.cancel_url.clone(),
        notify_url,
        expires_at: Some(expires_at),
        capsule: asked.capsule().map(str::to_owned),
        state: State::Open,
        behaviour: None,
        captured_at: None,
        dispute: None,
        disputed_at: None,
        refunded_minor: 0,
        at,
    };
    let expires = Entry::Due { at: expires_at, what: due::What::Expires { payment: asked.payment } };
    let opened = ledger.open_session(session.clone()).and_then(|()| ledger.write(expires));
    drop(ledger);
    if provider.faults().forge_webhooks {
        webhooks::forge(&provider, &session, None);
    }
    match opened {
        Ok(()) => json(&news(&provider, &session)),
        Err(error) => failed(&error),
    }
}

async fn session(Shared(provider): Shared<Provider>, Path(payment): Path<PaymentId>) -> Response {
    let ledger = provider.ledger();
    match ledger.session(payment) {
        Some(session) => json(&news(&provider, session)),
        None if ledger.is_barred(payment) => json(&News::Closed),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn close_session(Shared(provider): Shared<Provider>, Path(payment): Path<PaymentId>) -> Response {
    let at = provider.clock.now();
    {
        // One lock, so that the page cannot be opened in between.
        let mut ledger = provider.ledger();
        if ledger.session(payment).is_none() {
            return ledger.bar(payment, at).map_or_else(|error| failed(&error), |()| json(&News::Closed));
        }
    }
    match advance(&provider, payment, State::Closed, false) {
        Ok(_) => provider.ledger().session(payment).map_or_else(|| StatusCode::NOT_FOUND.into_response(), |session| json(&news(&provider, session))),
        Err(error) => failed(&error),
    }
}

#[derive(Deserialize)]
struct NewRefund {
    refund: RefundId,
    payment: PaymentId,
    amount: Money,
}

async fn refund(Shared(provider): Shared<Provider>, body: Bytes) -> Response {
    let Ok(NewRefund { refund, payment, amount }) = serde_json::from_slice(&body) else { return StatusCode::UNPROCESSABLE_ENTITY.into_response() };
    let known = provider.ledger().refund(refund).is_some();
    if provider.faults().refuse_refunds && !known {
        return json(&RefundNews::Refused);
    }
    let at = provider.clock.now() + provider.ledger().advanced_us();
    let said = provider.ledger().give_back(refund, payment, amount, at);
    said.map_or_else(|error| failed(&error), |news| json(&news))
}

/// What happened to payments at `since` or later, after that payment's.
#[derive(Deserialize)]
struct PaymentsQuery {
    since: Instant,
    after: Option<PaymentId>,
}

async fn captured(Shared(provider): Shared<Provider>, Query(query): Query<PaymentsQuery>) -> Response {
    let ledger = provider.ledger();
    let mut found = ledger.sessions_after(query.after).filter_map(|session| {
        let at = session.captured_at.filter(|at| *at >= query.since)?;
        Some(CapturedPayment { payment: session.payment, amount: session.amount, at, capsule: session.capsule.clone() })
    });
    let payments: Vec<_> = found.by_ref().take(PAGE).collect();
    let next = if found.next().is_some() { payments.last().map(|last| last.payment.to_string()) } else { None };
    json(&CapturedPage { payments, next })
}

async fn disputes(Shared(provider): Shared<Provider>, Query(query): Query<PaymentsQuery>) -> Response {
    let ledger = provider.ledger();
    let mut found = ledger.sessions_after(query.after).filter_map(|session| {
        session.disputed_at.filter(|at| *at >= query.since)?;
        Some(OpenedDispute { payment: session.payment, news: moves::disputed(session, session.dispute?) })
    });
    let disputes: Vec<_> = found.by_ref().take(PAGE).collect();
    let next = if found.next().is_some() { disputes.last().map(|last| last.payment.to_string()) } else { None };
    json(&DisputePage { disputes, next })
}

#[derive(Deserialize)]
struct RefundsQuery {
    since: Instant,
    after: Option<RefundId>,
}

async fn refunds(Shared(provider): Shared<Provider>, Query(query): Query<RefundsQuery>) -> Response {
    let ledger = provider.ledger();
    let mut found = ledger.refunds().filter(|(id, refund)| refund.at >= query.since && query.after.is_none_or(|after| *id > after));
    let page: Vec<_> = found.by_ref().take(PAGE).collect();
    let next = if found.next().is_some() { page.last().map(|(id, _)| id.to_string()) } else { None };
    let sent = page.into_iter().filter_map(|(id, refund)| {
        let currency = ledger.session(refund.payment)?.amount.currency;
        Some(SentRefund { refund: id, payment: refund.payment, amount: Money::new(refund.minor, currency), news: refund.news })
    });
    json(&RefundPage { refunds: sent.collect(), next })
}

/// The whole ledger, without what would let a reader pay.
async fn ledger(Shared(provider): Shared<Provider>) -> Response {
    let ledger = provider.ledger();
    let sessions: Vec<_> = ledger
        .sessions()
        .map(|session| {
            serde_json::json!({ "payment": session.payment, "number": session.number, "amount": session.amount, "state": session.state,
                "refunded_minor": session.refunded_minor, "dispute": session.dispute })
        })
        .collect();
    let refunds: Vec<_> = ledger
        .refunds()
        .map(|(id, refund)| serde_json::json!({ "refund": id, "payment": refund.payment, "minor": refund.minor, "news": refund.news }))
        .collect();
    json(&serde_json::json!({ "sessions": sessions, "refunds": refunds, "undelivered_webhooks": ledger.undelivered().count() }))
}

/// Moves a session on and tells the merchant. Whether it moved.
pub(super) fn advance(provider: &Provider, payment: PaymentId, to: State, force: bool) -> anyhow::Result<bool> {
    let id = webhooks::new_id(provider);
    let (moved, told) = {
        let mut ledger = provider.ledger();
        let before = ledger.session(payment).map(|session| session.state);
        let now = provider.clock.now() + ledger.advanced_us();
        let told = ledger.advance(payment, to, force, &id, now)?;
        (ledger.session(payment).map(|session| session.state) != before, told)
    };
    if let Some(told) = told {
        webhooks::send(provider, told);
    }
    Ok(moved)
}
