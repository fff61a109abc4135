//! Simulated histories, lived once more by the real order core on a real database: each call of the provider is held back until the history
//! says what becomes of it, and servers are killed between calls. Both must end in the same rows.

use crate::{
    orders::{
        gate::{Call, Gate, Waiting},
        house,
    },
    support,
};
use anyhow::{Context as _, ensure};
use domain::{
    CartId, OrderId, PaymentId, ProductId, RefundId, VariantId,
    money::{Currency, Money},
    order::{Order, Pieces},
    payment::News,
    refund::RefundState,
};
use server::{
    catalog::stock::{self, Item},
    clock::Clock,
    keys::Keys,
    orders::{OrderRequest, Orders},
    params,
    payments::{Notice, WebhookEvent},
    simulation::{
        Op, Rules, Step, World,
        provider::{Mail, Told},
        store::{DELIVERY_MINOR, Form, PRICE_MINOR, order_of},
        unfold,
    },
    sql::Db,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::mpsc, task::JoinHandle};
use uuid::Uuid;

/// One in a thousand of the ten thousand histories that are simulated.
const SEEDS: std::ops::Range<u64> = 0..10_000;
const ONE_IN: usize = 1_000;
const LOCATIONS: [&str; 2] = ["rotterdam", "leipzig"];

/// What a server is doing, held back at a call.
struct Doing {
    server: u8,
    task: JoinHandle<()>,
    waiting: Waiting,
}

/// The real order core beside the simulated one.
struct Twin {
    orders: Orders,
    db: Db,
    now: Arc<AtomicI64>,
    calls: mpsc::UnboundedReceiver<Waiting>,
    /// In the order of the simulation's tasks.
    doing: Vec<Doing>,
    items: [Item; 2],
    own: Option<support::OwnDatabase>,
    _data: tempfile::TempDir,
}

impl Twin {
    async fn open(world: &World) -> anyhow::Result<Self> {
        let data = tempfile::tempdir()?;
        let own = support::own_database().await?;
        let url = own.as_ref().map_or_else(|| format!("sqlite:{}/shop.db", data.path().display()), |own| own.url.clone());
        let db = Db::open(&url).await?;
        db.migrate().await?;
        server::tariffs::seed(&db).await?;
        let now = Arc::new(AtomicI64::new(world.now));
        let ticking = Arc::clone(&now);
        let clock = Clock::from_fn(move || ticking.load(Ordering::SeqCst));
        let product = ProductId(clock.id());
        let items = [clock.id(), clock.id()].map(|id| Item { product, variant: VariantId(id) });
        shelve(&db, &clock, items).await?;
        let (held, calls) = mpsc::unbounded_channel();
        let keys = Arc::new(Keys::open(data.path())?);
        let orders = Orders::new(db.clone(), clock, keys, Arc::new(Gate(held)), "http://shop.test".into());
        Ok(Self { orders, db, now, calls, doing: Vec::new(), items, own, _data: data })
    }

    /// Lets one thing happen in both worlds.
    async fn step(&mut self, world: &mut World, step: Step) -> anyhow::Result<()> {
        let mail = if let Step::Deliver { mail, .. } = step { world.provider.mail.get(mail).cloned() } else { None };
        let orders_before = world.store.orders.len();
        world.apply(step);
        self.now.store(world.now, Ordering::SeqCst);
        let orders = self.orders.clone();
        let at = self.doing.len();
        match step {
            Step::Receive { variant, location, pieces } => self.receive(self.items[variant], LOCATIONS[location], pieces).await?,
            Step::Place { server, form } => {
                let request = self.request(form);
                let task = tokio::spawn(async move { drop(orders.place(request).await) });
                self.go_on(server, task, at).await?;
            }
            Step::PayAgain { server, order } if order < orders_before => {
                let secret = self.secret(world.store.orders[order].form).await?;
                let task = tokio::spawn(async move { drop(orders.pay_again(&secret).await) });
                self.go_on(server, task, at).await?;
            }
            Step::Tend { server } => {
                let task = tokio::spawn(async move { orders.tend().await.expect("a round") });
                self.go_on(server, task, at).await?;
            }
            Step::Run { task, .. } if task < at => {
                let Doing { server, task: join, waiting } = self.doing.remove(task);
                waiting.answer.send(world.answer.clone()).ok().context("somebody waits for the answer")?;
                self.go_on(server, join, task).await?;
            }
            Step::Crash { server } => {
                for killed in self.doing.extract_if(.., |doing| doing.server == server) {
                    killed.task.abort();
                    drop(killed.task.await);
                }
            }
            Step::Deliver { server, .. } => {
                if let Some(Mail { event, payment, told: Told::Payment(news), .. }) = mail {
                    let body = serde_json::to_vec(&WebhookEvent {
                        id: event.to_string(),
                        notice: Notice::Payment { payment: self.payment(payment).await?, news },
                    })?;
                    let task = tokio::spawn(async move { orders.webhook(None, &body).await.expect("a webhook is taken") });
                    self.go_on(server, task, at).await?;
                }
            }
            _ => {}
        }
        self.compare_calls(world).await
    }

