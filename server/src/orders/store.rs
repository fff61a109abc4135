//! The ledgers of an order in SQL: loading them under the order's row lock, and saving what changed. What follows a payment is in
//! [`super::aftermath`].

use super::{
    aftermath,
    many::{self, many},
    story::{self, Actor},
    waits,
};
use crate::{
    clock::Clock,
    coupons, events, params,
    sql::{Db, Row, Tx, Value},
};
use anyhow::Context as _;
use domain::{
    OrderId, PaymentId, RefundId,
    event::Event,
    money::{Currency, Money},
    offer::Instant,
    order::{Line, Order, Pieces},
    payment::{Decline, Odd, Payment, PaymentState},
    refund::{GoodwillReason, Refund, RefundReason, RefundState},
};
use std::collections::BTreeMap;

/// Locks an order for the rest of the transaction and loads its ledgers. An update locks where `FOR UPDATE` is not known to all engines.
pub async fn lock(tx: &mut Tx, order: OrderId, now: Instant) -> anyhow::Result<Option<Order>> {
    if tx.execute("UPDATE orders SET updated_at = $2 WHERE id = $1", params![order, now]).await? == 0 {
        return Ok(None);
    }
    locked(tx, order).await
}

/// Loads the ledgers of an order whose row the transaction holds.
pub async fn locked(tx: &mut Tx, order: OrderId) -> anyhow::Result<Option<Order>> {
    let Some(row) = tx.first(ORDER, params![order]).await? else { return Ok(None) };
    let mut ledgers = Vec::with_capacity(LEDGERS.len());
    for sql in LEDGERS {
        if is_enough(&ledgers)? {
            break;
        }
        ledgers.push(tx.all(sql, params![order]).await?);
    }
    read(order, &row, &ledgers).map(Some)
}

/// Loads an order's ledgers without locking: to show, or to decide what to ask. They may come from different instants.
pub async fn load(db: &Db, order: OrderId) -> anyhow::Result<Option<Order>> {
    let Some(row) = db.first(ORDER, params![order]).await? else { return Ok(None) };
    let mut ledgers = Vec::with_capacity(LEDGERS.len());
    for sql in LEDGERS {
        if is_enough(&ledgers)? {
            break;
        }
        ledgers.push(db.all(sql, params![order]).await?);
    }
    read(order, &row, &ledgers).map(Some)
}

const ORDER: &str = "SELECT market, currency, total_minor, delivery_minor, placed_at, pieces, hold_until FROM orders WHERE id = $1";

/// One statement a ledger, in the order in which [`read`] takes them, of the order or the orders that a condition names.
macro_rules! ledgers {
    ($($of:tt)*) => {[
        concat!("SELECT order_id, line, product_id, variant_id, quantity, total_minor, paid_minor, replaces FROM order_lines WHERE order_id ", $($of)*, " ORDER BY line"),
        concat!(
            "SELECT order_id, id, state, provider_session, redirect_url, amount_minor, currency, reason, created_at, updated_at, odd_minor, odd_settled, \
             (SELECT COUNT(*) FROM disputes d WHERE d.order_id = payments.order_id) AS disputes FROM payments WHERE order_id ",
            $($of)*,
            " ORDER BY created_at, id"
        ),
        concat!(
            "SELECT order_id, id, payment_id, state, amount_minor, currency, reason, goodwill, attempts FROM refunds WHERE order_id ",
            $($of)*,
            " ORDER BY created_at, id"
        ),
        concat!("SELECT order_id, body FROM disputes WHERE order_id ", $($of)*, " ORDER BY created_at, reference"),
        concat!("SELECT order_id, body FROM cancellations WHERE order_id ", $($of)*, " ORDER BY created_at, id"),
        concat!("SELECT order_id, body FROM fulfilments WHERE order_id ", $($of)*, " ORDER BY created_at, id"),
        concat!("SELECT order_id, body FROM returns WHERE order_id ", $($of)*, " ORDER BY created_at, id"),
    ]};
}

const LEDGERS: [&str; 7] = ledgers!("= $1");
pub const LEDGERS_OF_MANY: [&str; 7] = ledgers!(many!());

