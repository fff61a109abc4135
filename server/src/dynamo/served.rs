//! The embedded table for an edge on this machine: DynamoDB's own protocol on a loopback port, items of the read model only, and only to read.

use crate::dynamo::embedded::{Embedded, Refused};
use anyhow::Context as _;
use axum::{Router, body::Bytes, extract::State, http::HeaderMap, response::IntoResponse, routing::post};
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// A question of 100 keys takes about 10 kB.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// Serves until `stop` says so. No signature is checked: whoever reaches the port may read what everybody may see.
pub(super) async fn serve(embedded: Embedded, address: SocketAddr, stop: impl Future<Output = ()> + Send + 'static) -> anyhow::Result<()> {
    anyhow::ensure!(address.ip().is_loopback(), "the embedded table is served on the loopback only, not on {address}");
    let listener = TcpListener::bind(address).await.with_context(|| format!("listening on {address} for the embedded table"))?;
    let router = Router::new().route("/", post(answer)).layer(axum::extract::DefaultBodyLimit::max(BODY_BYTES_MAX)).with_state(embedded);
    axum::serve(listener, router).with_graceful_shutdown(stop).await.context("serving the embedded table")
}

async fn answer(State(embedded): State<Embedded>, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default().to_owned();
    let answered = tokio::task::spawn_blocking(move || embedded.read_public(&target, &body)).await;
    let (status, json) = match answered {
        Ok(Ok(json)) => (200, json),
        Ok(Err(Refused { status, json })) => (status, json),
        Err(_) => (500, "{}".to_owned()),
    };
    (axum::http::StatusCode::from_u16(status).unwrap_or_default(), [("content-type", "application/x-amz-json-1.0")], json)
}
