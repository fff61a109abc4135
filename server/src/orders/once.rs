//! A request's key, and what it was answered: kept with the order, given again, and refused while the first request is under way to whoever
//! does not want to wait.

use super::{
    Orders,
    place::scope,
    request::{OrderRequest, PlaceOrderError, Placed},
};
use crate::{failpoint, params, sql::Row};
use domain::{CartId, offer::Instant, order::OrderNumber};

/// A request that asks the provider is answered within this time (15 s), or will not be.
const IN_FLIGHT_US: Instant = 15 * 1_000_000;

/// What becomes of a request whose key came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeated {
    /// A shopper's: it goes on where the first one is, asks for the payment page too, and also when none was to be had before.
    GoesOn,
    /// A program's: it gets the very answer of the first one, and is told when there is none yet.
    IsTold,
}

/// What a key was answered before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Before {
    pub placed: Placed,
    /// The order stands, but its request is still to be answered.
    pub is_in_flight: bool,
}

impl Orders {
    /// What this form of this cart was answered before, whatever the shelves look like now: a doubled post of the order that took the last
    /// piece is told of that order, not that the piece is gone.
    pub async fn answered_before(&self, cart: CartId, key: &str) -> anyhow::Result<Option<Before>> {
        let row = self
            .db
            .first(
                "SELECT o.id, o.number, k.location, k.status, k.created_at FROM idempotency_keys k JOIN orders o ON o.id = k.body \
                 WHERE k.scope = $1 AND k.key = $2",
                params![scope(cart), key],
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        let placed = Placed {
            number: row.parse("number")?,
            secret: self.present_secret(row.parse("id")?).await?,
            redirect_url: row.text_or_null("location")?,
        };
        Ok(Some(Before { placed, is_in_flight: self.is_in_flight(&row)? }))
    }

    /// Whether a key's first request may still be answered. One that died without an answer is not waited for.
    pub(super) fn is_in_flight(&self, key: &Row) -> anyhow::Result<bool> {
        Ok(key.int_or_null("status")?.is_none() && key.int("created_at")? > self.clock.now() - IN_FLIGHT_US)
    }

    /// Keeps what a request was answered under its key: the payment page, or none while the provider does not answer, or when there is
    /// nothing to pay.
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
        failpoint!("page-known");
        // A page that another request was given stays.
        let sql = "UPDATE idempotency_keys SET status = 303, location = COALESCE($3, location) WHERE scope = $1 AND key = $2";
        self.db.execute(sql, params![scope(request.cart), &request.key, redirect_url.clone()]).await?;
        failpoint!("answer-saved");
        Ok(Placed { number, secret, redirect_url })
    }
}
