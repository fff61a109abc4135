//! Prices that staff write: the list price from now or from later on, and overrides from one instant to another, which beat it while they run.
//! Each change is checked, written with its history, and told to whoever shows prices (`PriceChanged`). What was changed by whom is the caller's
//! to log, in the same transaction.

use super::{NewPrice, Price, Standing, State, end, history, insert, set};
use crate::{
    clock::Clock,
    events, params,
    sql::{Conflict, Tx},
};
use anyhow::Context as _;
use domain::{
    ProductId, VariantId,
    event::Event,
    market::Market,
    money::{Currency, Money},
    offer::Instant,
};
use jiff::Timestamp;

/// Windows to come of one variant in one list at most: every reader of a price reads them.
pub const PLANNED_MAX: usize = 20;

/// A price that begins, or begins and ends, by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewWindow<'a> {
    pub list: &'a str,
    pub variant: VariantId,
    pub price: Money,
    /// In minor units: what the seller says it cost before.
    pub compare_at: Option<i64>,
    /// In the future; an override may also begin now.
    pub from: Instant,
    /// An override: it does not hold at this instant any more. `None`: a list price, for as long as nothing else is said.
    pub until: Option<Instant>,
}

/// Why a price is not taken; staff read the sentence.
#[derive(Debug, thiserror::Error)]
pub enum PriceError {
    #[error("no market has the price list {0:?}")]
    UnknownList(String),
    #[error("the price list {list:?} is in {wanted}, not in {given}")]
    Currency { list: String, wanted: Currency, given: Currency },
    #[error("a price is above zero")]
    NotPositive,
    #[error("what it cost before is more than what it costs")]
    CompareAt,
    #[error("there is no such variant")]
    UnknownVariant,
    #[error("a window ends after it begins")]
    Empty,
    #[error("it would be over already")]
    Over,
    #[error("a list price that is planned begins in the future")]
    NotToCome,
    #[error("{sku} has another price in {list:?} {window} already: withdraw it first")]
    Overlaps { sku: String, list: String, window: String },
    #[error("{PLANNED_MAX} prices are planned for it already")]
    TooMany,
    #[error("there is no such price, or it is over")]
    NotFound,
    #[error("this is the list price: set another one instead")]
    IsList,
    #[error("{0} more are planned for it in this list: take them back first")]
    IsPlanned(usize),
    #[error("it is over")]
    IsOver,
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl From<sqlx::Error> for PriceError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl Conflict for PriceError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Failed(error) if error.is_conflict())
    }
}

/// Makes a price the list price from now on. Whether anything changed. An override that runs goes on, and a list price that is planned still comes.
pub async fn put(tx: &mut Tx, clock: &Clock, new: NewPrice<'_>, now: Instant) -> Result<bool, PriceError> {
    check(tx, new.list, new.price, new.compare_at, now).await?;
    let product = hold(tx, new.variant).await?;
    let changed = set(tx, clock, new, now).await?;
    if changed {
        events::emit(tx, clock, &Event::PriceChanged { product, variant: new.variant }).await?;
    }
    Ok(changed)
}

/// Plans a list price that begins later, or an override. Its id.
pub async fn schedule(tx: &mut Tx, clock: &Clock, new: NewWindow<'_>, now: Instant) -> Result<String, PriceError> {
    check(tx, new.list, new.price, new.compare_at, now).await?;
    match new.until {
        Some(until) if until <= new.from => return Err(PriceError::Empty),
        Some(until) if until <= now => return Err(PriceError::Over),
        None if new.from <= now => return Err(PriceError::NotToCome),
        _ => {}
    }
    let from = new.from.max(now);
    let product = hold(tx, new.variant).await?;
    history::settle(tx, new.list, new.variant, now).await?;
    let rows = super::in_tx(tx, new.list, new.variant).await?;
    let meets = |row: &&Price| match (row.until, new.until) {
        (Some(ends), Some(until)) => row.is_override && row.from < until && from < ends,
        (None, None) => row.from == from,
        _ => false,
    };
    if let Some(row) = rows.iter().find(meets) {
        return Err(overlaps(tx, new.list, new.variant, row).await?);
    }
    if rows.iter().filter(|row| row.from > now).count() >= PLANNED_MAX {
        return Err(PriceError::TooMany);
    }
    let price = Price { price: new.price, compare_at: new.compare_at, from, until: new.until, is_override: new.until.is_some() };
    let id = insert(tx, clock, new.list, new.variant, &price).await?;
    for at in [Some(from), new.until].into_iter().flatten().filter(|at| *at > now) {
        note(tx, at, new.list, new.variant).await?;
    }
    if from == now {
        history::shows_now(tx, clock, new.list, new.variant, now, "campaign").await?;
    }
    events::emit(tx, clock, &Event::PriceChanged { product, variant: new.variant }).await?;
    Ok(id)
}

/// Takes back what is planned: a window that has not begun vanishes, an override that runs ends now. What it was.
pub async fn withdraw(tx: &mut Tx, clock: &Clock, id: &str, now: Instant) -> Result<Standing, PriceError> {
    let sql = "SELECT id, price_list, variant_id, currency, amount_minor, compare_at_minor, valid_from, valid_until, kind FROM prices WHERE id = $1";
    let row = tx.first(sql, params![id]).await?.ok_or(PriceError::NotFound)?;
    let product = hold(tx, row.parse("variant_id")?).await?;
    // Again, now that nobody else changes it.
    let row = tx.first(sql, params![id]).await?.ok_or(PriceError::NotFound)?;
    let row = Standing::read(&row, now)?;
    history::settle(tx, &row.list, row.variant, now).await?;
    match row.state {
        State::List => return Err(PriceError::IsList),
        State::Over => return Err(PriceError::NotFound),
        State::ToCome => drop(tx.execute("DELETE FROM prices WHERE id = $1", params![id]).await?),
        State::Running => {
            tx.execute("UPDATE prices SET valid_until = $2 WHERE id = $1", params![id, now]).await?;
            history::shows_now(tx, clock, &row.list, row.variant, now, "operator").await?;
        }
    }
    events::emit(tx, clock, &Event::PriceChanged { product, variant: row.variant }).await?;
    Ok(row)
}

