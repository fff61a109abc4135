//! The tables of rules: lists, a form a row, files with a look before, and what was changed, with the way back.

use super::{desk, query_fields, send};
use crate::{
    Shop,
    http::{
        Failure, Fields,
        forms::{FILE_BODY_BYTES_MAX, FileFields, see_other},
    },
    staff::{Actor, Staff},
    tables::{self, BYTES_MAX, Cells, Done, Edit, Outcome, ROWS_MAX, Request, Seen, Source, Wish},
};
use anyhow::Context as _;
use app::{
    pages::Fault,
    private::Notice,
    staff::{
        Route,
        tables::{Difference, EditData, EditLine, FileData, HistoryData, ListData, Plan, PlanLine, RowData, Table, Verdict},
    },
};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Multipart, Path, RawQuery, State},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use domain::{CouponId, account::clean, staff::Right};
use http::{HeaderValue, header};

/// Rows of a list, changes of a table, and changes of one row that are shown at once.
const ROWS: u32 = 50;
const CHANGES: u32 = 20;
/// Codes that are read at once for a file.
const CODES: u32 = 1_000;

pub fn routes() -> Router<Shop> {
    Router::new()
        .route("/ops/tables", get(overview))
        .route("/ops/tables/{table}", get(list))
        .route("/ops/tables/{table}/rows.csv", get(download))
        .route("/ops/tables/coupons/codes.csv", get(codes))
        .route("/ops/tables/{table}/new", get(new))
        .route("/ops/tables/{table}/row", get(show).post(save))
        .route("/ops/tables/{table}/end", post(end))
        .route("/ops/tables/{table}/file", get(file).post(look).layer(DefaultBodyLimit::max(FILE_BODY_BYTES_MAX)))
        .route("/ops/tables/{table}/apply", post(apply))
        .route("/ops/tables/{table}/history", get(history))
        .route("/ops/edits/{edit}", get(edit))
        .route("/ops/edits/{edit}/undo", post(undo))
}

fn named(word: &str) -> Result<Table, Failure> {
    Table::parse(word).ok_or_else(|| Fault::NotFound.into())
}

async fn overview(State(shop): State<Shop>, staff: Staff) -> Result<Response, Failure> {
    send(&shop, app::staff::tables::overview(&desk(&shop, &staff)))
}

async fn list(State(shop): State<Shop>, staff: Staff, Path(word): Path<String>, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    let (table, query) = (named(&word)?, query_fields(query.as_deref()));
    let wanted = clean(query.get("q"));
    let (rows, next) = tables::list(&shop.db, table, &wanted, query.optional("after"), ROWS, shop.clock.now()).await?;
    let next = next.map(|after| Route::Table { table, wanted: wanted.clone(), after: Some(after) });
    let notice = (query.get("said") == "changed").then(|| Notice::good("It is changed: the shop has it from now on."));
    send(&shop, app::staff::tables::list(&desk(&shop, &staff), ListData { table, wanted, rows, next, notice }))
}

async fn download(State(shop): State<Shop>, _: Staff, Path(word): Path<String>, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    let (table, query) = (named(&word)?, query_fields(query.as_deref()));
    let rows = tables::whole(&shop.db, table, &clean(query.get("q")), shop.clock.now()).await?;
    csv(&format!("{}.csv", table.word()), tables::write_file(table, &rows)?)
}

async fn codes(State(shop): State<Shop>, staff: Staff, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    staff.require(Right::SetTerms)?;
    let id: CouponId = query_fields(query.as_deref()).get("key").parse().map_err(|_| Failure::from(Fault::NotFound))?;
    let (mut text, mut after) = ("code,uses\n".to_owned(), String::new());
    loop {
        let found = tables::codes(&shop.db, id, &after, CODES).await?;
        text.extend(found.iter().map(|(_, code, uses)| format!("{code},{uses}\n")));
        match found.into_iter().next_back() {
            Some((key, ..)) => after = key,
            None => return csv("codes.csv", text.into_bytes()),
        }
    }
}

