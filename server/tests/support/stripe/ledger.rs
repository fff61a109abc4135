//! The stand-in's sessions, intents, refunds and disputes, and how they look as JSON.

use super::description;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Ledger {
    pub sessions: BTreeMap<String, Session>,
    pub refunds: BTreeMap<String, Refund>,
    pub disputes: BTreeMap<String, Dispute>,
    made: u64,
}

#[derive(Clone, Debug)]
pub struct Session {
    pub id: String,
    /// In the order of creation.
    pub number: u64,
    pub created: i64,
    pub expires_at: i64,
    pub reference: Option<String>,
    pub amount: i64,
    pub currency: String,
    pub success_url: String,
    pub cancel_url: Option<String>,
    pub email: Option<String>,
    pub metadata: BTreeMap<String, String>,
    pub intent_metadata: BTreeMap<String, String>,
    pub status: Status,
    pub intent: Option<Intent>,
    /// Of another program of the account: it keeps a card and charges nothing.
    pub keeps_a_card: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Open,
    Complete,
    Expired,
}

#[derive(Clone, Debug)]
pub struct Intent {
    pub id: String,
    pub created: i64,
    /// As in `payment_intent.status`.
    pub status: &'static str,
    /// As in `payment_method.type`.
    pub method: &'static str,
    pub decline_code: Option<&'static str>,
    /// What becomes of refunds: `succeeded`, `pending`, or an error's code.
    pub refunds: &'static str,
}

#[derive(Clone, Debug)]
pub struct Refund {
    pub id: String,
    pub number: u64,
    pub intent: String,
    pub amount: i64,
    pub currency: String,
    pub status: &'static str,
    pub metadata: BTreeMap<String, String>,
    pub created: i64,
}

#[derive(Clone, Debug)]
pub struct Dispute {
    pub id: String,
    pub intent: String,
    pub amount: i64,
    pub currency: String,
    pub status: &'static str,
    pub due_by: i64,
    pub created: i64,
}

impl Ledger {
    /// An id as Stripe makes them, and a number that grows.
    pub fn id(&mut self, prefix: &str) -> (String, u64) {
        self.made += 1;
        (format!("{prefix}_{:024}", self.made), self.made)
    }

    pub fn session_of(&self, intent: &str) -> Option<&Session> {
        self.sessions.values().find(|session| session.intent.as_ref().is_some_and(|known| known.id == intent))
    }

    pub fn by_reference(&mut self, reference: &str) -> Option<&mut Session> {
        self.sessions.values_mut().find(|session| session.reference.as_deref() == Some(reference))
    }

    /// What went back of an intent, or is on its way.
    pub fn refunded(&self, intent: &str) -> i64 {
        self.refunds
            .values()
            .filter(|refund| refund.intent == intent && !["failed", "canceled"].contains(&refund.status))
            .map(|refund| refund.amount)
            .sum()
    }

    /// Sessions close by themselves when their time is over.
    pub fn expire(&mut self, now: i64) -> Vec<Session> {
        let over = self.sessions.values_mut().filter(|session| session.status == Status::Open && session.expires_at <= now);
        over.map(|session| {
            session.status = Status::Expired;
            session.clone()
        })
        .collect()
    }
}

/// An object with every field of the description, null but for these.
fn object(fields: &[&str], known: Value) -> Value {
    let mut all: Map<String, Value> = fields.iter().map(|field| ((*field).to_owned(), Value::Null)).collect();
    let Value::Object(known) = known else { return Value::Null };
    for (field, value) in known {
        assert!(all.insert(field.clone(), value).is_some(), "{field} is no field of the description");
    }
    Value::Object(all)
}

impl Session {
    pub fn json(&self, origin: &str, expanded: bool) -> Value {
        let intent = self.intent.as_ref().map(|intent| if expanded { intent.json(self) } else { json!(intent.id) });
        let paid = self.intent.as_ref().is_some_and(|intent| intent.status == "succeeded");
        let (status, url) = match self.status {
            Status::Open => ("open", Some(format!("{origin}/c/pay/{}", self.id))),
            Status::Complete => ("complete", None),
            Status::Expired => ("expired", None),
        };
        let mut told = object(
            description::SESSION,
            json!({
                "id": self.id, "object": "checkout.session", "amount_subtotal": self.amount, "amount_total": self.amount,
                "automatic_tax": { "enabled": false, "liability": null, "provider": null, "status": null }, "cancel_url": self.cancel_url,
                "client_reference_id": self.reference, "created": self.created, "currency": self.currency, "custom_fields": [],
                "custom_text": { "after_submit": null, "shipping_address": null, "submit": null, "terms_of_service_acceptance": null },
                "customer_email": self.email, "expires_at": self.expires_at, "livemode": false, "metadata": self.metadata, "mode": "payment",
                "payment_intent": intent, "payment_method_types": ["card"], "payment_status": if paid { "paid" } else { "unpaid" },
                "shipping_options": [], "status": status, "success_url": self.success_url, "ui_mode": "hosted_page", "url": url,
            }),
        );
        if self.keeps_a_card {
            for (field, value) in [("mode", json!("setup")), ("payment_status", json!("no_payment_required")), ("payment_intent", Value::Null)] {
                told[field] = value;
            }
            told["amount_subtotal"] = Value::Null;
            told["amount_total"] = Value::Null;
            told["currency"] = Value::Null;
        }
        told
    }
}

impl Intent {
    pub fn json(&self, session: &Session) -> Value {
        let received = if self.status == "succeeded" { session.amount } else { 0 };
        let error = self.decline_code.map(|code| json!({ "type": "card_error", "code": "card_declined", "decline_code": code }));
        object(
            description::INTENT,
            json!({
                "id": self.id, "object": "payment_intent", "amount": session.amount, "amount_capturable": 0, "amount_received": received,
                "capture_method": "automatic_async", "confirmation_method": "automatic", "created": self.created, "currency": session.currency,
                "last_payment_error": error, "latest_charge": null, "livemode": false, "metadata": session.intent_metadata,
                "payment_method": { "id": "pm_1", "object": "payment_method", "type": self.method },
                "payment_method_types": ["card"], "status": self.status,
            }),
        )
    }
}

impl Refund {
    pub fn json(&self) -> Value {
        object(
            description::REFUND,
            json!({
                "id": self.id, "object": "refund", "amount": self.amount, "created": self.created, "currency": self.currency,
                "metadata": self.metadata, "payment_intent": self.intent, "status": self.status,
            }),
        )
    }
}

impl Dispute {
    pub fn json(&self) -> Value {
        object(
            description::DISPUTE,
            json!({
                "id": self.id, "object": "dispute", "amount": self.amount, "balance_transactions": [], "charge": "ch_1", "created": self.created,
                "currency": self.currency, "enhanced_eligibility_types": [], "evidence": {}, "is_charge_refundable": false, "livemode": false,
                "evidence_details": { "due_by": self.due_by, "enhanced_eligibility": {}, "has_evidence": false, "past_due": false, "submission_count": 0 },
                "metadata": {}, "payment_intent": self.intent, "reason": "fraudulent", "status": self.status,
            }),
        )
    }
}
