//! What time demands: holds that lapse, payments that are in doubt, refunds that are owed. Every round is small, may run in several
//! processes at once, and may be cut off anywhere.

use super::{Orders, store, story::Actor};
use crate::{
    background::Stop,
    catalog::stock,
    events, failpoint, params,
    payments::{ProviderError, RefundRequest},
    sql::{Row, Tx},
};
use domain::{OrderId, PaymentId, RefundId, offer::Instant, order::HOLD_US, payment::PaymentState, refund::RefundNews};
use std::{sync::atomic::Ordering, time::Duration};

/// Rows taken at once by each of the three.
const BATCH: i64 = 50;
/// A provider that does not answer is asked again after so long (30 s).
const AGAIN_US: Instant = 30 * 1_000_000;
/// A refund that is under way is asked about so often (6 hours): banks take days, and webhooks tell.
const UNDER_WAY_US: Instant = 6 * 3_600 * 1_000_000;
/// After so many failures a round of asking ends: the others would fare no better.
const FAILURES: u32 = 3;
/// What only serves to recognise repetitions is kept so long (30 days); no form and no webhook is repeated later.
const MEMORY_US: i64 = 30 * 24 * 3_600 * 1_000_000;
/// Rounds between two times of forgetting: an hour.
const FORGETTING: u32 = 3_600;
/// Rounds between two looks at what other releases wrote: ten minutes.
const MENDING: u32 = 600;
/// Rounds between two comparisons with the provider's ledger: an hour, a minute after a failure, and never less than five seconds.
const COMPARING: u32 = 3_600;
const COMPARING_AGAIN: u32 = 60;
const COMPARING_MIN: u32 = 5;
/// The pause between rounds.
const PAUSE: Duration = Duration::from_secs(1);

