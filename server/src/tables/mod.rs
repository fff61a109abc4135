//! The tables of prices and rules as staff edit them, row by row or by file. Whatever changes one goes through [`carry_out`]: it writes every row in
//! one transaction, keeps each as it was and as it is, and can therefore say beforehand what would change ([`look`] is the same work, rolled
//! back), and undo it afterwards. What a cell means is said in a file a table.

mod cells;
mod collection;
mod coupons;
mod delivery;
mod file;
mod history;
mod lists;
mod prices;
mod promotions;
mod rows;
mod rule;
mod taxes;
mod zones;

pub use file::{BYTES_MAX, ROWS_MAX, read as read_file, write as write_file};
pub use history::{Edit, EditRow, edit, edits, edits_of};
pub use lists::{codes, list, state, whole};

use crate::{
    catalog::shelves,
    clock::Clock,
    params,
    sql::{Conflict, Db, Tx},
    staff::{
        self,
        audit::{self, Actor, Change, Subject},
    },
};
use anyhow::Context as _;
use app::staff::tables::Table;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{StaffId, market::Market, offer::Instant};
use rows::{all, one, read};
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// A row's cells, by column.
pub type Cells = Vec<String>;

/// What is wrong with a row: the name of a column, or nothing for the row as a whole, and a sentence for whoever typed it.
pub type Wrong = (&'static str, String);

/// What is to become of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// A row with these cells; those that are `None` stay as they are. `key`: the row that it replaces, as it is listed; without one it is
    /// recognised by its cells.
    Put { key: Option<String>, cells: Vec<Option<String>> },
    /// The row ends, or is gone where it has not begun.
    End { key: String },
    /// The same of the row that these cells describe.
    EndLike { cells: Vec<Option<String>> },
}

/// What became, or would become, of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub key: String,
    pub before: Option<Cells>,
    pub after: Option<Cells>,
    /// Nothing is written while any row has something wrong.
    pub wrong: Vec<Wrong>,
}

impl Outcome {
    /// Whether it changes anything.
    pub fn is_change(&self) -> bool {
        self.before != self.after
    }
}

/// Where a change comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Form,
    File,
    /// The change that it undoes.
    Undo(String),
}

impl Source {
    const fn word(&self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::File => "file",
            Self::Undo(_) => "undo",
        }
    }
}

/// Who wants something changed, and how it counts once.
#[derive(Clone, Debug)]
pub struct Request {
    pub by: StaffId,
    /// Of the form: a second one with the same changes nothing.
    pub mutation: String,
    pub source: Source,
    /// What was looked at before: if something else stands there now, nothing is changed.
    pub seen: Seen,
}

/// What somebody had before their eyes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    Nothing,
    /// One row, as [`row_print`] names it.
    Row(String),
    /// What would change, as [`look`] names it.
    Plan(String),
}

impl Seen {
    fn is_other(&self, outcomes: &[Outcome], print: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Row(seen) => outcomes.first().is_some_and(|outcome| row_print(outcome.before.as_ref()) != *seen),
            Self::Plan(seen) => print != seen,
        }
    }
}

/// How it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// By the id of the change.
    Changed(String),
    /// Everything stands as it is wanted.
    Nothing,
    /// The same form came before.
    Before,
    /// Something is wrong, or something else would be changed than was looked at.
    Refused(Vec<Outcome>),
}

/// What tables need beside their rows.
struct Context<'a> {
    clock: &'a Clock,
    now: Instant,
    markets: &'a [Market],
}

