//! From a page to an axum response: public pages come from `edge-pages`, a visitor's own pages are rendered here and never stored.

use crate::{
    Shop,
    clock::Clock,
    http::{body::Frames, errors::Failure, visitor::Visitor},
    random,
};
use app::{
    pages::Page,
    ports::{ReadError, View},
};
use axum::{body::Body, response::Response};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{locale::Locale, offer::Instant};
use edge_core::{Class, headers::Source};
use edge_pages::{
    Log, Machine, Rendered, Reply,
    rendered::{Live, Moment},
};
use futures::future::BoxFuture;
use http::{HeaderName, HeaderValue, StatusCode, header};

/// The nonce of a response's scripts and styles, for its Content-Security-Policy.
#[derive(Clone, Debug)]
pub struct Nonce(pub String);

/// This process, as the machine that pages are rendered on.
#[derive(Clone, Debug)]
pub struct Process(pub Clock);

impl Machine for Process {
    fn now(&self) -> Instant {
        self.0.now()
    }

    fn random(&self) -> [u8; 16] {
        random::bytes()
    }

    fn later(&self, work: BoxFuture<'static, ()>) {
        tokio::spawn(work);
    }

    fn log(&self, what: Log<'_>) {
        match what {
            Log::Stale { what, reason } => tracing::warn!(what, reason, "something older is sent because it could not be made anew"),
            Log::Unmade { reason } => tracing::warn!(reason, "a page is left to somebody else"),
            Log::Broken { reason } => tracing::error!(reason, "a rendered page is no template"),
        }
    }
}

/// An answer as axum sends it.
pub fn response(reply: Reply) -> Response {
    let mut response = Response::new(Body::new(Frames::new(reply.frames)));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    for (name, value) in reply.headers {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if let Some(source) = reply.source {
        headers.insert(HeaderName::from_static("x-template"), HeaderValue::from_static(source.as_str()));
    }
    response.extensions_mut().insert(Nonce(reply.nonce));
    response
}

/// A page for this visitor alone: cart, checkout, order. Never stored.
pub async fn private(shop: &Shop, visitor: &Visitor, view: &View, page: Page) -> Result<Response, Failure> {
    let rendered = Rendered::new(&shop.pages.assets, view, page).map_err(|error| Failure::Broken(error.into()))?;
    let live = rendered.live(&shop.pages).await?;
    let moment = Moment { class: Class::Private, source: Source::Miss, shop: &view.shop, live: &live, cart_count: visitor.cart_count() };
    Ok(response(rendered.respond(&shop.pages, moment)))
}

/// A page without products; whatever else fails, this one is sent.
pub fn without_live(shop: &Shop, visitor: &Visitor, view: &View, page: Page) -> Response {
    let status = StatusCode::from_u16(page.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let moment = Moment { class: Class::Private, source: Source::Miss, shop: &view.shop, live: &Live::none(), cart_count: visitor.cart_count() };
    match Rendered::new(&shop.pages.assets, view, page) {
        Ok(rendered) => response(rendered.respond(&shop.pages, moment)),
        Err(_) => axum::response::IntoResponse::into_response(status),
    }
}

/// As of what a page in this locale is read now.
pub async fn view(shop: &Shop, locale: Locale) -> Result<View, ReadError> {
    shop.pages.view(locale).await
}

/// The same for error pages: from the last good read, or from nothing at all.
pub async fn view_at_any_rate(shop: &Shop, locale: Locale) -> View {
    shop.pages.view_at_any_rate(locale).await
}

pub fn nonce() -> String {
    URL_SAFE_NO_PAD.encode(random::bytes::<16>())
}
