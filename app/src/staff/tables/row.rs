//! One row of a table: its form, and what was changed about it.

use super::{
    super::{
        Action, Desk, Route, Section, Sheet,
        form::{Field, mutation},
    },
    Column, EditLine, Kind, Table, history, list, named,
};
use crate::private::Notice;
use domain::staff::Right;
use leptos::prelude::*;

/// What a row's page shows.
#[derive(Clone, Debug)]
pub struct RowData {
    pub table: Table,
    /// `None`: a new one.
    pub key: Option<String>,
    /// By column: as it stands, or as it was typed.
    pub cells: Vec<String>,
    /// What is wrong, by the name of its column; empty for the row as a whole.
    pub wrong: Vec<(&'static str, String)>,
    /// Names the row as the form was made from: another one was changed meanwhile.
    pub seen: String,
    pub state: &'static str,
    /// Whether it can be ended.
    pub can_end: bool,
    /// Newest first.
    pub changes: Vec<EditLine>,
    pub notice: Option<Notice>,
    pub status: u16,
}

/// A row's page, or the page for a new one.
pub fn row(desk: &Desk, data: RowData) -> Sheet {
    let table = data.table;
    let may = desk.may(Right::SetTerms);
    let title = match &data.key {
        Some(_) => Some(named(table, &data.cells)).filter(|name| !name.is_empty()).unwrap_or_else(|| table.one().to_owned()),
        None => format!("Add a {}", table.one()),
    };
    let state = data.key.is_some().then(|| {
        let class = if data.state == "in force" { "tag" } else { "tag warn" };
        view! { <span class=class>{data.state}</span> }
    });
    let back = Route::Table { table, wanted: String::new(), after: None }.url();
    let another = data.key.clone().filter(|_| may).map(|key| {
        view! { <a class="button quiet" href=Route::TableNew { table, like: Some(key) }.url()>{format!("Add a {} like it", table.one())}</a> }
    });
    let tools = view! { {state}<span class="end"><a class="button quiet" href=back>{table.title()}</a>{another}</span> };
    let changes = data.key.is_some().then(|| view! { <section><h2>"What was changed here"</h2>{history::lines(&data.changes)}</section> });
    let codes = (may && table == Table::Coupons).then(|| data.key.clone()).flatten().map(|key| {
        view! { <p><a href=Route::CouponCodes { key }.url()>"Download its codes and their uses"</a></p> }
    });
    let content = if may { form(desk, &data) } else { facts(&data) };
    let end = (may && data.can_end).then(|| data.key.clone()).flatten().map(|key| {
        view! {
            <form method="post" action=Action::TableEnd { table }.url() class="ending">
                {mutation(desk)}<input type="hidden" name="key" value=key/>
                <button class="button quiet">{ending(data.state)}</button>
                <p class="hint">"Orders that stand keep what they were promised. It can be undone."</p>
            </form>
        }
    });
    let body = view! { <div class="terms">{content}{end}{codes}</div>{changes} };
    Sheet::framed(desk, Section::Tables, title, data.notice, tools.into_any(), body.into_any()).with_status(data.status)
}

/// What is not yet in force was never seen by anybody.
fn ending(state: &str) -> &'static str {
    if state == "to come" { "Take it back" } else { "End it now" }
}

fn form(desk: &Desk, data: &RowData) -> AnyView {
    let table = data.table;
    let general = data.wrong.iter().filter(|(column, _)| column.is_empty()).map(|(_, sentence)| sentence.clone());
    let general: Vec<_> = general.map(|sentence| view! { <p class="notice bad" role="alert">{sentence}</p> }).collect();
    let fields = table.columns().iter().enumerate().filter(|(_, column)| column.name != "id").map(|(at, column)| {
        let cell = data.cells.get(at).cloned().unwrap_or_default();
        if column.is_key && data.key.is_some() {
            return view! { <p class="fixed"><b>{column.label}</b>": "{list::words(column.kind, &cell)}</p> }.into_any();
        }
        field(column, cell, data.wrong.iter().find(|(name, _)| *name == column.name).map(|(_, sentence)| sentence.clone()))
    });
    let fields = fields.collect_view();
    let key = data.key.clone().map(|key| view! { <input type="hidden" name="key" value=key/> });
    view! {
        <form method="post" action=Action::TableSave { table }.url() class="table-form">
            {general}{mutation(desk)}{key}<input type="hidden" name="seen" value=data.seen.clone()/>
            {fields}
            <button class="button">{if data.key.is_some() { "Save" } else { "Add" }}</button>
        </form>
    }
    .into_any()
}

fn field(column: &Column, value: String, error: Option<String>) -> AnyView {
    let field = Field { value, error, hint: column.hint, chars_max: column.kind.chars_max(), ..Field::new(column.name, column.label) };
    match column.kind {
        Kind::Line(_) | Kind::Time => field.text(),
        Kind::Area(_) => field.area(),
        Kind::Choice(choices) => {
            let choices = choices.iter().map(|(value, words)| ((*value).to_owned(), (*words).to_owned())).collect();
            Field { chars_max: 0, ..field }.choice(choices)
        }
    }
}

/// The row for those who only look.
fn facts(data: &RowData) -> AnyView {
    let told = data.table.columns().iter().enumerate().filter_map(|(at, column)| {
        let cell = data.cells.get(at).filter(|cell| !cell.is_empty())?;
        Some(view! { <dt>{column.label}</dt><dd>{list::words(column.kind, cell)}</dd> })
    });
    view! { <dl class="facts">{told.collect_view()}</dl> }.into_any()
}
