//! A provider's news, by webhook, by answer or when asked: heard once, with its effect on payment, stock and refunds in one transaction.

use super::{
    Orders,
    request::OrderBody,
    store,
    story::{self, Actor, Happened},
};
use crate::{
    catalog::stock::{self, Holding, Item, Shortage},
    clock::Clock,
    events, failpoint, params,
    payments::{Forged, Notice, ProviderError, WebhookEvent, WebhookFault},
    sql::Tx,
};
use anyhow::Context as _;
use domain::{
    OrderId, PaymentId, RefundId,
    dispute::DisputeNews,
    order::{HOLD_US, Needs, Order},
    payment::{News, PaymentState, Unchanged},
    refund::RefundNews,
};
use std::sync::atomic::Ordering;

/// What became of news.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It changed something; the order as it is now.
    New(Box<Order>),
    /// It was known, or overtaken.
    Known,
    /// No such payment or refund here.
    Unknown,
}

impl Orders {
    /// Takes news about a payment.
    pub async fn hear(&self, payment: PaymentId, news: News) -> anyhow::Result<Heard> {
        let heard = self
            .db
            .transact::<_, anyhow::Error>(|tx| {
                let (this, news) = (self.clone(), news.clone());
                Box::pin(async move { this.hear_payment_in(tx, payment, news).await })
            })
            .await?;
        self.after(&heard).await;
        Ok(heard)
    }

    /// Takes a webhook: the signature first, then the event's id and its effect in one transaction. `Ok` means stored: answer 2xx, and only
    /// then. A second delivery finds the id and changes nothing but the order's story.
    pub async fn webhook(&self, signature: Option<&str>, body: &[u8]) -> Result<(), WebhookError> {
        let event: WebhookEvent = self.provider.webhook(signature, body, self.clock.now()).await?;
        let heard = self
            .db
            .transact::<_, anyhow::Error>(|tx| {
                let (this, event) = (self.clone(), event.clone());
                Box::pin(async move {
                    let provider = this.provider.name();
                    let is_new = tx
                        .execute(
                            "INSERT INTO webhook_events (provider, event_id, received_at) VALUES ($1, $2, $3) ON CONFLICT (provider, event_id) DO NOTHING",
                            params![provider, &event.id, this.clock.now()],
                        )
                        .await?;
                    if is_new == 0 {
                        this.tell_repeated(tx, event).await?;
                        return Ok(Heard::Known);
                    }
                    failpoint!("webhook-noted");
                    match event.notice {
                        Notice::Payment { payment, news } => this.hear_payment_in(tx, payment, news).await,
                        Notice::Refund { refund, news } => this.hear_refund_in(tx, refund, news).await,
                        Notice::Dispute { payment, news } => this.hear_dispute_in(tx, payment, news).await,
                        Notice::Ignored => Ok(Heard::Known),
                    }
                })
            })
            .await?;
        if heard == Heard::Unknown {
            tracing::warn!(event = event.id, notice = ?event.notice, "a webhook about a payment that is not known here");
            self.strange.store(true, Ordering::Release);
        }
        self.after(&heard).await;
        Ok(())
    }

    /// Tells in its order's story that a webhook came again: once, however often it comes.
    async fn tell_repeated(&self, tx: &mut Tx, event: WebhookEvent) -> anyhow::Result<()> {
        let order = match event.notice {
            Notice::Payment { payment, .. } | Notice::Dispute { payment, .. } => store::order_of(tx, payment).await?,
            Notice::Refund { refund, .. } => store::order_of_refund(tx, refund).await?,
            Notice::Ignored => None,
        };
        let Some(order) = order else { return Ok(()) };
        let key = format!("{} {}", self.provider.name(), event.id);
        story::tell_once(tx, &self.clock, &Actor::Provider, order, &key, &Happened::Repeated { event_id: event.id }).await
    }

    /// What follows a commit: other sessions of a paid order are closed now rather than by the next round of [`Orders::tend`].
    async fn after(&self, heard: &Heard) {
        let Heard::New(order) = heard else { return };
        failpoint!("news-committed");
        events::ring();
        let captured = order.payments.iter().any(|payment| matches!(payment.state, PaymentState::Captured { .. }));
        if captured && order.has_live_payment() {
            for payment in order.payments.iter().filter(|payment| payment.state.is_live()) {
                if let Ok(news) = self.close_page(payment.id).await
                    && let Err(error) = Box::pin(self.hear(payment.id, news)).await
                {
                    tracing::error!(error = format!("{error:#}"), "closing a session that is not needed");
                }
            }
        }
    }

