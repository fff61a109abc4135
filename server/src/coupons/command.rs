//! `nextgen coupon …`: what staff do to coupons until there is a page for it. It writes SQL and nothing else, so it works beside a running shop.

use super::{add, add_code, terms::Terms};
use crate::{
    catalog::shelves::markets,
    clock::Clock,
    params, promotions, random,
    sql::{Db, Row, Tx},
    staff::audit::{self, Actor, Change, Subject},
};
use anyhow::{Context as _, bail, ensure};
use clap::Subcommand;
use domain::{
    CouponId,
    coupon::{Code, Coupon},
    offer::Instant,
};
use serde_json::json;
use std::io::Write as _;

/// Codes that one command makes.
const CODES_MAX: u32 = 100_000;
/// Codes in one transaction: few enough that no order waits long.
const CODES_A_TRANSACTION: u32 = 500;
/// Coupons in a list: the latest.
const LISTED: i64 = 200;

/// Discount codes: add one, make many, list them, end one.
#[derive(Clone, Debug, Subcommand)]
pub enum CouponTask {
    /// Add a coupon with one code for everybody: nextgen coupon add WELCOME10 --percent 10 --title "10% off"
    Add {
        /// 3 to 32 letters and digits. Capitals, spaces and hyphens do not matter; O is 0, I and L are 1.
        code: String,
        #[command(flatten)]
        terms: Box<Terms>,
    },
    /// Add a coupon with many codes, each for one use; they are written to standard output as CSV with one column, `code`
    Bulk {
        /// How many codes, at most 100,000.
        count: u32,
        /// What the codes begin with, such as SPRING for SPRING-7K2M-Q4XD-P90A; at most 16 characters.
        #[arg(long, default_value = "")]
        prefix: String,
        #[command(flatten)]
        terms: Box<Terms>,
    },
    /// List coupons, the latest first, with how often they have been used; or the codes of one
    List {
        /// The codes of this coupon as CSV: `code,used`. The coupon by its id or by one of its codes.
        #[arg(long)]
        codes: Option<String>,
    },
    /// End a coupon now, with all its codes. Orders that stand keep their price
    End {
        /// Its id, or one of its codes.
        coupon: String,
    },
}

/// Does what it says.
pub async fn run(db: &Db, clock: &Clock, task: CouponTask) -> anyhow::Result<()> {
    match task {
        CouponTask::Add { code, terms } => add_one(db, clock, &code, &terms).await,
        CouponTask::Bulk { count, prefix, terms } => bulk(db, clock, count, &prefix, &terms).await,
        CouponTask::List { codes: None } => list(db, clock.now()).await,
        CouponTask::List { codes: Some(coupon) } => codes(db, &coupon).await,
        CouponTask::End { coupon } => end(db, clock, &coupon).await,
    }
}

async fn add_one(db: &Db, clock: &Clock, code: &str, terms: &Terms) -> anyhow::Result<()> {
    let code: Code = code.parse().with_context(|| format!("{code:?} cannot be a code"))?;
    let coupon = terms.coupon(CouponId(clock.id()), None, &markets(db, clock.now()).await?, clock.now())?;
    db.transact::<_, anyhow::Error>(|tx| {
        let (coupon, code, clock) = (coupon.clone(), code.clone(), clock.clone());
        Box::pin(async move {
            ensure!(add_code(tx, coupon.id, &code).await?, "there is a code that reads like {code} already; codes are not used twice");
            add(tx, &coupon, &clock).await?;
            log(tx, &clock, "coupon added", coupon.id, Some(json!({ "code": code.as_str(), "terms": described(&coupon) }))).await
        })
    })
    .await?;
    println!("{code} is there: {}", described(&coupon));
    Ok(())
}

/// Each code is printed once it is stored.
async fn bulk(db: &Db, clock: &Clock, count: u32, prefix: &str, terms: &Terms) -> anyhow::Result<()> {
    ensure!((1..=CODES_MAX).contains(&count), "between 1 and {CODES_MAX} codes can be made at once, not {count}");
    Code::from_random(prefix, [0; 8]).with_context(|| format!("{prefix:?} cannot stand before a code"))?;
    let coupon = terms.coupon(CouponId(clock.id()), Some(1), &markets(db, clock.now()).await?, clock.now())?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "code")?;
    let mut made = 0;
    while made < count {
        let wanted = CODES_A_TRANSACTION.min(count - made);
        let codes = (0..wanted).map(|_| Code::from_random(prefix, random::bytes())).collect::<Result<Vec<_>, _>>()?;
        let stored = db
            .transact::<_, anyhow::Error>(|tx| {
                let (coupon, clock, codes, is_first) = (coupon.clone(), clock.clone(), codes.clone(), made == 0);
                Box::pin(async move {
                    if is_first {
                        add(tx, &coupon, &clock).await?;
                        log(tx, &clock, "coupon added", coupon.id, Some(json!({ "codes": count, "terms": described(&coupon) }))).await?;
                    }
                    let mut stored = Vec::with_capacity(codes.len());
                    for code in codes {
                        // One in 2^60 is taken: then another one is made.
                        if add_code(tx, coupon.id, &code).await? {
                            stored.push(code);
                        }
                    }
                    Ok(stored)
                })
            })
            .await?;
        for code in &stored {
            writeln!(out, "{code}")?;
        }
        made += u32::try_from(stored.len())?;
    }
    out.flush()?;
    eprintln!("{made} codes of coupon {}: {}", coupon.id, described(&coupon));
    Ok(())
}

