//! Refunds that a person decides, and what banks say of refunds and payments afterwards.

use super::{Heard, Orders, change::ChangeError, store, story::Actor};
use crate::params;
use domain::{OrderId, PaymentId, RefundId, dispute::DisputeNews, money::Money, order::Order, refund::RefundNews};

impl Orders {
    /// Sends money back because we are sorry. The same id again changes nothing.
    pub async fn refund_goodwill(&self, order: OrderId, id: RefundId, amount: Money, actor: Actor) -> Result<Order, ChangeError> {
        self.change(order, actor, move |_, before, _| {
            Box::pin(async move {
                if before.refunds.iter().any(|known| known.id == id) {
                    return Ok((before, Vec::new()));
                }
                Ok(before.refund(id, amount)?)
            })
        })
        .await
    }

    /// Asks again for a refund that failed.
    pub async fn retry_refund(&self, order: OrderId, id: RefundId, actor: Actor) -> Result<Order, ChangeError> {
        self.change(order, actor, move |_, before, _| Box::pin(async move { Ok(before.retry_refund(id)?) })).await
    }

    /// Notes that a stuck refund was paid back some other way.
    pub async fn settle_refund_outside(&self, order: OrderId, id: RefundId, actor: Actor) -> Result<Order, ChangeError> {
        self.change(order, actor, move |_, before, _| Box::pin(async move { Ok(before.settle_refund_outside(id)?) })).await
    }

    /// Takes a provider's news of a refund.
    pub async fn hear_refund(&self, refund: RefundId, news: RefundNews) -> anyhow::Result<Heard> {
        let Some(row) = self.db.first("SELECT order_id FROM refunds WHERE id = $1", params![refund]).await? else { return Ok(Heard::Unknown) };
        self.heard(row.parse("order_id")?, move |before| before.hear_refund(refund, news)).await
    }

    /// Takes a provider's news of a dispute.
    pub async fn hear_dispute(&self, payment: PaymentId, news: &DisputeNews) -> anyhow::Result<Heard> {
        let Some(row) = self.db.first("SELECT order_id FROM payments WHERE id = $1", params![payment]).await? else { return Ok(Heard::Unknown) };
        let now = self.clock.now();
        let news = news.clone();
        self.heard(row.parse("order_id")?, move |before| before.hear_dispute(payment, news.clone(), now).ok()).await
    }

    async fn heard(
        &self,
        order: OrderId,
        hear: impl Fn(Order) -> Option<(Order, Vec<domain::event::Event>)> + Send + Sync + 'static,
    ) -> anyhow::Result<Heard> {
        let hear = std::sync::Arc::new(hear);
        let heard = self
            .db
            .transact::<_, anyhow::Error>(|tx| {
                let (this, hear) = (self.clone(), hear.clone());
                Box::pin(async move {
                    let Some(before) = store::lock(tx, order, this.clock.now()).await? else { return Ok(Heard::Unknown) };
                    let Some((after, events)) = hear(before.clone()) else { return Ok(Heard::Known) };
                    store::save(tx, &this.clock, &this.author(Actor::Provider), &before, &after, &events).await?;
                    Ok(Heard::New(Box::new(after)))
                })
            })
            .await?;
        crate::events::ring();
        Ok(heard)
    }
}
