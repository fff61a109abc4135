//! The log of changes, for admins.

use super::{desk, query_fields, send};
use crate::{
    Shop,
    http::Failure,
    staff::{
        Actor, Staff,
        audit::{self, Entry, Subject},
    },
};
use app::staff::{
    Route,
    audit::{Line, page},
};
use axum::{
    Router,
    extract::{RawQuery, State},
    response::Response,
    routing::get,
};
use domain::staff::Right;

/// Rows on a page.
const ROWS: u32 = 50;

pub fn routes() -> Router<Shop> {
    Router::new().route("/ops/audit", get(show))
}

async fn show(State(shop): State<Shop>, staff: Staff, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    staff.require(Right::ReadAudit)?;
    let older_than = query_fields(query.as_deref()).get("older_than").parse().ok();
    let mut entries = audit::page(&shop.db, older_than, ROWS + 1).await?;
    let more = entries.len() > ROWS as usize;
    entries.truncate(ROWS as usize);
    let older = entries.last().filter(|_| more).map(|last| Route::Audit { older_than: Some(last.id.clone()) });
    send(&shop, page(&desk(&shop, &staff), entries.into_iter().map(line).collect(), older))
}

fn line(entry: Entry) -> Line {
    let who = match (entry.actor, entry.email) {
        (Actor::CommandLine, _) => "command line".to_owned(),
        (Actor::Staff(_), Some(email)) => email,
        (Actor::Staff(id), None) => format!("staff {id}"),
    };
    let name = entry.name.filter(|name| !name.is_empty());
    let subject = match entry.subject {
        Subject::Coupon(id) => (coupon(entry.after.as_deref()).unwrap_or_else(|| format!("coupon {id}")), None),
        Subject::File(name) => (format!("file {name}"), None),
        Subject::Other(text) => match text.strip_prefix("edit:") {
            Some(edit) => ("rules".to_owned(), Some(Route::TableEdit { edit: edit.to_owned() })),
            None => (text, None),
        },
        Subject::Promotion(id) => (format!("promotion {id}"), None),
        Subject::Location(code) => (format!("location {code}"), None),
        Subject::Staff(id) => (name.unwrap_or_else(|| format!("staff {id}")), None),
        Subject::Variant(id) => (name.unwrap_or_else(|| format!("variant {id}")), Some(Route::Variant { variant: id, older_than: None })),
        Subject::Order(id) => match name {
            Some(number) => (number.clone(), Some(Route::Order { number })),
            None => (format!("order {id}"), None),
        },
    };
    Line { at: entry.at, who, action: entry.action, subject, before: entry.before, after: entry.after }
}

/// A coupon by its code, where the change names it.
fn coupon(after: Option<&str>) -> Option<String> {
    let after: serde_json::Value = serde_json::from_str(after?).ok()?;
    let code = after.get("code").or_else(|| after.get("named"))?.as_str()?;
    Some(format!("coupon {code}"))
}
