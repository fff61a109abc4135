//! What every request passes on its way in and out: its reference, limits, the Origin check, a deadline, error pages, headers, one log
//! line. No query, no secret and no address of a visitor is logged.

use crate::{
    Shop,
    http::{
        csrf, edge,
        errors::{self, Refusal},
        forms::{BODY_BYTES_MAX, FILE_BODY_BYTES_MAX},
        headers, limits,
        visitor::{Visitor, locale_in},
        webhooks,
    },
    random,
};
use app::{pages::Fault, staff::route};
use axum::{
    extract::{ConnectInfo, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::FutureExt as _;
use http::{HeaderValue, Method, StatusCode, Uri, header};
use metrics::{Counter, Histogram};
use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    panic::AssertUnwindSafe,
    sync::LazyLock,
    time::Duration,
};
use tokio::time::{Instant, timeout};
use tracing::Instrument as _;

/// The longest that an answer may take. A payment provider that does not answer is given up after seven seconds.
const DEADLINE: Duration = Duration::from_secs(30);

/// A short name of one request, for logs and for people to quote: 40 random bits in Crockford's alphabet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference([u8; 8]);

/// The gate, as a middleware around all routes.
pub async fn gate(State(shop): State<Shop>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let reference = Reference::new();
    request.extensions_mut().insert(reference);
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let visitor = Visitor::of(request.headers());
    let span = tracing::info_span!("request", id = %reference);
    let mut response = match let_in(&shop, &request) {
        Ok(()) => answer(request, next, &method).instrument(span.clone()).await,
        Err(refusal) => refusal.into_response(),
    };
    let refusal =
        response.extensions_mut().remove::<Refusal>().or_else(|| if is_bare(&response) { errors::of_status(response.status()) } else { None });
    if let Some(mut refusal) = refusal
        && !is_plain(&uri)
    {
        if refusal.fault == Fault::Unavailable && locale_in(&uri).is_some() {
            refusal.fault = edge_pages::edge::fault(method.as_str(), &edge_pages::address::find(uri.path(), uri.query().unwrap_or_default()));
        }
        let (status, allow) = (response.status(), response.headers_mut().remove(header::ALLOW));
        response = errors::page(&shop, &visitor, visitor.locale_for(&uri), refusal, &reference.to_string()).instrument(span.clone()).await;
        // A wrong method keeps its own status, which the page has no words for.
        if status == StatusCode::METHOD_NOT_ALLOWED {
            *response.status_mut() = status;
            // Where a route knows its methods, axum adds them after this.
            if let Some(allow) = allow {
                response.headers_mut().insert(header::ALLOW, allow);
            }
        }
    }
    headers::secure(&mut response, shop.config.is_https(), shop.payment_origin().as_deref());
    if let Ok(value) = HeaderValue::from_str(&reference.to_string()) {
        response.headers_mut().insert("x-request-id", value);
    }
    note(&method, &uri, response.status(), started.elapsed(), &span);
    response
}

/// What can be refused before anything is read.
fn let_in(shop: &Shop, request: &Request) -> Result<(), Refusal> {
    let (method, headers) = (request.method(), request.headers());
    // An edge asks for all its visitors from one address.
    let is_edge = edge::is_question(request.uri().path()) && edge::knows_key(shop, headers).is_ok();
    if shop.config.rate_limits && !is_plain(request.uri()) && !is_edge {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), |info| info.0);
        let client = limits::client(&shop.config, peer, headers);
        shop.limits.check(client, method).map_err(|seconds| Refusal { fault: Fault::TooManyRequests, retry_after_s: Some(seconds) })?;
    }
    if csrf::is_foreign(&shop.config.url, method, headers) {
        return Err(Fault::Forbidden.into());
    }
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let path = request.uri().path();
    let most = if path.starts_with(webhooks::PATH) {
        webhooks::BODY_BYTES_MAX
    } else if path.starts_with(route::FILES) {
        FILE_BODY_BYTES_MAX
    } else {
        BODY_BYTES_MAX
    };
    if length.is_some_and(|bytes| bytes > most as u64) {
        return Err(Fault::TooLarge.into());
    }
    Ok(())
}