/// The same of many orders at once. `rows` are theirs, with their ids and the columns of [`ORDER`].
pub async fn load_all(db: &Db, rows: &[Row]) -> anyhow::Result<Vec<Order>> {
    let ids: Vec<OrderId> = rows.iter().map(|row| row.parse("id")).collect::<anyhow::Result<_>>()?;
    let mut ledgers: BTreeMap<OrderId, [Vec<Row>; LEDGERS_OF_MANY.len()]> = BTreeMap::new();
    for (place, sql) in LEDGERS_OF_MANY.into_iter().enumerate() {
        for row in many::all(db, sql, ids.iter().map(OrderId::to_string)).await? {
            ledgers.entry(row.parse("order_id")?).or_default()[place].push(row);
        }
    }
    ids.iter().zip(rows).map(|(id, row)| read(*id, row, ledgers.get(id).map(<[_; _]>::as_slice).unwrap_or_default())).collect()
}

/// Without captured money the other ledgers are empty: an order that waits for its payment, the common case under load, is read in three
/// statements. A dispute may be told of before the payment that it is about.
fn is_enough(ledgers: &[Vec<Row>]) -> anyhow::Result<bool> {
    let [_, payments] = ledgers else { return Ok(false) };
    for row in payments {
        if row.text("state")? == "captured" || row.int("disputes")? > 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

fn read(id: OrderId, row: &Row, ledgers: &[Vec<Row>]) -> anyhow::Result<Order> {
    let ledger = |index: usize| ledgers.get(index).map(Vec::as_slice).unwrap_or_default();
    let [lines, payments, refunds, disputes, cancellations, fulfilments, returns] = std::array::from_fn(ledger);
    let until = row.int("hold_until")?;
    let total = money(row, "total_minor")?;
    let lines: Vec<Line> = lines.iter().map(|row| read_line(row, total.currency)).collect::<anyhow::Result<_>>()?;
    let rest = || total.minor - lines.iter().filter(|line| line.replaces.is_none()).map(|line| line.amount.minor).sum::<i64>();
    let delivery = Money::new(row.int_or_null("delivery_minor")?.unwrap_or_else(rest), total.currency);
    Ok(Order {
        id,
        market: row.parse("market")?,
        total,
        placed_at: row.int("placed_at")?,
        delivery,
        lines,
        pieces: match row.text("pieces")?.as_str() {
            "held" => Pieces::Held { until },
            "lapsed" => Pieces::Lapsed,
            "sold" => Pieces::Sold,
            "withdrawn" => Pieces::Withdrawn,
            "cancelled" => Pieces::Cancelled,
            other => anyhow::bail!("orders.pieces holds {other:?}"),
        },
        payments: payments.iter().map(read_payment).collect::<anyhow::Result<_>>()?,
        refunds: refunds.iter().map(read_refund).collect::<anyhow::Result<_>>()?,
        disputes: aftermath::bodies(disputes)?,
        cancellations: aftermath::bodies(cancellations)?,
        fulfilments: aftermath::bodies(fulfilments)?,
        returns: aftermath::bodies(returns)?,
    })
}

fn read_line(row: &Row, currency: Currency) -> anyhow::Result<Line> {
    Ok(Line {
        line: u32::try_from(row.int("line")?)?,
        product: row.parse("product_id")?,
        variant: row.parse("variant_id")?,
        quantity: u32::try_from(row.int("quantity")?)?,
        amount: Money::new(row.int_or_null("paid_minor")?.map_or_else(|| row.int("total_minor"), Ok)?, currency),
        replaces: row.text_or_null("replaces")?.map(|id| id.parse()).transpose()?,
    })
}

fn read_payment(row: &Row) -> anyhow::Result<Payment> {
    let at = row.int("updated_at")?;
    Ok(Payment {
        id: row.parse("id")?,
        amount: money(row, "amount_minor")?,
        created_at: row.int("created_at")?,
        state: match row.text("state")?.as_str() {
            "created" => PaymentState::Created,
            "open" => PaymentState::Open {
                session: row.text_or_null("provider_session")?.unwrap_or_default(),
                redirect_url: row.text_or_null("redirect_url")?.unwrap_or_default(),
            },
            "pending" => PaymentState::Pending,
            "captured" => PaymentState::Captured { at },
            "failed" => PaymentState::Failed { at, reason: Decline::from_code(&row.text_or_null("reason")?.unwrap_or_default()) },
            "closed" => PaymentState::Closed { at },
            other => anyhow::bail!("payments.state holds {other:?}"),
        },
        odd: row
            .int_or_null("odd_minor")?
            .map(|minor| {
                Ok::<_, anyhow::Error>(Odd { amount: Money { minor, ..money(row, "amount_minor")? }, settled: row.int("odd_settled")? != 0 })
            })
            .transpose()?,
    })
}

fn read_refund(row: &Row) -> anyhow::Result<Refund> {
    Ok(Refund {
        id: row.parse("id")?,
        payment: row.parse("payment_id")?,
        amount: money(row, "amount_minor")?,
        reason: RefundReason::from_code(&row.text("reason")?).context("refunds.reason")?,
        goodwill: row.text_or_null("goodwill")?.map(|code| GoodwillReason::from_code(&code).context("refunds.goodwill")).transpose()?,
        state: match row.text("state")?.as_str() {
            "requested" => RefundState::Requested { attempts: u32::try_from(row.int("attempts")?)? },
            "pending" => RefundState::Pending,
            "issued" => RefundState::Issued,
            "failed" => RefundState::Failed,
            "bounced" => RefundState::Bounced,
            "settled_outside" => RefundState::SettledOutside,
            other => anyhow::bail!("refunds.state holds {other:?}"),
        },
    })
}

pub fn money(row: &Row, column: &str) -> anyhow::Result<Money> {
    let currency: Currency = row.text("currency")?.parse().context("column currency")?;
    Ok(Money::new(row.int(column)?, currency))
}

/// The word for `orders.pieces`.
const fn word(pieces: Pieces) -> &'static str {
    match pieces {
        Pieces::Held { .. } => "held",
        Pieces::Lapsed => "lapsed",
        Pieces::Sold => "sold",
        Pieces::Withdrawn => "withdrawn",
        Pieces::Cancelled => "cancelled",
    }
}

/// Who changes an order, and at whose provider its payments are.
#[derive(Clone, Debug)]
pub struct Author<'a> {
    pub actor: Actor,
    pub provider: &'a str,
}

