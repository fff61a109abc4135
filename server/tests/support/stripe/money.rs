//! The stand-in's refunds and disputes.

use super::{
    StandIn,
    api::{answer, checked, error, expands, metadata, missing, page},
    description,
    ledger::{Dispute, Refund},
};
use axum::{
    extract::{Request, State as Shared},
    response::Response,
};
use http::StatusCode;

pub async fn create_refund(Shared(this): Shared<StandIn>, request: Request) -> Response {
    let given = match checked(&this, &request, description::REFUND_CREATE) {
        Ok(given) => given,
        Err(refused) => return *refused,
    };
    let now = this.now_s();
    let mut state = this.state();
    let intent = given.get("payment_intent").cloned().unwrap_or_default();
    let refuse = |code: &str, message: &str| {
        let (status, body) = error(400, "invalid_request_error", Some(code), None, message);
        answer(status, &body)
    };
    let Some(session) = state.ledger.session_of(&intent).cloned() else { return missing("payment_intent", &intent) };
    let known = session.intent.as_ref().expect("it was found by its intent");
    let left = session.amount - state.ledger.refunded(&intent);
    let amount = given.get("amount").and_then(|amount| amount.parse().ok()).unwrap_or(left);
    if known.status != "succeeded" {
        return refuse("payment_intent_unexpected_state", "This PaymentIntent does not have a successful charge to refund.");
    }
    if state.ledger.disputes.values().any(|dispute| dispute.intent == intent && description::DISPUTE_CLAIMS.contains(&dispute.status)) {
        return refuse("charge_disputed", "The charge has been charged back.");
    }
    if amount > left {
        return refuse("charge_already_refunded", "Refund amount is greater than unrefunded amount on charge");
    }
    let status = known.refunds;
    if !["succeeded", "pending"].contains(&status) {
        return refuse(status, "This refund is refused.");
    }
    let (id, number) = state.ledger.id("re");
    let (currency, metadata) = (session.currency.clone(), metadata(&given, "metadata"));
    let refund = Refund { id: id.clone(), number, intent, amount, currency, status, metadata, created: now };
    state.ledger.refunds.insert(id, refund.clone());
    answer(StatusCode::OK, &refund.json())
}

pub async fn list_refunds(Shared(this): Shared<StandIn>, request: Request) -> Response {
    let given = match checked(&this, &request, description::REFUND_LIST) {
        Ok(given) => given,
        Err(refused) => return *refused,
    };
    let state = this.state();
    let of = given.get("payment_intent");
    let from = given.get("created[gte]").and_then(|value| value.parse::<i64>().ok()).unwrap_or(0);
    let found = state
        .ledger
        .refunds
        .values()
        .filter(|refund| of.is_none_or(|intent| refund.intent == *intent) && refund.created >= from)
        .map(|refund| (refund.number, refund.id.clone(), refund.json()))
        .collect();
    page(found, &given, "/v1/refunds")
}

pub async fn list_disputes(Shared(this): Shared<StandIn>, request: Request) -> Response {
    let given = match checked(&this, &request, description::DISPUTE_LIST) {
        Ok(given) => given,
        Err(refused) => return *refused,
    };
    let state = this.state();
    let from = given.get("created[gte]").and_then(|value| value.parse::<i64>().ok()).unwrap_or(0);
    let json = |dispute: &Dispute| {
        let mut json = dispute.json();
        let session = state.ledger.session_of(&dispute.intent).filter(|_| expands(&given));
        if let Some((session, intent)) = session.and_then(|session| session.intent.as_ref().map(|intent| (session, intent))) {
            json["payment_intent"] = intent.json(session);
        }
        json
    };
    let all = state.ledger.disputes.values().filter(|dispute| dispute.created >= from);
    // Ids are numbered in the order of creation.
    let number = |dispute: &Dispute| dispute.id.rsplit('_').next().and_then(|number| number.parse().ok()).unwrap_or(0);
    let found = all.map(|dispute| (number(dispute), dispute.id.clone(), json(dispute))).collect();
    page(found, &given, "/v1/disputes")
}
