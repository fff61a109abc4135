//! What other servers delivered: each has an index of its own, which must follow events that another one took from the outbox.

use crate::{
    events,
    readmodel::projector::{Projector, Told},
};
use domain::{EventId, offer::Instant};
use std::sync::{PoisonError, atomic::Ordering};

/// Clocks of servers differ, and a transaction takes its time: what was delivered so long before the last look may be seen only now.
/// Microseconds.
const LOOKS_BACK_US: Instant = 10_000_000;

/// How long an event that was followed here may wait to be marked as delivered. Microseconds.
const SEEN_US: Instant = 600_000_000;
/// Events of others that are followed at once.
const EVENTS_AT_ONCE: usize = 5_000;

impl Projector {
    /// Follows what other processes delivered: each has an index of its own, and a list that one wrote from an index that lagged is
    /// written again. Cheap when there is nothing, which is always so with one process.
    pub async fn catch_up(&self) -> anyhow::Result<()> {
        let now = self.clock.now();
        let since = self.looked.load(Ordering::Relaxed).min(now) - LOOKS_BACK_US;
        let delivered = events::delivered_since(&self.db, since).await?;
        let unseen: Vec<EventId> = {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            // What waits longer than this for its delivery is followed twice, which changes nothing.
            seen.retain(|_, at| *at > since - SEEN_US);
            delivered.into_iter().filter(|id| !seen.contains_key(id)).collect()
        };
        for ids in unseen.chunks(EVENTS_AT_ONCE) {
            let mut batch = Vec::with_capacity(ids.len());
            for id in ids {
                batch.extend(events::find(&self.db, *id).await?);
            }
            for (event, error) in self.follow(&batch, Told::Elsewhere).await? {
                tracing::warn!(%event, error = format!("{error:#}"), "the index could not follow an event");
            }
        }
        self.looked.store(now, Ordering::Relaxed);
        Ok(())
    }
}
