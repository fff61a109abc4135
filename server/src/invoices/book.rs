//! The consumer that keeps an order's documents: each event has it look at the whole order, and write what is missing. Told twice, or together with
//! another server, it writes nothing twice.

use super::{
    kept::{self, Sealed},
    sellers,
    series::{Series, draw},
};
use crate::{
    catalog::shelves,
    clock::Clock,
    events::{Consumer, Envelope},
    failpoint,
    orders::{OrderView, Orders, store},
    params,
    sql::{Db, Lost, Tx},
    tariffs,
};
use anyhow::Context as _;
use async_trait::async_trait;
use domain::{
    OrderId, RefundId,
    address::Destination,
    delivery,
    event::Event,
    invoice::{self, Amounts, Buyer, CREDIT_NOTES, Invoice, Item, Kind, Seller},
    market::Market,
    money::Money,
    offer::Instant,
    order::{Order, Pieces},
    payment::PaymentState,
    tax,
};
use std::sync::Arc;

/// Refunds that were noted without an event (by a comparison with the provider) are looked for as far back as this: a week.
const LOOKED_BACK_US: Instant = 7 * 24 * 3_600 * 1_000_000;
/// Orders that one look takes on.
const AT_ONCE: i64 = 500;

/// Follows `PaymentCaptured`, `RefundIssued` and `DisputeClosed`.
#[derive(Clone, Debug)]
pub struct Bookkeeper {
    orders: Orders,
}

/// What an order's documents are made of, beside its ledgers: all of it is frozen.
struct Basis {
    view: OrderView,
    market: Market,
    seller: Seller,
    amounts: Amounts,
}

impl Bookkeeper {
    pub const fn new(orders: Orders) -> Self {
        Self { orders }
    }

    const fn db(&self) -> &Db {
        &self.orders.db
    }

    /// Writes what is missing of an order's documents, in one transaction: with `paid` the invoice too, whose order is paid now. How many
    /// were written.
    pub async fn keep(&self, order: OrderId, paid: bool) -> anyhow::Result<usize> {
        let Some(view) = self.orders.by_id(order).await? else { return Ok(0) };
        // Nothing was sold, or nothing was asked for it.
        if view.ledgers.pieces != Pieces::Sold || view.total.is_zero() {
            return Ok(0);
        }
        let basis = Arc::new(self.basis(view).await?);
        let written = self
            .db()
            .transact::<_, anyhow::Error>(|tx| {
                let (this, basis) = (self.clone(), basis.clone());
                Box::pin(async move { this.keep_in(tx, &basis, paid).await })
            })
            .await?;
        if written > 0 {
            failpoint!("invoice-committed");
        }
        Ok(written)
    }

    async fn keep_in(&self, tx: &mut Tx, basis: &Basis, paid: bool) -> anyhow::Result<usize> {
        let order = basis.view.id;
        // Nobody else writes documents of this order meanwhile; nothing about it changes.
        tx.execute("UPDATE orders SET updated_at = updated_at WHERE id = $1", params![order]).await?;
        let known = store::locked(tx, order).await?.context("an order")?;
        let mut kept = kept::in_tx(tx, order).await?;
        let before = kept.len();
        if kept.is_empty() {
            let Some(paid_at) = paid_at(&known).filter(|_| paid) else { return Ok(0) };
            let buyer = basis.buyer().map(|buyer| self.sealed(order, &buyer)).transpose()?;
            kept.push(self.write(tx, basis, paid_at, basis.amounts.clone(), buyer, None).await?);
        }
        let notes = |kept: &[Sealed]| kept.iter().filter_map(|known| Some((known.refund?, known.invoice.amounts.clone()))).collect::<Vec<_>>();
        let noted: Vec<(RefundId, Money)> = notes(&kept).into_iter().map(|(refund, amounts)| (refund, amounts.total)).collect();
        for (refund, reason, amount) in invoice::due(&known.refunds, &noted) {
            let first = kept.first().context("an invoice")?.clone();
            let earlier: Vec<Amounts> = notes(&kept).into_iter().map(|(_, amounts)| amounts).collect();
            let taken = invoice::taken_back(&known, refund);
            let amounts = invoice::credit(first.invoice.tax_mode, &first.invoice.amounts, &earlier, amount, &taken);
            if amounts.total.is_zero() {
                continue;
            }
            let (corrects, corrects_issued_at) = (first.invoice.number.clone(), first.invoice.issued_at);
            let note = (refund, first.id, Kind::CreditNote { corrects, corrects_issued_at, reason });
            kept.push(self.write(tx, basis, first.invoice.paid_at, amounts, first.buyer, Some(note)).await?);
        }
        Ok(kept.len() - before)
    }

