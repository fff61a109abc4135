//! The order of an aggregate's events: past events that cannot be read, and on servers whose clocks differ.

use crate::catalog::stores::{self, Stores};
use anyhow::Context as _;
use async_trait::async_trait;
use domain::{EventId, OrderId, PaymentId, ProductId, event::Event};
use server::{
    clock::Clock,
    events::{self, Consumer, Dispatcher, Envelope},
    params,
};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, Ordering},
};

#[derive(Default)]
struct Listener(Mutex<Vec<Event>>);

#[async_trait]
impl Consumer for Listener {
    fn name(&self) -> &'static str {
        "listener"
    }
    async fn consume(&self, envelope: &Envelope) -> anyhow::Result<()> {
        self.0.lock().expect("no panic").push(envelope.event.clone());
        Ok(())
    }
}

impl Listener {
    fn heard(&self) -> Vec<Event> {
        self.0.lock().expect("no panic").clone()
    }
}

/// Emits an event in a transaction of its own; its id.
async fn emit(stores: &Stores, clock: &Clock, event: Event) -> anyhow::Result<EventId> {
    stores
        .db
        .transact::<_, anyhow::Error>(|tx| {
            let (clock, event) = (clock.clone(), event.clone());
            Box::pin(async move { Ok(events::emit(tx, &clock, &event).await?) })
        })
        .await?;
    let last = stores.db.first("SELECT id FROM outbox ORDER BY id DESC LIMIT 1", params![]).await?;
    last.context("an event")?.parse("id")
}

async fn say(stores: &Stores, sql: &'static str, id: EventId, value: i64) -> anyhow::Result<()> {
    stores.db.transact::<_, anyhow::Error>(|tx| Box::pin(async move { Ok(tx.execute(sql, params![id, value]).await.map(drop)?) })).await
}

#[tokio::test]
async fn what_follows_an_event_of_a_newer_release_waits_with_it() -> anyhow::Result<()> {
    for stores in stores::all().await {
        let time = Arc::new(AtomicI64::new(1_700_000_000_000_000));
        let ticking = time.clone();
        let clock = Clock::from_fn(move || ticking.fetch_add(10, Ordering::Relaxed));
        let (order, payment) = (OrderId(clock.id()), PaymentId(clock.id()));
        let product = Event::ProductChanged { product: ProductId(clock.id()) };
        let placed = Event::OrderPlaced { order };
        let disputed = Event::DisputeOpened { order, payment };
        let newer = emit(&stores, &clock, placed.clone()).await?;
        emit(&stores, &clock, disputed.clone()).await?;
        emit(&stores, &clock, product.clone()).await?;
        let version = "UPDATE outbox SET version = $2 WHERE id = $1";
        say(&stores, version, newer, Event::VERSION + 1).await?;
        let listener = Arc::<Listener>::default();
        let dispatcher = Dispatcher::new(stores.db.clone(), clock.clone(), vec![listener.clone()]);
        dispatcher.drain().await?;
        assert_eq!(listener.heard(), std::slice::from_ref(&product), "{}", stores.name);
        time.fetch_add(60_000_000, Ordering::Relaxed);
        dispatcher.drain().await?;
        assert_eq!(listener.heard().len(), 1, "it is put off anew");
        // The newer release is there.
        say(&stores, version, newer, Event::VERSION).await?;
        time.fetch_add(60_000_000, Ordering::Relaxed);
        dispatcher.drain().await?;
        assert_eq!(listener.heard(), [product, placed, disputed]);
    }
    Ok(())
}

#[tokio::test]
async fn events_of_an_order_keep_their_order_on_servers_whose_clocks_differ() -> anyhow::Result<()> {
    for stores in stores::all().await {
        let clock = Clock::from_fn(|| 1_700_000_000_000_000);
        let (order, payment) = (OrderId(clock.id()), PaymentId(clock.id()));
        let told = [Event::OrderPlaced { order }, Event::DisputeOpened { order, payment }, Event::DisputeClosed { order, payment, won: true }];
        // An hour fast, an hour slow, an hour slow: what each server's clock makes of it without the others.
        let first = emit(&stores, &clock, told[0].clone()).await?;
        say(&stores, "UPDATE outbox SET sequence = sequence + $2 WHERE id = $1", first, 3_600_000_000).await?;
        for event in &told[1..] {
            emit(&stores, &clock, event.clone()).await?;
        }
        let listener = Arc::<Listener>::default();
        let dispatcher = Dispatcher::new(stores.db.clone(), clock.clone(), vec![listener.clone()]);
        dispatcher.drain().await?;
        assert_eq!(listener.heard(), told, "{}", stores.name);
        // Told again after a restore, they come in the same order; and what was delivered keeps its place before what follows.
        stores
            .db
            .transact::<_, anyhow::Error>(|tx| {
                Box::pin(async move { Ok(tx.execute("UPDATE outbox SET delivered_at = NULL, retry_at = 0", params![]).await.map(drop)?) })
            })
            .await?;
        emit(&stores, &clock, Event::PaymentCaptured { order, payment }).await?;
        dispatcher.drain().await?;
        assert_eq!(listener.heard()[3..], [&told[..], &[Event::PaymentCaptured { order, payment }]].concat());
    }
    Ok(())
}
