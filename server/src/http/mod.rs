//! HTTP: routes, pages, forms, headers and limits. What a page shows is `app`'s business.

mod webhooks;

use crate::Shop;
use axum::{
    Router,
    routing::{get, post},
};

/// All routes.
pub fn router(shop: &Shop) -> Router {
    Router::new().route("/healthz", get(async || "ok\n")).route("/webhooks/test-provider", post(webhooks::test_provider)).with_state(shop.clone())
}
