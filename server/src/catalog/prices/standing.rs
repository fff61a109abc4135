//! What stands in price lists, for those who change it: list prices, overrides that run, and what is to come.

use super::Price;
use crate::{
    params,
    sql::{Db, Tx},
};
use domain::{VariantId, offer::Instant};

/// What stands in a list for a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// For [`withdraw`].
    pub id: String,
    pub list: String,
    pub variant: VariantId,
    pub price: Price,
    pub state: State,
}

/// Where a row stands in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The list price; it shows unless an override runs.
    List,
    /// An override that runs.
    Running,
    /// A list price or an override that has not begun.
    ToCome,
    /// An override that has ended.
    Over,
}

/// What stands for a variant in a list at `now`, in the order in which it began or begins: the list price in force, overrides that run, and what is
/// to come. What is over is left out.
pub async fn rows(db: &Db, list: &str, variant: VariantId, now: Instant) -> anyhow::Result<Vec<Standing>> {
    let sql = "SELECT id, price_list, variant_id, currency, amount_minor, compare_at_minor, valid_from, valid_until, kind FROM prices \
               WHERE variant_id = $1 AND price_list = $2 AND (valid_until IS NULL OR valid_until > $3) ORDER BY valid_from, id";
    let rows = db.all(sql, params![variant, list, now]).await?;
    Ok(standing(rows.iter().map(|row| Standing::read(row, now)).collect::<anyhow::Result<_>>()?))
}

/// The same of all variants on offer with ids after `first` up to `last`, in their order, then that of their lists.
pub async fn rows_between(db: &Db, first: Option<VariantId>, last: VariantId, now: Instant) -> anyhow::Result<Vec<Standing>> {
    let sql = "SELECT p.id, p.price_list, p.variant_id, p.currency, p.amount_minor, p.compare_at_minor, p.valid_from, p.valid_until, p.kind FROM prices p \
               JOIN variants v ON v.id = p.variant_id WHERE v.active = 1 AND p.variant_id > $1 AND p.variant_id <= $2 \
               AND (p.valid_until IS NULL OR p.valid_until > $3) ORDER BY p.variant_id, p.price_list, p.valid_from, p.id";
    let first = first.map(|first| first.to_string()).unwrap_or_default();
    let rows = db.all(sql, params![first, last, now]).await?;
    Ok(standing(rows.iter().map(|row| Standing::read(row, now)).collect::<anyhow::Result<_>>()?))
}

/// Without list prices that another one has followed by itself: they were never ended.
fn standing(rows: Vec<Standing>) -> Vec<Standing> {
    let is_last = |at: usize, row: &Standing| {
        let later = rows.iter().skip(at + 1).take_while(|later| (&later.list, later.variant) == (&row.list, row.variant));
        row.state != State::List || !later.into_iter().any(|later| later.state == State::List)
    };
    let kept: Vec<bool> = rows.iter().enumerate().map(|(at, row)| is_last(at, row)).collect();
    rows.into_iter().zip(kept).filter_map(|(row, kept)| kept.then_some(row)).collect()
}

/// The list price of a variant in force.
pub async fn list_price(tx: &mut Tx, list: &str, variant: VariantId, now: Instant) -> anyhow::Result<Option<Standing>> {
    let sql = "SELECT id, price_list, variant_id, currency, amount_minor, compare_at_minor, valid_from, valid_until, kind FROM prices \
               WHERE variant_id = $1 AND price_list = $2 AND valid_until IS NULL AND valid_from <= $3 ORDER BY valid_from DESC, id DESC LIMIT 1";
    tx.first(sql, params![variant, list, now]).await?.map(|row| Standing::read(&row, now)).transpose()
}

/// The list price, or the override, of a variant that begins or began at an instant.
pub async fn beginning(
    tx: &mut Tx,
    list: &str,
    variant: VariantId,
    (from, is_override): (Instant, bool),
    now: Instant,
) -> anyhow::Result<Option<Standing>> {
    let sql = "SELECT id, price_list, variant_id, currency, amount_minor, compare_at_minor, valid_from, valid_until, kind FROM prices \
               WHERE variant_id = $1 AND price_list = $2 AND valid_from = $3 AND kind = $4 ORDER BY id DESC LIMIT 1";
    let kind = if is_override { super::OVERRIDE } else { super::LIST };
    tx.first(sql, params![variant, list, from, kind]).await?.map(|row| Standing::read(&row, now)).transpose()
}

impl Standing {
    pub(super) fn read(row: &crate::sql::Row, now: Instant) -> anyhow::Result<Self> {
        let price = Price::read(row)?;
        let state = match (price.from > now, price.is_override) {
            (true, _) => State::ToCome,
            (false, true) if price.until.is_some_and(|until| until <= now) => State::Over,
            (false, true) => State::Running,
            (false, false) => State::List,
        };
        Ok(Self { id: row.text("id")?, list: row.text("price_list")?, variant: row.parse("variant_id")?, price, state })
    }
}
