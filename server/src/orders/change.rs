//! One change to an order: locked, decided by `domain`, saved with its events and its story, in one transaction.

use super::{Orders, store, story::Actor};
use crate::{
    catalog::sold::NotThere,
    events,
    sql::{Conflict, Tx},
};
use domain::{
    OrderId, VariantId,
    event::Event,
    offer::Instant,
    order::{CannotCancel, CannotEnd, CannotFulfil, CannotRefund, CannotReturn, Order},
};
use futures::future::BoxFuture;
use std::sync::Arc;

/// Why an order was not changed. Nothing was stored.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    #[error("no such order")]
    NotFound,
    #[error(transparent)]
    Cancel(#[from] CannotCancel),
    #[error(transparent)]
    End(#[from] CannotEnd),
    #[error(transparent)]
    Fulfil(#[from] CannotFulfil),
    #[error(transparent)]
    Return(#[from] CannotReturn),
    #[error(transparent)]
    Refund(#[from] CannotRefund),
    /// The pieces lie elsewhere.
    #[error("only {left} of {variant} lie there")]
    NotThere { variant: VariantId, left: u32 },
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl From<sqlx::Error> for ChangeError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}
impl From<NotThere> for ChangeError {
    fn from(NotThere { variant, left }: NotThere) -> Self {
        Self::NotThere { variant, left }
    }
}
impl Conflict for ChangeError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Failed(error) if error.is_conflict())
    }
}

/// An order after a change, and what to tell others.
pub(super) type Changed = Result<(Order, Vec<Event>), ChangeError>;

impl Orders {
    /// Changes an order by `work`, which may run several times and moves the stock in the same transaction. Work that finds its wish done
    /// already (a form sent twice) answers the order as it is.
    pub(super) async fn change<W>(&self, order: OrderId, actor: Actor, work: W) -> Result<Order, ChangeError>
    where
        W: for<'a> Fn(&'a mut Tx, Order, Instant) -> BoxFuture<'a, Changed> + Send + Sync + 'static,
    {
        let work = Arc::new(work);
        let after = self
            .db
            .transact::<_, ChangeError>(|tx| {
                let (this, actor, work) = (self.clone(), actor.clone(), work.clone());
                Box::pin(async move {
                    let now = this.clock.now();
                    let before = store::lock(tx, order, now).await?.ok_or(ChangeError::NotFound)?;
                    let (after, events) = work(tx, before.clone(), now).await?;
                    if after != before {
                        store::save(tx, &this.clock, &this.author(actor), &before, &after, &events).await?;
                    }
                    Ok(after)
                })
            })
            .await?;
        events::ring();
        Ok(after)
    }
}