    /// Lets a task go on to its next call, or to its end.
    async fn go_on(&mut self, server: u8, mut task: JoinHandle<()>, at: usize) -> anyhow::Result<()> {
        let next = async {
            tokio::select! {
                waiting = self.calls.recv() => Ok(waiting),
                ended = &mut task => ended.map(|()| None),
            }
        };
        if let Some(waiting) = tokio::time::timeout(Duration::from_secs(30), next).await.context("a task neither calls nor ends")?? {
            self.doing.insert(at, Doing { server, task, waiting });
        }
        Ok(())
    }

    /// The same tasks wait for the same answers.
    async fn compare_calls(&self, world: &World) -> anyhow::Result<()> {
        let real: Vec<Call> = self.doing.iter().map(|doing| doing.waiting.call).collect();
        let mut simulated = Vec::new();
        for task in &world.tasks {
            simulated.push(match task.ops.last() {
                Some(Op::Create { payment, .. }) => Call::Create(self.payment(*payment).await?),
                Some(Op::Close { payment, .. } | Op::Ask { payment, is_over: true }) => Call::Close(self.payment(*payment).await?),
                Some(Op::Ask { payment, .. }) => Call::Session(self.payment(*payment).await?),
                Some(Op::Send { payment, refund, .. }) => Call::Refund(self.refund(*payment, *refund).await?),
                other => anyhow::bail!("a task does not wait: {other:?}"),
            });
        }
        ensure!(real == simulated, "the servers call {real:?}, the simulation {simulated:?}");
        Ok(())
    }

    async fn receive(&self, item: Item, location: &'static str, pieces: u32) -> anyhow::Result<()> {
        let clock = self.clock();
        self.db
            .transact::<_, anyhow::Error>(|tx| {
                let clock = clock.clone();
                Box::pin(async move { stock::receipt(tx, &clock, item, location, pieces, "test").await })
            })
            .await
    }

    fn clock(&self) -> Clock {
        let now = Arc::clone(&self.now);
        Clock::from_fn(move || now.load(Ordering::SeqCst))
    }

    fn request(&self, form: Form) -> OrderRequest {
        let wanted = self.items.iter().zip(form.wanted).filter(|(_, pieces)| *pieces > 0);
        let pieces: i64 = form.wanted.iter().map(|pieces| i64::from(*pieces)).sum();
        let mut request = house::request(
            wanted.map(|(item, pieces)| house::line(*item, u32::from(pieces))).collect(),
            Money::new(PRICE_MINOR * pieces + DELIVERY_MINOR, Currency::EUR),
        );
        request.key = format!("key {}", form.key);
        request.cart = cart(form);
        request.cart_version = u64::from(form.version);
        request.personal.delivery.line1 = format!("Ackerstraße {}", form.address);
        request
    }

    async fn secret(&self, form: Form) -> anyhow::Result<String> {
        Ok(self.orders.answered_before(cart(form), &format!("key {}", form.key)).await?.context("an order with a key")?.placed.secret)
    }

    async fn order(&self, index: usize) -> anyhow::Result<OrderId> {
        let rows = self.db.all("SELECT id FROM orders ORDER BY placed_at, id", params![]).await?;
        rows.get(index).context("an order")?.parse("id")
    }