fn csv(name: &str, bytes: Vec<u8>) -> Result<Response, Failure> {
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")).context("a name of ours")?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")), (header::CONTENT_DISPOSITION, disposition)], bytes)
        .into_response())
}

/// Cells that another row does not take from the one that it is made like.
const OF_ONE_ROW: [&str; 3] = ["id", "code", "from"];

async fn new(State(shop): State<Shop>, staff: Staff, Path(word): Path<String>, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    staff.require(Right::SetTerms)?;
    let table = named(&word)?;
    let like = match query_fields(query.as_deref()).optional("like") {
        Some(key) => Some(tables::find(&shop.db, &shop.clock, table, key).await?.ok_or(Fault::NotFound)?),
        None => None,
    };
    let cell = |(at, column): (usize, &app::staff::tables::Column)| {
        let like = like.as_ref().filter(|_| !OF_ONE_ROW.contains(&column.name));
        like.and_then(|cells| cells.get(at)).cloned().unwrap_or_else(|| first_choice(column))
    };
    let cells = table.columns().iter().enumerate().map(cell).collect();
    send(&shop, app::staff::tables::row(&desk(&shop, &staff), RowData { seen: tables::row_print(None), ..empty(table, None, cells) }))
}

/// What a new row's cell says at first.
fn first_choice(column: &app::staff::tables::Column) -> String {
    match column.kind {
        app::staff::tables::Kind::Choice([(first, _), ..]) => (*first).to_owned(),
        _ => String::new(),
    }
}

const fn empty(table: Table, key: Option<String>, cells: Cells) -> RowData {
    RowData { table, key, cells, wrong: Vec::new(), seen: String::new(), state: "", can_end: false, changes: Vec::new(), notice: None, status: 200 }
}

async fn show(State(shop): State<Shop>, staff: Staff, Path(word): Path<String>, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    let (table, query) = (named(&word)?, query_fields(query.as_deref()));
    let key = query.get("key").to_owned();
    let cells = tables::find(&shop.db, &shop.clock, table, &key).await?.ok_or(Fault::NotFound)?;
    let notice = (query.get("said") == "saved").then(|| Notice::good("Saved: the shop has it from now on. It can be undone below."));
    let seen = tables::row_print(Some(&cells));
    let data = RowData { seen, notice, ..of_row(&shop, table, key, cells).await? };
    send(&shop, app::staff::tables::row(&desk(&shop, &staff), data))
}

/// A row's page with its state and what was changed.
async fn of_row(shop: &Shop, table: Table, key: String, cells: Cells) -> Result<RowData, Failure> {
    let edits = tables::edits_of(&shop.db, table, &key, CHANGES).await?;
    let changes = edits.into_iter().map(|edit| {
        let told = edit.rows.first().map(|row| Difference::between(table, row.before.as_deref(), row.after.as_deref())).unwrap_or_default();
        EditLine { differences: told, ..line(edit) }
    });
    let state = tables::state(&shop.db, table, &key, shop.clock.now()).await?;
    let can_end = matches!(state, "in force" | "not offered" | "to come");
    Ok(RowData { state, can_end, changes: changes.collect(), ..empty(table, Some(key), cells) })
}

/// The form's cells; those that it does not have stay as they are.
fn typed(table: Table, fields: &Fields) -> Vec<Option<String>> {
    let text = |text: &str| text.replace("\r\n", "\n").trim().to_owned();
    table.columns().iter().map(|column| fields.optional(column.name).map(text)).collect()
}

