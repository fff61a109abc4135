//! Time and ids: the only place that reads the clock or makes an id.

use domain::offer::Instant;
use std::{
    sync::{Arc, Mutex},
    time::SystemTime,
};
use uuid::{ContextV7, Uuid};

/// Where the time comes from. Tests pass a fixed or a moved one.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> Instant + Send + Sync>,
    ids: Arc<Mutex<ContextV7>>,
}

impl Clock {
    /// The machine's clock.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    pub fn system() -> Self {
        Self::from_fn(|| {
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
        })
    }

    /// A clock of one's own.
    pub fn from_fn(now: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        Self { now: Arc::new(now), ids: Arc::new(Mutex::new(ContextV7::new())) }
    }

    /// Microseconds since the Unix epoch, UTC.
    pub fn now(&self) -> Instant {
        (self.now)()
    }

    /// A new id: UUIDv7 of this clock's time (RFC 9562), greater than every earlier one of this clock, so that rows made within
    /// one millisecond keep their order.
    pub fn id(&self) -> Uuid {
        let micros = u64::try_from(self.now()).unwrap_or(0);
        let subsecond_ns = u32::try_from(micros % 1_000_000).unwrap_or(0) * 1_000;
        Uuid::new_v7(uuid::Timestamp::from_unix(&*self.ids, micros / 1_000_000, subsecond_ns))
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_instant_keep_their_order() {
        let clock = Clock::from_fn(|| 1_800_000_000_000_000);
        let ids: Vec<_> = (0..1_000).map(|_| clock.id()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
    }
}