/// Why a row cannot be written.
#[derive(Debug, thiserror::Error)]
enum PutError {
    #[error("the row is wrong")]
    Wrong(Vec<Wrong>),
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl From<sqlx::Error> for PutError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl PutError {
    fn wrong(column: &'static str, sentence: impl Into<String>) -> Self {
        Self::Wrong(vec![(column, sentence.into())])
    }
}

/// Rolls a transaction back and carries out what it found.
#[derive(Debug, thiserror::Error)]
enum Halt {
    #[error("only looked at")]
    Told(Vec<Outcome>),
    #[error("this form came before")]
    Before,
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl From<sqlx::Error> for Halt {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl Conflict for Halt {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Failed(error) if error.is_conflict())
    }
}

/// What the wishes would change, without changing it, and a name for that ([`Seen::Plan`]). They are carried out one after the other, so that rows of one file see each other.
pub async fn look(db: &Db, clock: &Clock, table: Table, wishes: &[Wish]) -> anyhow::Result<(Vec<Outcome>, String)> {
    let (markets, now) = (shelves::markets(db, clock.now()).await?, clock.now());
    let looked = db
        .transact::<(), Halt>(|tx| {
            let (clock, markets) = (clock.clone(), markets.clone());
            let wishes = wishes.to_vec();
            Box::pin(async move { Err(Halt::Told(all(tx, &Context { clock: &clock, now, markets: &markets }, table, wishes).await?)) })
        })
        .await;
    match looked {
        Err(Halt::Told(outcomes)) => {
            let print = fingerprint(table, wishes, &outcomes, now);
            Ok((outcomes, print))
        }
        Err(Halt::Failed(error)) => Err(error),
        Ok(()) | Err(Halt::Before) => anyhow::bail!("a look tells what it found"),
    }
}

/// Changes all rows or none, with the history of each and one row of the log.
pub async fn carry_out(db: &Db, clock: &Clock, table: Table, wishes: &[Wish], request: Request) -> anyhow::Result<Done> {
    let (markets, now) = (shelves::markets(db, clock.now()).await?, clock.now());
    let print = form_print(table, wishes);
    let done = db
        .transact::<Option<String>, Halt>(|tx| {
            let (clock, markets, wishes, print, request) = (clock.clone(), markets.clone(), wishes.to_vec(), print.clone(), request.clone());
            Box::pin(async move {
                if !staff::first_time(tx, request.by, &request.mutation, &print, now).await? {
                    return Err(Halt::Before);
                }
                let outcomes = all(tx, &Context { clock: &clock, now, markets: &markets }, table, wishes.clone()).await?;
                if request.seen.is_other(&outcomes, &fingerprint(table, &wishes, &outcomes, now))
                    || outcomes.iter().any(|outcome| !outcome.wrong.is_empty())
                {
                    return Err(Halt::Told(outcomes));
                }
                keep(tx, &clock, table, &outcomes, &request).await.map_err(Halt::from)
            })
        })
        .await;
    match done {
        Ok(Some(edit)) => Ok(Done::Changed(edit)),
        Ok(None) => Ok(Done::Nothing),
        Err(Halt::Before) => Ok(Done::Before),
        Err(Halt::Told(outcomes)) => Ok(Done::Refused(outcomes)),
        Err(Halt::Failed(error)) => Err(error),
    }
}

/// Makes the rows of a change what they were before it, the last one first. Rows that were changed since are not touched: then nothing is.
pub async fn undo(db: &Db, clock: &Clock, id: &str, request: Request) -> anyhow::Result<Option<(Table, Done)>> {
    let Some(found) = edit(db, id).await? else { return Ok(None) };
    let (markets, now) = (shelves::markets(db, clock.now()).await?, clock.now());
    let table = found.table;
    let done = db
        .transact::<Option<String>, Halt>(|tx| {
            let (clock, markets, found, request) = (clock.clone(), markets.clone(), found.clone(), request.clone());
            Box::pin(async move {
                if !staff::first_time(tx, request.by, &request.mutation, &found.id, now).await? {
                    return Err(Halt::Before);
                }
                let cx = Context { clock: &clock, now, markets: &markets };
                let mut outcomes = Vec::with_capacity(found.rows.len());
                for row in found.rows.iter().rev() {
                    let stands = read(tx, &cx, table, &row.key).await?;
                    if stands != row.after {
                        let wrong = vec![("", "It was changed again since: undo that change first, or change the row by its form.".to_owned())];
                        outcomes.push(Outcome { key: row.key.clone(), before: stands, after: row.before.clone(), wrong });
                        continue;
                    }
                    let wish = match &row.before {
                        Some(cells) => Wish::Put { key: Some(row.key.clone()), cells: cells.iter().cloned().map(Some).collect() },
                        None => Wish::End { key: row.key.clone() },
                    };
                    outcomes.push(one(tx, &cx, table, wish).await?);
                }
                if outcomes.iter().any(|outcome| !outcome.wrong.is_empty()) {
                    return Err(Halt::Told(outcomes));
                }
                let made = keep(tx, &clock, table, &outcomes, &request).await?;
                if let Some(made) = &made {
                    let marked = "UPDATE table_edits SET undone_by = $2 WHERE id = $1 AND undone_by IS NULL";
                    if tx.execute(marked, params![&found.id, made]).await? == 0 {
                        return Err(Halt::Before);
                    }
                }
                Ok(made)
            })
        })
        .await;
    Ok(Some(match done {
        Ok(Some(edit)) => (table, Done::Changed(edit)),
        Ok(None) => (table, Done::Nothing),
        Err(Halt::Before) => (table, Done::Before),
        Err(Halt::Told(outcomes)) => (table, Done::Refused(outcomes)),
        Err(Halt::Failed(error)) => return Err(error),
    }))
}

/// A row of a table as it stands.
pub async fn find(db: &Db, clock: &Clock, table: Table, key: &str) -> anyhow::Result<Option<Cells>> {
    let (markets, now) = (shelves::markets(db, clock.now()).await?, clock.now());
    db.transact::<_, anyhow::Error>(|tx| {
        let (clock, markets, key) = (clock.clone(), markets.clone(), key.to_owned());
        Box::pin(async move { read(tx, &Context { clock: &clock, now, markets: &markets }, table, &key).await })
    })
    .await
}

/// Names what a look found: 43 characters, the same for the same wishes that change the same. What a row gets anew each time, its id and the
/// instant of the look, does not count.
fn fingerprint(table: Table, wishes: &[Wish], outcomes: &[Outcome], now: Instant) -> String {
    let (id, instant) = (table.position("id"), cells::instant(now));
    let lasting = |cells: &Option<Cells>| {
        let cells = cells.as_ref()?.iter().enumerate();
        Some(cells.filter(|(at, cell)| Some(*at) != id && **cell != instant).map(|(_, cell)| cell.clone()).collect::<Vec<_>>())
    };
    let told: Vec<_> = outcomes.iter().map(|outcome| (lasting(&outcome.before), lasting(&outcome.after))).collect();
    digest(&json!([form_print(table, wishes), told]))
}

/// The same for one row as it stands.
pub fn row_print(cells: Option<&Cells>) -> String {
    digest(&json!(cells))
}

fn form_print(table: Table, wishes: &[Wish]) -> String {
    let told: Vec<_> = wishes
        .iter()
        .map(|wish| match wish {
            Wish::Put { key, cells } => json!([key, cells]),
            Wish::End { key } => json!(key),
            Wish::EndLike { cells } => json!([cells]),
        })
        .collect();
    digest(&json!([table.word(), told]))
}

fn digest(value: &serde_json::Value) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(value.to_string()))
}

