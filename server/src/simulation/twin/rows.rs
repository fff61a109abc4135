//! What is in the rows, in words, in both worlds.

use super::Twin;
use crate::{
    orders::{store, waits},
    params,
    simulation::{
        World,
        deeds::variant_index,
        shelves::{Kept, Lies},
        store::{PLACES, VARIANTS},
    },
};
use anyhow::{Context as _, ensure};
use domain::{
    OrderId, VariantId,
    offer::Instant,
    order::{Order, Progress, Resolution, ReturnState},
    refund::RefundState,
};
use std::collections::BTreeMap;

/// What is to be in the rows.
fn simulated(world: &World) -> Vec<String> {
    let mut lines = Vec::new();
    for row in &world.store.orders {
        let order = &row.order;
        let (progress, waits) = (
            order.progress().map_or("", Progress::word),
            waits::kinds(order).into_iter().map(|(kind, due)| waiting(kind, due)).collect::<Vec<_>>().join(" "),
        );
        lines.push(format!(
            "order {} {progress:?} {:?} of {waits:?}, stands for its cart: {}",
            order.status().word(),
            waits::first(order),
            row.claims
        ));
        lines.extend(ledgers(order, &variant_index));
        lines.extend(pieces(row.kept.iter().map(|kept| (word(kept), kept.variant, PLACES[kept.location], i64::from(kept.pieces)))));
    }
    for (variant, balances) in world.store.balances.iter().enumerate() {
        for (location, balance) in PLACES.iter().zip(balances) {
            lines.push(format!("{variant} in {location}: {} free, {} held", balance.free, balance.held));
        }
    }
    lines.push(format!("webhooks: {}", world.store.heard.len()));
    lines.push(format!("keys: {}", world.store.keys.len()));
    lines
}

impl Twin {
    /// The rows are what they are to be.
    pub async fn compare_rows(&self, world: &World) -> anyhow::Result<()> {
        let (simulated, real) = (simulated(world), self.real().await?);
        ensure!(simulated == real, "simulated:\n{}\nreal:\n{}", simulated.join("\n"), real.join("\n"));
        Ok(())
    }

    /// What is in the rows.
    async fn real(&self) -> anyhow::Result<Vec<String>> {
        let variant = |id: VariantId| self.items.iter().position(|item| item.variant == id).unwrap_or(VARIANTS);
        let mut lines = Vec::new();
        let orders = "SELECT id, status, progress, attention, cart_claim FROM orders ORDER BY placed_at, id";
        for row in self.db.all(orders, params![]).await? {
            let claims = row.text_or_null("cart_claim")?.is_some();
            let (id, progress) = (row.parse::<OrderId>("id")?, row.text("progress")?);
            let waits = self.db.all("SELECT kind, due_at FROM order_waits WHERE order_id = $1 ORDER BY kind", params![id]).await?;
            let waits =
                waits.iter().map(|row| Ok(waiting(&row.text("kind")?, row.int_or_null("due_at")?))).collect::<anyhow::Result<Vec<_>>>()?.join(" ");
            lines.push(format!(
                "order {} {progress:?} {:?} of {waits:?}, stands for its cart: {claims}",
                row.text("status")?,
                row.text("attention")?
            ));
            lines.extend(ledgers(&store::load(&self.db, id).await?.context("an order")?, &variant));
            let holds = "SELECT state, variant_id, location, quantity FROM holds WHERE order_id = $1 AND state <> 'released'";
            let mut kept = Vec::new();
            for row in self.db.all(holds, params![id]).await? {
                kept.push((row.text("state")?, variant(row.parse("variant_id")?), row.text("location")?, row.int("quantity")?));
            }
            lines.extend(pieces(kept.iter().map(|(state, variant, location, pieces)| (state.as_str(), *variant, location.as_str(), *pieces))));
        }
        for (variant, item) in self.items.iter().enumerate() {
            for location in PLACES {
                let sql = "SELECT free, held FROM stock_balances WHERE variant_id = $1 AND location = $2";
                let row = self.db.first(sql, params![item.variant, location]).await?.context("a balance")?;
                lines.push(format!("{variant} in {location}: {} free, {} held", row.int("free")?, row.int("held")?));
            }
        }
        for (what, sql) in [("webhooks", "SELECT COUNT(*) AS n FROM webhook_events"), ("keys", "SELECT COUNT(*) AS n FROM idempotency_keys")] {
            lines.push(format!("{what}: {}", self.db.first(sql, params![]).await?.context("a count")?.int("n")?));
        }
        Ok(lines)
    }
}

