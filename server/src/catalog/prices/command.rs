//! `nextgen prices …`: what staff do to prices on the command line. It writes SQL and the outbox, so a running shop shows it within a second.

use super::{NewPrice, NewWindow, PriceError, Standing, State, plan, put, rows, schedule, withdraw};
use crate::{
    catalog::shelves::markets,
    clock::Clock,
    params,
    promotions::terms::{instant, money},
    sql::{Db, Tx},
    staff::audit::{self, Actor, Change, Subject},
};
use anyhow::{Context as _, bail, ensure};
use clap::{Args, Subcommand};
use domain::{VariantId, money::Money, offer::Instant};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

/// Prices: list, set, schedule, withdraw.
#[derive(Clone, Debug, Subcommand)]
pub enum PriceTask {
    /// What stands for a variant: the list price, overrides that run, and what is to come
    List {
        /// The variant's SKU.
        sku: String,
        /// Only this price list, such as de.
        #[arg(long)]
        list: Option<String>,
    },
    /// Set the list price from now on: nextgen prices set MUG-OAT --list de --price 29.00EUR
    Set(Terms),
    /// Plan a price: with --until an override that beats the list price, without a list price that stays
    Schedule {
        #[command(flatten)]
        terms: Terms,
        /// When it begins: 2026-12-24, 2026-12-24T09:00, or with an offset 2026-12-24T09:00:00Z.
        #[arg(long)]
        from: String,
        /// When it ends, written the same way: it does not hold at that instant any more.
        #[arg(long)]
        until: Option<String>,
        /// The time zone of --from and --until where they name no offset [default: that of the list's first market].
        #[arg(long)]
        zone: Option<String>,
    },
    /// Take back what is planned: what has not begun vanishes, an override that runs ends now
    Withdraw {
        /// Its id.
        id: String,
    },
}

/// A price of a variant in a list.
#[derive(Clone, Debug, Args)]
pub struct Terms {
    /// The variant's SKU.
    pub sku: String,
    /// The price list, such as de.
    #[arg(long)]
    pub list: String,
    /// Such as 29.00EUR or 4000JPY.
    #[arg(long)]
    pub price: String,
    /// What it cost before, written the same way: shown as far as the history and the market's law let it.
    #[arg(long)]
    pub compare_at: Option<String>,
}

/// Does it, and says what was done.
pub async fn run(db: &Db, clock: &Clock, task: PriceTask) -> anyhow::Result<String> {
    let outcome = match task {
        PriceTask::List { sku, list } => return listed(db, clock.now(), &sku, list).await,
        PriceTask::Set(terms) => set_now(db, clock, &terms).await,
        PriceTask::Schedule { terms, from, until, zone } => {
            let zone = zone_of(db, clock.now(), &terms.list, zone.as_deref()).await?;
            let until = until.map(|until| instant(&until, &zone)).transpose()?;
            plan_one(db, clock, &terms, instant(&from, &zone)?, until).await
        }
        PriceTask::Withdraw { id } => take_back(db, clock, &id).await,
    };
    outcome.map_err(|refused| match refused {
        PriceError::Failed(error) => error,
        refused => refused.into(),
    })
}

async fn listed(db: &Db, now: Instant, sku: &str, list: Option<String>) -> anyhow::Result<String> {
    let variant = find(db, sku).await?;
    let mut lists: Vec<String> = markets(db, now).await?.into_iter().map(|market| market.price_list).collect();
    lists.dedup();
    lists.retain(|known| list.as_ref().is_none_or(|list| list == known));
    let mut lines = Vec::new();
    for list in lists {
        for row in rows(db, &list, variant, now).await? {
            let state = match row.state {
                State::List => "list price",
                State::Running => "runs",
                State::ToCome => "to come",
                State::Over => "over",
            };
            lines.push(format!("{}  {list:<4} {state:<10} {}", row.id, told(&row)));
        }
    }
    Ok(if lines.is_empty() { format!("{sku} has no price.") } else { lines.join("\n") })
}