    /// The effect of a payment's news. Pieces are kept longer for money that is under way, and when it will not come, for as long as anybody
    /// has who is to pay.
    async fn hear_payment_in(&self, tx: &mut Tx, payment: PaymentId, news: News) -> anyhow::Result<Heard> {
        let under_way = if let News::Pending { method } = news { Some(method) } else { None };
        let heard = hear_in(tx, &self.clock, self.provider.name(), payment, news).await?;
        if let Heard::New(order) = &heard {
            let now = self.clock.now();
            if let Some(method) = under_way {
                let longer = "UPDATE orders SET hold_until = $2 WHERE id = $1 AND pieces = 'held' AND hold_until < $2";
                tx.execute(longer, params![order.id, now + (self.provider.patience().pending_hold_us)(method)]).await?;
            } else if !order.has_live_payment() {
                let shorter = "UPDATE orders SET hold_until = $2 WHERE id = $1 AND pieces = 'held' AND hold_until > $2";
                tx.execute(shorter, params![order.id, now + HOLD_US]).await?;
            }
        }
        Ok(heard)
    }

    /// The effect of a refund's news.
    pub(super) async fn hear_refund_in(&self, tx: &mut Tx, refund: RefundId, news: RefundNews) -> anyhow::Result<Heard> {
        let now = self.clock.now();
        let Some(order) = store::order_of_refund(tx, refund).await? else { return Ok(Heard::Unknown) };
        let before = store::lock(tx, order, now).await?.context("a refund without its order")?;
        let Ok((after, events)) = before.clone().hear_refund(refund, news) else { return Ok(Heard::Known) };
        store::save(tx, &self.clock, &self.author(Actor::Provider), &before, &after, &events).await?;
        Ok(Heard::New(Box::new(after)))
    }

    /// The effect of a dispute's news.
    pub(super) async fn hear_dispute_in(&self, tx: &mut Tx, payment: PaymentId, news: DisputeNews) -> anyhow::Result<Heard> {
        let now = self.clock.now();
        let Some(order) = store::order_of(tx, payment).await? else { return Ok(Heard::Unknown) };
        let before = store::lock(tx, order, now).await?.context("a payment without its order")?;
        let Ok((after, events)) = before.clone().hear_dispute(payment, news, now) else { return Ok(Heard::Known) };
        store::save(tx, &self.clock, &self.author(Actor::Provider), &before, &after, &events).await?;
        Ok(Heard::New(Box::new(after)))
    }
}

/// Why a webhook was not stored.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    #[error(transparent)]
    Forged(Forged),
    /// The provider does not say what it is about: it shall send it again.
    #[error(transparent)]
    Unclear(ProviderError),
    /// Ours to mend: the provider shall send it again.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl From<WebhookFault> for WebhookError {
    fn from(fault: WebhookFault) -> Self {
        match fault {
            WebhookFault::Forged(forged) => Self::Forged(forged),
            WebhookFault::Unclear(error) => Self::Unclear(error),
        }
    }
}

/// The effect of news, in the caller's transaction.
pub(super) async fn hear_in(tx: &mut Tx, clock: &Clock, provider: &str, payment: PaymentId, news: News) -> anyhow::Result<Heard> {
    let now = clock.now();
    let Some(order) = store::order_of(tx, payment).await? else { return Ok(Heard::Unknown) };
    let before = store::lock(tx, order, now).await?.context("a payment without its order")?;
    let sold = match before.needs(payment, &news) {
        Needs::Sell => {
            stock::sell(tx, clock, order).await?;
            failpoint!("pieces-sold");
            true
        }
        Needs::Retake => {
            let taken = hold_again(tx, clock, order).await?.is_ok();
            failpoint!("pieces-retaken");
            if taken {
                stock::sell(tx, clock, order).await?;
            }
            taken
        }
        Needs::Nothing => false,
    };
    let named = if let News::Captured { amount } = &news { Some(*amount) } else { None };
    let author = store::Author { actor: Actor::Provider, provider };
    match before.clone().hear(payment, news, sold, RefundId(clock.id()), now) {
        Ok((after, events)) => {
            store::save(tx, clock, &author, &before, &after, &events).await?;
            failpoint!("news-saved");
            Ok(Heard::New(Box::new(after)))
        }
        Err(Unchanged::Known) => Ok(Heard::Known),
        Err(Unchanged::AmountDiffers) => {
            tracing::error!(%payment, %order, "the provider names another amount than was asked for: look into both ledgers");
            match named.map(|amount| before.clone().note_odd(payment, amount)) {
                Some(Ok(after)) => {
                    store::save(tx, clock, &author, &before, &after, &[]).await?;
                    Ok(Heard::New(Box::new(after)))
                }
                _ => Ok(Heard::Known),
            }
        }
    }
}

/// Takes an order's pieces again after its hold lapsed: all of them or none.
pub(super) async fn hold_again(tx: &mut Tx, clock: &Clock, order: OrderId) -> anyhow::Result<Result<(), Vec<Shortage>>> {
    let body = tx.first("SELECT body FROM orders WHERE id = $1", params![order]).await?.context("the order was just there")?.text("body")?;
    let body: OrderBody = serde_json::from_str(&body).context("orders.body")?;
    let wanted: Vec<(Item, u32)> =
        body.quote.lines.iter().map(|line| (Item { product: line.product, variant: line.variant }, line.quantity.get())).collect();
    stock::hold(tx, clock, Holding { order, locations: &body.locations, split: body.split }, &wanted).await
}
