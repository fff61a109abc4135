//! The orders of the made-up shop, with their ledgers, parcels and stories, sealed and hashed as real ones are. Only the ciphertexts differ from
//! run to run.

use super::{
    draw::{Fate, Size},
    rows::{self, Table},
};
use crate::{
    keys::DataKey,
    orders::{OrderBody, Orders, Personal, story::Happened, tokens},
    params,
    sql::Value,
};
use anyhow::Context as _;
use domain::{
    CartId, FulfilmentId, HoldId, OrderId, PaymentId, RefundId, ReturnId,
    account::PersonName,
    dispute::{Dispute, DisputeState},
    event::Event,
    market::MarketCode,
    offer::Instant,
    order::{By, Fulfilment, FulfilmentState, Parcel, Portion, Resolution, Return, ReturnItem, ReturnReason, ReturnState, Shipment},
    refund::RefundReason,
};
use std::{
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

/// Orders in one transaction.
const BATCH: u64 = 5_000;
/// Tokens in one transaction.
const TOKENS: u64 = 50_000;
const DAY_US: Instant = 24 * 3_600 * 1_000_000;
/// Entries of the order with the longest story.
const LONG_STORY: u64 = 480;

/// A real order of each market, whose frozen parts the others share.
#[derive(Clone)]
pub struct Pattern {
    pub market: MarketCode,
    pub locale: String,
    pub body: OrderBody,
    pub personal: Personal,
}

const HEADS: [&str; 11] = [
    "orders (id, number, secret_hash, cart_id, cart_version, fingerprint, subject, market, locale, currency, total_minor, body, personal, pieces, hold_until, status, \
     placed_at, updated_at, delivery_minor, progress, attention)",
    "order_lines (order_id, line, variant_id, product_id, quantity, unit_minor, total_minor, paid_minor)",
    "holds (id, order_id, variant_id, product_id, location, bucket, quantity, state)",
    "payments (id, order_id, provider, state, amount_minor, currency, created_at, updated_at)",
    "fulfilments (id, order_id, location, state, body, created_at, updated_at)",
    "parcels (fulfilment_id, position, order_id, tracking)",
    "order_story (id, order_id, at, actor, what)",
    "refunds (id, order_id, payment_id, state, amount_minor, currency, reason, attempts, next_at, created_at, updated_at)",
    "disputes (provider, reference, order_id, payment_id, state, body, created_at, updated_at)",
    "returns (id, order_id, state, body, created_at, updated_at)",
    "order_waits (order_id, kind, market, turn_at, due_at, as_of)",
];
const ORDERS: usize = 0;
const LINES: usize = 1;
const HOLDS: usize = 2;
const PAYMENTS: usize = 3;
const FULFILMENTS: usize = 4;
const PARCELS: usize = 5;
const STORY: usize = 6;
const REFUNDS: usize = 7;
const DISPUTES: usize = 8;
const RETURNS: usize = 9;
const WAITS: usize = 10;

/// Values for each of [`HEADS`], and what orders are found by.
#[derive(Default)]
struct Rows {
    of: [Vec<Value>; HEADS.len()],
    tokens: Vec<Token>,
}

/// What an order is found by: the kind, the hash, and the order's place.
type Token = (&'static str, Box<str>, u64);

/// Which order has the longest story.
pub const fn storied(size: Size) -> u64 {
    size.orders / 2
}

/// Writes all of them.
pub async fn fill(orders: &Orders, size: Size, patterns: Vec<Pattern>) -> anyhow::Result<()> {
    let tables = HEADS.map(|head| Table::new(&orders.db, head));
    let keys = customers(orders, size).await?;
    let all_tokens = Arc::<Mutex<Vec<Token>>>::default();
    let make = {
        let (orders, patterns, all_tokens) = (orders.clone(), Arc::new(patterns), Arc::clone(&all_tokens));
        move |places: Range<u64>| {
            let mut rows = Rows::default();
            for order in places {
                rows.add(&orders, size, order, &keys, &patterns)?;
            }
            all_tokens.lock().unwrap_or_else(PoisonError::into_inner).append(&mut rows.tokens);
            Ok(tables.into_iter().zip(rows.of).collect())
        }
    };
    rows::fill(&orders.db, size.orders, BATCH, make).await?;
    // In the order of their key, as terms of products are.
    let mut tokens = std::mem::take(&mut *all_tokens.lock().unwrap_or_else(PoisonError::into_inner));
    tokens.sort_unstable();
    let (many, table) = (u64::try_from(tokens.len())?, Table::new(&orders.db, "order_tokens (kind, hash, placed_at, order_id)"));
    let tokens = Arc::new(tokens);
    let make = move |places: Range<u64>| {
        let mut rows = Vec::new();
        for place in places {
            let (kind, hash, order) = &tokens[usize::try_from(place)?];
            rows.extend(params![*kind, &**hash, size.placed_at(*order), size.order(*order)]);
        }
        Ok(vec![(table, rows)])
    };
    rows::fill(&orders.db, many, TOKENS, make).await
}

/// A data key for each customer.
async fn customers(orders: &Orders, size: Size) -> anyhow::Result<Arc<Vec<(String, DataKey)>>> {
    let (all, mut wrapped): (Vec<_>, Vec<_>) = (0..size.customers())
        .map(|customer| {
            let subject = orders.subject_of(&Size::email(customer));
            let (key, wrapped) = orders.keys.new_data_key(&subject);
            ((subject.clone(), key), (subject, wrapped))
        })
        .unzip();
    wrapped.sort_unstable();
    let rows = wrapped.into_iter().flat_map(|(subject, wrapped)| params![subject, wrapped, size.placed_at(0)]).collect();
    rows::write(&orders.db, vec![(Table::new(&orders.db, "customer_keys (subject, wrapped_key, created_at)"), rows)]).await?;
    Ok(Arc::new(all))
}

impl Rows {
    fn add(&mut self, orders: &Orders, size: Size, order: u64, keys: &[(String, DataKey)], patterns: &[Pattern]) -> anyhow::Result<()> {
        let pattern = &patterns[size.pick("market", order, patterns.len())];
        let (id, customer, at, fate) = (size.order(order), size.customer(order), size.placed_at(order), size.fate(order));
        let (subject, key) = &keys[usize::try_from(customer)?];
        let mut personal = pattern.personal.clone();
        personal.contact.email = Size::email(customer);
        personal.contact.phone = Some(Size::phone(customer));
        personal.delivery.name = PersonName { full: format!("Customer {customer}"), kana: None };
        personal.delivery.postcode = Some(Size::postcode(customer));
        for (kind, text) in [
            (tokens::Kind::Phone, tokens::phone(&Size::phone(customer))),
            (tokens::Kind::Postcode, tokens::postcode(&Size::postcode(customer)).context("a postcode as they are made")?),
        ] {
            self.tokens.push((kind.word(), tokens::hash(&orders.keys, kind, &text).into(), order));
        }
        let product = size.ordered(order);
        let mut body = pattern.body.clone();
        let line = body.quote.lines.first_mut().context("an order has a line")?;
        (line.product, line.variant) = (size.product(product), size.variant(product));
        let (unit, quantity) = (line.total.minor, line.quantity.get());
        let text = body.texts.first_mut().context("a line has a text")?;
        (text.title, text.sku) = (size.title(product), Size::sku(product));
        let (total, paid) = (body.quote.total, body.paid.first().map_or(unit, |paid| paid.minor));
        self.of[LINES].extend(params![id, 0_i64, size.variant(product), size.product(product), quantity, unit, unit, paid]);
        let (pieces, status, progress, attention, held) = match fate {
            Fate::Lapsed => ("lapsed", "lapsed", "", "", "released"),
            Fate::Open => ("sold", "paid", "open", "ship", "sold"),
            Fate::Packing => ("sold", "paid", "packing", "ship", "packed"),
            Fate::Shipped => ("sold", "paid", "shipped", "", "shipped"),
            Fate::Delivered => ("sold", "paid", "delivered", "", "shipped"),
            Fate::Disputed => ("sold", "paid", "delivered", "dispute", "shipped"),
            Fate::RefundStuck => ("sold", "paid", "delivered", "refund", "shipped"),
            Fate::ReturnAnnounced => ("sold", "paid", "delivered", "return", "shipped"),
        };
        let location = body.locations.first().map_or("", String::as_str);
        let hold = HoldId(size.about(order, 8));
        self.of[HOLDS].extend(params![hold, id, size.variant(product), size.product(product), location, 0_i64, quantity, held]);
        let currency = total.currency.code();
        self.of[ORDERS].extend(params![
            id,
            size.number(order).to_string(),
            orders.secret_hash(&orders.secret(id, 0)),
            CartId(size.about(order, 3)),
            1_i64,
            "",
            subject,
            pattern.market.code(),
            &pattern.locale,
            currency,
            total.minor,
            serde_json::to_string(&body)?,
            key.seal(&id.to_string(), &serde_json::to_vec(&personal)?),
            pieces,
            at,
            status,
            at,
            at,
            total.minor - paid,
            progress,
            attention
        ]);
        if !attention.is_empty() {
            let due = (fate == Fate::Disputed).then_some(size.now + 7 * DAY_US);
            self.of[WAITS].extend(params![id, attention, pattern.market.code(), due.unwrap_or(at), due, at]);
        }
        let payment = PaymentId(size.about(order, 4));
        let state = if fate == Fate::Lapsed { "closed" } else { "captured" };
        self.of[PAYMENTS].extend(params![payment, id, orders.provider().name(), state, total.minor, currency, at, at]);
        self.tell(size, order, at, "shopper", &Happened::Event { event: Event::OrderPlaced { order: id } })?;
        if fate == Fate::Lapsed {
            return self.tell(size, order, at + 1, "shop", &Happened::Lapsed);
        }
        self.tell(size, order, at + 2, "provider", &Happened::Event { event: Event::PaymentCaptured { order: id, payment } })?;
        self.tell(size, order, at + 3, "shop", &Happened::MailSent { mail: "paid".to_owned() })?;
        self.send(size, order, id, &body, fate)?;
        match fate {
            Fate::RefundStuck => {
                let values = params![
                    RefundId(size.about(order, 6)),
                    id,
                    payment,
                    "failed",
                    100_i64,
                    currency,
                    RefundReason::Goodwill.code(),
                    3_i64,
                    at,
                    at,
                    at
                ];
                self.of[REFUNDS].extend(values);
            }
            Fate::Disputed => {
                let state = DisputeState::Open { evidence_due: Some(size.now + 7 * DAY_US) };
                let reference = format!("made-up-{order}");
                let dispute =
                    Dispute { reference: reference.clone(), payment, amount: total, reason: "fraudulent".to_owned(), opened_at: at + DAY_US, state };
                let values = params![orders.provider().name(), reference, id, payment, state.word(), serde_json::to_string(&dispute)?, at, at];
                self.of[DISPUTES].extend(values);
            }
            Fate::ReturnAnnounced => {
                let items = vec![ReturnItem { line: 0, quantity: 1, reason: ReturnReason::TooSmall, resolution: Resolution::Refund }];
                let back = ReturnId(size.about(order, 7));
                let known = Return { id: back, by: By::Shopper, requested_at: at + DAY_US, items, state: ReturnState::Requested };
                self.of[RETURNS].extend(params![back, id, known.state.word(), serde_json::to_string(&known)?, at, at]);
            }
            _ => {}
        }
        if order == storied(size) {
            for entry in 0..LONG_STORY {
                let moment = at + 10 + i64::try_from(entry)?;
                self.tell(size, order, moment, "provider", &Happened::Repeated { event_id: format!("evt_{entry}") })?;
            }
        }
        Ok(())
    }

    /// What of it left the house, and when it arrived.
    fn send(&mut self, size: Size, order: u64, id: OrderId, body: &OrderBody, fate: Fate) -> anyhow::Result<()> {
        if fate == Fate::Open {
            return Ok(());
        }
        let at = (size.placed_at(order) + DAY_US).min(size.now);
        let shipment = Shipment { at, parcels: vec![Parcel { carrier: "DHL".to_owned(), tracking: Size::tracking(order) }] };
        let state = match fate {
            Fate::Packing => FulfilmentState::Packing { since: at },
            Fate::Shipped => FulfilmentState::Shipped { shipment },
            _ => FulfilmentState::Delivered { shipment, at: (at + 2 * DAY_US).min(size.now), assumed: false },
        };
        let fulfilment = FulfilmentId(size.about(order, 5));
        let quantity = body.quote.lines.first().map_or(1, |line| line.quantity.get());
        let location = body.locations.first().cloned().unwrap_or_default();
        let known = Fulfilment { id: fulfilment, location, portions: vec![Portion { line: 0, quantity }], state };
        self.of[FULFILMENTS].extend(params![fulfilment, id, &known.location, known.state.word(), serde_json::to_string(&known)?, at, at]);
        if fate == Fate::Packing {
            return self.tell(size, order, at, "shop", &Happened::Packed { fulfilment });
        }
        self.of[PARCELS].extend(params![fulfilment, 0_i64, id, Size::tracking(order)]);
        self.tell(size, order, at, "shop", &Happened::Event { event: Event::OrderShipped { order: id, fulfilment } })?;
        self.tell(size, order, at + 1, "shop", &Happened::MailSent { mail: "shipped".to_owned() })
    }

    fn tell(&mut self, size: Size, order: u64, at: Instant, actor: &str, what: &Happened) -> anyhow::Result<()> {
        let entry = uuid::Uuid::from_u128(size.order(order).0.as_u128() ^ u128::try_from(at - size.placed_at(order) + 1)? << 24);
        self.of[STORY].extend(params![entry.to_string(), size.order(order), at, actor, serde_json::to_string(what)?]);
        Ok(())
    }
}
