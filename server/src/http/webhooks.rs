//! Webhooks: what payment providers tell us. Answered 2xx only when it is stored with its effect.

use crate::{
    Shop,
    orders::WebhookError,
    payments::{Forged, signature},
};
use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
};

/// `POST /webhooks/test-provider`.
pub async fn test_provider(State(shop): State<Shop>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let given = headers.get(signature::HEADER).and_then(|value| value.to_str().ok());
    match shop.orders.webhook(given, &body).await {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(WebhookError::Forged(forged)) => {
            tracing::warn!(%forged, "a webhook was refused");
            if forged == Forged::Unreadable { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::UNAUTHORIZED }
        }
        Err(WebhookError::Failed(error)) => {
            tracing::error!(error = format!("{error:#}"), "a webhook could not be stored; the provider will send it again");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}
