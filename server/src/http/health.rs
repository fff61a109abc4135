//! Whether the shop lives, whether it can serve, and its metrics.

use crate::{Shop, http::limits, telemetry};
use axum::{
    extract::{ConnectInfo, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use std::{net::SocketAddr, time::Duration};
use tokio::time::timeout;

/// How long a store may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(2);

/// The process answers.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// SQL and the table answer; otherwise 503 and which does not.
pub async fn readyz(State(shop): State<Shop>) -> Response {
    let sql = async { shop.db.first("SELECT 1 AS one", Vec::new()).await.is_ok() };
    let table = async { shop.table.ping().await.is_ok() };
    let (sql, table) = tokio::join!(timeout(PATIENCE, sql), timeout(PATIENCE, table));
    let word = |answered: Result<bool, _>| if answered.unwrap_or(false) { "ok" } else { "does not answer" };
    let (sql, table) = (word(sql), word(table));
    let status = if sql == "ok" && table == "ok" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, format!("sql: {sql}\ntable: {table}\n")).into_response()
}

/// Prometheus' text format, for this machine and trusted proxies only.
pub async fn metrics(State(shop): State<Shop>, ConnectInfo(peer): ConnectInfo<SocketAddr>, headers: HeaderMap) -> Response {
    if !limits::is_inside(&shop.config, peer, &headers) {
        return (StatusCode::FORBIDDEN, "metrics are read from this machine or through a trusted proxy\n").into_response();
    }
    let (templates, bytes) = shop.pages.usage();
    #[expect(clippy::cast_precision_loss, reason = "a gauge of bytes may be off by one in 10^15")]
    {
        metrics::gauge!("templates").set(templates as f64);
        metrics::gauge!("templates_bytes").set(bytes as f64);
    }
    let text = telemetry::metrics().render();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
