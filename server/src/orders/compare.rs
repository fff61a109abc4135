//! The payment provider's ledger beside ours: every payment that it captured has an order here, every refund that it sent stands here, and
//! disputes stand as they do there.
//! That is how orders come back that a restored backup does not know. Doing it again changes nothing.

use super::{
    Orders,
    capsule::{self, Capsule},
    hear::{Heard, hold_again},
    store,
    story::Actor,
};
use crate::{
    catalog::stock,
    events, failpoint, params,
    payments::{CapturedPayment, OpenedDispute, SentRefund},
    sql::Tx,
};
use anyhow::Context as _;
use domain::{
    PaymentId, RefundId,
    event::Event,
    offer::Instant,
    order::{Needs, Order, Pieces},
    payment::{News, Payment, PaymentState, Unchanged},
    refund::{Refund, RefundNews, RefundReason, RefundState},
};
use std::{collections::HashMap, fmt};

/// What a comparison found and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Captured payments that were looked at.
    pub captures: u32,
    /// Orders that were known, and are paid only now.
    pub paid: u32,
    /// Orders that were not known and were written again.
    pub rebuilt: u32,
    /// Refunds that were not known.
    pub refunds: u32,
    /// Disputes that were not known, or stood otherwise.
    pub disputes: u32,
    /// Captured payments of another amount than was asked for, which wait for a person among the orders.
    pub odd: u32,
    /// Captured payments that no order belongs to and no capsule explains: a person must look.
    pub unexplained: u32,
}

/// How far a comparison looks back before the last one (an hour): clocks differ, and a ledger may be a little late.
const OVERLAP_US: Instant = 3_600 * 1_000_000;
/// How far the first one looks back: 30 days, longer than any payment takes to settle.
const FIRST_US: Instant = 30 * 24 * 3_600 * 1_000_000;
/// Pages of one comparison: 100,000 payments. More than that is another provider's ledger.
const PAGES_MAX: usize = 1_000;
/// Until when both ledgers were compared. It is restored with the rest, and so tells what was lost.
const UNTIL: &str = "provider_compared_until";

/// What became of one captured payment.
enum Found {
    Known,
    Paid,
    Rebuilt,
    Odd,
    Unexplained,
}

/// How many of the provider's entries could not be taken over. None hides those after it.
struct Failed(u32);

impl Failed {
    fn unless<T>(&mut self, payment: PaymentId, taken: anyhow::Result<T>) -> Option<T> {
        taken
            .inspect_err(|error| {
                tracing::error!(%payment, error = format!("{error:#}"), "a payment could not be compared with the provider's ledger");
                self.0 += 1;
            })
            .ok()
    }
}

