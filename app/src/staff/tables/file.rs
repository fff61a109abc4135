//! Changing a table by a file: what the file would change is shown before anything is.

use super::{
    super::{Action, Desk, Route, Section, Sheet, form::mutation},
    Difference, Table, differences,
};
use crate::private::Notice;
use domain::staff::Right;
use leptos::prelude::*;

/// What became, or would become, of a row of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanLine {
    /// Of the file, from 1; the head is the first.
    pub line: u64,
    pub name: String,
    pub verdict: Verdict,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    New(Vec<Difference>),
    Changed(Vec<Difference>),
    Ended(Vec<Difference>),
    Same,
    /// By the label of the column, or empty for the row.
    Wrong(Vec<(&'static str, String)>),
}

/// What a file would change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub lines: Vec<PlanLine>,
    /// Names the plan: if another one results when it is carried out, that one is shown first.
    pub fingerprint: String,
}

/// What the page of files shows.
#[derive(Clone, Debug)]
pub struct FileData {
    pub table: Table,
    /// The file's text, kept for the second step.
    pub text: String,
    pub plan: Option<Plan>,
    /// What is wrong with the file as a whole.
    pub error: Option<String>,
    pub notice: Option<Notice>,
    /// Rows and bytes that a file may have.
    pub rows_max: usize,
    pub bytes_max: usize,
    pub status: u16,
}

/// Lines of a plan that are shown: those that are wrong first.
const SHOWN: usize = 500;

pub fn file(desk: &Desk, data: FileData) -> Sheet {
    let table = data.table;
    let back = Route::Table { table, wanted: String::new(), after: None }.url();
    let tools = view! { <span class="end"><a class="button quiet" href=back>{table.title()}</a></span> };
    let error = data.error.map(|error| view! { <p class="notice bad" role="alert">{error}</p> });
    let plan = data.plan.map(|plan| planned(desk, table, &plan, data.text));
    let columns = table.columns().iter().map(|column| {
        view! { <dt><code>{column.name}</code></dt><dd>{column.label}". "{column.hint}</dd> }
    });
    let limits = format!(
        "CSV in UTF-8 with a head; at most {} rows and {} kB. Rows that it does not name stay as they are.",
        data.rows_max,
        data.bytes_max / 1_000
    );
    let upload = desk.may(Right::SetTerms).then(|| {
        view! {
            <section>
                <h2>"Look what a file would change"</h2>
                <form method="post" action=Action::TableFile { table }.url() enctype="multipart/form-data" class="upload">
                    <div class="field"><label for="f-file">"File"</label><input id="f-file" type="file" name="file" accept=".csv,text/csv" required=true aria-describedby="f-file-hint"/><p class="hint" id="f-file-hint">{limits}</p></div>
                    <button class="button">"Show what would change"</button>
                </form>
                <p class="hint">"Begin with the download: it has the right columns. The column "<code>"end"</code>" with "<code>"yes"</code>" ends a row. Columns that a file lacks stay as they are."</p>
            </section>
        }
    });
    let body = view! {
        {error}{plan}{upload}
        <details class="act"><summary>"Columns"</summary><dl class="facts">{columns.collect_view()}</dl></details>
    };
    Sheet::framed(desk, Section::Tables, format!("{}: change by file", table.title()), data.notice, tools.into_any(), body.into_any())
        .with_status(data.status)
}

fn planned(desk: &Desk, table: Table, plan: &Plan, text: String) -> AnyView {
    let count = |is: fn(&Verdict) -> bool| plan.lines.iter().filter(|line| is(&line.verdict)).count();
    let wrong = count(|verdict| matches!(verdict, Verdict::Wrong(_)));
    let (new, changed) = (count(|verdict| matches!(verdict, Verdict::New(_))), count(|verdict| matches!(verdict, Verdict::Changed(_))));
    let (ended, same) = (count(|verdict| matches!(verdict, Verdict::Ended(_))), count(|verdict| *verdict == Verdict::Same));
    let sum = format!("{new} new, {changed} changed, {ended} ended, {same} as they are, {wrong} wrong");
    let mut lines: Vec<&PlanLine> = plan.lines.iter().filter(|line| line.verdict != Verdict::Same).collect();
    lines.sort_by_key(|line| (!matches!(line.verdict, Verdict::Wrong(_)), line.line));
    let more = (lines.len() > SHOWN).then(|| view! { <p class="why">{format!("The first {SHOWN} of {} rows.", lines.len())}</p> });
    let rows = lines.into_iter().take(SHOWN).cloned().map(|line| {
        let (word, told) = match line.verdict {
            Verdict::New(told) => ("new", differences(&told)),
            Verdict::Changed(told) => ("changed", differences(&told)),
            Verdict::Ended(told) => ("ended", differences(&told)),
            Verdict::Same => ("same", ().into_any()),
            Verdict::Wrong(told) => {
                let told = told.into_iter().map(|(column, sentence)| {
                    let column = (!column.is_empty()).then(|| view! { <b>{column}</b>": " });
                    view! { <span class="place under">{column}{sentence}</span> }
                });
                ("wrong", view! { <span>{told.collect_view()}</span> }.into_any())
            }
        };
        let class = if word == "wrong" { "tag warn" } else { "tag" };
        view! {
            <tr><td data-label="Line" class="n">{line.line}</td><th scope="row">{line.name}</th><td data-label="Would be"><span class=class>{word}</span></td><td data-label="What">{told}</td></tr>
        }
    });
    let apply = (wrong == 0 && new + changed + ended > 0).then(|| {
        view! {
            <form method="post" action=Action::TableApply { table }.url()>
                {mutation(desk)}<input type="hidden" name="seen" value=plan.fingerprint.clone()/>
                <textarea name="text" hidden=true>{text}</textarea>
                <button class="button">{format!("Change {} rows", new + changed + ended)}</button>
            </form>
        }
    });
    let advice = (wrong > 0).then(|| view! { <p class="why">"Nothing is changed while a row is wrong: mend the file and send it again."</p> });
    let none = (wrong == 0 && new + changed + ended == 0).then(|| view! { <p class="why">"There is nothing to change."</p> });
    view! {
        <section>
            <h2>"What would change"</h2>
            <p role="status">{sum}</p>
            <table class="rows changes">
                <thead><tr><th scope="col" class="n">"Line"</th><th scope="col">"Row"</th><th scope="col">"Would be"</th><th scope="col">"What"</th></tr></thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
            {more}{advice}{none}{apply}
        </section>
    }
    .into_any()
}