impl Orders {
    /// Tends orders until the shop stops.
    pub async fn run(self, mut stop: Stop) {
        if let Err(error) = self.index_earlier().await {
            tracing::error!(error = format!("{error:#}"), "earlier orders are not found by phone number and postcode yet");
        }
        let (mut rounds, mut last_comparison, mut next_comparison) = (0_u32, 0_u32, 0_u32);
        while !stop.is_requested() {
            if let Err(error) = self.tend().await {
                tracing::error!(error = format!("{error:#}"), "tending orders");
            }
            if rounds.is_multiple_of(FORGETTING)
                && let Err(error) = self.forget().await
            {
                tracing::error!(error = format!("{error:#}"), "forgetting old keys");
            }
            if rounds.is_multiple_of(MENDING)
                && let Err(error) = self.mend_waits().await
            {
                tracing::error!(error = format!("{error:#}"), "lists of what waits");
            }
            // Once an hour, and soon after the provider spoke of something unknown. A provider that does not answer is asked again.
            let strange = self.strange.swap(false, Ordering::AcqRel);
            if rounds >= next_comparison || (strange && rounds >= last_comparison.saturating_add(COMPARING_MIN)) {
                last_comparison = rounds;
                next_comparison = rounds.saturating_add(match self.compare(None).await {
                    Ok(_) => COMPARING,
                    Err(error) => {
                        tracing::warn!(error = format!("{error:#}"), "the provider's ledger could not be compared");
                        COMPARING_AGAIN
                    }
                });
            } else if strange {
                self.strange.store(true, Ordering::Release);
            }
            rounds = rounds.wrapping_add(1);
            tokio::select! {
                () = stop.requested() => {}
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    /// One round: sweeps lapsed holds, asks about payments in doubt, sends refunds, believes that parcels arrive. Each goes as far as it can; the first error is told.
    pub async fn tend(&self) -> anyhow::Result<()> {
        let swept = self.sweep().await;
        let reconciled = self.reconcile().await;
        let refunded = self.refund().await;
        let arrived = self.assume_deliveries().await;
        swept.and(reconciled).and(refunded).and(arrived)
    }

    /// Forgets keys and webhooks that nobody will repeat.
    async fn forget(&self) -> anyhow::Result<()> {
        let before = self.clock.now() - MEMORY_US;
        for old in [
            "DELETE FROM idempotency_keys WHERE (scope, key) IN (SELECT scope, key FROM idempotency_keys WHERE created_at < $1 LIMIT $2)",
            "DELETE FROM webhook_events WHERE (provider, event_id) IN (SELECT provider, event_id FROM webhook_events WHERE received_at < $1 LIMIT $2)",
        ] {
            self.db.remove_in_batches(old, before).await?;
        }
        Ok(())
    }

    /// Gives back what was held too long: the payment pages are closed first, and what turns out to be paid is sold.
    async fn sweep(&self) -> anyhow::Result<()> {
        let rows = self
            .db
            .all("SELECT id FROM orders WHERE pieces = 'held' AND hold_until <= $1 ORDER BY hold_until LIMIT $2", params![self.clock.now(), BATCH])
            .await?;
        for row in &rows {
            let order: OrderId = row.parse("id")?;
            if let Err(error) = self.lapse(order).await {
                tracing::error!(%order, error = format!("{error:#}"), "sweeping a lapsed hold");
            }
        }
        Ok(())
    }

    async fn lapse(&self, order: OrderId) -> anyhow::Result<()> {
        let Some(known) = store::load(&self.db, order).await? else { return Ok(()) };
        let closed = self.close_pages(&known).await?;
        failpoint!("sweep-pages-closed");
        self.db
            .transact::<_, anyhow::Error>(|tx| {
                let this = self.clone();
                Box::pin(async move {
                    let now = this.clock.now();
                    let Some(before) = store::lock(tx, order, now).await? else { return Ok(()) };
                    match before.clone().lapse(now) {
                        Ok(after) => {
                            stock::release(tx, &this.clock, order).await?;
                            failpoint!("sweep-released");
                            store::save(tx, &this.clock, &this.author(Actor::Shop), &before, &after, &[]).await?;
                        }
                        // Money is under way: it is waited for. A provider that does not answer is asked again soon, behind the others.
                        Err(_) if before.has_live_payment() => {
                            let wait_us = if closed || before.payments.iter().any(|payment| payment.state == PaymentState::Pending) {
                                HOLD_US
                            } else {
                                AGAIN_US
                            };
                            tx.execute("UPDATE orders SET hold_until = $2 WHERE id = $1 AND pieces = 'held'", params![order, now + wait_us]).await?;
                        }
                        Err(_) => {}
                    }
                    Ok(())
                })
            })
            .await?;
        events::ring();
        Ok(())
    }

    /// Asks the provider about payments of which nothing was heard for a while: a lost reply, a lost webhook, a walk away.
    async fn reconcile(&self) -> anyhow::Result<()> {
        let (now, patience) = (self.clock.now(), self.provider.patience());
        let rows = self
            .db
            .all(
                "SELECT p.id, o.pieces FROM payments p JOIN orders o ON o.id = p.order_id WHERE p.state IN ('created', 'open', 'pending') AND p.updated_at <= $1 \
                 AND (p.state <> 'pending' OR p.updated_at <= $2) ORDER BY p.updated_at LIMIT $3",
                params![now - patience.doubt_us, now - patience.pending_doubt_us, BATCH],
            )
            .await?;
        let mut failures = 0;
        for row in &rows {
            if failures == FAILURES {
                break;
            }
            let payment: PaymentId = row.parse("id")?;
            // Nobody shall pay an order that is paid or over.
            let is_over = matches!(row.text("pieces")?.as_str(), "sold" | "withdrawn" | "cancelled");
            let news = match self.at_provider(payment).await {
                Ok(attempt) if is_over => self.provider.close_session(&attempt).await.map(Some),
                Ok(attempt) => self.provider.session(&attempt).await,
                Err(error) => Err(ProviderError::Unavailable(error)),
            };
            match news {
                Ok(Some(news)) => {
                    failpoint!("doubt-answered");
                    drop(self.hear(payment, news).await?);
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::debug!(%payment, error = format!("{:#}", anyhow::Error::new(error)), "the provider could not be asked");
                    failures += 1;
                }
            }
            // Also after a failure: one payment that cannot be asked about does not keep the others waiting.
            let now = self.clock.now();
            self.db
                .transact::<_, sqlx::Error>(|tx| {
                    Box::pin(async move {
                        tx.execute(
                            "UPDATE payments SET updated_at = $2 WHERE id = $1 AND state IN ('created', 'open', 'pending')",
                            params![payment, now],
                        )
                        .await
                    })
                })
                .await?;
        }
        Ok(())
    }

    /// Asks for the refunds that are due, and about those that are under way.
    async fn refund(&self) -> anyhow::Result<()> {
        let rows = self
            .db
            .all(
                "SELECT id, order_id, payment_id, amount_minor, currency FROM refunds WHERE state IN ('requested', 'pending') AND next_at <= $1 \
                 ORDER BY next_at LIMIT $2",
                params![self.clock.now(), BATCH],
            )
            .await?;
        for row in &rows {
            let refund: RefundId = row.parse("id")?;
            // One that cannot be read or noted does not keep the others waiting.
            if let Err(error) = self.ask_for(row, refund).await {
                tracing::error!(%refund, error = format!("{error:#}"), "a refund is asked for again later");
                self.ask_later(refund).await?;
            }
            events::ring();
        }
        Ok(())
    }

    async fn ask_for(&self, row: &Row, refund: RefundId) -> anyhow::Result<()> {
        if store::load(&self.db, row.parse("order_id")?).await?.is_some_and(|order| order.waits_for_bank(refund)) {
            return self.ask_later(refund).await;
        }
        failpoint!("refund-not-asked-for");
        let asked = async {
            let (attempt, at) = (self.at_provider(row.parse("payment_id")?).await?, self.clock.now());
            let request = RefundRequest { refund, attempt, amount: store::money(row, "amount_minor")?, at };
            anyhow::Ok(self.provider.refund(&request).await?)
        };
        let news = asked.await.unwrap_or_else(|error| {
            tracing::warn!(%refund, error = format!("{error:#}"), "a refund is asked for again later");
            RefundNews::Unclear
        });
        failpoint!("refund-answered");
        self.db
            .transact::<_, anyhow::Error>(|tx| {
                let this = self.clone();
                Box::pin(async move {
                    this.hear_refund_in(tx, refund, news).await?;
                    later(tx, refund, this.clock.now()).await?;
                    Ok(())
                })
            })
            .await
    }

    /// A refund that waits for a bank's decision does not keep the others waiting.
    async fn ask_later(&self, refund: RefundId) -> anyhow::Result<()> {
        let now = self.clock.now();
        Ok(self.db.transact::<_, sqlx::Error>(|tx| Box::pin(later(tx, refund, now))).await?)
    }
}

/// What is under way, waits for a bank or was asked for too often is asked about seldom.
async fn later(tx: &mut Tx, refund: RefundId, now: Instant) -> Result<(), sqlx::Error> {
    let later = "UPDATE refunds SET next_at = $2 WHERE id = $1 AND (state = 'pending' OR next_at <= $3)";
    tx.execute(later, params![refund, now + UNDER_WAY_US, now]).await.map(drop)
}
