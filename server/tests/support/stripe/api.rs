//! The stand-in's API: every call is checked before it is answered, and POSTs are remembered under their idempotency keys.

use super::{
    Call, StandIn, State,
    description::{self, Parameter, Wrong, check},
    ledger::{Session, Status},
    webhooks,
};
use axum::{
    body::{Body, to_bytes},
    extract::{Path, Request, State as Shared},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, Method, StatusCode, header};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

/// What was answered under a key.
#[derive(Clone)]
pub struct Saved {
    path: String,
    form: Vec<(String, String)>,
    status: StatusCode,
    body: Value,
}

/// The form or the query of a call.
#[derive(Clone)]
struct Given(Vec<(String, String)>);

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text).into_owned().collect()
}

pub(super) fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

pub(super) fn error(status: u16, kind: &str, code: Option<&str>, param: Option<&str>, message: &str) -> (StatusCode, Value) {
    let status = StatusCode::from_u16(status).expect("a status");
    (status, json!({ "error": { "type": kind, "code": code, "param": param, "message": message } }))
}

/// A connection that ends without an answer.
fn cut() -> Response {
    Response::new(Body::from_stream(futures::stream::once(async { Err::<bytes::Bytes, _>(std::io::Error::other("cut")) })))
}

fn take(count: &mut u32) -> bool {
    let some = *count > 0;
    *count = count.saturating_sub(1);
    some
}

/// Who asks, in which version, under which key; and what goes wrong on the way.
pub async fn enter(Shared(this): Shared<StandIn>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, 1024 * 1024).await else { return cut() };
    let path = parts.uri.path().to_owned();
    let is_post = parts.method == Method::POST;
    let form = pairs(if is_post { &body } else { parts.uri.query().unwrap_or_default().as_bytes() });
    let key = text(&parts.headers, "idempotency-key");
    let call = Call { method: parts.method.to_string(), path: path.clone(), key: key.clone(), form: form.clone() };
    let refused = refuse(&mut this.state(), &parts.headers, call);
    if let Some(refused) = refused {
        return refused;
    }
    let late_ms = this.state().faults.arrive_late_ms;
    if is_post && late_ms > 0 {
        tokio::time::sleep(Duration::from_millis(late_ms)).await;
    }
    let saved = key.as_ref().filter(|_| is_post).and_then(|key| this.state().saved.get(key).cloned());
    if let Some(saved) = saved {
        if saved.path != path || saved.form != form {
            let (status, body) =
                error(400, "idempotency_error", None, None, "Keys for idempotent requests can only be used with the same parameters");
            return answer(status, &body);
        }
        if take(&mut this.state().faults.lose_replies) {
            return cut();
        }
        let mut again = answer(saved.status, &saved.body);
        again.headers_mut().insert("idempotent-replayed", "true".parse().expect("a header"));
        return again;
    }
    let over = {
        let now = this.now_s();
        this.state().ledger.expire(now)
    };
    for session in over {
        webhooks::tell(&this, "checkout.session.expired", session.json(&this.origin, false));
    }
    let mut request = Request::from_parts(parts, Body::empty());
    request.extensions_mut().insert(Given(form.clone()));
    let (status, body, valid) = if is_post && take(&mut this.state().faults.fail_for_good) {
        let (status, body) = error(500, "api_error", None, None, "Something went wrong on Stripe's end");
        (status, body, true)
    } else {
        let done = next.run(request).await;
        let valid = done.extensions().get::<NotRun>().is_none();
        let status = done.status();
        let body = to_bytes(done.into_body(), 8 * 1024 * 1024).await.unwrap_or_default();
        (status, serde_json::from_slice(&body).unwrap_or_default(), valid)
    };
    let faults = this.state().faults;
    if let (true, true, Some(key)) = (is_post, valid && !faults.forget_keys, key) {
        this.state().saved.insert(key, Saved { path, form, status, body: body.clone() });
    }
    if is_post && take(&mut this.state().faults.lose_replies) {
        return cut();
    }
    let mut response = answer(status, &body);
    if status.is_server_error() {
        response.headers_mut().insert("stripe-should-retry", "false".parse().expect("a header"));
    }
    response
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn refuse(state: &mut State, headers: &HeaderMap, call: Call) -> Option<Response> {
    let mut wrong = Vec::new();
    if text(headers, "authorization").as_deref() != Some(&format!("Bearer {}", super::KEY)) {
        let (status, body) = error(401, "invalid_request_error", None, None, "Invalid API Key provided");
        return Some(answer(status, &body));
    }
    if text(headers, "stripe-version").as_deref() != Some(description::VERSION) {
        wrong.push("another version than the description's".to_owned());
    }
    if call.method == "POST" {
        let form = text(headers, "content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        if !form && !call.form.is_empty() {
            wrong.push("a body that is no form".to_owned());
        }
        if call.key.as_ref().is_none_or(|key| key.is_empty() || key.len() > description::KEY_MAX) {
            wrong.push("a POST without a key of at most 255 characters".to_owned());
        }
    }
    state.violations.extend(wrong.into_iter().map(|what| format!("{} {}: {what}", call.method, call.path)));
    state.calls.push(call);
    let faults = &mut state.faults;
    if faults.down {
        return Some(cut());
    }
    if take(&mut faults.too_many) {
        let (status, body) = error(429, "invalid_request_error", Some("rate_limit"), None, "Too many requests");
        let mut response = answer(status, &body);
        response.headers_mut().insert(header::RETRY_AFTER, "0".parse().expect("a header"));
        return Some(response);
    }
    if take(&mut faults.break_down) {
        return Some(answer(StatusCode::INTERNAL_SERVER_ERROR, &json!({})));
    }
    if take(&mut faults.conflict) {
        let (status, body) = error(409, "invalid_request_error", Some("lock_timeout"), None, "This object cannot be accessed right now");
        let mut response = answer(status, &body);
        response.headers_mut().insert("stripe-should-retry", "true".parse().expect("a header"));
        return Some(response);
    }
    None
}

