//! Takes paid pieces, and the code that paid for some of them, out of the cart that was ordered: when the order is paid, not before.

use crate::{
    events::{Consumer, Envelope},
    params,
    sql::Db,
    users::Carts,
};
use async_trait::async_trait;
use domain::{OrderId, event::Event};

/// Follows `PaymentCaptured`. Being told twice is harmless: a cart remembers which orders it was settled for.
#[derive(Clone, Debug)]
pub struct CartSettler {
    db: Db,
    carts: Carts,
}

impl CartSettler {
    pub const fn new(db: Db, carts: Carts) -> Self {
        Self { db, carts }
    }

    /// Takes out what an order paid for.
    pub async fn settle(&self, order: OrderId) -> anyhow::Result<()> {
        let Some(row) = self.db.first("SELECT cart_id FROM orders WHERE id = $1", params![order]).await? else { return Ok(()) };
        let lines = self.db.all("SELECT variant_id, quantity FROM order_lines WHERE order_id = $1 ORDER BY line", params![order]).await?;
        let paid =
            lines.iter().map(|line| Ok((line.parse("variant_id")?, u32::try_from(line.int("quantity")?)?))).collect::<anyhow::Result<Vec<_>>>()?;
        let code = self.db.first("SELECT code_key FROM coupon_redemptions WHERE order_id = $1", params![order]).await?;
        let redeemed = code.map(|row| row.text("code_key")).transpose()?;
        self.carts.settle(row.parse("cart_id")?, order, &paid, redeemed.as_deref()).await
    }
}

#[async_trait]
impl Consumer for CartSettler {
    fn name(&self) -> &'static str {
        "carts"
    }

    async fn consume(&self, envelope: &Envelope) -> anyhow::Result<()> {
        match envelope.event {
            Event::PaymentCaptured { order, .. } => self.settle(order).await,
            _ => Ok(()),
        }
    }
}
