//! The ledger of a variant: what came, what went, and why.

use super::{Route, stock::VariantData, stock::signed, time, turn};
use domain::offer::Instant;
use leptos::prelude::*;

/// A row of the ledger, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub at: Instant,
    pub place: String,
    /// `Received`, `Held` …
    pub what: String,
    /// What it added to the free and to the held pieces; missing where the kind is not known here.
    pub effect: Option<(i64, i64)>,
    pub why: String,
    /// The number of the order that it was for.
    pub order: Option<String>,
}

/// The rows, newest first.
pub fn ledger(data: &VariantData) -> AnyView {
    if data.ledger.is_empty() {
        return view! { <h2>"Ledger"</h2><p class="empty">"Nothing was ever booked."</p> }.into_any();
    }
    let rows = data.ledger.clone().into_iter().map(|line| {
        let (free, held) = line.effect.map_or((None, None), |(free, held)| (signed(free), signed(held)));
        let order = line.order.map(|number| view! { " "<a href=Route::Order { number: number.clone() }.url()>{number.clone()}</a> });
        view! {
            <tr>
                <td data-label="When">{time(line.at)}</td>
                <td data-label="Where">{line.place}</td>
                <td data-label="What">{line.what}</td>
                <td data-label="Free" class="n">{free}</td>
                <td data-label="Held" class="n">{held}</td>
                <td data-label="Why"><span>{line.why}{order}</span></td>
            </tr>
        }
    });
    let latest = (!data.is_latest)
        .then(|| view! { <p><a href=Route::Variant { variant: data.name.variant, older_than: None }.url()>"Back to the latest rows"</a></p> });
    view! {
        <h2>"Ledger"</h2>
        {latest}
        <table class="rows">
            <thead>
                <tr>
                    <th scope="col">"When"</th><th scope="col">"Where"</th><th scope="col">"What"</th>
                    <th scope="col" class="n">"Free"</th><th scope="col" class="n">"Held"</th><th scope="col">"Why"</th>
                </tr>
            </thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
        {turn("Older rows", data.older.clone())}
    }
    .into_any()
}
