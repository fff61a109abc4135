//! Cancelling, before and after the payment.

use super::{Orders, change::ChangeError, store, story::Actor};
use crate::{
    catalog::{
        sold,
        stock::{self, Item},
    },
    failpoint,
};
use domain::{
    CancellationId, OrderId, RefundId,
    order::{By, CancelReason, Cancelling, CannotCancel, Order, Pieces, Portion},
};

/// Looks at an order's state before giving up: each look ends with a payment page closed or with what it had become.
const ROUNDS: u32 = 3;

impl Orders {
    /// Cancels an order that nobody paid, or pieces of a paid one that nobody has begun to pack (`None`: all of those). The pieces are free
    /// again and the money is asked back in the same transaction. The same id again changes nothing.
    pub async fn cancel(
        &self,
        order: OrderId,
        id: CancellationId,
        portions: Option<&[Portion]>,
        reason: CancelReason,
        actor: Actor,
    ) -> Result<Order, ChangeError> {
        let by = if matches!(actor, Actor::Staff(_)) { By::Staff } else { By::Shopper };
        for _ in 0..ROUNDS {
            let known = store::load(&self.db, order).await?.ok_or(ChangeError::NotFound)?;
            if known.pieces == Pieces::Cancelled || is_done(&known, id, portions)? {
                return Ok(known);
            }
            if known.pieces == Pieces::Sold {
                return self
                    .cancel_paid(
                        order,
                        Cancelling { id, refund: RefundId(self.clock.id()), portions: portions.map(<[_]>::to_vec), by, reason },
                        actor,
                    )
                    .await;
            }
            if portions.is_some() {
                return Err(CannotCancel::NotPaid.into());
            }
            self.close_pages(&known).await?;
            let clock = self.clock.clone();
            let ended = self
                .change(order, actor.clone(), move |tx, before, _| {
                    let clock = clock.clone();
                    Box::pin(async move {
                        if before.pieces == Pieces::Sold {
                            return Ok((before, Vec::new()));
                        }
                        let (after, events) = before.cancel_unpaid()?;
                        stock::release(tx, &clock, order).await?;
                        Ok((after, events))
                    })
                })
                .await?;
            if ended.pieces == Pieces::Cancelled {
                return Ok(ended);
            }
        }
        Err(CannotCancel::NothingOpen.into())
    }

    async fn cancel_paid(&self, order: OrderId, wish: Cancelling, actor: Actor) -> Result<Order, ChangeError> {
        let clock = self.clock.clone();
        self.change(order, actor, move |tx, before, now| {
            let (clock, wish) = (clock.clone(), wish.clone());
            Box::pin(async move {
                if is_done(&before, wish.id, wish.portions.as_deref())? {
                    return Ok((before, Vec::new()));
                }
                let id = wish.id;
                let (after, events) = before.cancel(wish, now)?;
                let cancelled = after.cancellations.iter().find(|done| done.id == id).map(|done| done.portions.clone()).unwrap_or_default();
                for portion in cancelled {
                    let Some(line) = after.lines.iter().find(|line| line.line == portion.line) else { continue };
                    sold::cancel(tx, &clock, order, Item { product: line.product, variant: line.variant }, portion.quantity).await??;
                }
                failpoint!("pieces-cancelled");
                Ok((after, events))
            })
        })
        .await
    }
}

/// Whether this cancellation was carried out already: of the same pieces, or an earlier page was filled in once more.
fn is_done(order: &Order, id: CancellationId, portions: Option<&[Portion]>) -> Result<bool, ChangeError> {
    let Some(done) = order.cancellations.iter().find(|done| done.id == id) else { return Ok(false) };
    let wanted = portions.map(|all| all.iter().filter(|portion| portion.quantity > 0));
    if wanted.is_none_or(|wanted| wanted.eq(&done.portions)) { Ok(true) } else { Err(ChangeError::OtherWords) }
}
