//! `nextgen promotion …`: what staff do to promotions until there is a page for it. It writes SQL and nothing else, so it works beside a running
//! shop.

use super::{customers, described, put, terms::Terms};
use crate::{
    catalog::shelves::markets,
    clock::Clock,
    params,
    sql::{Db, Tx},
    staff::audit::{self, Actor, Change, Subject},
};
use anyhow::Context as _;
use clap::Subcommand;
use domain::{PromotionId, offer::Instant, promotion::Promotion};
use serde_json::json;

/// Promotions in a list: the latest.
const LISTED: i64 = 200;

/// Promotions: add one, list them, end one.
#[derive(Clone, Debug, Subcommand)]
pub enum PromotionTask {
    /// Add a promotion: nextgen promotion add --buy 2 --get 1 --category desk --title "Three for two on everything for the desk"
    Add {
        #[command(flatten)]
        terms: Box<Terms>,
        /// Says nothing of it to shoppers unless it applies.
        #[arg(long)]
        hidden: bool,
    },
    /// List promotions, the latest first
    List,
    /// End a promotion now. Orders that stand keep their price
    End {
        /// Its id.
        promotion: PromotionId,
    },
}

/// Does what it says.
pub async fn run(db: &Db, clock: &Clock, task: PromotionTask) -> anyhow::Result<()> {
    match task {
        PromotionTask::Add { terms, hidden } => add(db, clock, &terms, hidden).await,
        PromotionTask::List => list(db, clock.now()).await,
        PromotionTask::End { promotion } => end(db, clock, promotion).await,
    }
}

async fn add(db: &Db, clock: &Clock, terms: &Terms, hidden: bool) -> anyhow::Result<()> {
    let now = clock.now();
    let promotion = Promotion { id: PromotionId(clock.id()), rule: terms.rule(&markets(db, now).await?, now)?, hidden };
    db.transact::<_, anyhow::Error>(|tx| {
        let (promotion, clock) = (promotion.clone(), clock.clone());
        Box::pin(async move {
            customers::check(tx, &promotion.rule.audience).await?;
            put(tx, &promotion, now).await?;
            log(tx, &clock, "promotion added", promotion.id, Some(json!({ "terms": described(&promotion.rule) }))).await
        })
    })
    .await?;
    println!("{} is there: {}", promotion.id, described(&promotion.rule));
    Ok(())
}

async fn list(db: &Db, now: Instant) -> anyhow::Result<()> {
    let latest = "SELECT p.body FROM promotions p WHERE p.valid_from = (SELECT MAX(l.valid_from) FROM promotions l WHERE l.id = p.id) \
                  ORDER BY p.id DESC LIMIT $1";
    let rows = db.all(latest, params![LISTED]).await?;
    if rows.is_empty() {
        println!("There are no promotions yet: nextgen promotion add --help");
    }
    for row in &rows {
        let promotion: Promotion = serde_json::from_str(&row.text("body")?).context("promotions.body")?;
        let state = match promotion.rule.valid_until {
            Some(until) if until <= now => "ended",
            _ if now < promotion.rule.valid_from => "to come",
            _ => "runs",
        };
        let title = promotion.rule.title(domain::locale::TextLanguage::EnUs);
        let hidden = if promotion.hidden { ", hidden" } else { "" };
        println!("{}  {state}  {title:?}  {}{hidden}", promotion.id, described(&promotion.rule));
    }
    Ok(())
}

async fn end(db: &Db, clock: &Clock, id: PromotionId) -> anyhow::Result<()> {
    let now = clock.now();
    let ended = db
        .transact::<_, anyhow::Error>(|tx| {
            let clock = clock.clone();
            Box::pin(async move {
                let row = tx.first("SELECT body FROM promotions WHERE id = $1 ORDER BY valid_from DESC LIMIT 1", params![id]).await?;
                let row = row.with_context(|| format!("there is no promotion {id}: nextgen promotion list names them"))?;
                let mut promotion: Promotion = serde_json::from_str(&row.text("body")?).context("promotions.body")?;
                if promotion.rule.valid_until.is_some_and(|until| until <= now) {
                    return Ok(false);
                }
                super::end(tx, &mut promotion, now).await?;
                log(tx, &clock, "promotion ended", id, None).await?;
                Ok(true)
            })
        })
        .await?;
    println!("{}", if ended { "Ended. Orders that stand keep their price." } else { "It had ended before." });
    Ok(())
}

async fn log(tx: &mut Tx, clock: &Clock, action: &'static str, promotion: PromotionId, after: Option<serde_json::Value>) -> anyhow::Result<()> {
    let change = Change { action, subject: Subject::Promotion(promotion), before: None, after };
    Ok(audit::write(tx, clock, Actor::CommandLine, change).await?)
}
