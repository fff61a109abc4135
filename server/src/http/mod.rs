//! HTTP: routes, pages, forms, headers and limits. What a page shows is `app`'s business.

mod again;
mod assets;
mod basket;
mod body;
mod cancel;
mod cart;
mod checkout;
mod coupon;
mod csrf;
mod draft;
mod edge;
pub mod errors;
pub mod exchange;
mod feed;
mod find;
pub mod forms;
mod gate;
mod give_back;
mod headers;
mod health;
mod idempotency;
mod invoice;
pub mod limits;
mod link;
mod newsletter;
pub mod ops;
mod order;
pub mod pages;
pub mod render;
pub mod sitemap;
pub mod visitor;
mod ways;
mod webhooks;

pub use errors::{Failure, Refusal};
pub use forms::{Fields, see_other};
pub use visitor::{InLocale, Visitor};

use crate::Shop;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};
use tower_http::compression::{
    CompressionLayer, CompressionLevel,
    predicate::{DefaultPredicate, NotForContentType, Predicate as _},
};

/// All routes. Every other address is a public page, or none.
pub fn router(shop: &Shop) -> Router {
    let routes = Router::new()
        .route("/", get(pages::root))
        .route("/locale/{*page}", get(pages::choose))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .route("/robots.txt", get(sitemap::robots))
        .route("/sitemap.xml", get(sitemap::sitemap))
        .route("/sitemap/{name}", get(sitemap::part))
        .route("/webhooks/{provider}", post(webhooks::hear).layer(DefaultBodyLimit::max(webhooks::BODY_BYTES_MAX)))
        .merge(cart::routes())
        .merge(coupon::routes())
        .merge(checkout::routes())
        .merge(order::routes())
        .merge(invoice::routes())
        .merge(ops::routes(shop))
        .merge(feed::routes())
        .merge(find::routes())
        .merge(link::routes())
        .merge(newsletter::routes())
        .merge(again::routes())
        .merge(cancel::routes())
        .merge(give_back::routes())
        .merge(edge::routes())
        .merge(assets::routes(shop))
        .fallback(pages::page);
    // Pages are filled anew for everybody, so they are compressed anew: at the fastest level. Fonts are compressed already.
    let compressible = DefaultPredicate::new().and(NotForContentType::const_new("font/"));
    routes
        .layer(DefaultBodyLimit::max(forms::BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(shop.clone(), gate::gate))
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(compressible))
        .with_state(shop.clone())
}
