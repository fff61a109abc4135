//! What was changed in a table, and one change with the way back.

use super::{
    super::{Action, Desk, Route, Section, Sheet, form::mutation, time, turn},
    Difference, Table, differences,
};
use crate::private::Notice;
use domain::{offer::Instant, staff::Right};
use leptos::prelude::*;

/// A change of one or many rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditLine {
    pub id: String,
    pub at: Instant,
    pub who: String,
    /// `form`, `file` or `undo`.
    pub source: String,
    pub changed: u64,
    pub is_undone: bool,
    /// What it changed about one row; empty in the list of all changes.
    pub differences: Vec<Difference>,
}

/// What a table's history shows.
#[derive(Clone, Debug)]
pub struct HistoryData {
    pub table: Table,
    /// Newest first.
    pub edits: Vec<EditLine>,
    pub older: Option<Route>,
}

/// One change with its rows.
#[derive(Clone, Debug)]
pub struct EditData {
    pub table: Table,
    pub edit: EditLine,
    /// Each row by name, with what was changed.
    pub rows: Vec<(String, Vec<Difference>)>,
    pub notice: Option<Notice>,
    /// Why it cannot be undone, a sentence for each row that stands in the way.
    pub wrong: Vec<String>,
    pub status: u16,
}

/// A table's changes.
pub fn history(desk: &Desk, data: HistoryData) -> Sheet {
    let table = data.table;
    let back = Route::Table { table, wanted: String::new(), after: None }.url();
    let tools = view! { <span class="end"><a class="button quiet" href=back>{table.title()}</a></span> };
    let body = view! { {lines(&data.edits)}{turn("Older changes", data.older)} };
    Sheet::framed(desk, Section::Tables, format!("{}: history", table.title()), None, tools.into_any(), body.into_any())
}

/// Changes in rows, newest first.
pub(super) fn lines(edits: &[EditLine]) -> AnyView {
    if edits.is_empty() {
        return view! { <p class="empty">"Nothing was changed on these pages yet."</p> }.into_any();
    }
    let rows = edits.iter().map(|edit| {
        let undone = edit.is_undone.then(|| view! { <span class="tag warn">"undone"</span> });
        let count = if edit.changed == 1 { "1 row".to_owned() } else { format!("{} rows", edit.changed) };
        let what = if edit.differences.is_empty() { count.clone().into_any() } else { differences(&edit.differences) };
        view! {
            <tr>
                <td data-label="When">{time(edit.at)}</td>
                <td data-label="Who">{edit.who.clone()}</td>
                <td data-label="How"><span>{how(&edit.source)}" "{undone}</span></td>
                <td data-label="What">{what}</td>
                <td data-label="Details"><a href=Route::TableEdit { edit: edit.id.clone() }.url()>"Look"<span class="vh">{format!(" at the change of {count}")}</span></a></td>
            </tr>
        }
    });
    view! {
        <table class="rows changes">
            <thead>
                <tr><th scope="col">"When"</th><th scope="col">"Who"</th><th scope="col">"How"</th><th scope="col">"What"</th><th scope="col">"Details"</th></tr>
            </thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    }
    .into_any()
}

fn how(source: &str) -> &'static str {
    match source {
        "file" => "by a file",
        "undo" => "undoing a change",
        _ => "by form",
    }
}

/// One change.
pub fn edit(desk: &Desk, data: EditData) -> Sheet {
    let (table, edit) = (data.table, data.edit);
    let back = Route::TableHistory { table, older_than: None }.url();
    let tools = view! { <span class="end"><a class="button quiet" href=back>"History"</a></span> };
    let wrong = data.wrong.into_iter().map(|sentence| view! { <p class="notice bad" role="alert">{sentence}</p> }).collect_view();
    let rows = data.rows.into_iter().map(|(name, told)| {
        view! { <tr><th scope="row">{name}</th><td data-label="What">{differences(&told)}</td></tr> }
    });
    let undo = (desk.may(Right::SetTerms) && !edit.is_undone).then(|| {
        view! {
            <form method="post" action=Action::TableUndo { edit: edit.id.clone() }.url()>
                {mutation(desk)}<button class="button">"Undo this change"</button>
                <p class="hint">"Every row becomes as it was before, from now on. Orders that stand keep their prices."</p>
            </form>
        }
    });
    let undone = edit.is_undone.then(|| view! { <p class="why">"This change was undone."</p> });
    let body = view! {
        {wrong}
        <p class="why">{edit.who.clone()}", "{time(edit.at)}", "{how(&edit.source)}</p>
        {undone}
        <table class="rows changes"><thead><tr><th scope="col">"Row"</th><th scope="col">"What was changed"</th></tr></thead><tbody>{rows.collect_view()}</tbody></table>
        {undo}
    };
    Sheet::framed(desk, Section::Tables, format!("{}: a change", table.title()), data.notice, tools.into_any(), body.into_any())
        .with_status(data.status)
}
