//! Adds the headers that keep a page to itself; which they are, `edge-core` says for origin and edge alike.

use crate::http::render::Nonce;
use axum::response::Response;
use edge_core::headers::security_headers;
use http::{HeaderName, HeaderValue, header};

/// Adds the headers. `provider` is the origin of the payment page, to which a checkout's form is redirected.
pub fn secure(response: &mut Response, is_https: bool, provider: Option<&str>) {
    let nonce = response.extensions_mut().remove::<Nonce>();
    let nonce = nonce.as_ref().map(|Nonce(nonce)| nonce.as_str());
    let headers = response.headers_mut();
    for (name, value) in security_headers(is_https, nonce, provider) {
        let Ok(value) = HeaderValue::from_str(&value) else { continue };
        let name = HeaderName::from_static(name);
        // An answer may have a policy of its own.
        if name == header::CONTENT_SECURITY_POLICY {
            headers.entry(name).or_insert(value);
        } else {
            headers.insert(name, value);
        }
    }
}