/// An answer that is not saved under its key: what was asked for failed validation.
#[derive(Clone)]
struct NotRun;

fn invalid(this: &StandIn, wrong: Wrong, is_violation: bool) -> Response {
    if is_violation {
        this.state().violations.push(format!("{}: {}", wrong.param, wrong.message));
    }
    let (status, body) = error(400, "invalid_request_error", Some(wrong.code), Some(&wrong.param), &wrong.message);
    let mut response = answer(status, &body);
    response.extensions_mut().insert(NotRun);
    response
}

/// Checks against the description; what is wrong is a defect of the caller's.
pub(super) fn checked(this: &StandIn, request: &Request, known: &[Parameter]) -> Result<BTreeMap<String, String>, Box<Response>> {
    let given = request.extensions().get::<Given>().map(|Given(given)| given.clone()).unwrap_or_default();
    check(known, &given).map_err(|wrong| Box::new(invalid(this, wrong, true)))?;
    Ok(given.into_iter().collect())
}

pub(super) fn metadata(given: &BTreeMap<String, String>, whose: &str) -> BTreeMap<String, String> {
    let key = |name: &String| Some(name.strip_prefix(whose)?.strip_prefix('[')?.strip_suffix(']')?.to_owned());
    given.iter().filter_map(|(name, value)| Some((key(name)?, value.clone()))).collect()
}

pub async fn create_session(Shared(this): Shared<StandIn>, request: Request) -> Response {
    let given = match checked(&this, &request, description::SESSION_CREATE) {
        Ok(given) => given,
        Err(refused) => return *refused,
    };
    let now = this.now_s();
    let wrong = |param: &str, message: &str| Wrong { param: param.to_owned(), code: "parameter_invalid", message: message.to_owned() };
    let expires_at = given.get("expires_at").and_then(|at| at.parse().ok()).unwrap_or(now + 24 * 3_600);
    // Sent again too late is no defect of the caller's: it happens.
    if !description::EXPIRES_S.contains(&(expires_at - now)) {
        return invalid(&this, wrong("expires_at", "The `expires_at` timestamp must be between 30 minutes and 24 hours from creation"), false);
    }
    if this.state().faults.refuse_emails && given.contains_key("customer_email") {
        return invalid(&this, wrong("customer_email", "Invalid email address"), false);
    }
    let number = |name: String| given.get(&name).and_then(|value| value.parse::<i64>().ok());
    let mut amount = 0;
    let mut items = 0;
    while let (Some(quantity), Some(unit)) =
        (number(format!("line_items[{items}][quantity]")), number(format!("line_items[{items}][price_data][unit_amount]")))
    {
        amount += quantity * unit;
        items += 1;
    }
    let currency = given.get("line_items[0][price_data][currency]").cloned().unwrap_or_default();
    if items == 0 || items > description::LINE_ITEMS_MAX || given.get("mode").map(String::as_str) != Some("payment") {
        return invalid(&this, wrong("line_items", "1 to 100 line items in payment mode"), true);
    }
    if (0..items).any(|item| given.get(&format!("line_items[{item}][price_data][currency]")) != Some(&currency)) {
        return invalid(&this, wrong("line_items", "All prices must be in one currency"), true);
    }
    let session = {
        let mut state = this.state();
        let (id, number) = state.ledger.id("cs_test");
        let session = Session {
            id: id.clone(),
            number,
            created: now,
            expires_at,
            reference: given.get("client_reference_id").cloned(),
            amount,
            currency,
            success_url: given.get("success_url").cloned().unwrap_or_default(),
            cancel_url: given.get("cancel_url").cloned(),
            email: given.get("customer_email").cloned(),
            metadata: metadata(&given, "metadata"),
            intent_metadata: metadata(&given, "payment_intent_data[metadata]"),
            status: Status::Open,
            intent: None,
            keeps_a_card: false,
        };
        state.ledger.sessions.insert(id, session.clone());
        session
    };
    answer(StatusCode::OK, &session.json(&this.origin, false))
}

