//! The key of a form that is to count once: a shopper's comes with the form, a program's in the header `Idempotency-Key`
//! (draft-ietf-httpapi-idempotency-key-header). What a key was answered is the order core's business.

use super::Fields;
use crate::{
    clock::Clock,
    orders::{OrderRequest, Orders, PlaceOrderError, Placed},
};
use axum::{
    extract::FromRequestParts,
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use std::convert::Infallible;
use uuid::Uuid;

/// What the header says, if it is there.
pub struct Named(Option<String>);

impl<S: Sync> FromRequestParts<S> for Named {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.headers.get("idempotency-key").map(|value| value.to_str().unwrap_or("?").trim_matches('"').to_owned())))
    }
}

impl Named {
    /// The header's key, or the form's, or a new one where there is neither; `None`: not a UUID.
    pub fn read(&self, fields: &Fields, clock: &Clock) -> Option<Uuid> {
        match self.0.as_deref().or_else(|| fields.optional("mutation").filter(|text| !text.is_empty())) {
            None => Some(clock.id()),
            Some(text) => text.parse::<domain::MutationId>().ok().map(|key| key.0),
        }
    }

    /// Programs are told when they come too early; shoppers get the answer that the first request gets.
    pub async fn place(&self, orders: &Orders, request: OrderRequest) -> Result<Placed, PlaceOrderError> {
        if self.0.is_some() { Box::pin(orders.place_at_once(request)).await } else { Box::pin(orders.place(request)).await }
    }
}

/// The answer to a program that came too early, as problem details (RFC 9457).
pub fn in_flight() -> Response {
    let words = r#"{"title":"Under way","status":409,"detail":"The first request with this Idempotency-Key is still under way: wait a second and send the same again."}"#;
    let headers = [(header::CONTENT_TYPE, "application/problem+json"), (header::RETRY_AFTER, "1"), (header::CACHE_CONTROL, "no-store")];
    (StatusCode::CONFLICT, headers, words).into_response()
}
