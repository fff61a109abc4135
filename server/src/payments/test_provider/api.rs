//! The provider's routes: the merchant's API, the hosted page's forms, faults and the ledger for tests.

use super::{
    Provider,
    cards::{self, Behaviour, CardField},
    ledger::{Notice, Session, State},
    page, webhooks,
};
use crate::{payments::RefundRequest, random};
use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, DefaultBodyLimit, Form, Path, Request, State as Shared},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    PaymentId,
    payment::{Decline, News},
};
use serde::Deserialize;
use std::{net::SocketAddr, time::Duration};
use subtle::ConstantTimeEq as _;

/// A card form is a few hundred bytes; API requests stay below a kilobyte.
const BODY_BYTES_MAX: usize = 16 * 1024;
/// How long a payment that is "under way" takes.
const PENDING: Duration = Duration::from_secs(10);

pub(super) fn router(provider: Provider) -> Router {
    let api = Router::new()
        .route("/v1/sessions", post(create_session))
        .route("/v1/sessions/{payment}", get(session))
        .route("/v1/sessions/{payment}/close", post(close_session))
        .route("/v1/refunds", post(refund))
        .route("/v1/ledger", get(ledger))
        .layer(middleware::from_fn_with_state(provider.clone(), merchant_only));
    let faults = Router::new()
        .route("/_faults", post(set_faults))
        .route("/_faults/capture/{payment}", post(capture_late))
        .layer(middleware::from_fn(loopback_only));
    Router::new()
        .merge(api)
        .merge(faults)
        .route("/pay/{secret}", get(show).post(pay))
        .route("/pay/{secret}/authenticate", post(authenticate))
        .route("/pay/{secret}/cancel", post(cancel))
        .route("/page.css", get(async || ([(header::CONTENT_TYPE, "text/css"), (header::CACHE_CONTROL, "max-age=3600")], page::CSS)))
        .route("/familjen.woff2", get(async || ([(header::CONTENT_TYPE, "font/woff2"), (header::CACHE_CONTROL, "max-age=86400")], page::FONT)))
        .route("/healthz", get(async || format!("ok {}\n", std::process::id())))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(provider)
}