async fn save(State(shop): State<Shop>, staff: Staff, Path(word): Path<String>, fields: Fields) -> Result<Response, Failure> {
    staff.require(Right::SetTerms)?;
    let table = named(&word)?;
    let key = fields.optional("key").filter(|key| !key.is_empty()).map(str::to_owned);
    let cells = typed(table, &fields);
    let wish = Wish::Put { key: key.clone(), cells: cells.clone() };
    let request =
        Request { by: staff.id(), mutation: mutation(&shop, &fields), source: Source::Form, seen: Seen::Row(fields.get("seen").to_owned()) };
    let outcomes = match tables::carry_out(&shop.db, &shop.clock, table, &[wish], request).await? {
        Done::Changed(edit) => {
            let made = tables::edit(&shop.db, &edit).await?.and_then(|edit| edit.rows.into_iter().next()).map(|row| row.key);
            return Ok(saved(table, made));
        }
        Done::Nothing | Done::Before => return Ok(saved(table, key)),
        Done::Refused(outcomes) => outcomes,
    };
    let outcome = outcomes.into_iter().next().context("one wish has one outcome")?;
    let stands = outcome.before;
    let shown: Cells = table
        .columns()
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let was = || stands.as_ref().and_then(|cells| cells.get(at)).cloned();
            let said = cells.get(at).cloned().flatten();
            if column.is_key && key.is_some() { was().or(said) } else { said.or_else(was) }.unwrap_or_default()
        })
        .collect();
    let mut data = match &key {
        Some(key) => of_row(&shop, table, key.clone(), shown).await?,
        None => empty(table, None, shown),
    };
    data.seen = tables::row_print(stands.as_ref());
    data.wrong = outcome.wrong;
    data.status = 422;
    if data.wrong.is_empty() {
        let words = if key.is_some() {
            "It was changed meanwhile; what was changed is listed below. What you typed is still here: saving it now replaces that."
        } else {
            "There is such a row already. What you typed is still here: adding it now replaces that one."
        };
        data.wrong.push(("", words.to_owned()));
        data.status = 409;
    }
    send(&shop, app::staff::tables::row(&desk(&shop, &staff), data))
}

fn saved(table: Table, key: Option<String>) -> Response {
    match key {
        Some(key) => see_other(&format!("{}&said=saved", Route::TableRow { table, key }.url())),
        None => see_other(&format!("{}?said=changed", Route::Table { table, wanted: String::new(), after: None }.url())),
    }
}

fn mutation(shop: &Shop, fields: &Fields) -> String {
    let named = fields.optional("mutation").filter(|mutation| (1..=64).contains(&mutation.len()));
    named.map_or_else(|| shop.clock.id().to_string(), str::to_owned)
}

async fn end(State(shop): State<Shop>, staff: Staff, Path(word): Path<String>, fields: Fields) -> Result<Response, Failure> {
    staff.require(Right::SetTerms)?;
    let (table, key) = (named(&word)?, fields.get("key").to_owned());
    let request = Request { by: staff.id(), mutation: mutation(&shop, &fields), source: Source::Form, seen: Seen::Nothing };
    match tables::carry_out(&shop.db, &shop.clock, table, &[Wish::End { key: key.clone() }], request).await? {
        Done::Changed(edit) => {
            // What had not begun is gone, and has no page any more.
            let stands = tables::find(&shop.db, &shop.clock, table, &key).await?.is_some();
            Ok(if stands { saved(table, Some(key)) } else { see_other(&format!("{}?said=changed", Route::TableEdit { edit }.url())) })
        }
        Done::Nothing | Done::Before => Ok(saved(table, None)),
        Done::Refused(outcomes) => {
            let outcome = outcomes.into_iter().next().context("one wish has one outcome")?;
            let cells = outcome.before.ok_or(Fault::NotFound)?;
            let seen = tables::row_print(Some(&cells));
            let data = RowData { seen, wrong: outcome.wrong, status: 422, ..of_row(&shop, table, key, cells).await? };
            send(&shop, app::staff::tables::row(&desk(&shop, &staff), data))
        }
    }
}

const fn file_page(table: Table, text: String) -> FileData {
    FileData { table, text, plan: None, error: None, notice: None, rows_max: ROWS_MAX, bytes_max: BYTES_MAX, status: 200 }
}

async fn file(State(shop): State<Shop>, staff: Staff, Path(word): Path<String>) -> Result<Response, Failure> {
    staff.require(Right::SetTerms)?;
    send(&shop, app::staff::tables::file(&desk(&shop, &staff), file_page(named(&word)?, String::new())))
}

