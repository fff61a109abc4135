//! Signing in and out, and choosing another password.

use super::{query_fields, remember, send, token};
use crate::{
    Shop,
    http::{Failure, Fields, Visitor, forms::see_other, limits},
    staff::{self, ChangePasswordError, Session, SignInError, Unfit, sessions},
};
use app::{
    private::Notice,
    staff::{
        Route, route,
        sign_in::{PasswordData, SignInData, page, password_page},
    },
};
use axum::{
    Router,
    extract::{ConnectInfo, RawQuery, State},
    response::Response,
    routing::{get, post},
};
use http::HeaderMap;
use std::net::SocketAddr;

pub fn routes() -> Router<Shop> {
    Router::new()
        .route("/ops/sign-in", get(show).post(sign_in))
        .route("/ops/sign-out", post(sign_out))
        .route("/ops/password", get(show_password).post(change_password))
}

async fn show(State(shop): State<Shop>, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    let query = query_fields(query.as_deref());
    let notice = (query.get("said") == "signed-out").then(|| Notice::good("You are signed out."));
    send(&shop, page(SignInData { next: next(&query), notice, status: 200, ..SignInData::default() }))
}

async fn sign_in(
    State(shop): State<Shop>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    visitor: Visitor,
    fields: Fields,
) -> Result<Response, Failure> {
    let client = limits::client(&shop.config, peer, &headers);
    let next = next(&fields);
    let (notice, status) = match staff::sign_in(&shop, fields.get("email"), fields.get("password"), client, token(&visitor)).await {
        Ok(token) => {
            let mut response = see_other(&next.unwrap_or_else(|| Route::Home.url()));
            remember(&shop, &mut response, Some(&token));
            return Ok(response);
        }
        Err(SignInError::Wrong) => {
            ("This email address and password do not belong to an account that may sign in. Check both, or ask an admin.".to_owned(), 422)
        }
        Err(SignInError::TooMany { wait_s }) => (too_many(wait_s), 429),
        Err(SignInError::Failed(error)) => return Err(error.into()),
    };
    tracing::warn!(status, "somebody was not let in to the operations");
    send(&shop, page(SignInData { email: fields.get("email").to_owned(), next, notice: Some(Notice::bad(notice)), status }))
}

async fn sign_out(State(shop): State<Shop>, visitor: Visitor) -> Result<Response, Failure> {
    if let Some(token) = token(&visitor) {
        sessions::end(&shop.db, token).await?;
    }
    let mut response = see_other(&format!("{}?said=signed-out", Route::SignIn { next: None }.url()));
    remember(&shop, &mut response, None);
    Ok(response)
}

async fn show_password(State(shop): State<Shop>, session: Session) -> Result<Response, Failure> {
    send(&shop, password_page(PasswordData { status: 200, ..password_data(&session) }))
}

async fn change_password(
    State(shop): State<Shop>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    session: Session,
    fields: Fields,
) -> Result<Response, Failure> {
    let client = limits::client(&shop.config, peer, &headers);
    let data = match staff::change_password(&shop, &session, fields.get("current"), fields.get("chosen"), client).await {
        Ok(token) => {
            let mut response = see_other(&format!("{}?said=password", Route::Home.url()));
            remember(&shop, &mut response, Some(&token));
            return Ok(response);
        }
        Err(ChangePasswordError::Wrong) => {
            PasswordData { current_error: Some("This is not the password in use. Type it again.".to_owned()), status: 422, ..password_data(&session) }
        }
        Err(ChangePasswordError::Unfit(unfit)) => {
            PasswordData { chosen_error: Some(unfit_words(unfit).to_owned()), status: 422, ..password_data(&session) }
        }
        Err(ChangePasswordError::TooMany { wait_s }) => {
            PasswordData { notice: Some(Notice::bad(too_many(wait_s))), status: 429, ..password_data(&session) }
        }
        Err(ChangePasswordError::Failed(error)) => return Err(error.into()),
    };
    send(&shop, password_page(data))
}

fn password_data(session: &Session) -> PasswordData {
    PasswordData { email: session.email().to_owned(), must: session.must_choose_password(), ..PasswordData::default() }
}

fn next(fields: &Fields) -> Option<String> {
    Some(fields.get("next")).filter(|path| route::is_next(path)).map(str::to_owned)
}

fn too_many(wait_s: u64) -> String {
    format!("Too many attempts. Wait {wait_s} {}, then try again.", if wait_s == 1 { "second" } else { "seconds" })
}

const fn unfit_words(unfit: Unfit) -> &'static str {
    match unfit {
        Unfit::Short => "This is too short: use at least 15 characters.",
        Unfit::Long => "This is too long: use at most 500 characters.",
        Unfit::Plain => "This is too easy to guess: use a few words that nobody would say together.",
        Unfit::Same => "This is the password in use: choose another one.",
    }
}
