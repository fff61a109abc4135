//! Who a customer is to rules that are not for everyone: read from orders and segments by the keyed hash of the email address, to show in the checkout
//! and again in the order's own transaction. `nextgen segment` keeps segments.

use crate::{
    clock::Clock,
    keys::Keys,
    params,
    sql::{Db, Row, Tx},
    staff::audit::{self, Actor, Change, Subject},
};
use anyhow::{Context as _, ensure};
use clap::Subcommand;
use domain::{
    account::Email,
    promotion::{Audience, Customer},
};
use serde_json::json;
use std::io::Read as _;

/// One row for a paid order, which has no segment, and one for each segment.
const KNOWN: &str = "SELECT o.segment FROM (SELECT '' AS segment FROM orders WHERE subject = $1 AND pieces = 'sold' LIMIT 1) o \
                     UNION ALL SELECT segment FROM customer_segments WHERE subject = $1";

fn customer(rows: &[Row]) -> anyhow::Result<Customer> {
    let names = rows.iter().map(|row| row.text("segment")).collect::<anyhow::Result<Vec<_>>>()?;
    let has_ordered = names.iter().any(String::is_empty);
    Ok(Customer { has_ordered, segments: names.into_iter().filter(|name| !name.is_empty()).collect() })
}

/// The customer whose orders have this subject.
pub async fn find(db: &Db, subject: &str) -> anyhow::Result<Customer> {
    customer(&db.all(KNOWN, params![subject]).await?)
}

/// The same as a transaction sees it.
pub async fn find_in(tx: &mut Tx, subject: &str) -> anyhow::Result<Customer> {
    customer(&tx.all(KNOWN, params![subject]).await?)
}

/// Refuses a rule for a segment that nobody is in: a slip of the pen would hold for nobody, and say nothing.
pub async fn check(tx: &mut Tx, audience: &Audience) -> anyhow::Result<()> {
    let Audience::Segment(name) = audience else { return Ok(()) };
    let row = tx.first("SELECT segment FROM customer_segments WHERE segment = $1 LIMIT 1", params![name]).await?;
    ensure!(row.is_some(), "nobody is in a segment {name:?}: add customers to it first, by nextgen segment add {name}");
    Ok(())
}

/// Addresses of one run.
const EMAILS_MAX: usize = 100_000;
/// Bytes of its input.
const BYTES_MAX: u64 = 32 << 20;
/// Rows of one transaction.
const AT_ONCE: usize = 500;

/// Segments of customers: add to one, take from one, list them.
#[derive(Clone, Debug, Subcommand)]
pub enum SegmentTask {
    /// Add customers by their email addresses, one on each line of the standard input: nextgen segment add vip < emails.txt
    Add {
        /// Small letters, digits, - and _.
        segment: String,
    },
    /// Take customers out, by their email addresses as above
    Remove { segment: String },
    /// Show all segments with how many customers each has
    List,
}

/// Does it, and says what was done.
pub async fn run(db: &Db, keys: &Keys, clock: &Clock, task: SegmentTask) -> anyhow::Result<String> {
    match task {
        SegmentTask::Add { segment } => change(db, keys, clock, &segment, &typed()?, true).await,
        SegmentTask::Remove { segment } => change(db, keys, clock, &segment, &typed()?, false).await,
        SegmentTask::List => {
            let rows = db.all("SELECT segment, COUNT(*) AS n FROM customer_segments GROUP BY segment ORDER BY segment", params![]).await?;
            let lines = rows.iter().map(|row| Ok(format!("{}  {}", row.text("segment")?, row.int("n")?))).collect::<anyhow::Result<Vec<_>>>()?;
            Ok(if lines.is_empty() { "There are no segments yet: nextgen segment add --help".to_owned() } else { lines.join("\n") })
        }
    }
}

fn typed() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin().take(BYTES_MAX).read_to_string(&mut text).context("reading email addresses from the standard input")?;
    Ok(text)
}

/// Adds customers to a segment, or takes them out, by their addresses, one on each line. What was done, in a sentence.
pub async fn change(db: &Db, keys: &Keys, clock: &Clock, segment: &str, emails: &str, is_added: bool) -> anyhow::Result<String> {
    ensure!(Audience::is_name(segment), "a segment is named by up to {} small letters, digits, - and _", Audience::NAME_CHARS_MAX);
    let subjects = subjects(keys, emails)?;
    let mut changed = 0;
    for some in subjects.chunks(AT_ONCE) {
        changed += db
            .transact::<_, anyhow::Error>(|tx| {
                let (clock, segment, some) = (clock.clone(), segment.to_owned(), some.to_vec());
                Box::pin(async move {
                    let mut changed = 0;
                    for subject in &some {
                        changed += if is_added {
                            let sql = "INSERT INTO customer_segments (subject, segment, added_at) VALUES ($1, $2, $3) ON CONFLICT (subject, segment) DO NOTHING";
                            tx.execute(sql, params![subject, &segment, clock.now()]).await?
                        } else {
                            tx.execute("DELETE FROM customer_segments WHERE subject = $1 AND segment = $2", params![subject, &segment]).await?
                        };
                    }
                    if changed > 0 {
                        let action = if is_added { "segment grown" } else { "segment shrunk" };
                        let (subject, after) = (Subject::Other(format!("segment:{segment}")), Some(json!({ "customers": changed })));
                        audit::write(tx, &clock, Actor::CommandLine, Change { action, subject, before: None, after }).await?;
                    }
                    Ok(changed)
                })
            })
            .await?;
    }
    let (done, others) = if is_added { ("added to", "there already") } else { ("taken out of", "not in it") };
    let people = if changed == 1 { "customer" } else { "customers" };
    Ok(format!("{changed} {people} {done} {segment}; {} {others}.", subjects.len() as u64 - changed))
}

/// Each address once. All are read before any is written, and the first that is none is named by its line.
fn subjects(keys: &Keys, text: &str) -> anyhow::Result<Vec<String>> {
    let mut subjects = Vec::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let email = Email::parse(line.trim()).map_err(|_| anyhow::anyhow!("line {} is no email address; nothing was changed", at + 1))?;
        subjects.push(crate::orders::subject(keys, &email));
    }
    ensure!(!subjects.is_empty(), "there is no email address on the standard input: one on each line");
    ensure!(subjects.len() <= EMAILS_MAX, "at most {EMAILS_MAX} addresses at once: send them in parts");
    subjects.sort_unstable();
    subjects.dedup();
    Ok(subjects)
}