    async fn payment(&self, simulated: PaymentId) -> anyhow::Result<PaymentId> {
        let order = self.order(order_of(simulated)).await?;
        let rows = self.db.all("SELECT id FROM payments WHERE order_id = $1 ORDER BY created_at, id", params![order]).await?;
        rows.get(place(simulated.0)).context("a payment")?.parse("id")
    }

    async fn refund(&self, payment: PaymentId, simulated: RefundId) -> anyhow::Result<RefundId> {
        let order = self.order(order_of(payment)).await?;
        let rows = self.db.all("SELECT id FROM refunds WHERE order_id = $1 ORDER BY created_at, id", params![order]).await?;
        rows.get(place(simulated.0)).context("a refund")?.parse("id")
    }

    /// What is in the rows, in words.
    async fn rows(&self) -> anyhow::Result<Vec<String>> {
        let mut lines = Vec::new();
        for order in self.db.all("SELECT id, pieces, status, cart_claim, total_minor FROM orders ORDER BY placed_at, id", params![]).await? {
            let claims = order.text_or_null("cart_claim")?.is_some();
            lines.push(format!("order {} {} {} {claims}", order.text("pieces")?, order.text("status")?, order.int("total_minor")?));
            let id: OrderId = order.parse("id")?;
            let mut payments = Vec::new();
            for row in self.db.all("SELECT id, state, amount_minor FROM payments WHERE order_id = $1 ORDER BY created_at, id", params![id]).await? {
                payments.push(row.text("id")?);
                lines.push(format!("  payment {} {}", row.text("state")?, row.int("amount_minor")?));
            }
            let refunds = "SELECT payment_id, state, amount_minor, reason, attempts FROM refunds WHERE order_id = $1 ORDER BY created_at, id";
            for row in self.db.all(refunds, params![id]).await? {
                let payment = payments.iter().position(|payment| row.text("payment_id").is_ok_and(|of| of == *payment));
                let (state, attempts) = (row.text("state")?, row.int("attempts")?);
                lines.push(format!("  refund {payment:?} {state} {attempts} {} {}", row.int("amount_minor")?, row.text("reason")?));
            }
        }
        for (variant, item) in self.items.iter().enumerate() {
            for location in LOCATIONS {
                let sql = "SELECT free, held FROM stock_balances WHERE variant_id = $1 AND location = $2";
                let row = self.db.first(sql, params![item.variant, location]).await?.context("a balance")?;
                lines.push(format!("{variant} in {location}: {} free, {} held", row.int("free")?, row.int("held")?));
            }
        }
        for (what, sql) in [
            ("webhooks", "SELECT COUNT(*) AS n FROM webhook_events"),
            ("keys", "SELECT COUNT(*) AS n FROM idempotency_keys"),
            ("pieces held", "SELECT CAST(COALESCE(SUM(quantity), 0) AS BIGINT) AS n FROM holds WHERE state = 'held'"),
            ("pieces sold", "SELECT CAST(COALESCE(SUM(quantity), 0) AS BIGINT) AS n FROM holds WHERE state = 'sold'"),
        ] {
            lines.push(format!("{what}: {}", self.db.first(sql, params![]).await?.context("a count")?.int("n")?));
        }
        Ok(lines)
    }
}

/// The n of an order's n-th payment or refund.
fn place(id: Uuid) -> usize {
    usize::try_from(id.as_u128() & 0xffff).unwrap_or(0)
}

fn cart(form: Form) -> CartId {
    CartId(Uuid::from_u128(1 + u128::from(form.cart)))
}

