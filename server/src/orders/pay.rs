//! The way to the payment page: the first time, and again after a decline, a lapsed hold or a provider that was down.

use super::{Orders, hear::hold_again, request::PayAgainError, store, story::Actor};
use crate::{
    events, params,
    payments::{ProviderError, SessionRequest},
};
use anyhow::Context as _;
use domain::{
    OrderId, PaymentId,
    order::{CannotPay, HOLD_US, NextAttempt, Order, OrderNumber, Pieces},
    payment::{News, Payment, PaymentState},
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
                    let news = asked.map_err(|error| {
                        tracing::warn!(%order, error = format!("{:#}", anyhow::Error::new(error)), "no payment page");
                        PayAgainError::ProviderDown
                    })?;
                    let url = if let News::Open { redirect_url, .. } = &news { Some(redirect_url.clone()) } else { None };
                    self.hear(payment, news).await?;
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
        let news = self.ask_for_page(order, payment.id).await?;
        let url = if let News::Open { redirect_url, .. } = &news { Some(redirect_url.clone()) } else { None };
        self.hear(payment.id, news).await?;
        Ok(url)
    }

    /// Closes every page of an order on which money could still come, and hears what they had become. `false`: the provider does not answer,
    /// or money is under way.
    pub(super) async fn close_pages(&self, order: &Order) -> anyhow::Result<bool> {
        let mut all_closed = true;
        for payment in order.payments.iter().filter(|payment| payment.state.is_live()) {
            match self.provider.close_session(payment.id).await {
                Ok(news) => {
                    all_closed &= !matches!(news, News::Open { .. } | News::Pending);
                    self.hear(payment.id, news).await?;
                }
                Err(error) => {
                    tracing::warn!(payment = %payment.id, error = format!("{:#}", anyhow::Error::new(error)), "a payment page could not be closed");
                    all_closed = false;
                }
            }
        }
        Ok(all_closed)
    }

    async fn ask_for_page(&self, order: OrderId, payment: PaymentId) -> Result<News, ProviderError> {
        let request = self.session_request(order, payment).await.map_err(ProviderError::Unavailable)?;
        self.provider.create_session(&request).await
    }

    async fn session_request(&self, order: OrderId, payment: PaymentId) -> anyhow::Result<SessionRequest> {
        let row =
            self.db.first("SELECT number, locale, currency, total_minor FROM orders WHERE id = $1", params![order]).await?.context("an order")?;
        let (number, locale): (OrderNumber, domain::locale::Locale) = (row.parse("number")?, row.parse("locale")?);
        let return_url = format!("{}/{locale}/orders/{}", self.origin, self.secret(order));
        Ok(SessionRequest::new(payment, number, store::money(&row, "total_minor")?, locale, return_url))
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
                    Ok(())
                })
            })
            .await?;
        events::ring();
        Ok(())
    }

    /// Asks the provider about a payment that may have become something; what it says is heard.
    pub(super) async fn ask(&self, payment: &Payment) -> anyhow::Result<()> {
        if let Some(news) = self.provider.session(payment.id).await? {
            self.hear(payment.id, news).await?;
        }
        Ok(())
    }
}