/// Lets an override that runs end at another instant to come.
pub async fn prolong(tx: &mut Tx, clock: &Clock, id: &str, until: Instant, now: Instant) -> Result<(), PriceError> {
    let sql = "SELECT id, price_list, variant_id, currency, amount_minor, compare_at_minor, valid_from, valid_until, kind FROM prices WHERE id = $1";
    let row = tx.first(sql, params![id]).await?.ok_or(PriceError::NotFound)?;
    let product = hold(tx, row.parse("variant_id")?).await?;
    let row = Standing::read(&tx.first(sql, params![id]).await?.ok_or(PriceError::NotFound)?, now)?;
    history::settle(tx, &row.list, row.variant, now).await?;
    if row.state != State::Running {
        return Err(PriceError::IsOver);
    }
    if until <= now {
        return Err(PriceError::Over);
    }
    let rows = super::in_tx(tx, &row.list, row.variant).await?;
    if let Some(other) = rows.iter().find(|other| other.is_override && other.from > row.price.from && other.from < until) {
        return Err(overlaps(tx, &row.list, row.variant, other).await?);
    }
    tx.execute("UPDATE prices SET valid_until = $2 WHERE id = $1", params![id, until]).await?;
    note(tx, until, &row.list, row.variant).await?;
    events::emit(tx, clock, &Event::PriceChanged { product, variant: row.variant }).await?;
    Ok(())
}

/// Ends what a list says of a variant: from now on it does not sell it. What is planned has to be taken back before.
pub async fn stop(tx: &mut Tx, clock: &Clock, list: &str, variant: VariantId, now: Instant) -> Result<(), PriceError> {
    let product = hold(tx, variant).await?;
    let planned = super::in_tx(tx, list, variant).await?.iter().filter(|row| row.from > now || (row.is_override && row.until > Some(now))).count();
    if planned > 0 {
        return Err(PriceError::IsPlanned(planned));
    }
    if !end(tx, list, variant, now).await? {
        return Err(PriceError::NotFound);
    }
    events::emit(tx, clock, &Event::PriceChanged { product, variant }).await?;
    Ok(())
}

/// Remembers that something begins or ends by itself then.
async fn note(tx: &mut Tx, at: Instant, list: &str, variant: VariantId) -> Result<(), PriceError> {
    let sql = "INSERT INTO price_instants (at, variant_id, price_list) VALUES ($1, $2, $3) ON CONFLICT (at, variant_id, price_list) DO NOTHING";
    tx.execute(sql, params![at, variant, list]).await?;
    Ok(())
}

async fn overlaps(tx: &mut Tx, list: &str, variant: VariantId, row: &Price) -> Result<PriceError, PriceError> {
    let sku = tx.first("SELECT sku FROM variants WHERE id = $1", params![variant]).await?;
    let sku = sku.map_or_else(|| Ok(String::new()), |row| row.text("sku"))?;
    Ok(PriceError::Overlaps { sku, list: list.to_owned(), window: window(row.from, row.until) })
}

/// A window in words, in UTC: `from 2026-12-24T00:00:00Z until 2026-12-27T00:00:00Z`.
pub(super) fn window(from: Instant, until: Option<Instant>) -> String {
    let time = |at: Instant| Timestamp::from_microsecond(at).map_or_else(|_| at.to_string(), |at| format!("{at:.0}"));
    until.map_or_else(|| format!("from {}", time(from)), |until| format!("from {} until {}", time(from), time(until)))
}

/// Whether a price can stand in a list.
async fn check(tx: &mut Tx, list: &str, price: Money, compare_at: Option<i64>, now: Instant) -> Result<(), PriceError> {
    let bodies = tx.all("SELECT code, body FROM markets WHERE valid_from <= $1 ORDER BY code, valid_from DESC", params![now]).await?;
    let (mut code, mut wanted) = (String::new(), None);
    for row in &bodies {
        // The latest version of a market comes first.
        if row.text("code")? != code {
            code = row.text("code")?;
            let market: Market = serde_json::from_str(&row.text("body")?).context("markets.body")?;
            wanted = wanted.or_else(|| (market.price_list == list).then_some(market.currency));
        }
    }
    let wanted = wanted.ok_or_else(|| PriceError::UnknownList(list.to_owned()))?;
    if wanted != price.currency {
        return Err(PriceError::Currency { list: list.to_owned(), wanted, given: price.currency });
    }
    if price.minor <= 0 {
        return Err(PriceError::NotPositive);
    }
    if compare_at.is_some_and(|compare_at| compare_at <= price.minor) {
        return Err(PriceError::CompareAt);
    }
    Ok(())
}

/// Holds the variant's row, so that one changes its prices at a time. Its product.
async fn hold(tx: &mut Tx, variant: VariantId) -> Result<ProductId, PriceError> {
    tx.execute("UPDATE variants SET active = active WHERE id = $1", params![variant]).await?;
    let row = tx.first("SELECT product_id FROM variants WHERE id = $1", params![variant]).await?.ok_or(PriceError::UnknownVariant)?;
    Ok(row.parse("product_id")?)
}
