//! The first page: what needs somebody.

use super::{desk, query_fields, send};
use crate::{Shop, http::Failure, staff::Staff};
use app::{private::Notice, staff::home};
use axum::{
    Router,
    extract::{RawQuery, State},
    response::Response,
    routing::get,
};

pub fn routes() -> Router<Shop> {
    Router::new().route("/ops", get(show))
}

async fn show(State(shop): State<Shop>, staff: Staff, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    let notice = (query_fields(query.as_deref()).get("said") == "password").then(|| Notice::good("The new password is saved."));
    send(&shop, home::page(&desk(&shop, &staff), Vec::new(), notice))
}
