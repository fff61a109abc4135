//! What was changed: read from the rows that every change leaves.

use super::Cells;
use crate::{
    params,
    sql::{Db, Row},
    staff::Actor,
};
use anyhow::Context as _;
use app::staff::tables::Table;
use domain::offer::Instant;

/// A change, with its rows where they were asked for.
#[derive(Clone, Debug)]
pub struct Edit {
    pub id: String,
    pub table: Table,
    pub at: Instant,
    pub actor: Actor,
    /// The email address of the account, where a member of staff did it.
    pub email: Option<String>,
    /// `form`, `file` or `undo`.
    pub source: String,
    pub changed: u64,
    pub is_undone: bool,
    /// In the order in which they were changed.
    pub rows: Vec<EditRow>,
}

/// One row of a change.
#[derive(Clone, Debug)]
pub struct EditRow {
    pub key: String,
    pub before: Option<Cells>,
    pub after: Option<Cells>,
}

impl Edit {
    fn read(row: &Row) -> anyhow::Result<Self> {
        let word = row.text("table_name")?;
        Ok(Self {
            id: row.text("id")?,
            table: Table::parse(&word).with_context(|| format!("there is no table {word:?}"))?,
            at: row.int("at")?,
            actor: row.parse("actor")?,
            email: row.text_or_null("email")?,
            source: row.text("source")?,
            changed: u64::try_from(row.int("changed")?)?,
            is_undone: row.text_or_null("undone_by")?.is_some(),
            rows: Vec::new(),
        })
    }
}

impl EditRow {
    fn read(row: &Row) -> anyhow::Result<Self> {
        let cells = |column| row.text_or_null(column)?.map(|text| serde_json::from_str(&text)).transpose().context("cells");
        Ok(Self { key: row.text("row_key")?, before: cells("before")?, after: cells("after")? })
    }
}

/// Changes of a table older than the one with this id, newest first.
pub async fn edits(db: &Db, table: Table, older_than: Option<&str>, limit: u32) -> anyhow::Result<Vec<Edit>> {
    let sql = "SELECT e.id, e.table_name, e.at, e.actor, e.source, e.changed, e.undone_by, s.email FROM table_edits e \
               LEFT JOIN staff s ON s.id = SUBSTR(e.actor, 7) WHERE e.table_name = $1 AND e.id < $2 ORDER BY e.id DESC LIMIT $3";
    // Ids are hexadecimal: nothing is beyond this one.
    db.all(sql, params![table.word(), older_than.unwrap_or("g"), limit]).await?.iter().map(Edit::read).collect()
}

/// The latest changes of one row, newest first, each with that row alone.
pub async fn edits_of(db: &Db, table: Table, key: &str, limit: u32) -> anyhow::Result<Vec<Edit>> {
    let sql = "SELECT e.id, e.table_name, e.at, e.actor, e.source, e.changed, e.undone_by, s.email, r.row_key, r.before, r.after FROM table_edit_rows r \
               JOIN table_edits e ON e.id = r.edit_id LEFT JOIN staff s ON s.id = SUBSTR(e.actor, 7) \
               WHERE r.table_name = $1 AND r.row_key = $2 ORDER BY r.edit_id DESC LIMIT $3";
    let rows = db.all(sql, params![table.word(), key, limit]).await?;
    rows.iter().map(|row| Ok(Edit { rows: vec![EditRow::read(row)?], ..Edit::read(row)? })).collect()
}

/// A change with its rows.
pub async fn edit(db: &Db, id: &str) -> anyhow::Result<Option<Edit>> {
    let sql = "SELECT e.id, e.table_name, e.at, e.actor, e.source, e.changed, e.undone_by, s.email FROM table_edits e \
               LEFT JOIN staff s ON s.id = SUBSTR(e.actor, 7) WHERE e.id = $1";
    let Some(row) = db.first(sql, params![id]).await? else { return Ok(None) };
    let rows = db.all("SELECT row_key, before, after FROM table_edit_rows WHERE edit_id = $1 ORDER BY position", params![id]).await?;
    Ok(Some(Edit { rows: rows.iter().map(EditRow::read).collect::<anyhow::Result<_>>()?, ..Edit::read(&row)? }))
}
