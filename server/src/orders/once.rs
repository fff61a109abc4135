//! A request's key, and what it was answered: kept with the order, given again, and refused while the first request is under way to whoever
//! does not want to wait.

use super::{
    Orders,
    place::scope,
    request::{OrderRequest, PlaceOrderError, Placed},
};
use crate::{failpoint, params, sql::Row};
use domain::{offer::Instant, order::OrderNumber};

/// A request that asks the provider is answered within this time (15 s), or will not be.
const IN_FLIGHT_US: Instant = 15 * 1_000_000;

impl Orders {
    /// [`Orders::place`] for programs, which do not wait: while the first request with a key is still under way, another one is told so
    /// ([`PlaceOrderError::InFlight`]). Shoppers get the first one's answer instead.
    pub async fn place_at_once(&self, request: OrderRequest) -> Result<Placed, PlaceOrderError> {
        if self.answered(&request, &self.fingerprint(&request)?).await?.is_some() {
            let row = self
                .db
                .first("SELECT location, created_at FROM idempotency_keys WHERE scope = $1 AND key = $2", params![scope(request.cart), &request.key])
                .await?;
            let is_young = |row: &Row| Ok::<_, anyhow::Error>(row.int("created_at")? > self.clock.now() - IN_FLIGHT_US);
            if let Some(row) = row
                && row.text_or_null("location")?.is_none()
                && is_young(&row)?
            {
                return Err(PlaceOrderError::InFlight);
            }
        }
        self.place(request).await
    }

    /// Keeps what a request was answered under its key. Without a page nothing is kept: the next one asks again.
    pub(super) async fn save_answer(
        &self,
        request: &OrderRequest,
        number: OrderNumber,
        secret: String,
        page: anyhow::Result<Option<String>>,
    ) -> Result<Placed, PlaceOrderError> {
        let redirect_url = match page {
            Ok(url) => url,
            Err(error) => {
                tracing::warn!(%number, error = format!("{error:#}"), "no payment page yet; the order can be paid later");
                None
            }
        };
        if let Some(location) = &redirect_url {
            failpoint!("page-known");
            self.db
                .transact::<_, sqlx::Error>(|tx| {
                    let values = params![scope(request.cart), &request.key, location];
                    Box::pin(async move {
                        tx.execute("UPDATE idempotency_keys SET status = 303, location = $3 WHERE scope = $1 AND key = $2", values).await?;
                        Ok(())
                    })
                })
                .await?;
            failpoint!("answer-saved");
        }
        Ok(Placed { number, secret, redirect_url })
    }
}