async fn look(State(shop): State<Shop>, staff: Staff, Path(word): Path<String>, form: Multipart) -> Result<Response, Failure> {
    staff.require(Right::SetTerms)?;
    let table = named(&word)?;
    let data = match uploaded(form).await {
        Ok(text) => planned(&shop, table, text).await?,
        Err(error) => FileData { error: Some(error), status: 422, ..file_page(table, String::new()) },
    };
    send(&shop, app::staff::tables::file(&desk(&shop, &staff), data))
}

/// The file of an upload, as text.
async fn uploaded(mut form: Multipart) -> Result<String, String> {
    const BROKEN: &str = "The upload was cut short: send the file again.";
    while let Some(field) = form.next_field().await.map_err(|_| BROKEN.to_owned())? {
        if field.name() == Some("file") {
            let bytes = field.bytes().await.map_err(|_| BROKEN.to_owned())?;
            if bytes.len() > BYTES_MAX {
                return Err(format!("The file has more than {} kB: send it in parts.", BYTES_MAX / 1_000));
            }
            if bytes.is_empty() {
                return Err("Choose a file first.".to_owned());
            }
            return String::from_utf8(bytes.to_vec()).map_err(|_| "The file is not in UTF-8: save it as “CSV UTF-8”.".to_owned());
        }
    }
    Err("Choose a file first.".to_owned())
}

/// What a file would change.
async fn planned(shop: &Shop, table: Table, text: String) -> Result<FileData, Failure> {
    let wishes = match tables::read_file(table, &text) {
        Ok(wishes) => wishes,
        Err(error) => return Ok(FileData { error: Some(error), status: 422, ..file_page(table, String::new()) }),
    };
    let (lines, wishes): (Vec<u64>, Vec<Wish>) = wishes.into_iter().unzip();
    let (outcomes, print) = tables::look(&shop.db, &shop.clock, table, &wishes).await?;
    Ok(FileData { plan: Some(plan(table, &lines, &outcomes, print)), ..file_page(table, text) })
}

fn plan(table: Table, lines: &[u64], outcomes: &[Outcome], fingerprint: String) -> Plan {
    let label = |name: &str| table.columns().iter().find(|column| column.name == name).map_or("", |column| column.label);
    let told = lines.iter().zip(outcomes).map(|(line, outcome)| {
        let differences = Difference::between(table, outcome.before.as_deref(), outcome.after.as_deref());
        let cells = outcome.after.as_ref().or(outcome.before.as_ref());
        let verdict = match (&outcome.before, &outcome.after) {
            _ if !outcome.wrong.is_empty() => Verdict::Wrong(outcome.wrong.iter().map(|(name, sentence)| (label(name), sentence.clone())).collect()),
            (None, Some(_)) => Verdict::New(differences),
            (Some(_), None) => Verdict::Ended(differences),
            _ if outcome.is_change() => Verdict::Changed(differences),
            _ => Verdict::Same,
        };
        let name = cells.map(|cells| app::staff::tables::named(table, cells)).unwrap_or_default();
        PlanLine { line: *line, name, verdict }
    });
    Plan { lines: told.collect(), fingerprint }
}

async fn apply(State(shop): State<Shop>, staff: Staff, Path(word): Path<String>, FileFields(fields): FileFields) -> Result<Response, Failure> {
    staff.require(Right::SetTerms)?;
    let (table, text) = (named(&word)?, fields.get("text").to_owned());
    let Ok(wishes) = tables::read_file(table, &text) else { return Err(Fault::BadRequest.into()) };
    let wishes: Vec<Wish> = wishes.into_iter().map(|(_, wish)| wish).collect();
    let request =
        Request { by: staff.id(), mutation: mutation(&shop, &fields), source: Source::File, seen: Seen::Plan(fields.get("seen").to_owned()) };
    match tables::carry_out(&shop.db, &shop.clock, table, &wishes, request).await? {
        Done::Changed(edit) => return Ok(see_other(&format!("{}?said=changed", Route::TableEdit { edit }.url()))),
        Done::Nothing | Done::Before => return Ok(saved(table, None)),
        Done::Refused(_) => {}
    }
    let error = Some("The table was changed since you looked: nothing was done. Look again at what would change now.".to_owned());
    let data = FileData { error, status: 409, ..planned(&shop, table, text).await? };
    send(&shop, app::staff::tables::file(&desk(&shop, &staff), data))
}