/// What is to be in the rows, in words.
fn rows(world: &World) -> Vec<String> {
    let mut lines = Vec::new();
    for row in &world.store.orders {
        let order: &Order = &row.order;
        let pieces = match order.pieces {
            Pieces::Held { .. } => "held",
            Pieces::Lapsed => "lapsed",
            Pieces::Sold => "sold",
            Pieces::Withdrawn => "withdrawn",
            Pieces::Cancelled => "cancelled",
        };
        lines.push(format!("order {pieces} {} {} {}", order.status().word(), order.total.minor, row.claims));
        lines.extend(order.payments.iter().map(|payment| format!("  payment {} {}", payment.state.word(), payment.amount.minor)));
        for refund in &order.refunds {
            let payment = order.payments.iter().position(|payment| payment.id == refund.payment);
            let attempts = if let RefundState::Requested { attempts } = refund.state { attempts } else { 0 };
            lines.push(format!("  refund {payment:?} {} {attempts} {} {}", refund.state.word(), refund.amount.minor, refund.reason.code()));
        }
    }
    for (variant, balances) in world.store.balances.iter().enumerate() {
        for (location, balance) in LOCATIONS.iter().zip(balances) {
            lines.push(format!("{variant} in {location}: {} free, {} held", balance.free, balance.held));
        }
    }
    let kept = |is_sold| -> u32 {
        let all = world.store.orders.iter().flat_map(|row| &row.kept);
        all.filter(|kept| kept.is_sold == is_sold).map(|kept| kept.pieces).sum()
    };
    lines.push(format!("webhooks: {}", world.store.heard.len()));
    lines.push(format!("keys: {}", world.store.keys.len()));
    lines.push(format!("pieces held: {}", kept(false)));
    lines.push(format!("pieces sold: {}", kept(true)));
    lines
}

/// Lives the history of `seed`; `rules` are the simulation's.
async fn live_twice(seed: u64, rules: Rules) -> anyhow::Result<()> {
    let (end, steps) = unfold(seed, Rules::OURS, true, true);
    ensure!(end.fault.is_none(), "the simulation alone: {:?}", end.fault);
    let mut world = World::new(rules);
    world.is_gated = true;
    let mut twin = Twin::open(&world).await?;
    for (number, step) in steps.iter().enumerate() {
        twin.step(&mut world, *step).await.with_context(|| format!("step {} of {}, {step:?}", number + 1, steps.len()))?;
    }
    house::check_ledger(&twin.db).await?;
    let same = compare(&rows(&world), &twin.rows().await?);
    let Twin { db, own, orders, .. } = twin;
    drop(orders);
    db.close().await;
    if let Some(own) = own {
        own.drop().await?;
    }
    same
}

fn compare(simulated: &[String], real: &[String]) -> anyhow::Result<()> {
    ensure!(simulated == real, "simulated:\n{}\nreal:\n{}", simulated.join("\n"), real.join("\n"));
    Ok(())
}

#[tokio::test]
async fn simulated_histories_end_in_the_same_rows_as_real_ones() -> anyhow::Result<()> {
    for seed in SEEDS.step_by(ONE_IN) {
        Box::pin(live_twice(seed, Rules::OURS)).await.with_context(|| format!("seed {seed}"))?;
    }
    Ok(())
}

#[tokio::test]
async fn a_simulation_that_decides_otherwise_ends_in_other_rows() -> anyhow::Result<()> {
    let forgets_declines: Rules = Rules {
        hear: |order, payment, news, sold, refund, now| {
            let news = if matches!(news, News::Failed { .. }) { News::Closed } else { news };
            order.hear(payment, news, sold, refund, now)
        },
        ..Rules::OURS
    };
    for seed in SEEDS.step_by(ONE_IN) {
        if let Err(difference) = Box::pin(live_twice(seed, forgets_declines)).await {
            ensure!(format!("{difference:#}").contains("simulated:"), "seed {seed}: {difference:#}");
            return Ok(());
        }
    }
    anyhow::bail!("declines are closed in the simulation, and nothing is noticed")
}

/// Two things for 119.00 € and delivery for 4.90 €, none of them there.
async fn shelve(db: &Db, clock: &Clock, items: [Item; 2]) -> anyhow::Result<()> {
    db.transact::<_, anyhow::Error>(|tx| {
        let clock = clock.clone();
        Box::pin(async move {
            house::shelve(tx, &clock, items).await?;
            for (item, location) in items.iter().flat_map(|item| LOCATIONS.map(|location| (*item, location))) {
                stock::receipt(tx, &clock, item, location, 0, "test").await?;
            }
            Ok(())
        })
    })
    .await
}