/// Saves what differs between `before` and `after`, with the events and the story that tell of it. The order is locked.
pub async fn save(tx: &mut Tx, clock: &Clock, author: &Author<'_>, before: &Order, after: &Order, events: &[Event]) -> anyhow::Result<()> {
    let now = clock.now();
    for payment in &after.payments {
        match before.payments.iter().find(|known| known.id == payment.id) {
            Some(known) if known == payment => {}
            Some(known) => {
                if known.state != payment.state {
                    update_payment(tx, payment, now).await?;
                }
                update_odd(tx, payment).await?;
            }
            None => insert_payment(tx, after.id, author.provider, payment).await?,
        }
    }
    for refund in &after.refunds {
        match before.refunds.iter().find(|known| known.id == refund.id) {
            Some(known) if known == refund => {}
            Some(_) => update_refund(tx, refund, now).await?,
            None => insert_refund(tx, after.id, refund, now).await?,
        }
    }
    for line in after.lines.iter().filter(|line| !before.lines.iter().any(|known| known.line == line.line)) {
        insert_lines(tx, after.id, std::slice::from_ref(line)).await?;
    }
    aftermath::save(tx, author.provider, before, after, now).await?;
    let until = if let Pieces::Held { until } = after.pieces { Some(until) } else { None };
    tx.execute(
        "UPDATE orders SET pieces = $2, hold_until = COALESCE($3, hold_until), status = $4, progress = $5, attention = $6, updated_at = $7 WHERE id = $1",
        params![
            after.id,
            word(after.pieces),
            until,
            after.status().word(),
            after.progress().map_or("", domain::order::Progress::word),
            waits::first(after),
            now
        ],
    )
    .await?;
    waits::save(tx, before, after, now).await?;
    if matches!(after.pieces, Pieces::Withdrawn | Pieces::Cancelled) {
        tx.execute("UPDATE orders SET cart_claim = NULL WHERE id = $1", params![after.id]).await?;
    }
    for event in events {
        events::emit(tx, clock, event).await?;
    }
    story::tell_changes(tx, clock, &author.actor, before, after, events).await?;
    coupons::follow(tx, before, after, now).await
}

