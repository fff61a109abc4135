//! One row of any table: what a wish makes of it, and which file knows how.

use super::{Cells, Context, Outcome, PutError, Wish, cells, collection, coupons, delivery, prices, promotions, rule, taxes, zones};
use crate::sql::Tx;
use app::staff::tables::Table;

pub(super) async fn all(tx: &mut Tx, cx: &Context<'_>, table: Table, wishes: Vec<Wish>) -> anyhow::Result<Vec<Outcome>> {
    let mut outcomes = Vec::with_capacity(wishes.len());
    for wish in wishes {
        outcomes.push(one(tx, cx, table, wish).await?);
    }
    Ok(outcomes)
}

pub(super) async fn one(tx: &mut Tx, cx: &Context<'_>, table: Table, wish: Wish) -> anyhow::Result<Outcome> {
    let refused = |key: &str, before: Option<Cells>, after: Option<Cells>, wrong| Ok(Outcome { key: key.to_owned(), before, after, wrong });
    let (key, cells) = match wish {
        Wish::End { key } => (Some(key), None),
        Wish::EndLike { cells } => {
            let cells = filled(table, cells, None);
            match resolve(tx, cx, table, &cells).await {
                Ok(key) => (Some(key), None),
                Err(PutError::Wrong(wrong)) => return refused("", None, Some(cells), wrong),
                Err(PutError::Failed(error)) => return Err(error),
            }
        }
        Wish::Put { key, cells } => (key, Some(cells)),
    };
    let key = match (key, &cells) {
        (Some(key), _) => key,
        (None, cells) => {
            let cells = filled(table, cells.clone().unwrap_or_default(), None);
            match resolve(tx, cx, table, &cells).await {
                Ok(key) => key,
                Err(PutError::Wrong(wrong)) => return refused("", None, Some(cells), wrong),
                Err(PutError::Failed(error)) => return Err(error),
            }
        }
    };
    let before = read(tx, cx, table, &key).await?;
    let (tried, done): (_, Result<Option<String>, PutError>) = match cells {
        None if before.is_none() => return refused(&key, None, None, vec![("", format!("There is no such {}.", table.one()))]),
        None => (before.clone(), end(tx, cx, table, &key).await),
        Some(cells) => {
            let cells = filled(table, cells, before.as_ref());
            if before.as_ref() == Some(&cells) {
                return refused(&key, before.clone(), before, Vec::new());
            }
            let too_long = cells::too_long(table, &cells);
            let done = if too_long.is_empty() {
                put(tx, cx, table, &key, before.as_ref(), &cells).await.map(|()| None)
            } else {
                Err(PutError::Wrong(too_long))
            };
            (Some(cells), done)
        }
    };
    match done {
        Ok(None) => Ok(Outcome { after: read(tx, cx, table, &key).await?, key, before, wrong: Vec::new() }),
        Ok(Some(made)) => Ok(Outcome { after: read(tx, cx, table, &made).await?, key: made, before: None, wrong: Vec::new() }),
        Err(PutError::Wrong(wrong)) => refused(&key, before, tried, wrong),
        Err(PutError::Failed(error)) => Err(error),
    }
}

/// All cells of a row: those that were not said stay as they were, and so does what it is known by.
fn filled(table: Table, cells: Vec<Option<String>>, before: Option<&Cells>) -> Cells {
    let columns = table.columns().iter().enumerate();
    let cell = |at: usize, is_key: bool| {
        let was = before.and_then(|cells| cells.get(at));
        let said = cells.get(at).cloned().flatten().map(|cell| cells::clean(&cell));
        if is_key { was.cloned().or(said) } else { said.or_else(|| was.cloned()) }
    };
    columns.map(|(at, column)| cell(at, column.is_key).unwrap_or_default()).collect()
}

/// The key of the row that the cells describe, there or not.
async fn resolve(tx: &mut Tx, cx: &Context<'_>, table: Table, cells: &Cells) -> Result<String, PutError> {
    match table {
        Table::Prices => prices::key(tx, cx, cells).await,
        Table::Promotions | Table::Coupons => rule::key(tx, cx, table, cells).await,
        Table::Taxes => taxes::key(cx, cells),
        Table::Collection => collection::key(cx, cells),
        Table::Delivery => delivery::key(cx, cells),
        Table::Zones => zones::key(cx, cells),
    }
}

pub(super) async fn read(tx: &mut Tx, cx: &Context<'_>, table: Table, key: &str) -> anyhow::Result<Option<Cells>> {
    match table {
        Table::Prices => prices::read(tx, cx, key).await,
        Table::Promotions => promotions::read(tx, key).await,
        Table::Coupons => coupons::read(tx, key).await,
        Table::Taxes => taxes::read(tx, cx, key).await,
        Table::Collection => collection::read(tx, key).await,
        Table::Delivery => delivery::read(tx, key).await,
        Table::Zones => zones::read(tx, cx, key).await,
    }
}

async fn put(tx: &mut Tx, cx: &Context<'_>, table: Table, key: &str, before: Option<&Cells>, cells: &Cells) -> Result<(), PutError> {
    match table {
        Table::Prices => prices::put(tx, cx, key, before, cells).await,
        Table::Promotions => promotions::put(tx, cx, key, before, cells).await,
        Table::Coupons => coupons::put(tx, cx, key, before, cells).await,
        Table::Taxes => taxes::put(tx, cx, key, before, cells).await,
        Table::Collection => collection::put(tx, cx, key, before, cells).await,
        Table::Delivery => delivery::put(tx, cx, key, before, cells).await,
        Table::Zones => zones::put(tx, cx, key, cells).await,
    }
}

/// Ends a row. What has begun and stays as it is ends by another row: then that one's key comes back.
async fn end(tx: &mut Tx, cx: &Context<'_>, table: Table, key: &str) -> Result<Option<String>, PutError> {
    match table {
        Table::Prices => prices::end(tx, cx, key).await.map(|()| None),
        Table::Promotions => promotions::end(tx, cx, key).await.map(|()| None),
        Table::Coupons => coupons::end(tx, cx, key).await.map(|()| None),
        Table::Taxes => taxes::end(tx, cx, key).await,
        Table::Collection => collection::end(tx, cx, key).await,
        Table::Delivery => delivery::end(tx, cx, key).await,
        Table::Zones => zones::end(tx, cx, key).await.map(|()| None),
    }
}
