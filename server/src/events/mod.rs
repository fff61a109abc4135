//! The outbox: events written in the transaction that caused them, delivered at least once, in order within an aggregate. What an event
//! leads to is its consumers' business.

use crate::{
    clock::Clock,
    failpoint, params,
    sql::{AT_ONCE, Db, Tx},
};
use async_trait::async_trait;
use domain::{EventId, event::Event, offer::Instant};
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;

/// How long a change waits at most before somebody looks.
const POLL_MS: u64 = 100;
/// Events taken at once. After a large import many change the same lists, which are written once a batch.
const BATCH: i64 = 5_000;
/// Waits before an event is tried again: 0.2 s doubled, at most a minute.
const RETRY_MS_FIRST: i64 = 200;
const RETRY_MS_MAX: i64 = 60_000;

/// Writes an event into the outbox, in the transaction that makes it true. Events of one aggregate are delivered in the order in which
/// they were emitted, as long as the transactions that emit them wait for each other on a row of the aggregate: each takes a place behind
/// the last, whatever the clock of its server says.
pub async fn emit(tx: &mut Tx, clock: &Clock, event: &Event) -> Result<(), sqlx::Error> {
    let now = clock.now();
    let payload = serde_json::to_string(event).expect("an event is plain data");
    tx.execute(
        "INSERT INTO outbox (id, sequence, aggregate, payload, version, created_at, attempts, retry_at) VALUES ($1, COALESCE((\
         SELECT sequence + 1 FROM outbox WHERE aggregate = $3 AND sequence >= $2 ORDER BY sequence DESC LIMIT 1), $2), \
         $3, $4, $5, $6, 0, 0)",
        params![EventId(clock.id()), stamp(now), event.aggregate(), payload, Event::VERSION, now],
    )
    .await?;
    Ok(())
}

/// A number that grows with every call and is close to `now`: orders events and versions, also those of one microsecond.
pub fn stamp(now: Instant) -> i64 {
    static LAST: AtomicI64 = AtomicI64::new(0);
    let next = |last: i64| (last + 1).max(now);
    LAST.fetch_update(Ordering::AcqRel, Ordering::Acquire, |last| Some(next(last))).map_or(now, next)
}

static BELL: LazyLock<Notify> = LazyLock::new(Notify::new);

/// Tells this process's dispatchers that a transaction with events was committed, so that they need not wait for the next poll.
pub fn ring() {
    BELL.notify_waiters();
}

/// An event as it is delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    pub id: EventId,
    pub sequence: i64,
    pub aggregate: String,
    pub at: Instant,
    pub event: Event,
}

/// Something that follows events. An event may come twice: what it leads to must be the same.
#[async_trait]
pub trait Consumer: Send + Sync {
    /// For logs and metrics.
    fn name(&self) -> &'static str;

    /// One event.
    async fn consume(&self, envelope: &Envelope) -> anyhow::Result<()>;

    /// Many events; those that failed come back with the reason and are delivered again. After a failure the later events of the same
    /// aggregate wait.
    async fn consume_batch(&self, batch: &[Envelope]) -> Vec<(EventId, anyhow::Error)> {
        let mut failed: HashMap<&str, (EventId, anyhow::Error)> = HashMap::new();
        for envelope in batch {
            if failed.contains_key(envelope.aggregate.as_str()) {
                continue;
            }
            if let Err(error) = self.consume(envelope).await {
                failed.insert(&envelope.aggregate, (envelope.id, error));
            }
        }
        failed.into_values().collect()
    }
}

/// Brings events from the outbox to every consumer. Several may run, in one process or many: consumers bear being told twice.
#[derive(Clone)]
pub struct Dispatcher {
    db: Db,
    clock: Clock,
    consumers: Vec<Arc<dyn Consumer>>,
}

impl Dispatcher {
    pub fn new(db: Db, clock: Clock, consumers: Vec<Arc<dyn Consumer>>) -> Self {
        Self { db, clock, consumers }
    }

