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
                    <td data-label="Before">{line.before.as_deref().map(facts)}</td>
                    <td data-label="After">{line.after.as_deref().map(facts)}</td>
                </tr>
            }
        });
        view! {
            <table class="rows changes">
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

/// JSON as words, a fact on each line.
fn facts(json: &str) -> AnyView {
    let told = match serde_json::from_str(json) {
        Ok(serde_json::Value::Object(fields)) => fields.iter().map(|(name, value)| format!("{} {}", named(name), words(value))).collect(),
        Ok(value) => vec![words(&value)],
        Err(_) => vec![json.to_owned()],
    };
    view! { <span>{told.into_iter().map(|fact| view! { <span class="place">{fact}</span> }).collect_view()}</span> }.into_any()
}

/// What a fact is about, without the id that a refund or a shipment is known by.
fn named(name: &str) -> String {
    let is_id = |word: &str| word.len() == 36 && word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    name.split(' ').filter(|word| !is_id(word)).collect::<Vec<_>>().join(" ").replace('_', " ")
}

/// `from rotterdam, pieces 1, state packing`: what is empty is left out.
fn words(value: &serde_json::Value) -> String {
    match value {
        // Codes are written as words: `changed_mind`.
        serde_json::Value::String(text) if text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') => text.replace('_', " "),
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(values) => values.iter().map(words).collect::<Vec<_>>().join(", "),
        serde_json::Value::Object(fields) => {
            let told = fields.iter().map(|(name, value)| (name, words(value))).filter(|(_, value)| !value.is_empty());
            told.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{named, words};

    #[test]
    fn what_is_inside_a_change_reads_like_a_sentence() {
        let json = serde_json::json!({ "from": "rotterdam", "parcels": ["DHL 1", "DHL 2"], "pieces": 2, "note": "" });
        assert_eq!(words(&json), "from rotterdam, parcels DHL 1, DHL 2, pieces 2");
        assert_eq!(words(&serde_json::json!({ "state": "refund_failed" })), "state refund failed");
        assert_eq!(named("refund 01a20847-04ff-7545-8a1f-3ac089a41050"), "refund");
        assert_eq!(named("option_values"), "option values");
    }
}
