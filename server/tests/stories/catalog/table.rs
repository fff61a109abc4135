//! The table keeps what is newer, and the outbox delivers at least once, in order, past events that fail.

use crate::catalog::stores;
use async_trait::async_trait;
use domain::{ProductId, event::Event};
use server::{
    clock::Clock,
    dynamo::Item,
    events::{self, Consumer, Dispatcher, Envelope},
};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, Ordering},
};

#[tokio::test]
async fn an_older_write_never_wins() {
    for stores in stores::all().await {
        let table = stores.table;
        assert!(table.put_newer("a", "b", 2, &"two", None).await.expect("a write"), "{}", stores.name);
        assert!(!table.put_newer("a", "b", 1, &"one", None).await.expect("a write"));
        assert!(!table.put_newer("a", "b", 2, &"again", None).await.expect("a write"));
        assert!(table.put_newer("a", "b", 3, &"three", Some(4_000_000_000)).await.expect("a write"));
        let item = table.get::<String>("a", "b").await.expect("a read").expect("an item");
        assert_eq!((item.version, item.expires_s, item.body.as_str()), (3, Some(4_000_000_000), "three"));
        assert!(table.get::<String>("a", "c").await.expect("a read").is_none());
    }
}

#[tokio::test]
async fn a_cart_is_written_only_over_the_version_that_was_read() {
    for stores in stores::all().await {
        let table = stores.table;
        assert!(table.put_if_version("cart", "1", None, 1, &1, None).await.expect("a write"), "{}", stores.name);
        assert!(!table.put_if_version("cart", "1", None, 1, &2, None).await.expect("a write"));
        assert!(table.put_if_version("cart", "1", Some(1), 2, &3, None).await.expect("a write"));
        assert!(!table.put_if_version("cart", "1", Some(1), 2, &4, None).await.expect("a write"));
        assert_eq!(table.get::<i32>("cart", "1").await.expect("a read").map(|item| item.body), Some(3));
        table.delete("cart", "1").await.expect("a delete");
        assert!(table.get::<i32>("cart", "1").await.expect("a read").is_none());
    }
}

#[tokio::test]
async fn many_items_are_filled_and_read_in_batches() {
    for stores in stores::all().await {
        let items = (0..230).map(|n| Item::new(format!("p{n}"), "x", 1, &n).expect("JSON")).collect();
        stores.table.fill(items).await.expect("a fill");
        let keys: Vec<_> = (0..240).map(|n| (format!("p{n}"), "x".to_owned())).collect();
        let found = stores.table.batch_get::<i32>(&keys).await.expect("a read");
        assert_eq!(found.len(), 230, "{}", stores.name);
        assert!(found.iter().all(|((pk, _), item)| *pk == format!("p{}", item.body)));
    }
}

struct Listener {
    heard: Mutex<Vec<i64>>,
    refuses: Option<ProductId>,
    until: AtomicI64,
}

#[async_trait]
impl Consumer for Listener {
    fn name(&self) -> &'static str {
        "listener"
    }
    async fn consume(&self, envelope: &Envelope) -> anyhow::Result<()> {
        let refused = self.refuses.map(|product| Event::ProductChanged { product });
        if refused.as_ref() == Some(&envelope.event) && self.until.fetch_sub(1, Ordering::Relaxed) > 0 {
            anyhow::bail!("not now");
        }
        self.heard.lock().expect("no panic").push(envelope.sequence);
        Ok(())
    }
}

#[tokio::test]
async fn a_failing_event_holds_back_its_own_aggregate_only_and_comes_again() {
    for stores in stores::all().await {
        let time = Arc::new(AtomicI64::new(1_700_000_000_000_000));
        let clock = Clock::from_fn({
            let time = time.clone();
            move || time.load(Ordering::Relaxed)
        });
        let (bad, good) = (ProductId(clock.id()), ProductId(clock.id()));
        stores
            .db
            .transact::<_, anyhow::Error>(|tx| {
                let clock = clock.clone();
                Box::pin(async move {
                    for product in [bad, good, bad, good] {
                        events::emit(tx, &clock, &Event::ProductChanged { product }).await?;
                    }
                    Ok(())
                })
            })
            .await
            .expect("a transaction");
        let listener = Arc::new(Listener { heard: Mutex::default(), refuses: Some(bad), until: AtomicI64::new(1) });
        let dispatcher = Dispatcher::new(stores.db.clone(), clock.clone(), vec![listener.clone()]);
        assert_eq!(dispatcher.deliver().await.expect("a delivery"), 2, "{}", stores.name);
        assert_eq!(dispatcher.deliver().await.expect("a delivery"), 0, "what failed is put off, and what follows it waits");
        time.fetch_add(300_000, Ordering::Relaxed);
        assert_eq!(dispatcher.deliver().await.expect("a delivery"), 2);
        assert_eq!(dispatcher.deliver().await.expect("a delivery"), 0);
        let heard = listener.heard.lock().expect("no panic").clone();
        assert_eq!(heard.len(), 4);
        assert!(heard[0] < heard[1] && heard[2] < heard[3] && heard[2] < heard[1], "in order within an aggregate: {heard:?}");
        let week_us = 7 * 24 * 3_600 * 1_000_000;
        assert_eq!(events::prune(&stores.db, clock.now() + week_us - 1_000_000).await.expect("a transaction"), 0, "what was told lately stays");
        assert_eq!(events::prune(&stores.db, clock.now() + week_us + 1_000_000).await.expect("a transaction"), 4);
    }
}
