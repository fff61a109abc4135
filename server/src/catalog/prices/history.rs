//! The history of what was shown: append-only. What begins or ends by itself is appended later with its own instant, by whoever comes first.

use super::{Price, Shown, in_tx, windows};
use crate::{
    clock::Clock,
    events, params,
    sql::{Db, Tx},
};
use domain::{ProductId, VariantId, event::Event, offer::Instant};

/// Instants that are caught up with at once, and in one transaction.
const READ_MAX: i64 = 5_000;
const AT_ONCE: usize = 50;

/// Writes into the history what began or ended by itself since somebody last looked, as of its own instant, and tells of it, so that lists follow.
/// Several servers may do it at once: each instant is one server's. How many instants there were.
pub async fn catch_up(db: &Db, clock: &Clock) -> anyhow::Result<usize> {
    let mut done = 0;
    loop {
        let due = db
            .all("SELECT at, variant_id, price_list FROM price_instants WHERE at <= $1 ORDER BY at LIMIT $2", params![clock.now(), READ_MAX])
            .await?;
        if due.is_empty() {
            return Ok(done);
        }
        let due = due
            .iter()
            .map(|row| Ok((row.int("at")?, row.parse("variant_id")?, row.text("price_list")?)))
            .collect::<anyhow::Result<Vec<(Instant, VariantId, String)>>>()?;
        for due in due.chunks(AT_ONCE) {
            db.transact::<_, anyhow::Error>(|tx| {
                let (clock, due) = (clock.clone(), due.to_vec());
                Box::pin(async move {
                    for (at, variant, list) in due {
                        let taken = "DELETE FROM price_instants WHERE at = $1 AND variant_id = $2 AND price_list = $3";
                        if tx.execute(taken, params![at, variant, &list]).await? == 0 {
                            continue;
                        }
                        settle(tx, &list, variant, clock.now()).await?;
                        if let Some(row) = tx.first("SELECT product_id FROM variants WHERE id = $1", params![variant]).await? {
                            events::emit(tx, &clock, &Event::PriceChanged { product: row.parse("product_id")?, variant }).await?;
                        }
                    }
                    Ok(())
                })
            })
            .await?;
        }
        events::ring();
        done += due.len();
    }
}

/// Appends what came to be shown by itself up to `now`: also before anything else changes the price, so that nothing is lost. Twice changes
/// nothing, for a row is named by what it tells.
pub(super) async fn settle(tx: &mut Tx, list: &str, variant: VariantId, now: Instant) -> anyhow::Result<()> {
    let rows = in_tx(tx, list, variant).await?;
    let last = last(tx, list, variant).await?;
    for shown in windows::unrecorded(&rows, last.as_ref(), now) {
        let is_override = windows::in_force(&rows, shown.from).is_some_and(|row| row.is_override);
        let id = format!("{variant}:{list}:{}", shown.from);
        append(tx, id, list, variant, shown, if is_override { "campaign" } else { "operator" }).await?;
    }
    Ok(())
}

/// Appends what is shown since `now`, if it is another price than before, or is a reduction where it was none.
pub(super) async fn shows_now(tx: &mut Tx, clock: &Clock, list: &str, variant: VariantId, now: Instant, source: &'static str) -> anyhow::Result<()> {
    let rows = in_tx(tx, list, variant).await?;
    let last = last(tx, list, variant).await?;
    match windows::in_force(&rows, now) {
        Some(row) if last.is_none_or(|last| (last.price, last.compare_at) != (row.price, row.compare_at)) => {
            append(tx, clock.id().to_string(), list, variant, Shown::since(row, now), source).await
        }
        _ => Ok(()),
    }
}

pub(super) async fn append(tx: &mut Tx, id: String, list: &str, variant: VariantId, shown: Shown, source: &'static str) -> anyhow::Result<()> {
    tx.execute(
        "INSERT INTO price_history (id, price_list, variant_id, currency, amount_minor, compare_at_minor, valid_from, source) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING",
        params![id, list, variant, shown.price.currency.code(), shown.price.minor, shown.compare_at, shown.from, source],
    )
    .await?;
    Ok(())
}

async fn last(tx: &mut Tx, list: &str, variant: VariantId) -> anyhow::Result<Option<Shown>> {
    let sql = "SELECT currency, amount_minor, compare_at_minor, valid_from FROM price_history WHERE variant_id = $1 AND price_list = $2 \
               ORDER BY valid_from DESC, id DESC LIMIT 1";
    tx.first(sql, params![variant, list]).await?.as_ref().map(Shown::read).transpose()
}

/// Whether something begins or ends by itself, or did: then what is shown is not simply the list price that was written last.
pub(super) async fn is_planned(tx: &mut Tx, list: &str, variant: VariantId) -> anyhow::Result<bool> {
    let sql = "SELECT variant_id FROM price_instants WHERE variant_id = $1 AND price_list = $2 UNION ALL \
               SELECT variant_id FROM prices WHERE variant_id = $1 AND price_list = $2 AND kind <> 'list' LIMIT 1";
    Ok(tx.first(sql, params![variant, list]).await?.is_some())
}

/// The variants of a product for which [`is_planned`] holds, with the lists.
pub(crate) async fn planned(tx: &mut Tx, product: ProductId) -> anyhow::Result<Vec<(VariantId, String)>> {
    let sql = "SELECT i.variant_id, i.price_list FROM price_instants i JOIN variants v ON v.id = i.variant_id WHERE v.product_id = $1 UNION \
               SELECT p.variant_id, p.price_list FROM prices p JOIN variants v ON v.id = p.variant_id WHERE v.product_id = $1 AND p.kind <> 'list'";
    tx.all(sql, params![product]).await?.iter().map(|row| Ok((row.parse("variant_id")?, row.text("price_list")?))).collect()
}

impl Shown {
    /// What a row shows from an instant on.
    pub(super) fn since(row: &Price, from: Instant) -> Self {
        Self { price: row.price, from, compare_at: row.compare_at }
    }
}
