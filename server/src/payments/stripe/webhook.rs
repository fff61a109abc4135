//! Stripe's webhooks: which events matter, and what they say.

use super::{
    Stripe,
    objects::{Dispute, Expandable, Refund, Session},
};
use crate::payments::{Forged, Notice, ProviderError, WebhookEvent, WebhookFault, signature};
use domain::{
    offer::Instant,
    payment::{Decline, Method, News},
};
use serde::{Deserialize, de::DeserializeOwned};

#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: serde_json::Value,
}

/// Reads an event if it is Stripe's. A dispute names a payment intent only: then Stripe is asked whose it is.
pub async fn read(stripe: &Stripe, signed: Option<&str>, body: &[u8], now: Instant) -> Result<WebhookEvent, WebhookFault> {
    let secrets: Vec<&[u8]> = stripe.secrets.iter().map(String::as_bytes).collect();
    signature::verify(&secrets, signed, body, now)?;
    let Event { id, kind, data: Data { object } } = serde_json::from_slice(body).map_err(|_| Forged::Unreadable)?;
    let notice = match kind.as_str() {
        "checkout.session.completed" | "checkout.session.expired" | "checkout.session.async_payment_succeeded" => {
            session(stripe, object, None).await?
        }
        "checkout.session.async_payment_failed" => session(stripe, object, Some(Decline::Declined)).await?,
        "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => refund(object)?,
        "charge.dispute.created" | "charge.dispute.updated" | "charge.dispute.closed" => dispute(stripe, object).await?,
        // Among them `payment_intent.payment_failed`: the page is still open, and another card may pay there.
        _ => Notice::Ignored,
    };
    Ok(WebhookEvent { id, notice })
}

fn parse<T: DeserializeOwned>(object: serde_json::Value) -> Result<T, Forged> {
    serde_json::from_value(object).map_err(|error| {
        tracing::error!(%error, "an event of Stripe's cannot be read: does its endpoint have the version {}?", super::call::VERSION);
        Forged::Unreadable
    })
}

/// An event names the payment method of money that is under way by its id only: Stripe is asked which it is.
async fn session(stripe: &Stripe, object: serde_json::Value, failed: Option<Decline>) -> Result<Notice, WebhookFault> {
    let session: Session = parse(object)?;
    let Some(payment) = session.payment() else { return Ok(Notice::Ignored) };
    let news = match failed {
        Some(reason) => News::Failed { reason },
        None => match session.news()? {
            News::Pending { method: Method::Other } => {
                let whole = stripe.by_id(&session.id).await.map_err(ProviderError::from)?;
                News::Pending { method: whole.map_or(Method::Other, |whole| whole.method()) }
            }
            news => news,
        },
    };
    Ok(Notice::Payment { payment, news })
}

fn refund(object: serde_json::Value) -> Result<Notice, WebhookFault> {
    let refund: Refund = parse(object)?;
    if let Some(ours) = refund.metadata.get("refund").and_then(|ours| ours.parse().ok()) {
        return Ok(Notice::Refund { refund: ours, news: refund.news() });
    }
    tracing::warn!(refund = refund.id, "a refund that was not made here: enter it in the order as well");
    Ok(Notice::Ignored)
}

async fn dispute(stripe: &Stripe, object: serde_json::Value) -> Result<Notice, WebhookFault> {
    let dispute: Dispute = parse(object)?;
    let (Some(intent), Some(news)) = (dispute.payment_intent.as_ref().map(Expandable::id), dispute.news()) else { return Ok(Notice::Ignored) };
    let payment = stripe.payment_of(intent).await.map_err(ProviderError::from)?;
    Ok(payment.map_or(Notice::Ignored, |payment| Notice::Dispute { payment, news }))
}
