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
        let told = columns.map(|(at, column)| Self { label: column.label, before: cell(before, at), after: cell(after, at) });
        told.filter(|difference| difference.before != difference.after).collect()
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
    let cell = |name: &str| table.position(name).and_then(|at| cells.get(at)).map_or("", String::as_str);
    let parts: Vec<&str> = match table {
        Table::Prices => vec![cell("sku"), cell("list"), cell("from")],
        Table::Promotions => vec![cell("title")],
        Table::Coupons => vec![cell("code"), cell("title")],
        Table::Taxes => vec![cell("country"), cell("region"), cell("category"), cell("name"), cell("from")],
        Table::Collection => vec![cell("place"), cell("from")],
        Table::Delivery => vec![cell("market"), cell("method"), cell("from")],
        Table::Zones => vec![cell("market"), cell("method"), cell("name")],
    };
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}