/// Writes lines of an order; `unit_minor` and `total_minor` of what was ordered come from the frozen quote.
async fn insert_lines(tx: &mut Tx, order: OrderId, lines: &[Line]) -> anyhow::Result<()> {
    for line in lines {
        let unit = line.amount.minor / i64::from(line.quantity.max(1));
        tx.execute(
            "INSERT INTO order_lines (order_id, line, variant_id, product_id, quantity, unit_minor, total_minor, paid_minor, replaces) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)",
            params![
                order,
                line.line,
                line.variant,
                line.product,
                line.quantity,
                unit,
                line.amount.minor,
                line.replaces.map_or(Value::NullText, |id| Value::Text(id.to_string()))
            ],
        )
        .await?;
    }
    Ok(())
}

pub async fn insert_payment(tx: &mut Tx, order: OrderId, provider: &str, payment: &Payment) -> anyhow::Result<()> {
    tx.execute(
        "INSERT INTO payments (id, order_id, provider, state, amount_minor, currency, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7)",
        params![payment.id, order, provider, payment.state.word(), payment.amount.minor, payment.amount.currency.code(), payment.created_at],
    )
    .await?;
    Ok(())
}

async fn update_payment(tx: &mut Tx, payment: &Payment, now: Instant) -> anyhow::Result<()> {
    let (session, redirect_url) = match &payment.state {
        PaymentState::Open { session, redirect_url } => (Some(session.as_str()), Some(redirect_url.as_str())),
        _ => (None, None),
    };
    let reason = if let PaymentState::Failed { reason, .. } = payment.state { Some(reason.code()) } else { None };
    tx.execute(
        "UPDATE payments SET state = $2, provider_session = COALESCE($3, provider_session), redirect_url = $4, reason = $5, updated_at = $6 WHERE id = $1",
        params![payment.id, payment.state.word(), session, redirect_url, reason, now],
    )
    .await?;
    Ok(())
}

/// When the money came, or when the provider was last asked, stays as it is.
async fn update_odd(tx: &mut Tx, payment: &Payment) -> anyhow::Result<()> {
    if let Some(odd) = payment.odd {
        let sql = "UPDATE payments SET odd_minor = $2, odd_settled = $3 WHERE id = $1";
        tx.execute(sql, params![payment.id, odd.amount.minor, i64::from(odd.settled)]).await?;
    }
    Ok(())
}

async fn insert_refund(tx: &mut Tx, order: OrderId, refund: &Refund, now: Instant) -> anyhow::Result<()> {
    tx.execute(
        "INSERT INTO refunds (id, order_id, payment_id, state, amount_minor, currency, reason, goodwill, attempts, next_at, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $9, $9)",
        params![
            refund.id,
            order,
            refund.payment,
            refund.state.word(),
            refund.amount.minor,
            refund.amount.currency.code(),
            refund.reason.code(),
            refund.goodwill.map(GoodwillReason::code),
            now
        ],
    )
    .await?;
    Ok(())
}

async fn update_refund(tx: &mut Tx, refund: &Refund, now: Instant) -> anyhow::Result<()> {
    let attempts = if let RefundState::Requested { attempts } = refund.state { attempts } else { 0 };
    // A minute, doubled with each attempt, at most six hours.
    let wait_s = (60_i64 << attempts.min(9)).min(6 * 3_600);
    tx.execute(
        "UPDATE refunds SET state = $2, attempts = $3, next_at = $4, updated_at = $5 WHERE id = $1",
        params![refund.id, refund.state.word(), attempts, now + wait_s * 1_000_000, now],
    )
    .await?;
    Ok(())
}

/// The order that a refund belongs to.
pub async fn order_of_refund(tx: &mut Tx, refund: RefundId) -> anyhow::Result<Option<OrderId>> {
    tx.first("SELECT order_id FROM refunds WHERE id = $1", params![refund]).await?.map(|row| row.parse("order_id")).transpose()
}

/// The order that a payment belongs to.
pub async fn order_of(tx: &mut Tx, payment: PaymentId) -> anyhow::Result<Option<OrderId>> {
    tx.first("SELECT order_id FROM payments WHERE id = $1", params![payment]).await?.map(|row| row.parse("order_id")).transpose()
}
