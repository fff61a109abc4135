//! Promotions: versioned rows, each by its id.

use super::{
    Cells, Context, PutError,
    cells::{Reader, row},
    rule,
};
use crate::{params, promotions, sql::Tx};
use anyhow::Context as _;
use app::staff::tables::Table;
use domain::{PromotionId, promotion::Promotion};

const TABLE: Table = Table::Promotions;

pub(super) fn cells(promotion: &Promotion) -> Cells {
    let mut cells = rule::cells(TABLE, &promotion.rule);
    let own = row(TABLE, &[("id", promotion.id.to_string()), ("hidden", if promotion.hidden { "yes" } else { "" }.to_owned())]);
    for (cell, own) in cells.iter_mut().zip(own) {
        if !own.is_empty() {
            *cell = own;
        }
    }
    cells
}

pub(super) async fn read(tx: &mut Tx, key: &str) -> anyhow::Result<Option<Cells>> {
    Ok(latest(tx, key).await?.as_ref().map(cells))
}

async fn latest(tx: &mut Tx, key: &str) -> anyhow::Result<Option<Promotion>> {
    let row = tx.first("SELECT body FROM promotions WHERE id = $1 ORDER BY valid_from DESC LIMIT 1", params![key]).await?;
    row.map(|row| serde_json::from_str(&row.text("body")?).context("promotions.body")).transpose()
}

pub(super) async fn put(tx: &mut Tx, cx: &Context<'_>, key: &str, before: Option<&Cells>, cells: &Cells) -> Result<(), PutError> {
    let mut reader = Reader::new(TABLE, cells);
    let hidden = reader.flag("hidden");
    let rule = rule::read(tx, cx, &mut reader).await?;
    if before.is_some()
        && let (Some(stands), Some(rule)) = (latest(tx, key).await?, &rule)
        && stands.rule.valid_until.is_none_or(|until| until > cx.now)
    {
        rule::keeps_beginning(&mut reader, stands.rule.valid_from, rule.valid_from, cx.now);
    }
    let rule = reader.done(rule)?;
    let id: PromotionId = key.parse().context("an id")?;
    promotions::put(tx, &Promotion { id, rule, hidden }, cx.now).await.map_err(|error| PutError::wrong("", super::cells::sentence(&error)))
}

/// Ends it now; one that has not begun has an empty window of the past.
pub(super) async fn end(tx: &mut Tx, cx: &Context<'_>, key: &str) -> Result<(), PutError> {
    let mut promotion = latest(tx, key).await?.context("it was read a moment ago")?;
    if promotion.rule.valid_until.is_some_and(|until| until <= cx.now) {
        return Err(PutError::wrong("", "It has ended already."));
    }
    promotions::end(tx, &mut promotion, cx.now).await?;
    Ok(())
}