/// The routes' answer, in time and whatever happens in them.
async fn answer(request: Request, next: Next, method: &Method) -> Response {
    let work = AssertUnwindSafe(next.run(request)).catch_unwind();
    let done = if method.is_safe() {
        timeout(DEADLINE, work).await.map_err(|_| ())
    } else {
        // What changes something is finished even when the visitor has gone.
        let task = tokio::spawn(work.in_current_span());
        timeout(DEADLINE, task).await.map_err(|_| ()).and_then(|joined| joined.map_err(|_| ()))
    };
    match done {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
            tracing::error!(panic = text.unwrap_or_default(), "a handler panicked");
            Refusal::new(Fault::Server).into_response()
        }
        Err(()) => {
            tracing::error!("a request took too long");
            Refusal { fault: Fault::Unavailable, retry_after_s: Some(5) }.into_response()
        }
    }
}

/// Answers for programs: no pages, no limits.
fn is_plain(uri: &Uri) -> bool {
    let path = uri.path();
    ["/assets/", "/media/", "/webhooks/"].iter().any(|prefix| path.starts_with(prefix)) || matches!(path, "/healthz" | "/readyz" | "/metrics")
}

/// An error without a page.
fn is_bare(response: &Response) -> bool {
    // Pages, and what programs are told (RFC 9457).
    let kinds = [b"text/html".as_slice(), b"application/problem+json"];
    let has_words = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kinds.iter().any(|known| kind.as_bytes().starts_with(known)));
    (response.status().is_client_error() || response.status().is_server_error()) && !has_words
}

/// Looked up once: a name in a registry is a hash and a lock.
struct Meters {
    /// By the first digit of the status.
    answers: [Counter; 6],
    seconds: Histogram,
}

static METERS: LazyLock<Meters> = LazyLock::new(|| Meters {
    answers: ["0xx", "1xx", "2xx", "3xx", "4xx", "5xx"].map(|class| metrics::counter!("http_requests_total", "status" => class)),
    seconds: metrics::histogram!("http_request_seconds"),
});

fn note(method: &Method, uri: &Uri, status: StatusCode, took: Duration, span: &tracing::Span) {
    METERS.answers[usize::from(status.as_u16() / 100).min(5)].increment(1);
    METERS.seconds.record(took.as_secs_f64());
    let _in = span.enter();
    let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    if is_plain(uri) && status.as_u16() < 500 {
        tracing::debug!(%method, path = uri.path(), status = status.as_u16(), took_us, "answered");
    } else {
        tracing::info!(%method, path = %Told(uri.path()), status = status.as_u16(), took_us, "answered");
    }
}

/// A path as it may be logged: secrets of orders, and what links of the newsletter carry, are left out.
struct Told<'a>(&'a str);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((before, rest)) = self.0.split_once("/newsletter/") {
            return write!(f, "{before}/newsletter/{}", rest.split_once('/').map_or(rest, |(step, _)| step));
        }
        match self.0.split_once("/orders/") {
            Some((before, secret)) => write!(f, "{before}/orders/…{}", secret.split_once('/').map_or("", |(_, rest)| rest)),
            None => f.write_str(self.0),
        }
    }
}

impl Reference {
    fn new() -> Self {
        const ALPHABET: [u8; 32] = *b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let bits = u64::from_le_bytes(random::bytes());
        Self(std::array::from_fn(|at| ALPHABET[usize::try_from(bits >> (at * 5) & 31).unwrap_or(0)]))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = std::str::from_utf8(&self.0).unwrap_or_default();
        write!(f, "{}-{}", &text[..4], &text[4..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_told() {
        for (path, told) in [
            ("/en-us/orders/abcdef", "/en-us/orders/…"),
            ("/en-us/orders/abcdef/pay", "/en-us/orders/…pay"),
            ("/en-us/newsletter/confirm/abc.def", "/en-us/newsletter/confirm"),
            ("/en-us/newsletter", "/en-us/newsletter"),
            ("/en-us/p/lamp", "/en-us/p/lamp"),
        ] {
            assert_eq!(Told(path).to_string(), told);
        }
    }

    #[test]
    fn references_can_be_read_aloud() {
        let text = Reference::new().to_string();
        assert!(text.len() == 9 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{text}");
    }
}
