//! Several orders at once, in as many statements as one: what is packed together is read together.

use super::{OrderView, Orders, fulfil, store, view};
use crate::{
    catalog::sold,
    sql::{Db, Row, Value},
};
use anyhow::ensure;
use domain::order::{OrderNumber, Portion};

/// Most orders that are read together.
pub const MANY: usize = 50;

/// A condition that is met by any of [`MANY`] values, which are the statement's only ones.
macro_rules! many {
    () => {
        "IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, \
         $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50)"
    };
}
pub(crate) use many;

/// Reads what any of these have. Fewer than [`MANY`] are filled up with the first, so that there is one statement to prepare.
pub async fn all(db: &Db, sql: &'static str, of: impl IntoIterator<Item = String>) -> anyhow::Result<Vec<Row>> {
    let mut values: Vec<Value> = of.into_iter().map(Value::Text).collect();
    ensure!(values.len() <= MANY, "{} orders are read together, more than {MANY}", values.len());
    let Some(first) = values.first().cloned() else { return Ok(Vec::new()) };
    values.resize(MANY, first);
    Ok(db.all(sql, values).await?)
}

/// Every statement, each with sample values, for tests and figures that look at their plans.
pub fn statements() -> Vec<(&'static str, Vec<Value>)> {
    let statements = store::LEDGERS_OF_MANY.into_iter().chain([view::BY_NUMBERS, sold::LYING_OF_MANY]);
    statements.map(|sql| (sql, vec![Value::Text("x".to_owned()); MANY])).collect()
}

impl Orders {
    /// The orders with these numbers, at most [`MANY`], in this order; without those that are not there.
    pub async fn by_numbers(&self, numbers: &[OrderNumber]) -> anyhow::Result<Vec<OrderView>> {
        let mut rows = all(&self.db, view::BY_NUMBERS, numbers.iter().map(OrderNumber::to_string)).await?;
        let orders = store::load_all(&self.db, &rows).await?;
        let mut views = Vec::with_capacity(rows.len());
        for (row, order) in rows.drain(..).zip(orders) {
            views.push(self.viewed(&row, order)?);
        }
        views.sort_by_key(|view| numbers.iter().position(|number| *number == view.number));
        Ok(views)
    }

    /// What can be packed now of each of at most [`MANY`] orders, by location.
    pub async fn to_pack_of(&self, orders: &[OrderView]) -> anyhow::Result<Vec<Vec<(String, Vec<Portion>)>>> {
        let lying = sold::lying_of_many(&self.db, orders.iter().map(|order| order.id)).await?;
        let shelves = |order: &OrderView| {
            let lying = lying.get(&order.id).map(Vec::as_slice).unwrap_or_default();
            fulfil::shelves(&order.ledgers, order.body.locations.first().map_or("", String::as_str), lying)
        };
        Ok(orders.iter().map(shelves).collect())
    }
}