pub(super) fn missing(what: &str, id: &str) -> Response {
    let (status, body) = error(404, "invalid_request_error", Some("resource_missing"), Some(what), &format!("No such {what}: '{id}'"));
    answer(status, &body)
}

pub(super) fn expands(given: &BTreeMap<String, String>) -> bool {
    given.get("expand[]").is_some_and(|path| path.contains("payment_intent"))
}

pub async fn session(Shared(this): Shared<StandIn>, Path(id): Path<String>, request: Request) -> Response {
    match checked(&this, &request, description::RETRIEVE) {
        Ok(given) => {
            let state = this.state();
            let Some(session) = state.ledger.sessions.get(&id) else { return missing("checkout.session", &id) };
            answer(StatusCode::OK, &session.json(&this.origin, expands(&given)))
        }
        Err(refused) => *refused,
    }
}

pub async fn expire_session(Shared(this): Shared<StandIn>, Path(id): Path<String>, request: Request) -> Response {
    if let Err(refused) = checked(&this, &request, description::RETRIEVE) {
        return *refused;
    }
    let expired = {
        let mut state = this.state();
        let Some(session) = state.ledger.sessions.get_mut(&id) else { return missing("checkout.session", &id) };
        if session.status != Status::Open {
            let message = "Only Checkout Sessions with a status in [\"open\"] can be expired.";
            let (status, body) = error(400, "invalid_request_error", None, None, message);
            return answer(status, &body);
        }
        session.status = Status::Expired;
        session.json(&this.origin, false)
    };
    webhooks::tell(&this, "checkout.session.expired", expired.clone());
    answer(StatusCode::OK, &expired)
}

/// A page of a list, the newest first.
pub(super) fn page(all: Vec<(u64, String, Value)>, given: &BTreeMap<String, String>, url: &str) -> Response {
    let mut all = all;
    all.sort_by_key(|(number, ..)| std::cmp::Reverse(*number));
    let limit = given.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(10_usize).min(100);
    let from = given.get("starting_after").map_or(0, |after| all.iter().position(|(_, id, _)| id == after).map_or(all.len(), |at| at + 1));
    let rest = &all[from..];
    let data: Vec<_> = rest.iter().take(limit).map(|(.., object)| object.clone()).collect();
    answer(StatusCode::OK, &json!({ "object": "list", "url": url, "has_more": rest.len() > limit, "data": data }))
}

pub async fn list_sessions(Shared(this): Shared<StandIn>, request: Request) -> Response {
    let given = match checked(&this, &request, description::SESSION_LIST) {
        Ok(given) => given,
        Err(refused) => return *refused,
    };
    let bound = |name: &str| given.get(name).and_then(|value| value.parse::<i64>().ok());
    let (from, to) = (bound("created[gte]").unwrap_or(0), bound("created[lte]").unwrap_or(i64::MAX));
    let status = given.get("status").map(String::as_str);
    let state = this.state();
    let found = state
        .ledger
        .sessions
        .values()
        .filter(|session| (from..=to).contains(&session.created))
        .map(|session| (session.number, session.id.clone(), session.json(&this.origin, expands(&given))))
        .filter(|(.., session)| status.is_none_or(|status| session["status"] == status))
        .collect();
    page(found, &given, "/v1/checkout/sessions")
}

pub async fn intent(Shared(this): Shared<StandIn>, Path(id): Path<String>, request: Request) -> Response {
    if let Err(refused) = checked(&this, &request, description::RETRIEVE) {
        return *refused;
    }
    let state = this.state();
    let Some(session) = state.ledger.session_of(&id) else { return missing("payment_intent", &id) };
    let intent = session.intent.as_ref().map(|intent| intent.json(session)).unwrap_or_default();
    answer(StatusCode::OK, &intent)
}