    /// Draws a number and writes the document under it.
    async fn write(
        &self,
        tx: &mut Tx,
        basis: &Basis,
        paid_at: Instant,
        amounts: Amounts,
        buyer: Option<Vec<u8>>,
        note: Option<(RefundId, String, Kind)>,
    ) -> anyhow::Result<Sealed> {
        let Basis { view, market, seller, .. } = basis;
        let issued_at = self.clock().now();
        let (refund, corrects, kind) = match note {
            Some((refund, corrects, kind)) => (Some(refund), Some(corrects), kind),
            None => (None, None, Kind::Invoice),
        };
        let series = if kind == Kind::Invoice { seller.series.clone() } else { format!("{}{CREDIT_NOTES}", seller.series) };
        let year = year(issued_at, &market.time_zone);
        let drawn = draw(tx, Series { entity: &seller.entity, name: &series, year }).await?;
        failpoint!("invoice-numbered");
        let invoice = Invoice {
            number: invoice::number(&series, year, drawn.generation, drawn.ordinal),
            kind,
            order: view.number.to_string(),
            market: view.market,
            locale: view.locale,
            time_zone: market.time_zone.clone(),
            issued_at,
            ordered_at: view.placed_at,
            paid_at,
            promise: view.body.promise,
            undated: view.body.undated,
            seller: seller.clone(),
            tax_mode: market.tax_mode,
            amounts,
        };
        let id = self.clock().id().to_string();
        let total = invoice.amounts.total;
        let inserted = tx
            .execute(
                "INSERT INTO invoices (id, entity, series, year, generation, ordinal, number, order_id, cause, kind, corrects, issued_at, currency, \
                 total_minor, body, buyer) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
                 ON CONFLICT (order_id, cause) DO NOTHING",
                params![
                    &id,
                    &seller.entity,
                    &series,
                    year,
                    drawn.generation,
                    drawn.ordinal,
                    &invoice.number,
                    view.id,
                    refund.map(|refund| refund.to_string()).unwrap_or_default(),
                    invoice.kind.word(),
                    corrects,
                    issued_at,
                    total.currency.code(),
                    total.minor,
                    serde_json::to_string(&invoice).context("an invoice")?,
                    buyer.clone()
                ],
            )
            .await?;
        if inserted == 0 {
            // The number goes with the transaction.
            return Err(Lost.into());
        }
        Ok(Sealed { id, refund, invoice, buyer })
    }

    const fn clock(&self) -> &Clock {
        &self.orders.clock
    }

    fn sealed(&self, order: OrderId, buyer: &Buyer) -> anyhow::Result<Vec<u8>> {
        Ok(self.orders.keys.invoices().seal(&order.to_string(), &serde_json::to_vec(buyer).context("a buyer")?))
    }

    async fn basis(&self, view: OrderView) -> anyhow::Result<Basis> {
        let now = self.clock().now();
        let markets = shelves::markets(self.db(), now).await?;
        let market = markets.into_iter().find(|market| market.code == view.market).with_context(|| format!("no market {}", view.market))?;
        let seller = sellers::of(self.db(), view.market, now).await?;
        let amounts = self.amounts(&view, &market).await?;
        Ok(Basis { view, market, seller, amounts })
    }

