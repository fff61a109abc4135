//! One change to an order: locked, decided by `domain`, saved with its events and its story, in one transaction.

use super::{Orders, differences, store, story::Actor};
use crate::{
    catalog::sold::NotThere,
    events, failpoint,
    mail::CannotResend,
    sql::{Conflict, Tx},
    staff::{self, audit},
};
use anyhow::Context as _;
use domain::{
    OrderId, StaffId, VariantId,
    event::Event,
    offer::Instant,
    order::{CannotCancel, CannotCorrect, CannotEnd, CannotFulfil, CannotRefund, CannotReturn, Order},
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
    #[error(transparent)]
    Correct(#[from] CannotCorrect),
    /// A form whose id was used by another one, which was done: a page from before, filled in once more.
    #[error("another form was sent under this id")]
    OtherWords,
    /// Nothing personal can be stored for somebody who was erased.
    #[error("the customer was erased")]
    Erased,
    /// A mail is not sent again.
    #[error(transparent)]
    Mail(CannotResend),
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
impl From<CannotResend> for ChangeError {
    fn from(error: CannotResend) -> Self {
        match error {
            CannotResend::NotFound => Self::NotFound,
            CannotResend::Failed(error) => Self::Failed(error),
            other => Self::Mail(other),
        }
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

/// What a member of staff wishes, by a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The same form again has the same key and the same fingerprint, and changes nothing; another one under this key is refused.
    pub key: String,
    pub fingerprint: String,
    /// As the log of changes says it: `order cancelled`.
    pub action: &'static str,
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
                    if this.is_done(tx, &actor).await? {
                        return Ok(before);
                    }
                    let (after, events) = work(tx, before.clone(), now).await?;
                    if after != before {
                        let (was, is) = differences::between(&before, &after);
                        this.log(tx, &actor, order, was, is).await?;
                        store::save(tx, &this.clock, &this.author(actor), &before, &after, &events).await?;
                        failpoint!("change-written");
                    }
                    Ok(after)
                })
            })
            .await?;
        failpoint!("change-committed");
        events::ring();
        Ok(after)
    }

    /// The order core for one form of a member of staff.
    #[must_use]
    pub fn wishing(&self, wish: Wish) -> Self {
        Self { wish: Some(Arc::new(wish)), ..self.clone() }
    }

    /// Whether the form was carried out already. The order is locked.
    pub(super) async fn is_done(&self, tx: &mut Tx, actor: &Actor) -> Result<bool, ChangeError> {
        let (Some(wish), Actor::Staff(id)) = (&self.wish, actor) else { return Ok(false) };
        match staff::earlier(tx, id.parse().context("an id of staff")?, &wish.key).await? {
            None => Ok(false),
            Some(fingerprint) if fingerprint == wish.fingerprint => Ok(true),
            Some(_) => Err(ChangeError::OtherWords),
        }
    }

    /// Remembers that the form is carried out, and writes what a member of staff changed into the log.
    pub(super) async fn log(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        order: OrderId,
        before: serde_json::Value,
        after: serde_json::Value,
    ) -> anyhow::Result<()> {
        let Actor::Staff(id) = actor else { return Ok(()) };
        let staff: StaffId = id.parse()?;
        if let Some(wish) = &self.wish {
            staff::first_time(tx, staff, &wish.key, &wish.fingerprint, self.clock.now()).await?;
        }
        let action = self.wish.as_ref().map_or("order changed", |wish| wish.action);
        let told = |value: serde_json::Value| value.as_object().is_some_and(|map| !map.is_empty()).then_some(value);
        let change = audit::Change { action, subject: audit::Subject::Order(order), before: told(before), after: told(after) };
        audit::write(tx, &self.clock, audit::Actor::Staff(staff), change).await?;
        Ok(())
    }
}
