//! Simulated histories, lived once more by the real order core on a real database: each call of the provider is held back until the history
//! says what becomes of it, and servers are killed between calls. Both must end in the same rows.

mod deeds;
pub mod gate;
mod rows;
pub mod shop;

use super::{
    History, Op, Rules, Step, World,
    provider::{Mail, Told},
    store::{DELIVERY_MINOR, Form, PLACES, PRICE_MINOR, order_of},
    unfold,
};
use crate::{
    catalog::stock::{self, Item},
    clock::Clock,
    keys::Keys,
    orders::{OrderRequest, Orders, story::Actor},
    params,
    payments::{Notice, WebhookEvent},
    sql::Db,
    tariffs,
};
use anyhow::{Context as _, ensure};
use domain::{
    CancellationId, CartId, OrderId, PaymentId, ProductId, RefundId, VariantId,
    money::{Currency, Money},
    order::CancelReason,
};
use gate::{Call, Gate, Waiting};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::mpsc, task::JoinHandle};
use uuid::Uuid;

/// When the rows of both are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looks {
    AfterEveryStep,
    AtTheEnd,
}

/// Lives the history of `seed` in the simulation alone, for its steps, and then in both; `rules` are the simulation's. The database at `url`
/// is empty, or has the tables and nothing in them.
pub async fn live_twice(seed: u64, rules: Rules, url: &str, folder: &Path, looks: Looks) -> anyhow::Result<()> {
    let (end, steps) = unfold(seed, Rules::OURS, true, true);
    ensure!(end.fault.is_none(), "the simulation alone: {:?}", end.fault);
    let history = History { is_gated: true, steps };
    relive(&history, rules, url, folder, looks).await.with_context(|| format!("seed {seed}; {}", history.line()))
}

/// Lives these steps in both.
pub async fn relive(history: &History, rules: Rules, url: &str, folder: &Path, looks: Looks) -> anyhow::Result<()> {
    let mut world = World::new(rules);
    world.is_gated = true;
    let mut twin = Twin::open(&world, url, folder).await?;
    for (number, step) in history.steps.iter().enumerate() {
        let whole = || format!("step {} of {}, {step:?}", number + 1, history.steps.len());
        twin.step(&mut world, *step).await.with_context(whole)?;
        if looks == Looks::AfterEveryStep {
            twin.compare_rows(&world).await.with_context(whole)?;
        }
    }
    shop::check_ledger(&twin.db).await?;
    twin.compare_rows(&world).await?;
    let Twin { db, orders, doing, .. } = twin;
    drop((orders, doing));
    db.close().await;
    Ok(())
}

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
}

impl Twin {
    async fn open(world: &World, url: &str, folder: &Path) -> anyhow::Result<Self> {
        let db = Db::open(url).await?;
        db.migrate().await?;
        tariffs::seed(&db).await?;
        let now = Arc::new(AtomicI64::new(world.now));
        let ticking = Arc::clone(&now);
        let clock = Clock::from_fn(move || ticking.load(Ordering::SeqCst));
        let product = ProductId(clock.id());
        let items = [clock.id(), clock.id()].map(|id| Item { product, variant: VariantId(id) });
        shop::open(&db, &clock, items).await?;
        let (held, calls) = mpsc::unbounded_channel();
        let keys = Arc::new(Keys::open(folder)?);
        let orders = Orders::new(db.clone(), clock, keys, Arc::new(Gate(held)), "http://shop.test".into());
        Ok(Self { orders, db, now, calls, doing: Vec::new(), items })
    }

    /// Lets one thing happen in both worlds.
    async fn step(&mut self, world: &mut World, step: Step) -> anyhow::Result<()> {
        let mail = if let Step::Deliver { mail, .. } = step { world.provider.mail.get(mail).cloned() } else { None };
        let orders_before = world.store.orders.len();
        let shelf = if let Step::Do { order, deed } = step { deeds::shelf(world, order, deed) } else { PLACES[0] };
        world.apply(step);
        self.now.store(world.now, Ordering::SeqCst);
        let orders = self.orders.clone();
        let at = self.doing.len();
        match step {
            Step::Receive { variant, location, pieces } => self.receive(self.items[variant], PLACES[location], pieces).await?,
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
            Step::CancelUnpaid { server, order } if order < orders_before => {
                let (order, id) = (self.order(order).await?, CancellationId(self.clock().id()));
                let task = tokio::spawn(async move { drop(orders.cancel(order, id, None, CancelReason::ChangedMind, Actor::Shopper).await) });
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
                if let Some(Mail { event, payment, told, .. }) = mail {
                    let id = self.payment(payment).await?;
                    let notice = match told {
                        Told::Payment(news) => Notice::Payment { payment: id, news },
                        Told::Refund(refund, news) => Notice::Refund { refund: self.refund(payment, refund).await?, news },
                        Told::Dispute(news) => Notice::Dispute { payment: id, news },
                    };
                    let body = serde_json::to_vec(&WebhookEvent { id: event.to_string(), notice })?;
                    let task = tokio::spawn(async move { orders.webhook(None, &body).await.expect("a webhook is taken") });
                    self.go_on(server, task, at).await?;
                }
            }
            Step::Do { order, deed } if order < orders_before => self.deed(order, deed, shelf).await?,
            // The provider's affair, or nothing.
            Step::PayAgain { .. }
            | Step::CancelUnpaid { .. }
            | Step::Run { .. }
            | Step::Do { .. }
            | Step::Become { .. }
            | Step::Settle { .. }
            | Step::Dispute { .. }
            | Step::Lose { .. }
            | Step::Clock { .. } => {}
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
                Some(Op::Refund { payment, refund, .. }) => Call::Refund(self.refund(*payment, *refund).await?),
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
        let mut request = shop::request(
            wanted.map(|(item, pieces)| shop::line(*item, u32::from(pieces))).collect(),
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
}

/// The n of an order's n-th payment or refund.
fn place(id: Uuid) -> usize {
    usize::try_from(id.as_u128() & 0xffff).unwrap_or(0)
}

fn cart(form: Form) -> CartId {
    CartId(Uuid::from_u128(1 + u128::from(form.cart)))
}