    /// Delivers until `stop` says so: what is under way then is finished.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        tokio::pin!(stop);
        loop {
            let delivered = self.deliver().await.unwrap_or_else(|error| {
                tracing::error!(error = format!("{error:#}"), "the outbox could not be read");
                0
            });
            let wait = async {
                if delivered == 0 {
                    let _ = tokio::time::timeout(Duration::from_millis(POLL_MS), BELL.notified()).await;
                }
            };
            tokio::select! {
                biased;
                () = &mut stop => return,
                () = wait => {}
            }
        }
    }

    /// Delivers what waits now: one batch. How many events were delivered to everybody.
    pub async fn deliver(&self) -> anyhow::Result<usize> {
        let now = self.clock.now();
        let batch = self.waiting(now).await?;
        if batch.is_empty() {
            return Ok(0);
        }
        let mut failed: HashMap<EventId, String> = HashMap::new();
        for consumer in &self.consumers {
            for (id, error) in consumer.consume_batch(&batch).await {
                tracing::warn!(consumer = consumer.name(), event = %id, error = format!("{error:#}"), "an event will be delivered again");
                failed.insert(id, format!("{}: {error:#}", consumer.name()));
            }
        }
        failpoint!("events-consumed");
        // The first failure of an aggregate holds back what came after it.
        let mut blocked: HashMap<&str, i64> = HashMap::new();
        for envelope in batch.iter().filter(|envelope| failed.contains_key(&envelope.id)) {
            blocked.entry(&envelope.aggregate).or_insert(envelope.sequence);
        }
        let done: Vec<EventId> = batch
            .iter()
            .filter(|envelope| blocked.get(envelope.aggregate.as_str()).is_none_or(|sequence| envelope.sequence < *sequence))
            .map(|envelope| envelope.id)
            .collect();
        let delivered = done.len();
        let now = self.clock.now();
        let failed: Vec<_> = failed.into_iter().map(|(id, reason)| (id, Some(reason))).collect();
        let outcomes = [done.into_iter().map(|id| (id, None)).collect(), failed].concat();
        for outcomes in outcomes.chunks(usize::try_from(AT_ONCE)?) {
            self.db
                .transact::<_, anyhow::Error>(|tx| {
                    let outcomes = outcomes.to_vec();
                    Box::pin(async move {
                        for (id, failure) in outcomes {
                            match failure {
                                None => drop(tx.execute("UPDATE outbox SET delivered_at = $2 WHERE id = $1", params![id, now]).await?),
                                Some(reason) => put_off(tx, id, &reason, now).await?,
                            }
                        }
                        Ok(())
                    })
                })
                .await?;
        }
        metrics::counter!("events_delivered_total").increment(delivered as u64);
        Ok(delivered)
    }

    /// What waits, oldest first, without what is put off and what comes after that in the same aggregate.
    async fn waiting(&self, now: Instant) -> anyhow::Result<Vec<Envelope>> {
        let rows = self
            .db
            .all(
                "SELECT id, sequence, aggregate, payload, version, created_at FROM outbox AS o WHERE delivered_at IS NULL AND retry_at <= $1 AND NOT EXISTS (\
                 SELECT 1 FROM outbox AS b WHERE b.delivered_at IS NULL AND b.retry_at > $1 AND b.aggregate = o.aggregate AND b.sequence < o.sequence) \
                 ORDER BY sequence LIMIT $2",
                params![now, BATCH],
            )
            .await?;
        let mut batch = Vec::with_capacity(rows.len());
        let mut held_back: HashSet<String> = HashSet::new();
        for row in &rows {
            let id: EventId = row.parse("id")?;
            let aggregate = row.text("aggregate")?;
            if held_back.contains(&aggregate) {
                continue;
            }
            let event = match serde_json::from_str(&row.text("payload")?) {
                Ok(event) if row.int("version")? <= Event::VERSION => event,
                // Written by a newer release: it waits for one that knows it, and so does what came after it.
                outcome => {
                    let reason = outcome.err().map_or_else(|| "a newer version".to_owned(), |error| error.to_string());
                    tracing::error!(event = %id, reason, "an event could not be read");
                    self.db
                        .transact::<_, anyhow::Error>(|tx| {
                            let reason = reason.clone();
                            Box::pin(async move { put_off(tx, id, &reason, now).await })
                        })
                        .await?;
                    held_back.insert(aggregate);
                    continue;
                }
            };
            batch.push(Envelope { id, sequence: row.int("sequence")?, aggregate, at: row.int("created_at")?, event });
        }
        Ok(batch)
    }

    /// Delivers until nothing waits but what is put off. For tests and for the end of a first import.
    pub async fn drain(&self) -> anyhow::Result<()> {
        while self.deliver().await? > 0 {}
        Ok(())
    }
}

/// Ids of the events that any process has delivered since.
pub async fn delivered_since(db: &Db, since: Instant) -> anyhow::Result<Vec<EventId>> {
    let rows = db.all("SELECT id FROM outbox WHERE delivered_at >= $1 ORDER BY delivered_at, sequence", params![since]).await?;
    rows.iter().map(|row| row.parse("id")).collect()
}

/// An event that is still there and that this release can read.
pub async fn find(db: &Db, id: EventId) -> anyhow::Result<Option<Envelope>> {
    let row = db.first("SELECT sequence, aggregate, payload, version, created_at FROM outbox WHERE id = $1", params![id]).await?;
    let Some(row) = row else { return Ok(None) };
    if row.int("version")? > Event::VERSION {
        return Ok(None);
    }
    let event = serde_json::from_str(&row.text("payload")?)?;
    Ok(Some(Envelope { id, sequence: row.int("sequence")?, aggregate: row.text("aggregate")?, at: row.int("created_at")?, event }))
}

/// How long delivered events stay, for whoever asks what happened.
const KEPT_US: Instant = 7 * 24 * 3_600 * 1_000_000;
/// Removes what everybody was told a week ago. How many events went.
pub async fn prune(db: &Db, now: Instant) -> anyhow::Result<u64> {
    let old = "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE delivered_at < $1 LIMIT $2)";
    Ok(db.remove_in_batches(old, now - KEPT_US).await?)
}

/// Tries an event later: each failure doubles the wait.
async fn put_off(tx: &mut Tx, id: EventId, reason: &str, now: Instant) -> anyhow::Result<()> {
    let Some(row) = tx.first("SELECT attempts FROM outbox WHERE id = $1", params![id]).await? else { return Ok(()) };
    let attempts = row.int("attempts")?;
    let wait_ms = (RETRY_MS_FIRST << attempts.clamp(0, 16)).min(RETRY_MS_MAX);
    let reason: String = reason.chars().take(500).collect();
    tx.execute(
        "UPDATE outbox SET attempts = $2, retry_at = $3, last_error = $4 WHERE id = $1",
        params![id, attempts + 1, now + wait_ms * 1_000, reason],
    )
    .await?;
    Ok(())
}
