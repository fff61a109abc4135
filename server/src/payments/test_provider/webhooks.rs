//! Sending webhooks: signed anew on every try, tried until the shop says that it has stored them.

use super::{
    Provider,
    ledger::{Session, Told},
};
use crate::payments::{Notice, WebhookEvent, signature};
use domain::payment::News;
use std::time::Duration;

/// The first wait after a failed try; each one doubles it.
const WAIT_FIRST: Duration = Duration::from_millis(200);
const WAIT_MAX: Duration = Duration::from_mins(1);
/// With those waits, about three hours; then a start of the provider tries again.
const TRIES: u32 = 180;
/// Older than any signature that is believed.
const STALE_US: i64 = 3_600 * 1_000_000;

/// An id for an event.
pub(super) fn new_id(provider: &Provider) -> String {
    format!("evt_{}", provider.clock.id().simple())
}

/// Sends a webhook in the background.
pub(super) fn send(provider: &Provider, told: Told) {
    let (copies, reorder) = {
        let mut faults = provider.faults();
        if faults.drop_webhooks > 0 {
            faults.drop_webhooks -= 1;
            drop(faults);
            note_delivered(provider, &told);
            return;
        }
        (if faults.duplicate_webhooks { 2 } else { 1 }, faults.reorder_webhooks)
    };
    if provider.faults().forge_webhooks {
        let session = provider.ledger().sessions().find(|session| told.body.contains(&session.payment.to_string())).cloned();
        if let Some(session) = session {
            forge(provider, &session, Some(&told));
        }
    }
    let mut all = vec![told];
    if reorder {
        let mut waiting = provider.waiting();
        let Some(earlier) = waiting.take() else {
            *waiting = all.pop();
            return;
        };
        // The later one first.
        all.push(earlier);
    }
    let provider = provider.clone();
    tokio::spawn(async move {
        for told in all {
            let sent = (0..copies).map(|_| deliver(provider.clone(), told.clone()));
            futures::future::join_all(sent).await;
        }
    });
}

/// Sends the one that still waits for another.
pub(super) fn release(provider: &Provider) {
    let waiting = provider.waiting().take();
    if let Some(told) = waiting {
        tokio::spawn(deliver(provider.clone(), told));
    }
}

/// Sends what was still to be sent when the process ended.
pub(super) fn resume(provider: &Provider) {
    let all: Vec<_> = provider.ledger().undelivered().cloned().collect();
    for told in all {
        send(provider, told);
    }
}

/// What somebody sends who would like to be given things: all of it must be refused.
pub(super) fn forge(provider: &Provider, session: &Session, genuine: Option<&Told>) {
    let notice = Notice::Payment { payment: session.payment, news: News::Captured { amount: session.amount } };
    let event = WebhookEvent { id: new_id(provider), notice };
    let paid = serde_json::to_string(&event).expect("an event is plain data");
    let now = provider.clock.now();
    let mut forged = vec![
        (Some(signature::sign(b"a guess", now, paid.as_bytes())), paid.clone()),
        (Some(signature::sign(&provider.secret, now - STALE_US, paid.as_bytes())), paid.clone()),
        (None, paid.clone()),
    ];
    if let Some(genuine) = genuine {
        // A genuine signature over another body.
        forged.push((Some(signature::sign(&provider.secret, now, genuine.body.as_bytes())), paid));
    }
    for (signed, body) in forged {
        let request = provider.http.post(&session.notify_url).header("content-type", "application/json").body(body);
        let request = if let Some(signed) = signed { request.header(signature::HEADER, signed) } else { request };
        tokio::spawn(async move {
            match request.send().await {
                Ok(answer) if answer.status().is_success() => tracing::error!("the shop believes forged webhooks"),
                _ => {}
            }
        });
    }
}

fn note_delivered(provider: &Provider, told: &Told) {
    if let Err(error) = provider.ledger().delivered(&told.id) {
        tracing::error!(error = format!("{error:#}"), "a delivered webhook could not be noted");
    }
}

async fn deliver(provider: Provider, told: Told) {
    let delay_ms = provider.faults().delay_webhooks_ms;
    tokio::time::sleep(Duration::from_millis(delay_ms)).await;
    let mut wait = WAIT_FIRST;
    for _ in 0..TRIES {
        while provider.faults().hold_webhooks {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // By the true clock, wherever the provider's own was put.
        let signed = signature::sign(&provider.secret, provider.clock.now(), told.body.as_bytes());
        let request =
            provider.http.post(&told.url).header(signature::HEADER, signed).header("content-type", "application/json").body(told.body.clone());
        match request.send().await {
            Ok(answer) if answer.status().is_success() => return note_delivered(&provider, &told),
            Ok(answer) => tracing::debug!(status = %answer.status(), "a webhook was not taken and is sent again"),
            Err(error) => tracing::debug!(%error, "a webhook did not arrive and is sent again"),
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(WAIT_MAX);
    }
}
