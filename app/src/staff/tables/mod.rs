//! The tables of prices and rules: lists, a form for each row, files, and what was changed, with a way back.

mod columns;
mod file;
mod history;
mod list;
mod row;

pub use columns::{Column, Kind, Table, suffix};
pub use file::{FileData, Plan, PlanLine, Verdict, file};
pub use history::{EditData, EditLine, HistoryData, edit, history};
pub use list::{Line, ListData, list, overview};
pub use row::{RowData, row};

use leptos::prelude::*;

/// A cell that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub label: &'static str,
    pub before: String,
    pub after: String,
}

impl Difference {
    /// What differs between two rows of a table; a row that is not there has empty cells.
    pub fn between(table: Table, before: Option<&[String]>, after: Option<&[String]>) -> Vec<Self> {
        let cell = |row: Option<&[String]>, at: usize| row.and_then(|cells| cells.get(at)).cloned().unwrap_or_default();
        let columns = table.columns().iter().enumerate().filter(|(_, column)| !column.is_key || before.is_none() || after.is_none());
        let told = columns.filter(|(at, _)| cell(before, *at) != cell(after, *at));
        let words = |row, at, kind| list::words(kind, &cell(row, at));
        told.map(|(at, column)| Self { label: column.label, before: words(before, at, column.kind), after: words(after, at, column.kind) }).collect()
    }
}

/// Differences, one below the other: `What it does: 10% → 15%`.
fn differences(all: &[Difference]) -> AnyView {
    let lines = all.iter().cloned().map(|Difference { label, before, after }| {
        let (before, after) = (shown(before), shown(after));
        view! { <span class="place"><b>{label}</b>": "<del>{before}</del>" → "<ins>{after}</ins></span> }
    });
    view! { <span class="differences">{lines.collect_view()}</span> }.into_any()
}

/// An empty cell is told as one.
fn shown(cell: String) -> String {
    if cell.is_empty() { "nothing".to_owned() } else { cell }
}

/// What a row is known by, in words.
pub fn named(table: Table, cells: &[String]) -> String {
    let columns: &[&str] = match table {
        Table::Prices => &["sku", "list", "from"],
        Table::Promotions => &["title"],
        Table::Coupons => &["code", "title"],
        Table::Taxes => &["country", "region", "category", "name", "from"],
        Table::Collection => &["place", "from"],
        Table::Delivery => &["market", "method", "from"],
        Table::Zones => &["market", "method", "name"],
    };
    let cell = |name: &&str| table.position(name).and_then(|at| Some(list::words(table.columns()[at].kind, cells.get(at)?)));
    columns.iter().filter_map(cell).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}
