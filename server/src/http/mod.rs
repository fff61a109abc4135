//! HTTP: routes, pages, forms, headers and limits. What a page shows is `app`'s business.

use crate::Shop;
use axum::{Router, routing::get};

/// All routes.
pub fn router(shop: &Shop) -> Router {
    Router::new().route("/healthz", get(async || "ok\n")).with_state(shop.clone())
}
