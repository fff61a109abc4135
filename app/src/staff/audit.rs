//! Who changed what, newest first.

use super::{Desk, Route, Section, Sheet, time, turn};
use domain::offer::Instant;
use leptos::prelude::*;

/// A row of the log, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub at: Instant,
    pub who: String,
    pub action: String,
    /// In words, with its page where it has one.
    pub subject: (String, Option<Route>),
    /// JSON.
    pub before: Option<String>,
    pub after: Option<String>,
}

/// A page of the log; `older` leads to the rows before it.
pub fn page(desk: &Desk, lines: Vec<Line>, older: Option<Route>) -> Sheet {
    let body = if lines.is_empty() {
        view! { <p class="empty">"Nothing was changed yet."</p> }.into_any()
    } else {
        let rows = lines.into_iter().map(|line| {
            let (name, to) = line.subject;
            let subject = match to {
                Some(route) => view! { <a href=route.url()>{name}</a> }.into_any(),
                None => name.into_any(),
            };
            view! {
                <tr>
                    <td data-label="When">{time(line.at)}</td>
                    <td data-label="Who">{line.who}</td>
                    <td data-label="What">{line.action}</td>
                    <td data-label="On">{subject}</td>
                    <td data-label="Before">{line.before.as_deref().map(told)}</td>
                    <td data-label="After">{line.after.as_deref().map(told)}</td>
                </tr>
            }
        });
        view! {
            <table class="rows">
                <thead>
                    <tr>
                        <th scope="col">"When"</th><th scope="col">"Who"</th><th scope="col">"What"</th>
                        <th scope="col">"On"</th><th scope="col">"Before"</th><th scope="col">"After"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
            {turn("Older changes", older)}
        }
        .into_any()
    };
    Sheet::framed(desk, Section::Audit, Section::Audit.name(), None, ().into_any(), body)
}

/// JSON as a line of words: `location rotterdam, free 3`.
fn told(json: &str) -> String {
    let words = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match serde_json::from_str(json) {
        Ok(serde_json::Value::Object(fields)) => fields.iter().map(|(name, value)| format!("{name} {}", words(value))).collect::<Vec<_>>().join(", "),
        Ok(value) => words(&value),
        Err(_) => json.to_owned(),
    }
}