/// What an order waits for, and when evidence is due.
fn waiting(kind: &str, due: Option<Instant>) -> String {
    due.map_or_else(|| kind.to_owned(), |due| format!("{kind} by {due}"))
}

const fn word(kept: &Kept) -> &'static str {
    match (kept.is_sold, kept.lies) {
        (false, _) => "held",
        (true, Lies::Shelved) => "sold",
        (true, Lies::Packed) => "packed",
        (true, Lies::Shipped) => "shipped",
        (true, Lies::Returned) => "returned",
    }
}

/// Pieces by state, variant and location.
fn pieces<'a>(rows: impl Iterator<Item = (&'a str, usize, &'a str, i64)>) -> Vec<String> {
    let mut sums: BTreeMap<(usize, &str, &str), i64> = BTreeMap::new();
    for (state, variant, location, pieces) in rows {
        *sums.entry((variant, location, state)).or_default() += pieces;
    }
    sums.into_iter().map(|((variant, location, state), sum)| format!("  {sum} of {variant} {state} in {location}")).collect()
}

/// An order's ledgers, with places instead of ids and without times.
fn ledgers(order: &Order, variant: &dyn Fn(VariantId) -> usize) -> Vec<String> {
    let payment = |id| order.payments.iter().position(|known| known.id == id);
    let refund = |id| order.refunds.iter().position(|known| Some(known.id) == id);
    let mut lines = vec![format!("  {} of {:?}", word_of(order), order.total.minor)];
    for line in &order.lines {
        let replaces = line.replaces.map(|id| order.returns.iter().position(|back| back.id == id));
        lines.push(format!("  line {}: {} of {} for {}, replaces {replaces:?}", line.line, line.quantity, variant(line.variant), line.amount.minor));
    }
    lines.extend(order.payments.iter().map(|payment| format!("  payment {} {}", payment.state.word(), payment.amount.minor)));
    for refund in &order.refunds {
        let attempts = if let RefundState::Requested { attempts } = refund.state { attempts } else { 0 };
        let (of, word) = (payment(refund.payment), refund.state.word());
        lines.push(format!("  refund of {of:?} {word} {attempts} {} {} {:?}", refund.amount.minor, refund.reason.code(), refund.goodwill));
    }
    lines.extend(order.disputes.iter().map(|dispute| format!("  dispute of {:?} {}", payment(dispute.payment), dispute.state.word())));
    for done in &order.cancellations {
        lines.push(format!("  cancelled {:?}, delivery {}, refund {:?}", done.portions, done.delivery.minor, refund(done.refund)));
    }
    lines.extend(order.fulfilments.iter().map(|known| format!("  {} {:?} from {}", known.state.word(), known.portions, known.location)));
    for back in &order.returns {
        let items: Vec<_> = back
            .items
            .iter()
            .map(|item| {
                let exchange = if let Resolution::Exchange { variant: wanted, .. } = item.resolution { Some(variant(wanted)) } else { None };
                (item.line, item.quantity, exchange)
            })
            .collect();
        let state = match &back.state {
            ReturnState::Requested => "announced".to_owned(),
            ReturnState::Received { receipts, kept_back, delivery, refund: owed, .. } => {
                format!("received {receipts:?}, kept back {}, delivery {}, refund {:?}", kept_back.minor, delivery.minor, refund(*owed))
            }
            ReturnState::Refused { .. } => "refused".to_owned(),
            ReturnState::Cancelled { .. } => "called off".to_owned(),
        };
        lines.push(format!("  return of {items:?} {state}"));
    }
    lines
}

const fn word_of(order: &Order) -> &'static str {
    use domain::order::Pieces;
    match order.pieces {
        Pieces::Held { .. } => "held",
        Pieces::Lapsed => "lapsed",
        Pieces::Sold => "sold",
        Pieces::Withdrawn => "withdrawn",
        Pieces::Cancelled => "cancelled",
    }
}