/// Writes what was changed. `None`: nothing was.
async fn keep(tx: &mut Tx, clock: &Clock, table: Table, outcomes: &[Outcome], request: &Request) -> anyhow::Result<Option<String>> {
    let changes: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.is_change()).collect();
    let [first, ..] = changes.as_slice() else { return Ok(None) };
    let (id, actor) = (clock.id().to_string(), Actor::Staff(request.by));
    tx.execute(
        "INSERT INTO table_edits (id, table_name, at, actor, source, changed, undone_by) VALUES ($1, $2, $3, $4, $5, $6, NULL)",
        params![&id, table.word(), clock.now(), actor.to_string(), request.source.word(), i64::try_from(changes.len())?],
    )
    .await?;
    let cells = |row: &Option<Cells>| row.as_ref().map(serde_json::to_string).transpose();
    for (position, outcome) in (0_i64..).zip(&changes) {
        tx.execute(
            "INSERT INTO table_edit_rows (edit_id, position, table_name, row_key, before, after) VALUES ($1, $2, $3, $4, $5, $6)",
            params![&id, position, table.word(), &outcome.key, cells(&outcome.before)?, cells(&outcome.after)?],
        )
        .await?;
    }
    let named = first.after.as_ref().or(first.before.as_ref()).map(|cells| app::staff::tables::named(table, cells));
    let after = match &request.source {
        Source::Undo(undone) => json!({ "rows": changes.len(), "first": named, "undone": undone }),
        Source::Form | Source::File => json!({ "rows": changes.len(), "first": named, "by": request.source.word() }),
    };
    let action = if matches!(request.source, Source::Undo(_)) { "change undone" } else { "table changed" };
    let change = Change { action, subject: Subject::Other(format!("edit:{id}")), before: None, after: Some(after) };
    audit::write(tx, clock, actor, change).await.context("writing the log")?;
    Ok(Some(id))
}
