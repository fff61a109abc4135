//! The tables there are, and the rows of one.

use super::{
    super::{Desk, Route, Section, Sheet, form::Field, turn},
    Kind, Table,
};
use crate::private::Notice;
use domain::staff::Right;
use leptos::prelude::*;

/// A row of a table, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub key: String,
    /// By column.
    pub cells: Vec<String>,
    /// `in force`, `to come`, `ended`.
    pub state: &'static str,
}

/// What a table's page shows.
#[derive(Clone, Debug)]
pub struct ListData {
    pub table: Table,
    /// As typed.
    pub wanted: String,
    pub rows: Vec<Line>,
    pub next: Option<Route>,
    pub notice: Option<Notice>,
}

/// All tables.
pub fn overview(desk: &Desk) -> Sheet {
    let rows = Table::ALL.map(|table| view! { <li><a href=table_url(table)><span>{table.title()}<small>{table.help()}</small></span></a></li> });
    let body = view! { <ul class="tasks plain">{rows.to_vec().collect_view()}</ul> };
    Sheet::framed(desk, Section::Tables, Section::Tables.name(), None, ().into_any(), body.into_any())
}

fn table_url(table: Table) -> String {
    Route::Table { table, wanted: String::new(), after: None }.url()
}

/// The rows of a table.
pub fn list(desk: &Desk, data: ListData) -> Sheet {
    let table = data.table;
    let may = desk.may(Right::SetTerms);
    let add = may.then(|| view! { <a class="button" href=Route::TableNew { table, like: None }.url()>{format!("Add a {}", table.one())}</a> });
    let upload = may.then(|| view! { <a class="button quiet" href=Route::TableFile { table }.url()>"Change by file"</a> });
    let tools = view! {
        <span class="end">
            <a class="button quiet" href=Route::TableHistory { table, older_than: None }.url()>"History"</a>
            <a class="button quiet" href=Route::TableCsv { table, wanted: data.wanted.clone() }.url()>"Download"</a>
            {upload}{add}
        </span>
    };
    let field = Field { value: data.wanted.clone(), chars_max: 60, hint: hint(table), ..Field::new("q", "Find") };
    let found = if data.rows.is_empty() {
        let words =
            if data.wanted.is_empty() { "There is nothing here yet.".to_owned() } else { format!("Nothing begins with “{}”.", data.wanted) };
        view! { <p class="empty">{words}</p> }.into_any()
    } else {
        rows(table, data.rows, data.next)
    };
    let body = view! {
        <p class="why"><a href=Route::Tables.url()>"All tables"</a>" · "{table.help()}</p>
        <form class="find" method="get" action=table_url(table) role="search">{field.text()}<button class="button quiet">"Find"</button></form>
        {found}
    };
    Sheet::framed(desk, Section::Tables, table.title(), data.notice, tools.into_any(), body.into_any())
}

/// What a search looks at.
const fn hint(table: Table) -> &'static str {
    match table {
        Table::Prices => "The beginning of a SKU, a barcode, or a word of a title; a price list before it looks at that one only: de TOTE",
        Table::Coupons => "A code: the beginning is enough.",
        Table::Promotions => "The beginning of a title.",
        Table::Taxes | Table::Collection => "A country, such as DE, or a region, such as US-NY.",
        Table::Delivery | Table::Zones => "A market, such as DE.",
    }
}

fn rows(table: Table, rows: Vec<Line>, next: Option<Route>) -> AnyView {
    let listed: Vec<(usize, &str, Kind)> =
        table.columns().iter().enumerate().filter(|(_, column)| column.is_listed).map(|(at, column)| (at, column.label, column.kind)).collect();
    let heads = listed.iter().map(|(_, label, _)| view! { <th scope="col">{*label}</th> }).collect_view();
    let lines = rows.into_iter().map(|line| {
        let to = Route::TableRow { table, key: line.key }.url();
        let class = if line.state == "in force" { "tag" } else { "tag warn" };
        let cells = listed.iter().enumerate().map(|(place, (at, label, kind))| {
            let cell = words(*kind, line.cells.get(*at).map_or("", String::as_str));
            if place == 0 {
                let name = if cell.is_empty() { "(empty)".to_owned() } else { cell };
                view! { <th scope="row"><a href=to.clone()>{name}</a></th> }.into_any()
            } else {
                let class = cell.is_empty().then_some("nil");
                view! { <td data-label=*label class=class>{cell}</td> }.into_any()
            }
        });
        view! { <tr>{cells.collect_view()}<td data-label="State"><span class=class>{line.state}</span></td></tr> }
    });
    view! {
        <table class="rows terms">
            <thead><tr>{heads}<th scope="col">"State"</th></tr></thead>
            <tbody>{lines.collect_view()}</tbody>
        </table>
        {turn("More rows", next)}
    }
    .into_any()
}

/// `2026-12-03T06:07:21.53Z` as `2026-12-03 06:07 UTC`; what is not written so stays as it is.
fn time(cell: &str) -> String {
    let minute = cell.strip_suffix('Z').and_then(|cell| Some((cell.get(..10)?, cell.get(11..16)?)));
    minute.map_or_else(|| cell.to_owned(), |(day, time)| format!("{day} {time} UTC"))
}

/// A cell as people read it.
pub(super) fn words(kind: Kind, cell: &str) -> String {
    match kind {
        Kind::Choice(choices) => choices.iter().find(|(value, _)| *value == cell).map_or(cell, |(_, words)| words).to_owned(),
        Kind::Time => time(cell),
        Kind::Line(_) | Kind::Area(_) => cell.to_owned(),
    }
}
