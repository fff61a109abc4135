//! What tests turn over loopback: faults, the clock, and what banks do of their own accord.

use super::{
    Provider, api, due, failed,
    ledger::{Entry, State},
    webhooks,
};
use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, Path, Request, State as Shared},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::post,
};
use domain::{PaymentId, dispute::DisputeStage, payment::Decline};
use http::StatusCode;
use serde::Deserialize;
use std::net::SocketAddr;

/// The clock goes forward by at most a year at once.
const SECONDS_MAX: i64 = 366 * 24 * 3_600;

pub(super) fn routes() -> Router<Provider> {
    Router::new()
        .route("/_faults", post(set))
        .route("/_faults/advance", post(advance))
        .route("/_faults/capture/{payment}", post(capture_late))
        .route("/_faults/fail/{payment}", post(fail))
        .route("/_faults/dispute/{payment}/{stage}", post(dispute))
        .layer(middleware::from_fn(loopback_only))
}

async fn loopback_only(ConnectInfo(from): ConnectInfo<SocketAddr>, request: Request, next: Next) -> Response {
    if from.ip().is_loopback() { next.run(request).await } else { StatusCode::FORBIDDEN.into_response() }
}

async fn set(Shared(provider): Shared<Provider>, body: Bytes) -> Response {
    match serde_json::from_slice(&body) {
        Ok(faults) => {
            *provider.faults() = faults;
            if !provider.faults().reorder_webhooks {
                webhooks::release(&provider);
            }
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()).into_response(),
    }
}

#[derive(Deserialize)]
struct Forward {
    seconds: i64,
}

/// Puts the provider's clock forward: what is due by then happens now.
async fn advance(Shared(provider): Shared<Provider>, body: Bytes) -> Response {
    let Ok(Forward { seconds: seconds @ 0..=SECONDS_MAX }) = serde_json::from_slice(&body) else {
        return (StatusCode::UNPROCESSABLE_ENTITY, "say {\"seconds\": …}, at most a year").into_response();
    };
    let advanced = provider.ledger().write(Entry::Advanced { by_us: seconds * 1_000_000 });
    done(advanced.and_then(|()| due::catch_up(&provider)).map(|()| true))
}

/// Money that comes whatever became of the session: a bank transfer that was on its way.
async fn capture_late(Shared(provider): Shared<Provider>, Path(payment): Path<PaymentId>) -> Response {
    done(api::advance(&provider, payment, State::Captured, true))
}

/// Money that does not come.
async fn fail(Shared(provider): Shared<Provider>, Path(payment): Path<PaymentId>) -> Response {
    done(api::advance(&provider, payment, State::Failed { reason: Decline::Declined }, false))
}

/// A bank asks, hears an answer, wants money back, looks at the evidence, decides.
async fn dispute(Shared(provider): Shared<Provider>, Path((payment, stage)): Path<(PaymentId, String)>) -> Response {
    let now = provider.clock.now() + provider.ledger().advanced_us();
    let stage = match stage.as_str() {
        "inquiry" => DisputeStage::Inquiry { evidence_due: Some(now + due::EVIDENCE_US) },
        "answered" => DisputeStage::InquiryAnswered,
        "open" => DisputeStage::Open { evidence_due: Some(now + due::EVIDENCE_US) },
        "review" => DisputeStage::UnderReview,
        "won" => DisputeStage::Won,
        "lost" => DisputeStage::Lost,
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let id = webhooks::new_id(&provider);
    let told = provider.ledger().dispute(payment, stage, &id, now);
    done(told.map(|told| {
        let moved = told.is_some();
        if let Some(told) = told {
            webhooks::send(&provider, told);
        }
        moved
    }))
}

fn done(moved: anyhow::Result<bool>) -> Response {
    match moved {
        Ok(true) => StatusCode::NO_CONTENT.into_response(),
        Ok(false) => StatusCode::CONFLICT.into_response(),
        Err(error) => failed(&error),
    }
}