async fn merchant_only(Shared(provider): Shared<Provider>, headers: HeaderMap, request: Request, next: Next) -> Response {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Bearer "));
    if !given.is_some_and(|given| bool::from(given.as_bytes().ct_eq(&provider.secret))) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if provider.faults().down {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let changes = request.method() == axum::http::Method::POST;
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

async fn loopback_only(ConnectInfo(from): ConnectInfo<SocketAddr>, request: Request, next: Next) -> Response {
    if from.ip().is_loopback() { next.run(request).await } else { StatusCode::FORBIDDEN.into_response() }
}

fn json(value: &impl serde::Serialize) -> Response {
    let body = serde_json::to_string(value).expect("plain data");
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn failed(error: &anyhow::Error) -> Response {
    tracing::error!(error = format!("{error:#}"), "the test provider's ledger");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

fn news(provider: &Provider, session: &Session) -> News {
    match session.state {
        State::Open | State::Challenged => {
            News::Open { session: session.secret.chars().take(8).collect(), redirect_url: format!("{}/pay/{}", provider.origin, session.secret) }
        }
        State::Pending => News::Pending,
        State::Captured => News::Captured { amount: session.amount },
        State::Failed { reason } => News::Failed { reason },
        State::Closed => News::Closed,
    }
}

#[derive(Deserialize)]
struct NewSession {
    payment: PaymentId,
    number: String,
    amount: domain::money::Money,
    locale: String,
    return_url: String,
    notify_url: String,
}

async fn create_session(Shared(provider): Shared<Provider>, body: Bytes) -> Response {
    let Ok(new) = serde_json::from_slice::<NewSession>(&body) else { return StatusCode::UNPROCESSABLE_ENTITY.into_response() };
    if new.amount.minor <= 0 || ![&new.return_url, &new.notify_url].iter().all(|url| url.starts_with("http://") || url.starts_with("https://")) {
        return StatusCode::UNPROCESSABLE_ENTITY.into_response();
    }
    let at = provider.clock.now();
    let mut ledger = provider.ledger();
    if let Some(known) = ledger.session(new.payment) {
        let same = known.amount == new.amount && known.number == new.number;
        return if same { json(&news(&provider, known)) } else { StatusCode::CONFLICT.into_response() };
    }
    if ledger.is_barred(new.payment) {
        return json(&News::Closed);
    }
    let session = Session {
        payment: new.payment,
        secret: URL_SAFE_NO_PAD.encode(random::bytes::<18>()),
        number: new.number,
        amount: new.amount,
        locale: new.locale,
        return_url: new.return_url,
        notify_url: new.notify_url,
        state: State::Open,
        refunded_minor: 0,
        at,
    };
    match ledger.open_session(session.clone()) {
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
    let known = provider.ledger().session(payment).is_some();
    if !known {
        let barred = provider.ledger().bar(payment, at);
        return barred.map_or_else(|error| failed(&error), |()| json(&News::Closed));
    }
    match advance(&provider, payment, State::Closed, false) {
        Ok(_) => provider.ledger().session(payment).map_or_else(|| StatusCode::NOT_FOUND.into_response(), |session| json(&news(&provider, session))),
        Err(error) => failed(&error),
    }
}

async fn refund(Shared(provider): Shared<Provider>, body: Bytes) -> Response {
    let Ok(request) = serde_json::from_slice::<RefundRequest>(&body) else { return StatusCode::UNPROCESSABLE_ENTITY.into_response() };
    if provider.faults().refuse_refunds {
        return StatusCode::CONFLICT.into_response();
    }
    let at = provider.clock.now();
    let refunded = provider.ledger().refund(request.refund, request.payment, request.amount, at);
    match refunded {
        Ok(true) => json(&serde_json::json!({ "refund": request.refund })),
        Ok(false) => StatusCode::CONFLICT.into_response(),
        Err(error) => failed(&error),
    }
}

/// The whole ledger, without what would let a reader pay.
async fn ledger(Shared(provider): Shared<Provider>) -> Response {
    let ledger = provider.ledger();
    let sessions: Vec<_> = ledger
        .sessions()
        .map(|session| {
            serde_json::json!({ "payment": session.payment, "number": session.number, "amount": session.amount, "state": session.state,
                "refunded_minor": session.refunded_minor })
        })
        .collect();
    let refunds: Vec<_> =
        ledger.refunds().map(|(refund, payment, minor)| serde_json::json!({ "refund": refund, "payment": payment, "minor": minor })).collect();
    json(&serde_json::json!({ "sessions": sessions, "refunds": refunds, "undelivered_webhooks": ledger.undelivered().count() }))
}

async fn set_faults(Shared(provider): Shared<Provider>, body: Bytes) -> Response {
    match serde_json::from_slice(&body) {
        Ok(faults) => {
            *provider.faults() = faults;
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()).into_response(),
    }
}

/// Money that comes whatever became of the session: a bank transfer that was on its way.
async fn capture_late(Shared(provider): Shared<Provider>, Path(payment): Path<PaymentId>) -> Response {
    match advance(&provider, payment, State::Captured, true) {
        Ok(true) => StatusCode::NO_CONTENT.into_response(),
        Ok(false) => StatusCode::CONFLICT.into_response(),
        Err(error) => failed(&error),
    }
}

/// Moves a session on and tells the merchant. Whether it moved.
fn advance(provider: &Provider, payment: PaymentId, to: State, force: bool) -> anyhow::Result<bool> {
    let before = provider.ledger().session(payment).map(|session| session.state);
    let id = format!("evt_{}", provider.clock.id().simple());
    let notice: Option<Notice> = provider.ledger().advance(payment, to, force, &id, provider.clock.now())?;
    let moved = notice.is_some() || provider.ledger().session(payment).map(|session| session.state) != before;
    if let Some(notice) = notice {
        webhooks::send(provider, notice);
    }
    Ok(moved)
}

/// What is "under way" arrives after a while, also when the process was started anew in between.
pub(super) fn capture_soon(provider: &Provider, payment: PaymentId) {
    let provider = provider.clone();
    tokio::spawn(async move {
        tokio::time::sleep(PENDING).await;
        if let Err(error) = advance(&provider, payment, State::Captured, false) {
            tracing::error!(error = format!("{error:#}"), "money under way could not be booked");
        }
    });
}

fn find(provider: &Provider, secret: &str) -> Option<Session> {
    provider.ledger().by_secret(secret).cloned()
}

/// The page in the state that the session is in; a session that is over sends the shopper back.
fn page_of(provider: &Provider, secret: &str, typed: &page::Typed, wrong: &[CardField]) -> Response {
    let Some(session) = find(provider, secret) else {
        return (StatusCode::NOT_FOUND, page::headers(), Html(page::unknown())).into_response();
    };
    let html = match session.state {
        State::Open => page::card_form(&session, typed, wrong),
        State::Challenged => page::challenge(&session),
        State::Pending | State::Captured | State::Failed { .. } | State::Closed => return back(&session),
    };
    let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    (status, page::headers(), Html(html)).into_response()
}

fn back(session: &Session) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, session.return_url.clone()), (header::CACHE_CONTROL, "no-store".to_owned())]).into_response()
}

async fn show(Shared(provider): Shared<Provider>, Path(secret): Path<String>) -> Response {
    page_of(&provider, &secret, &page::Typed::default(), &[])
}

#[derive(Deserialize)]
struct CardForm {
    #[serde(default, rename = "cardnumber")]
    number: String,
    #[serde(default, rename = "exp-date")]
    expiry: String,
    #[serde(default, rename = "cvc")]
    code: String,
    #[serde(default, rename = "ccname")]
    name: String,
}

async fn pay(Shared(provider): Shared<Provider>, Path(secret): Path<String>, Form(form): Form<CardForm>) -> Response {
    let Some(session) = find(&provider, &secret).filter(|session| session.state == State::Open) else {
        return page_of(&provider, &secret, &page::Typed::default(), &[]);
    };
    let today = jiff::Timestamp::from_microsecond(provider.clock.now()).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_zoned(jiff::tz::TimeZone::UTC);
    let to = match cards::read(&form.number, &form.expiry, &form.code, &form.name, (today.year(), today.month())) {
        // The number and the code are never sent back: only what is no secret.
        Err(wrong) => return page_of(&provider, &secret, &page::Typed { expiry: form.expiry, name: form.name }, &wrong),
        Ok(Behaviour::Pays) => State::Captured,
        Ok(Behaviour::Declines(reason)) => State::Failed { reason },
        Ok(Behaviour::Challenges) => State::Challenged,
        Ok(Behaviour::PaysLater) => State::Pending,
    };
    if let Err(error) = advance(&provider, session.payment, to, false) {
        return failed(&error);
    }
    if to == State::Pending {
        capture_soon(&provider, session.payment);
    }
    if to == State::Challenged {
        let address = format!("{}/pay/{secret}", provider.origin);
        return (StatusCode::SEE_OTHER, [(header::LOCATION, address)]).into_response();
    }
    page_of(&provider, &secret, &page::Typed::default(), &[])
}

#[derive(Deserialize)]
struct Authentication {
    #[serde(default)]
    outcome: String,
}

async fn authenticate(Shared(provider): Shared<Provider>, Path(secret): Path<String>, Form(form): Form<Authentication>) -> Response {
    if let Some(session) = find(&provider, &secret).filter(|session| session.state == State::Challenged) {
        let to = if form.outcome == "confirm" { State::Captured } else { State::Failed { reason: Decline::NotAuthenticated } };
        if let Err(error) = advance(&provider, session.payment, to, false) {
            return failed(&error);
        }
    }
    page_of(&provider, &secret, &page::Typed::default(), &[])
}

async fn cancel(Shared(provider): Shared<Provider>, Path(secret): Path<String>) -> Response {
    if let Some(session) = find(&provider, &secret)
        && let Err(error) = advance(&provider, session.payment, State::Closed, false)
    {
        return failed(&error);
    }
    page_of(&provider, &secret, &page::Typed::default(), &[])
}
