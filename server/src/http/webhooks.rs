//! Webhooks: what payment providers tell us. Answered 2xx only when it is stored with its effect.

use crate::{Shop, orders::WebhookError, payments::Forged};
use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};

/// A dispute's event carries its evidence, texts of 150,000 characters together.
pub const BODY_BYTES_MAX: usize = 512 * 1024;
/// Below it are the webhooks.
pub const PATH: &str = "/webhooks/";

/// `POST /webhooks/{provider}`: only the one that takes our payments is heard.
pub async fn hear(State(shop): State<Shop>, Path(name): Path<String>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let provider = shop.orders.provider();
    if name != provider.name() {
        return StatusCode::NOT_FOUND;
    }
    let given = headers.get(provider.signature_header()).and_then(|value| value.to_str().ok());
    match shop.orders.webhook(given, &body).await {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(WebhookError::Forged(forged)) => {
            tracing::warn!(%forged, "a webhook was refused");
            if forged == Forged::Unreadable { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::UNAUTHORIZED }
        }
        Err(WebhookError::Unclear(error)) => {
            tracing::warn!(error = format!("{:#}", anyhow::Error::new(error)), "a webhook waits for the provider's word; it will send it again");
            StatusCode::SERVICE_UNAVAILABLE
        }
        Err(WebhookError::Failed(error)) => {
            tracing::error!(error = format!("{error:#}"), "a webhook could not be stored; the provider will send it again");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}