fn line(edit: Edit) -> EditLine {
    let who = match (edit.actor, edit.email) {
        (Actor::CommandLine, _) => "command line".to_owned(),
        (Actor::Staff(_), Some(email)) => email,
        (Actor::Staff(id), None) => format!("staff {id}"),
    };
    EditLine { id: edit.id, at: edit.at, who, source: edit.source, changed: edit.changed, is_undone: edit.is_undone, differences: Vec::new() }
}

async fn history(State(shop): State<Shop>, staff: Staff, Path(word): Path<String>, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    let (table, query) = (named(&word)?, query_fields(query.as_deref()));
    let mut edits = tables::edits(&shop.db, table, query.optional("older_than"), ROWS + 1).await?;
    let more = edits.len() > ROWS as usize;
    edits.truncate(ROWS as usize);
    let older = edits.last().filter(|_| more).map(|last| Route::TableHistory { table, older_than: Some(last.id.clone()) });
    send(&shop, app::staff::tables::history(&desk(&shop, &staff), HistoryData { table, edits: edits.into_iter().map(line).collect(), older }))
}

async fn edit(State(shop): State<Shop>, staff: Staff, Path(id): Path<String>, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    let edit = tables::edit(&shop.db, &id).await?.ok_or(Fault::NotFound)?;
    let notice = match query_fields(query.as_deref()).get("said") {
        "changed" => Some(Notice::good("It is changed: the shop has it from now on.")),
        "undone" => Some(Notice::good("Undone: this is the change that did it.")),
        _ => None,
    };
    send(&shop, app::staff::tables::edit(&desk(&shop, &staff), edit_page(edit, notice, Vec::new(), 200)))
}

fn edit_page(edit: Edit, notice: Option<Notice>, wrong: Vec<String>, status: u16) -> EditData {
    let table = edit.table;
    let rows = edit.rows.iter().map(|row| {
        let (before, after) = (row.before.as_deref(), row.after.as_deref());
        (after.or(before).map(|cells| app::staff::tables::named(table, cells)).unwrap_or_default(), Difference::between(table, before, after))
    });
    EditData { table, rows: rows.collect(), edit: line(edit), notice, wrong, status }
}

async fn undo(State(shop): State<Shop>, staff: Staff, Path(id): Path<String>, fields: Fields) -> Result<Response, Failure> {
    staff.require(Right::SetTerms)?;
    let request = Request { by: staff.id(), mutation: mutation(&shop, &fields), source: Source::Undo(id.clone()), seen: Seen::Nothing };
    match tables::undo(&shop.db, &shop.clock, &id, request).await? {
        None => Err(Fault::NotFound.into()),
        Some((_, Done::Changed(edit))) => Ok(see_other(&format!("{}?said=undone", Route::TableEdit { edit }.url()))),
        Some((_, Done::Nothing | Done::Before)) => Ok(see_other(&Route::TableEdit { edit: id }.url())),
        Some((table, Done::Refused(outcomes))) => {
            let told = outcomes.iter().filter(|outcome| !outcome.wrong.is_empty()).flat_map(|outcome| {
                let cells = outcome.before.as_ref().or(outcome.after.as_ref());
                let name = cells.map(|cells| app::staff::tables::named(table, cells)).unwrap_or_default();
                outcome.wrong.iter().map(move |(_, sentence)| format!("{name}: {sentence}"))
            });
            let wrong = told.collect();
            let edit = tables::edit(&shop.db, &id).await?.ok_or(Fault::NotFound)?;
            send(&shop, app::staff::tables::edit(&desk(&shop, &staff), edit_page(edit, None, wrong, 409)))
        }
    }
}