async fn set_now(db: &Db, clock: &Clock, terms: &Terms) -> Result<String, PriceError> {
    let (variant, price, compare_at) = terms.read(db).await?;
    let now = clock.now();
    let changed = db
        .transact::<_, PriceError>(|tx| {
            let (clock, list) = (clock.clone(), terms.list.clone());
            Box::pin(async move {
                let new = NewPrice { list: &list, variant, price, compare_at, source: "operator" };
                let changed = put(tx, &clock, new, now).await?;
                if changed {
                    let is = json!({ "list": list, "price": amount(price), "compare at": compare_at });
                    log(tx, &clock, "price set", variant, None, Some(is)).await?;
                }
                Ok(changed)
            })
        })
        .await?;
    Ok(if changed { format!("{} costs {} in {} now.", terms.sku, amount(price), terms.list) } else { "That is its price already.".to_owned() })
}

async fn plan_one(db: &Db, clock: &Clock, terms: &Terms, from: Instant, until: Option<Instant>) -> Result<String, PriceError> {
    let (variant, price, compare_at) = terms.read(db).await?;
    let now = clock.now();
    let id = db
        .transact::<_, PriceError>(|tx| {
            let (clock, list) = (clock.clone(), terms.list.clone());
            Box::pin(async move {
                let id = schedule(tx, &clock, NewWindow { list: &list, variant, price, compare_at, from, until }, now).await?;
                let is = json!({ "id": id, "list": list, "price": amount(price), "compare at": compare_at, "window": plan::window(from, until) });
                log(tx, &clock, "price planned", variant, None, Some(is)).await?;
                Ok(id)
            })
        })
        .await?;
    Ok(format!("{id} is planned: {} costs {} in {} {}.", terms.sku, amount(price), terms.list, plan::window(from, until)))
}

async fn take_back(db: &Db, clock: &Clock, id: &str) -> Result<String, PriceError> {
    let now = clock.now();
    let row = db
        .transact::<_, PriceError>(|tx| {
            let (clock, id) = (clock.clone(), id.to_owned());
            Box::pin(async move {
                let row = withdraw(tx, &clock, &id, now).await?;
                let was = json!({ "id": id, "list": row.list, "price": told(&row) });
                log(tx, &clock, "price withdrawn", row.variant, Some(was), None).await?;
                Ok(row)
            })
        })
        .await?;
    Ok(if row.state == State::Running { "It ended now.".to_owned() } else { "It will not come.".to_owned() })
}

impl Terms {
    /// The variant, its price, and what it cost before in minor units.
    async fn read(&self, db: &Db) -> anyhow::Result<(VariantId, Money, Option<i64>)> {
        let price = money(&self.price)?;
        let before = self.compare_at.as_deref().map(money).transpose()?;
        ensure!(before.is_none_or(|before| before.currency == price.currency), "--price and --compare-at are in different currencies");
        Ok((find(db, &self.sku).await?, price, before.map(|before| before.minor)))
    }
}

/// `29.00EUR`, as it is typed.
fn amount(money: Money) -> String {
    format!("{}{}", money.decimal(), money.currency.code())
}

fn told(row: &Standing) -> String {
    let before = row.price.compare_at.map(|before| format!(" instead of {}", amount(Money::new(before, row.price.price.currency))));
    format!("{}{} {}", amount(row.price.price), before.unwrap_or_default(), plan::window(row.price.from, row.price.until))
}

async fn find(db: &Db, sku: &str) -> anyhow::Result<VariantId> {
    let rows = db.all("SELECT id FROM variants WHERE sku = $1 AND active = 1 LIMIT 2", params![sku]).await?;
    match rows.as_slice() {
        [row] if !sku.is_empty() => row.parse("id"),
        [] => bail!("no variant on offer has the SKU {sku:?}"),
        _ => bail!("several variants have the SKU {sku:?}"),
    }
}

async fn zone_of(db: &Db, now: Instant, list: &str, named: Option<&str>) -> anyhow::Result<TimeZone> {
    let market = markets(db, now).await?.into_iter().find(|market| market.price_list == list);
    let named = named.map_or_else(|| market.map(|market| market.time_zone), |named| Some(named.to_owned()));
    let named = named.with_context(|| format!("no market has the price list {list:?}"))?;
    TimeZone::get(&named).with_context(|| format!("there is no time zone {named:?}"))
}

async fn log(
    tx: &mut Tx,
    clock: &Clock,
    action: &'static str,
    variant: VariantId,
    before: Option<Value>,
    after: Option<Value>,
) -> anyhow::Result<()> {
    Ok(audit::write(tx, clock, Actor::CommandLine, Change { action, subject: Subject::Variant(variant), before, after }).await?)
}
