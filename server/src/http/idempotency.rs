//! The key of a form that is to count once: a shopper's comes with the form, a program's in the header `Idempotency-Key`
//! (draft-ietf-httpapi-idempotency-key-header). What a key was answered is the order core's business.

use super::Fields;
use crate::{
    clock::Clock,
    orders::{PlaceOrderError, Repeated},
};
use axum::{
    extract::FromRequestParts,
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use domain::MutationId;
use uuid::Uuid;

/// A UUID as text: 36 characters, and at most two quotes around it.
const HEADER_BYTES_MAX: usize = 38;

/// What the header says, if it is there.
pub struct Named(Option<MutationId>);

impl<S: Sync> FromRequestParts<S> for Named {
    /// Problem details: a header that is no key, or several.
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let mut headers = parts.headers.get_all("idempotency-key").iter();
        let Some(header) = headers.next() else { return Ok(Self(None)) };
        let text = header.to_str().ok().filter(|text| text.len() <= HEADER_BYTES_MAX && headers.next().is_none());
        // The draft's form is a string in quotes; programs send it bare, too.
        let bare = text.map(|text| text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text));
        match bare.map(str::parse) {
            Some(Ok(key)) => Ok(Self(Some(key))),
            Some(Err(_)) | None => Err(problem(
                StatusCode::BAD_REQUEST,
                "No key",
                "Idempotency-Key is a UUID, such as 0192d1c5-7b1e-7c3a-9d55-1f6f0a4c2b11: make one for each order and send it with every try.",
            )),
        }
    }
}

impl Named {
    /// The header's key, or the form's, or a new one where there is neither; `None`: the form's is not a UUID.
    pub fn read(&self, fields: &Fields, clock: &Clock) -> Option<Uuid> {
        match (self.0, fields.optional("mutation").filter(|text| !text.is_empty())) {
            (Some(key), _) => Some(key.0),
            (None, Some(text)) => text.parse::<MutationId>().ok().map(|key| key.0),
            (None, None) => Some(clock.id()),
        }
    }

    /// Programs are told when they come too early; shoppers go on to where the first request leads.
    pub fn repeated(&self) -> Repeated {
        if self.0.is_some() { Repeated::IsTold } else { Repeated::GoesOn }
    }

    /// What a program is told of its key; `None`: the refusal is another one, or a shopper's, for whom there is a page.
    pub fn refused(&self, refusal: &PlaceOrderError) -> Option<Response> {
        match (self.repeated(), refusal) {
            (Repeated::IsTold, PlaceOrderError::InFlight) => Some(in_flight()),
            (Repeated::IsTold, PlaceOrderError::KeyReused) => Some(problem(
                StatusCode::UNPROCESSABLE_ENTITY,
                "Another request",
                "This Idempotency-Key came with another order before: send that one again as it was, or this one with a new key.",
            )),
            _ => None,
        }
    }
}

/// The answer to a program that came too early.
pub fn in_flight() -> Response {
    let detail = "The first request with this Idempotency-Key is still under way: wait a second and send the same again.";
    let mut answer = problem(StatusCode::CONFLICT, "Under way", detail);
    answer.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
    answer
}

/// Problem details (RFC 9457).
fn problem(status: StatusCode, title: &str, detail: &str) -> Response {
    let words = serde_json::json!({ "title": title, "status": status.as_u16(), "detail": detail }).to_string();
    (status, [(header::CONTENT_TYPE, "application/problem+json"), (header::CACHE_CONTROL, "no-store")], words).into_response()
}
