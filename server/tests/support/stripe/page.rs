//! The stand-in's payment page, and what banks do afterwards. A card that is declined leaves the page open, as Stripe's does.

use super::{
    StandIn, description,
    ledger::{Dispute, Intent, Status},
    webhooks,
};
use anyhow::Context as _;
use axum::{
    extract::{Form, Path, State as Shared},
    response::{Html, IntoResponse, Response},
};
use domain::{PaymentId, RefundId};
use http::{StatusCode, header};
use serde::Deserialize;

/// What a shopper does there.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Manner {
    Pays,
    Declines,
    /// A voucher or a transfer: the money comes days later, or not.
    Slow,
    RefundsPending,
    RefundsRefused,
}

#[derive(Deserialize)]
pub struct Typed {
    manner: Manner,
}

pub async fn show(Shared(this): Shared<StandIn>, Path(id): Path<String>) -> Response {
    let state = this.state();
    match state.ledger.sessions.get(&id) {
        Some(session) if session.status == Status::Open => Html(format!("<h1>{} {}</h1>", session.amount, session.currency)).into_response(),
        _ => StatusCode::GONE.into_response(),
    }
}

pub async fn pay(Shared(this): Shared<StandIn>, Path(id): Path<String>, Form(Typed { manner }): Form<Typed>) -> Response {
    let now = this.now_s();
    let (session, declined) = {
        let mut state = this.state();
        let (intent_id, _) = state.ledger.id("pi");
        let Some(session) = state.ledger.sessions.get_mut(&id).filter(|session| session.status == Status::Open && session.expires_at > now) else {
            return StatusCode::GONE.into_response();
        };
        let (status, decline_code, refunds) = match manner {
            Manner::Pays => ("succeeded", None, "succeeded"),
            Manner::Declines => ("requires_payment_method", Some("generic_decline"), "succeeded"),
            Manner::Slow => ("processing", None, "succeeded"),
            Manner::RefundsPending => ("succeeded", None, "pending"),
            Manner::RefundsRefused => ("succeeded", None, "refund_disputed_payment"),
        };
        let method = if manner == Manner::Slow { "konbini" } else { "card" };
        session.intent = Some(Intent { id: intent_id, created: now, status, method, decline_code, refunds });
        if manner != Manner::Declines {
            session.status = Status::Complete;
        }
        (session.clone(), manner == Manner::Declines)
    };
    if declined {
        let intent = session.intent.as_ref().map(|intent| intent.json(&session)).unwrap_or_default();
        webhooks::tell(&this, "payment_intent.payment_failed", intent);
        return (StatusCode::PAYMENT_REQUIRED, "Your card was declined.").into_response();
    }
    webhooks::tell(&this, "checkout.session.completed", session.json(&this.origin, false));
    (StatusCode::SEE_OTHER, [(header::LOCATION, session.success_url)]).into_response()
}

impl StandIn {
    /// Slow money comes, or it is certain that it does not.
    pub fn settle(&self, payment: PaymentId, comes: bool) -> anyhow::Result<()> {
        let session = {
            let mut state = self.state();
            let session = state.ledger.by_reference(&payment.to_string()).context("a session")?;
            let intent = session.intent.as_mut().context("an intent")?;
            anyhow::ensure!(intent.status == "processing", "nothing is under way");
            (intent.status, intent.decline_code) = if comes { ("succeeded", None) } else { ("requires_payment_method", Some("insufficient_funds")) };
            session.json(&self.origin, false)
        };
        let kind = if comes { "checkout.session.async_payment_succeeded" } else { "checkout.session.async_payment_failed" };
        webhooks::tell(self, kind, session);
        Ok(())
    }

    /// A refund that was under way arrives, or one comes back.
    pub fn settle_refund(&self, refund: RefundId, arrives: bool) -> anyhow::Result<()> {
        let json = {
            let mut state = self.state();
            let reference = refund.to_string();
            let known = state.ledger.refunds.values_mut().find(|known| known.metadata.get("refund") == Some(&reference)).context("a refund")?;
            known.status = if arrives { "succeeded" } else { "failed" };
            known.json()
        };
        // Both are sent, one of them under its older name.
        webhooks::tell(self, if arrives { "refund.updated" } else { "refund.failed" }, json.clone());
        webhooks::tell(self, "charge.refund.updated", json);
        Ok(())
    }

    /// A bank asks about a payment (`warning_…`), disputes it (`needs_response`), looks at the evidence (`under_review`), decides (`won`,
    /// `lost`).
    pub fn dispute(&self, payment: PaymentId, status: &'static str) -> anyhow::Result<()> {
        anyhow::ensure!(description::DISPUTE_STATUSES.contains(&status), "Stripe knows no dispute that is {status}");
        let now = self.now_s();
        let (json, kind) = {
            let mut state = self.state();
            let session = state.ledger.by_reference(&payment.to_string()).context("a session")?.clone();
            let intent = session.intent.as_ref().context("an intent")?.id.clone();
            let known = state.ledger.disputes.values_mut().find(|dispute| dispute.intent == intent);
            if let Some(dispute) = known {
                dispute.status = status;
                dispute.due_by = now + 7 * 24 * 3_600;
                let over = description::DISPUTE_ENDS.contains(&status);
                (dispute.json(), if over { "charge.dispute.closed" } else { "charge.dispute.updated" })
            } else {
                let (id, _) = state.ledger.id("dp");
                let (due_by, currency) = (now + 7 * 24 * 3_600, session.currency.clone());
                let dispute = Dispute { id: id.clone(), intent, amount: session.amount, currency, status, due_by, created: now };
                let json = dispute.json();
                state.ledger.disputes.insert(id, dispute);
                (json, "charge.dispute.created")
            }
        };
        webhooks::tell(self, kind, json);
        Ok(())
    }
}