    /// Rows and taxes as they were frozen, with what of each row stands under which tax.
    async fn amounts(&self, view: &OrderView, market: &Market) -> anyhow::Result<Amounts> {
        let (quote, body) = (&view.body.quote, &view.body);
        let mut categories = Vec::with_capacity(quote.lines.len());
        for line in &quote.lines {
            let row = self.db().first("SELECT tax_category FROM products WHERE id = $1", params![line.product]).await?;
            let category = row.map_or(Ok(String::new()), |row| row.text("tax_category"))?;
            categories.push(if category == "standard" { String::new() } else { category });
        }
        let goods = quote.lines.iter().zip(&categories);
        let goods = goods.map(|(line, category)| tax::Part { category, amount: line.net(), pieces: line.quantity.get() });
        let delivery = quote.net_delivery().map(|amount| tax::Part { category: tax::DELIVERY, amount, pieces: 0 });
        let parts: Vec<tax::Part> = goods.chain(delivery).collect();
        // An erased customer's region is told by the taxes.
        let region = || quote.taxes.iter().map(|tax| &tax.region).find(|region| !region.is_empty()).cloned();
        let place = view.personal.as_ref().map_or_else(
            || Destination { country: quote.taxes.first().map_or(view.market, |tax| tax.country), region: region() },
            |personal| personal.delivery.destination(),
        );
        let rates = tariffs::rates(self.db(), place.country, view.placed_at).await?;
        let bases = invoice::bases(market.tax_mode, quote, &parts, &place, &rates, view.placed_at);
        let goods = body.texts.iter().map(|text| Item { title: text.title.clone(), options: text.options.clone(), sku: text.sku.clone() });
        let method = Item { title: body.method.name(view.locale.text_language()).to_owned(), ..Item::default() };
        Ok(Amounts::of(quote, goods.chain([method]).collect(), &body.paid, bases))
    }

    /// Looks for refunds that were noted without an event, and writes their notes. How many documents were written.
    pub async fn catch_up(&self) -> anyhow::Result<usize> {
        let rows = self
            .db()
            .all(
                "SELECT DISTINCT r.order_id FROM refunds r JOIN invoices i ON i.order_id = r.order_id AND i.cause = '' \
                 WHERE r.state IN ('issued', 'settled_outside') AND r.updated_at >= $1 AND NOT EXISTS (\
                 SELECT 1 FROM invoices n WHERE n.order_id = r.order_id AND n.cause = r.id) ORDER BY r.order_id LIMIT $2",
                params![self.clock().now() - LOOKED_BACK_US, AT_ONCE],
            )
            .await?;
        let mut written = 0;
        for row in &rows {
            written += self.keep(row.parse("order_id")?, false).await?;
        }
        Ok(written)
    }
}

impl Basis {
    /// Who pays, or where it goes.
    fn buyer(&self) -> Option<Buyer> {
        let personal = self.view.personal.as_ref()?;
        let address = personal.billing.as_ref().unwrap_or(&personal.delivery);
        Some(Buyer { lines: address.label(), country: Some(address.country) })
    }
}

/// When the money came that the order stands on.
fn paid_at(order: &Order) -> Option<Instant> {
    let captured = order.payments.iter().filter_map(|payment| if let PaymentState::Captured { at } = payment.state { Some(at) } else { None });
    captured.min()
}

/// The year of an instant in a zone.
fn year(at: Instant, zone: &str) -> i64 {
    let zone = delivery::zone(zone).unwrap_or(jiff::tz::TimeZone::UTC);
    jiff::Timestamp::from_microsecond(at).map_or(1970, |at| at.to_zoned(zone).year().into())
}

#[async_trait]
impl Consumer for Bookkeeper {
    fn name(&self) -> &'static str {
        "invoices"
    }

    async fn consume(&self, envelope: &Envelope) -> anyhow::Result<()> {
        match envelope.event {
            Event::PaymentCaptured { order, .. } => self.keep(order, true).await.map(drop),
            Event::RefundIssued { order, .. } | Event::DisputeClosed { order, .. } => self.keep(order, false).await.map(drop),
            _ => Ok(()),
        }
    }
}
