//! Sending webhooks: signed anew on every try, tried until the shop says that it has stored them.

use super::{Provider, ledger::Notice};
use crate::payments::signature;
use std::time::Duration;

/// The first wait after a failed try; each one doubles it.
const WAIT_FIRST: Duration = Duration::from_millis(200);
const WAIT_MAX: Duration = Duration::from_mins(1);
/// With those waits, about three hours; then a start of the provider tries again.
const TRIES: u32 = 180;

/// Sends a webhook in the background.
pub(super) fn send(provider: &Provider, notice: Notice) {
    let copies = if provider.faults().duplicate_webhooks { 2 } else { 1 };
    for _ in 0..copies {
        tokio::spawn(deliver(provider.clone(), notice.clone()));
    }
}

/// Sends what was still to be sent when the process ended.
pub(super) fn resume(provider: &Provider) {
    let notices: Vec<_> = provider.ledger().undelivered().cloned().collect();
    for notice in notices {
        send(provider, notice);
    }
}

async fn deliver(provider: Provider, notice: Notice) {
    let delay_ms = provider.faults().delay_webhooks_ms;
    tokio::time::sleep(Duration::from_millis(delay_ms)).await;
    let mut wait = WAIT_FIRST;
    for _ in 0..TRIES {
        while provider.faults().hold_webhooks {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let signed = signature::sign(&provider.secret, provider.clock.now(), notice.body.as_bytes());
        let request =
            provider.http.post(&notice.url).header(signature::HEADER, signed).header("content-type", "application/json").body(notice.body.clone());
        match request.send().await {
            Ok(answer) if answer.status().is_success() => {
                if let Err(error) = provider.ledger().delivered(&notice.id) {
                    tracing::error!(error = format!("{error:#}"), "a delivered webhook could not be noted");
                }
                return;
            }
            Ok(answer) => tracing::debug!(status = %answer.status(), "a webhook was not taken and is sent again"),
            Err(error) => tracing::debug!(%error, "a webhook did not arrive and is sent again"),
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(WAIT_MAX);
    }
}
