//! The stand-in's webhooks: signed as Stripe signs, tried until they are taken.

use super::{SECRET, StandIn, description};
use serde_json::{Value, json};
use server::payments::signature;
use std::time::Duration;

/// An event on its way.
#[derive(Clone)]
pub struct Event {
    pub body: String,
}

const TRIES: u32 = 100;

/// Tells of something in the background.
pub fn tell(this: &StandIn, kind: &str, object: Value) {
    let now = this.now_s();
    let (faults, id) = {
        let mut state = this.state();
        let (id, _) = state.ledger.id("evt");
        (state.faults, id)
    };
    let body = json!({ "id": id, "object": "event", "api_version": description::VERSION, "created": now, "data": { "object": object },
        "livemode": false, "pending_webhooks": 1, "request": { "id": null, "idempotency_key": null }, "type": kind });
    let event = Event { body: body.to_string() };
    if faults.drop_webhooks {
        return;
    }
    if faults.hold_webhooks {
        this.state().held.push(event);
        return;
    }
    for _ in 0..if faults.duplicate_webhooks { 2 } else { 1 } {
        tokio::spawn(deliver(this.clone(), event.clone()));
    }
}

/// Sends what was held, the latest first.
pub fn release(this: &StandIn) {
    let held = std::mem::take(&mut this.state().held);
    let this = this.clone();
    tokio::spawn(async move {
        for event in held.into_iter().rev() {
            deliver(this.clone(), event).await;
        }
    });
}

async fn deliver(this: StandIn, event: Event) {
    let Some(endpoint) = this.state().endpoint.clone() else { return };
    for _ in 0..TRIES {
        // Beside the right one stand a replaced secret's and another scheme's.
        let signed = signature::sign(SECRET.as_bytes(), this.clock.now(), event.body.as_bytes());
        let older = signature::sign(b"whsec_replaced", this.clock.now(), event.body.as_bytes());
        let header = format!("{signed},{},v0=00", older.split(',').next_back().unwrap_or_default());
        let sent = this.http.post(&endpoint).header("stripe-signature", header).header("content-type", "application/json").body(event.body.clone());
        if sent.send().await.is_ok_and(|answer| answer.status().is_success()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
