//! The headers that keep a page to itself: what it may load, where its forms go, who may frame it.

use crate::http::render::Nonce;
use axum::response::Response;
use http::{HeaderName, HeaderValue, header};

/// What every answer says.
const ALWAYS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Secret links must not leak to other sites; same-origin still lets forms name their Origin.
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];
/// Two years. What else lives under the same domain decides for itself.
const STRICT_TRANSPORT: &str = "max-age=63072000";
/// For everything that is no page of ours: a picture that was uploaded can do nothing when it is opened by itself.
const INERT: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";

/// Adds the headers. `provider` is the origin of the payment page, to which a checkout's form is redirected.
pub fn secure(response: &mut Response, is_https: bool, provider: Option<&str>) {
    let nonce = response.extensions_mut().remove::<Nonce>();
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if is_https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(STRICT_TRANSPORT));
    }
    let policy = match nonce {
        Some(Nonce(nonce)) => HeaderValue::from_str(&page_policy(&nonce, is_https, provider)).unwrap_or(HeaderValue::from_static(INERT)),
        None => HeaderValue::from_static(INERT),
    };
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
}

/// Scripts run by nonce only; modules that such a script imports inherit it (HTML, "descendant script fetch options").
fn page_policy(nonce: &str, is_https: bool, provider: Option<&str>) -> String {
    let provider = provider.map(|origin| format!(" {origin}")).unwrap_or_default();
    let upgrade = if is_https { "; upgrade-insecure-requests" } else { "" };
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; font-src 'self'; \
         connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'{provider}; base-uri 'none'; frame-ancestors 'none'{upgrade}"
    )
}