impl Orders {
    /// Compares what happened at the provider since `since`, or since the last comparison.
    pub async fn compare(&self, since: Option<Instant>) -> anyhow::Result<Compared> {
        let begun = self.clock.now();
        let until = self.db.first("SELECT value FROM shop_settings WHERE name = $1", params![UNTIL]).await?;
        let until = until.map(|row| row.parse::<Instant>("value")).transpose()?;
        let from = since.unwrap_or_else(|| until.map_or(begun - FIRST_US, |until| until - OVERLAP_US));
        let mut compared = Compared::default();
        let mut failed = Failed(0);
        let mut sent: HashMap<PaymentId, Vec<SentRefund>> = HashMap::new();
        let mut after: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let page = self.provider.refunds_since(from, after.as_deref()).await?;
            page.refunds.into_iter().for_each(|refund| sent.entry(refund.payment).or_default().push(refund));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        anyhow::ensure!(after.is_none(), "the provider has more refunds than can be compared at once: give nextgen reconcile a later --since");
        for _ in 0..PAGES_MAX {
            let page = self.provider.captured_since(from, after.as_deref()).await?;
            for captured in page.payments {
                let refunds = sent.remove(&captured.payment).unwrap_or_default();
                let taken = self.take_over(&captured, &refunds, &mut compared).await;
                failed.unless(captured.payment, taken);
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        anyhow::ensure!(after.is_none(), "the provider has more payments than can be compared at once: give nextgen reconcile a later --since");
        // Refunds of payments that were captured earlier.
        for (payment, refunds) in sent {
            let taken = self.take_over_refunds(payment, &refunds).await;
            compared.refunds += failed.unless(payment, taken).unwrap_or_default();
        }
        compared.disputes = self.take_over_disputes(from, &mut failed).await?;
        failpoint!("ledgers-compared");
        anyhow::ensure!(failed.0 == 0, "{} payments could not be compared, and are again the next time: the log names each with its error", failed.0);
        let reached = until.map_or(begun, |until| until.max(begun));
        if since.is_none_or(|since| until.is_none_or(|until| since <= until)) {
            self.note(reached).await?;
        }
        if compared.paid + compared.rebuilt + compared.refunds + compared.disputes + compared.odd + compared.unexplained > 0 {
            tracing::warn!(%compared, "the provider's ledger knew more than ours");
            events::ring();
        }
        Ok(compared)
    }

    /// One captured payment and what of it went back, in one transaction.
    async fn take_over(&self, captured: &CapturedPayment, sent: &[SentRefund], compared: &mut Compared) -> anyhow::Result<()> {
        compared.captures += 1;
        let opened = match &captured.capsule {
            Some(text) => capsule::open(&self.keys, captured.payment, text).map_err(|error| format!("{error:#}")),
            None => Err("it has none".to_owned()),
        };
        let (found, refunds) = self
            .db
            .transact::<_, anyhow::Error>(|tx| {
                let (this, captured, sent, opened) = (self.clone(), captured.clone(), sent.to_vec(), opened.clone());
                Box::pin(async move { this.take_over_in(tx, &captured, &sent, opened.ok().as_ref()).await })
            })
            .await?;
        compared.refunds += refunds;
        match found {
            Found::Known => {}
            Found::Paid => compared.paid += 1,
            Found::Rebuilt => compared.rebuilt += 1,
            Found::Odd => compared.odd += 1,
            Found::Unexplained => {
                compared.unexplained += 1;
                let capsule = opened.err().unwrap_or_default();
                tracing::error!(payment = %captured.payment, amount = ?captured.amount, capsule, "the provider captured a payment that no order belongs to");
            }
        }
        Ok(())
    }

    async fn take_over_in(
        &self,
        tx: &mut Tx,
        captured: &CapturedPayment,
        sent: &[SentRefund],
        capsule: Option<&Capsule>,
    ) -> anyhow::Result<(Found, u32)> {
        let payment = captured.payment;
        let known = store::order_of(tx, payment).await?;
        let order = match (known, capsule) {
            (Some(order), _) => order,
            (None, Some(capsule)) => {
                self.write_again(tx, payment, capsule).await?;
                failpoint!("order-rewritten");
                capsule.order.id
            }
            (None, None) => return Ok((Found::Unexplained, 0)),
        };
        let now = self.clock.now();
        let before = store::lock(tx, order, now).await?.context("a payment without its order")?;
        let back: i64 = sent.iter().filter(|refund| counts(refund.news)).map(|refund| refund.amount.minor).sum();
        let news = News::Captured { amount: captured.amount };
        // Money that went back whole buys nothing.
        let sold = match before.needs(payment, &news) {
            _ if back >= captured.amount.minor => false,
            Needs::Sell => {
                stock::sell(tx, &self.clock, order).await?;
                true
            }
            Needs::Retake => {
                let taken = hold_again(tx, &self.clock, order).await?.is_ok();
                failpoint!("rewritten-pieces-retaken");
                if taken {
                    stock::sell(tx, &self.clock, order).await?;
                }
                taken
            }
            Needs::Nothing => false,
        };
        let (after, mut events, found) = match before.clone().hear(payment, news, sold, RefundId(self.clock.id()), now) {
            Ok((after, events)) => (after, events, if known.is_some() { Found::Paid } else { Found::Rebuilt }),
            Err(Unchanged::Known) => (before.clone(), Vec::new(), Found::Known),
            Err(Unchanged::AmountDiffers) => {
                let Ok(after) = before.clone().note_odd(payment, captured.amount) else { return Ok((Found::Known, 0)) };
                self.save_compared(tx, &before, &after, &[]).await?;
                return Ok((Found::Odd, 0));
            }
        };
        let (after, told, refunds) = note_refunds(&before, after, sent);
        events.extend(told);
        if after != before {
            self.save_compared(tx, &before, &after, &events).await?;
            failpoint!("rewritten-saved");
        }
        if !matches!(found, Found::Known) {
            // Paid when it was paid, not when it was noticed.
            tx.execute("UPDATE payments SET updated_at = $2 WHERE id = $1", params![payment, captured.at]).await?;
        }
        Ok((found, refunds))
    }

    /// Refunds of a payment that is known as captured.
    async fn take_over_refunds(&self, payment: PaymentId, sent: &[SentRefund]) -> anyhow::Result<u32> {
        self.db
            .transact::<_, anyhow::Error>(|tx| {
                let (this, sent) = (self.clone(), sent.to_vec());
                Box::pin(async move {
                    let Some(order) = store::order_of(tx, payment).await? else { return Ok(0) };
                    let before = store::lock(tx, order, this.clock.now()).await?.context("a payment without its order")?;
                    let (after, events, refunds) = note_refunds(&before, before.clone(), &sent);
                    if after != before {
                        this.save_compared(tx, &before, &after, &events).await?;
                    }
                    Ok(refunds)
                })
            })
            .await
    }

    /// Disputes that were opened since `from`, and whatever became of those that are open here, however old they are: a webhook that tells of
    /// an end can be lost as well.
    async fn take_over_disputes(&self, from: Instant, failed: &mut Failed) -> anyhow::Result<u32> {
        let oldest = "SELECT MIN(created_at) AS opened FROM disputes WHERE provider = $1 AND state NOT IN ('won', 'lost')";
        let oldest = self.db.first(oldest, params![self.provider.name()]).await?.map(|row| row.int_or_null("opened")).transpose()?.flatten();
        let from = oldest.map_or(from, |opened| from.min(opened - FIRST_US));
        let mut after: Option<String> = None;
        let mut taken = 0;
        for _ in 0..PAGES_MAX {
            let page = self.provider.disputes_since(from, after.as_deref()).await?;
            for OpenedDispute { payment, news } in page.disputes {
                match failed.unless(payment, self.hear_dispute(payment, &news).await) {
                    Some(Heard::New(_)) => taken += 1,
                    Some(Heard::Known) | None => {}
                    Some(Heard::Unknown) => tracing::error!(%payment, dispute = news.reference, "a dispute of a payment that no order belongs to"),
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(taken);
            }
        }
        anyhow::bail!("the provider has more disputes than can be compared at once: give nextgen reconcile a later --since")
    }

    async fn save_compared(&self, tx: &mut Tx, before: &Order, after: &Order, events: &[Event]) -> anyhow::Result<()> {
        store::save(tx, &self.clock, &self.author(Actor::Provider), before, after, events).await
    }

    /// Writes the order of a capsule, or only its attempt if the order is known. Its pieces are taken like those of a lapsed order.
    async fn write_again(&self, tx: &mut Tx, payment: PaymentId, capsule: &Capsule) -> anyhow::Result<()> {
        let record = &capsule.order;
        let attempt = Payment { id: payment, amount: capsule.amount, created_at: capsule.attempted_at, state: PaymentState::Created, odd: None };
        if tx.first("SELECT id FROM orders WHERE id = $1", params![record.id]).await?.is_none() {
            let order = record.order(Pieces::Lapsed, vec![attempt.clone()])?;
            // Its cart may have been ordered anew meanwhile: then that order stands for the cart.
            if !self.insert(tx, record, &order, true).await? {
                let written = self.insert(tx, record, &order, false).await?;
                anyhow::ensure!(
                    written,
                    "the number {} was given to another order since the backup: refund payment {payment} at the provider",
                    record.number
                );
            }
        }
        store::insert_payment(tx, record.id, self.provider.name(), &attempt).await
    }

    async fn note(&self, until: Instant) -> anyhow::Result<()> {
        self.db
            .transact::<_, anyhow::Error>(|tx| {
                Box::pin(async move {
                    tx.execute(
                        "INSERT INTO shop_settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                        params![UNTIL, until.to_string()],
                    )
                    .await?;
                    Ok(())
                })
            })
            .await
    }
}

/// Whether money of a refund is gone or going.
const fn counts(news: RefundNews) -> bool {
    matches!(news, RefundNews::Issued | RefundNews::Pending)
}

/// Notes what the provider sent back in the order's ledger, with what is to be told of refunds that were asked for here, and how many were not
/// known. What this comparison itself would send back is only what is left.
fn note_refunds(before: &Order, mut after: Order, sent: &[SentRefund]) -> (Order, Vec<Event>, u32) {
    let (mut events, mut unknown) = (Vec::new(), 0);
    for refund in sent {
        if after.refunds.iter().any(|known| known.id == refund.refund) {
            if let Ok((next, told)) = after.clone().hear_refund(refund.refund, refund.news) {
                after = next;
                events.extend(told);
            }
            continue;
        }
        if !counts(refund.news) {
            continue;
        }
        unknown += 1;
        let state = if refund.news == RefundNews::Pending { RefundState::Pending } else { RefundState::Issued };
        // Why is not written at the provider. An order that keeps its pieces got something back without giving any.
        let reason = if after.pieces == Pieces::Sold { RefundReason::Goodwill } else { RefundReason::Cancelled };
        let noted = Refund { id: refund.refund, payment: refund.payment, amount: refund.amount, reason, goodwill: None, state };
        let asked_for =
            after.refunds.iter_mut().find(|asked| asked.payment == refund.payment && before.refunds.iter().all(|known| known.id != asked.id));
        if let Some(asked) = asked_for.filter(|asked| matches!(asked.state, RefundState::Requested { .. })) {
            asked.amount.minor -= refund.amount.minor;
        }
        after.refunds.insert(0, noted);
    }
    after.refunds.retain(|refund| refund.amount.minor > 0);
    (after, events, unknown)
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { captures, paid, rebuilt, refunds, disputes, odd, unexplained } = self;
        write!(
            f,
            "{captures} captured payments: {rebuilt} orders rebuilt, {paid} now paid, {refunds} refunds and {disputes} disputes taken over, \
             {odd} of another amount, {unexplained} unexplained"
        )
    }
}
