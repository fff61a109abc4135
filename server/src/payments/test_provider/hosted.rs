//! The hosted page's routes: what a shopper sees and types. The HTML is in `page.rs`.

use super::{
    Provider,
    api::advance,
    cards::{self, Behaviour, CardField},
    due, failed,
    ledger::{Entry, Session, State},
    page,
};
use axum::{
    Router,
    extract::{Form, Path, State as Shared},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use domain::payment::Decline;
use http::{StatusCode, header};
use serde::Deserialize;

pub(super) fn routes() -> Router<Provider> {
    Router::new()
        .route("/pay/{secret}", get(show).post(pay))
        .route("/pay/{secret}/authenticate", post(authenticate))
        .route("/pay/{secret}/cancel", post(cancel))
        .route("/page.css", get(async || ([(header::CONTENT_TYPE, "text/css"), (header::CACHE_CONTROL, "max-age=3600")], page::CSS)))
        .route("/familjen.woff2", get(async || ([(header::CONTENT_TYPE, "font/woff2"), (header::CACHE_CONTROL, "max-age=86400")], page::FONT)))
}

fn find(provider: &Provider, secret: &str) -> Option<Session> {
    if let Err(error) = due::catch_up(provider) {
        tracing::error!(error = format!("{error:#}"), "what was due could not be booked");
    }
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
        State::Pending | State::Captured => return back(&session.success_url),
        State::Failed { .. } | State::Closed if session.cancel_url.is_empty() => return back(&session.success_url),
        State::Failed { .. } | State::Closed => return back(&session.cancel_url),
    };
    let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    (status, page::headers(), Html(html)).into_response()
}

fn back(url: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, url.to_owned()), (header::CACHE_CONTROL, "no-store".to_owned())]).into_response()
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
    let behaviour = match cards::read(&form.number, &form.expiry, &form.code, &form.name, (today.year(), today.month())) {
        // The number and the code are never sent back: only what is no secret.
        Err(wrong) => return page_of(&provider, &secret, &page::Typed { expiry: form.expiry, name: form.name }, &wrong),
        Ok(behaviour) => behaviour,
    };
    let to = match behaviour {
        Behaviour::Pays
        | Behaviour::RefundsLater
        | Behaviour::RefundsBounce
        | Behaviour::RefundsRefused
        | Behaviour::Disputes { .. }
        | Behaviour::Inquires => State::Captured,
        Behaviour::Declines(reason) => State::Failed { reason },
        Behaviour::Challenges => State::Challenged,
        Behaviour::PaysLater | Behaviour::PaysDaysLater | Behaviour::FailsDaysLater => State::Pending,
    };
    let typed = provider.ledger().write(Entry::Typed { payment: session.payment, behaviour });
    if let Err(error) = typed.and_then(|()| advance(&provider, session.payment, to, false)) {
        return failed(&error);
    }
    if to == State::Challenged {
        return back(&format!("{}/pay/{secret}", provider.origin));
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