async fn list(db: &Db, now: Instant) -> anyhow::Result<()> {
    let rows = db
        .all(
            "SELECT c.id, c.body, c.ended_at, (SELECT COUNT(*) FROM coupon_codes k WHERE k.coupon_id = c.id) AS codes, \
             (SELECT MIN(k.code) FROM coupon_codes k WHERE k.coupon_id = c.id) AS code, \
             (SELECT COUNT(*) FROM coupon_redemptions r WHERE r.coupon_id = c.id AND r.state = 'counted') AS uses \
             FROM coupons c ORDER BY c.created_at DESC, c.id DESC LIMIT $1",
            params![LISTED],
        )
        .await?;
    if rows.is_empty() {
        println!("There are no coupons yet: nextgen coupon add --help");
    }
    for row in &rows {
        println!("{}", line(row, now)?);
    }
    if rows.len() == usize::try_from(LISTED)? {
        println!("(the latest {LISTED})");
    }
    Ok(())
}

fn line(row: &Row, now: Instant) -> anyhow::Result<String> {
    let coupon: Coupon = serde_json::from_str(&row.text("body")?).context("coupons.body")?;
    let until = [coupon.rule.valid_until, row.int_or_null("ended_at")?].into_iter().flatten().min();
    let state = match until {
        Some(until) if until <= now => "ended",
        _ if now < coupon.rule.valid_from => "to come",
        _ => "runs",
    };
    let codes = match row.int("codes")? {
        1 => row.text_or_null("code")?.unwrap_or_default(),
        count => format!("{count} codes"),
    };
    let cap = coupon.caps.total.map_or_else(String::new, |cap| format!(" of {cap}"));
    Ok(format!("{}  {codes}  {state}  used {}{cap}  {}", coupon.id, row.int("uses")?, described(&coupon)))
}

async fn codes(db: &Db, coupon: &str) -> anyhow::Result<()> {
    let id = known(db, coupon).await?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "code,used")?;
    let mut after = String::new();
    loop {
        let rows = db
            .all(
                "SELECT k.key, k.code, (SELECT COUNT(*) FROM coupon_redemptions r WHERE r.coupon_id = k.coupon_id AND r.code_key = k.key AND r.state = 'counted') \
                 AS uses FROM coupon_codes k WHERE k.coupon_id = $1 AND k.key > $2 ORDER BY k.key LIMIT $3",
                params![id, &after, i64::from(CODES_A_TRANSACTION)],
            )
            .await?;
        for row in &rows {
            writeln!(out, "{},{}", row.text("code")?, row.int("uses")?)?;
        }
        match rows.last() {
            Some(last) => after = last.text("key")?,
            None => return Ok(out.flush()?),
        }
    }
}

async fn end(db: &Db, clock: &Clock, coupon: &str) -> anyhow::Result<()> {
    let (id, now) = (known(db, coupon).await?, clock.now());
    let ended = db
        .transact::<_, anyhow::Error>(|tx| {
            let (clock, named) = (clock.clone(), coupon.to_owned());
            Box::pin(async move {
                let sql = "UPDATE coupons SET ended_at = $2 WHERE id = $1 AND (ended_at IS NULL OR ended_at > $2)";
                let ended = tx.execute(sql, params![id, now]).await?;
                if ended == 1 {
                    log(tx, &clock, "coupon ended", id, Some(json!({ "named": named }))).await?;
                }
                Ok(ended)
            })
        })
        .await?;
    println!("{}", if ended == 1 { "Ended. Orders that stand keep their price." } else { "It had ended before." });
    Ok(())
}

async fn log(tx: &mut Tx, clock: &Clock, action: &'static str, coupon: CouponId, after: Option<serde_json::Value>) -> anyhow::Result<()> {
    let change = Change { action, subject: Subject::Coupon(coupon), before: None, after };
    Ok(audit::write(tx, clock, Actor::CommandLine, change).await?)
}

/// The coupon of an id or a code.
async fn known(db: &Db, text: &str) -> anyhow::Result<CouponId> {
    let row = match (text.parse::<CouponId>(), text.parse::<Code>()) {
        (Ok(id), _) => db.first("SELECT id FROM coupons WHERE id = $1", params![id]).await?,
        (Err(_), Ok(code)) => db.first("SELECT coupon_id AS id FROM coupon_codes WHERE key = $1", params![code.key()]).await?,
        (Err(_), Err(_)) => bail!("{text:?} is neither a coupon's id nor a code"),
    };
    row.with_context(|| format!("there is no coupon {text:?}: nextgen coupon list names them"))?.parse("id")
}

/// The terms in one line, for people.
fn described(coupon: &Coupon) -> String {
    let cap = |cap: Option<u32>, what: &str| cap.map(|cap| format!("at most {cap} {what}"));
    let caps = [cap(coupon.caps.total, "in all"), cap(coupon.caps.per_code, "a code"), cap(coupon.caps.per_customer, "a customer")];
    [promotions::described(&coupon.rule)].into_iter().chain(caps.into_iter().flatten()).collect::<Vec<_>>().join(", ")
}
