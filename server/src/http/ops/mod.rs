//! The operator pages: who may pass, how a page is sent, and where each is. Every handler takes a [`Staff`], which only a good session gives.

mod audit;
mod home;
mod orders;
mod sign_in;
mod stock;
mod tables;

use crate::{
    Shop,
    http::{Failure, Fields, Refusal, Visitor, errors, forms::see_other, gate::Reference, render},
    staff::{Session, Staff, sessions},
};
use anyhow::Context as _;
use app::{
    document::Assets,
    pages::Fault,
    staff::{self, Desk, Route, Sheet, route},
};
use axum::{
    Router,
    body::Body,
    extract::{FromRequestParts, Request, State},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};
use domain::staff::Right;
use http::{HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};
use hydration_context::SsrSharedContext;
use leptos::prelude::{Owner, RenderHtml as _};
use std::sync::Arc;

/// Said to whoever goes back to a page whose form was sent, and sends it filled in otherwise.
const OTHER_WORDS: &str = "This form was sent before with other words, and that was done. Look at the page below, and repeat what is missing.";

/// The session's cookie.
const COOKIE: &str = "staff";

/// Everything under `/ops`.
pub fn routes(shop: &Shop) -> Router<Shop> {
    Router::new()
        .merge(home::routes())
        .merge(sign_in::routes())
        .merge(audit::routes())
        .merge(stock::routes())
        .merge(orders::routes())
        .merge(tables::routes())
        .route("/ops/{*rest}", axum::routing::any(nothing))
        .layer(middleware::from_fn_with_state(shop.clone(), around))
}

/// A page of the operations that does not exist looks the same to those who are signed in only.
async fn nothing(_: Staff) -> Refusal {
    Fault::NotFound.into()
}

/// What every request to the operations passes: forms name where they come from, nothing is stored, and refusals are pages of the operations.
async fn around(State(shop): State<Shop>, request: Request, next: Next) -> Response {
    // The gate refuses foreign origins. Here nobody is let off for naming none: a browser's page always does.
    let unnamed = !request.method().is_safe() && !request.headers().contains_key(header::ORIGIN);
    let reference = request.extensions().get::<Reference>().map(Reference::to_string).unwrap_or_default();
    let mut response = if unnamed { Refusal::new(Fault::Forbidden).into_response() } else { next.run(request).await };
    let is_page = response.headers().contains_key(header::CONTENT_TYPE);
    let refusal = response.extensions_mut().remove::<Refusal>().or_else(|| errors::of_status(response.status()).filter(|_| !is_page));
    if let Some(refusal) = refusal {
        let kept = [header::ALLOW, header::RETRY_AFTER].map(|name| response.headers_mut().remove(&name).map(|value| (name, value)));
        let status = response.status();
        // Only what is nobody's fault but ours needs a number to quote.
        let reference = if refusal.fault.status() >= 500 { &*reference } else { "" };
        response = send(&shop, staff::fault::page(refusal.fault, reference)).unwrap_or_else(Failure::into_response);
        // A wrong method keeps its own status, which the page has no words for.
        if status == StatusCode::METHOD_NOT_ALLOWED {
            *response.status_mut() = status;
        }
        response.headers_mut().extend(kept.into_iter().flatten());
        if let Some(seconds) = refusal.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex"));
    response
}

/// What a page in the frame needs beside its own data.
pub fn desk(shop: &Shop, staff: &Staff) -> Desk {
    Desk { person: staff.person(), now: shop.clock.now(), mutation: shop.clock.id().to_string() }
}

/// A page as an answer.
pub fn send(shop: &Shop, sheet: Sheet) -> Result<Response, Failure> {
    let status = StatusCode::from_u16(sheet.status).context("a sheet has a status")?;
    let html = rendered(sheet, &shop.pages.assets);
    let mut response = (status, [(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))], Body::from(html)).into_response();
    response.extensions_mut().insert(render::Nonce(render::nonce()));
    Ok(response)
}

fn rendered(sheet: Sheet, assets: &Assets) -> String {
    let owner = Owner::new_root(Some(Arc::new(SsrSharedContext::new_islands())));
    let html = owner.with(|| staff::document(sheet, assets).to_html());
    owner.unset_with_forced_cleanup();
    html
}

/// The token in a request's cookie.
fn token(visitor: &Visitor) -> Option<&str> {
    visitor.cookie(COOKIE).filter(|token| !token.is_empty())
}

/// Puts a session's token into the cookie, or takes it out. Without an age: it is gone with the browser.
fn remember(shop: &Shop, response: &mut Response, token: Option<&str>) {
    let secure = if shop.config.is_https() { "; Secure" } else { "" };
    let (value, age) = token.map_or(("", "; Max-Age=0"), |token| (token, ""));
    let cookie = format!("{COOKIE}={value}; Path={}; HttpOnly; SameSite=Strict{secure}{age}", route::ROOT);
    response.headers_mut().extend(HeaderValue::from_str(&cookie).ok().map(|cookie| (header::SET_COOKIE, cookie)));
}

/// Where somebody without a session is led, and back from there afterwards. A form that was typed cannot be sent on: it leads to the first page.
fn to_sign_in(parts: &Parts) -> Response {
    let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
    let next = (parts.method == Method::GET && route::is_next(path) && path != route::ROOT).then(|| path.to_owned());
    see_other(&Route::SignIn { next }.url())
}

impl FromRequestParts<Shop> for Session {
    type Rejection = Response;
    async fn from_request_parts(parts: &mut Parts, shop: &Shop) -> Result<Self, Response> {
        let visitor = Visitor::of(&parts.headers);
        let Some(token) = token(&visitor) else { return Err(to_sign_in(parts)) };
        match sessions::find(&shop.db, token, shop.clock.now()).await {
            Ok(Some(session)) => Ok(session),
            Ok(None) => Err(to_sign_in(parts)),
            Err(error) => Err(Failure::from(error).into_response()),
        }
    }
}

impl FromRequestParts<Shop> for Staff {
    type Rejection = Response;
    async fn from_request_parts(parts: &mut Parts, shop: &Shop) -> Result<Self, Response> {
        let session = Session::from_request_parts(parts, shop).await?;
        let staff = session.staff().ok_or_else(|| see_other(&Route::Password.url()))?;
        // An account whose roles are all unknown here may see nothing.
        staff.require(Right::Look).map_err(|fault| Refusal::new(fault).into_response())?;
        Ok(staff)
    }
}

/// The fields of a query, read as a form's.
fn query_fields(query: Option<&str>) -> Fields {
    Fields::read(query.unwrap_or_default().as_bytes()).unwrap_or_default()
}
