//! The way to the payment page: the first time, and again after a decline, a lapsed hold or a provider that was down.

use super::{Orders, hear::hold_again, request::PayAgainError, store, story::Actor};
use crate::{events, failpoint, params};
use domain::{
    OrderId, PaymentId,
    order::{CannotPay, HOLD_US, NextAttempt, Pieces},
    payment::PaymentState,
};

/// Rounds of asking and deciding before giving up: each one ends an attempt that was found dead.
const ROUNDS: u32 = 4;

impl Orders {
    /// Where to pay (again). A page that is still open is used again, so that an order never has two; a new attempt holds the pieces anew
    /// and may find them gone.
    pub async fn pay_again(&self, secret: &str) -> Result<String, PayAgainError> {
        let order = self.id_of(secret).await?.ok_or(PayAgainError::NotFound)?;
        for _ in 0..ROUNDS {
            let known = store::load(&self.db, order).await?.ok_or(PayAgainError::NotFound)?;
            match known.can_pay_again(self.clock.now())? {
                NextAttempt::Resume(payment) => {
                    if !self.extend(order).await? {
                        continue;
                    }
                    let asked = self.ask_for_page(order, payment).await;
                    let url = asked.map_err(|error| {
                        tracing::warn!(%order, error = format!("{:#}", anyhow::Error::new(error)), "no payment page");
                        PayAgainError::ProviderDown
                    })?;
                    if let Some(url) = url {
                        return Ok(url);
                    }
                }
                NextAttempt::New => self.attempt(order).await?,
            }
        }
        Err(PayAgainError::Refused(CannotPay::TooManyAttempts))
    }

    /// Opens the page of an order's latest attempt if it can still be paid; what the provider says is heard.
    pub(super) async fn open_page(&self, order: OrderId) -> anyhow::Result<Option<String>> {
        let Some(known) = store::load(&self.db, order).await? else { return Ok(None) };
        let Some(payment) = known.payments.iter().rfind(|payment| payment.state.is_live()) else { return Ok(None) };
        if let PaymentState::Open { redirect_url, .. } = &payment.state {
            return Ok(Some(redirect_url.clone()));
        }
        Ok(self.ask_for_page(order, payment.id).await?)
    }

    /// Keeps the pieces for another half hour, as somebody is about to pay. `false`: they are not held any more.
    async fn extend(&self, order: OrderId) -> Result<bool, PayAgainError> {
        let until = self.clock.now() + HOLD_US;
        let touched = self
            .db
            .transact::<_, sqlx::Error>(|tx| {
                Box::pin(
                    async move { tx.execute("UPDATE orders SET hold_until = $2 WHERE id = $1 AND pieces = 'held'", params![order, until]).await },
                )
            })
            .await?;
        Ok(touched == 1)
    }

    /// Begins a new attempt: under the order's lock, with the pieces held (again).
    async fn attempt(&self, order: OrderId) -> Result<(), PayAgainError> {
        self.db
            .transact::<_, PayAgainError>(|tx| {
                let this = self.clone();
                Box::pin(async move {
                    let now = this.clock.now();
                    let before = store::lock(tx, order, now).await?.ok_or(PayAgainError::NotFound)?;
                    let payment = PaymentId(this.clock.id());
                    let after = match before.clone().attempt(payment, now + HOLD_US, now) {
                        Ok(after) => after,
                        // Another tab was faster: its attempt is found in the next round.
                        Err(CannotPay::Pending) => return Ok(()),
                        Err(refused) => return Err(refused.into()),
                    };
                    if before.pieces == Pieces::Lapsed {
                        hold_again(tx, &this.clock, order).await?.map_err(PayAgainError::OutOfStock)?;
                    }
                    store::save(tx, &this.clock, &this.author(Actor::Shopper), &before, &after, &[]).await?;
                    failpoint!("attempt-saved");
                    Ok(())
                })
            })
            .await?;
        events::ring();
        Ok(())
    }
}
