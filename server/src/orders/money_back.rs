//! Refunds that a person decides, and what banks say of refunds and payments afterwards.

use super::{
    Heard, Orders,
    change::ChangeError,
    story::{self, Actor, Happened},
};
use crate::failpoint;
use domain::{
    OrderId, PaymentId, RefundId,
    dispute::DisputeNews,
    money::Money,
    order::Order,
    refund::{GoodwillReason, RefundNews},
};

impl Orders {
    /// Sends money back because we are sorry, and keeps in the story why. The same id again changes nothing.
    pub async fn refund_goodwill(
        &self,
        order: OrderId,
        id: RefundId,
        amount: Money,
        why: GoodwillReason,
        actor: Actor,
    ) -> Result<Order, ChangeError> {
        let (clock, teller) = (self.clock.clone(), actor.clone());
        self.change(order, actor, move |tx, before, _| {
            let (clock, teller) = (clock.clone(), teller.clone());
            Box::pin(async move {
                if before.refunds.iter().any(|known| known.id == id) {
                    return Ok((before, Vec::new()));
                }
                let after = before.refund(id, amount, why)?;
                story::tell(tx, &clock, &teller, order, &Happened::Goodwill { refund: id, why }).await?;
                failpoint!("goodwill-told");
                Ok(after)
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

    /// Notes that somebody has looked into a payment of which the provider took another amount.
    pub async fn settle_odd(&self, order: OrderId, payment: PaymentId, actor: Actor) -> Result<Order, ChangeError> {
        self.change(order, actor, move |_, before, now| Box::pin(async move { Ok((before.settle_odd(payment, now)?, Vec::new())) })).await
    }

    /// Takes a provider's news of a refund.
    pub async fn hear_refund(&self, refund: RefundId, news: RefundNews) -> anyhow::Result<Heard> {
        let heard = self
            .db
            .transact::<_, anyhow::Error>(|tx| {
                let this = self.clone();
                Box::pin(async move { this.hear_refund_in(tx, refund, news).await })
            })
            .await?;
        crate::events::ring();
        Ok(heard)
    }

    /// Takes a provider's news of a dispute.
    pub async fn hear_dispute(&self, payment: PaymentId, news: &DisputeNews) -> anyhow::Result<Heard> {
        let heard = self
            .db
            .transact::<_, anyhow::Error>(|tx| {
                let (this, news) = (self.clone(), news.clone());
                Box::pin(async move { this.hear_dispute_in(tx, payment, news).await })
            })
            .await?;
        crate::events::ring();
        Ok(heard)
    }
}
