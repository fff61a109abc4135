//! A circuit breaker: after some failures in a row calls fail at once for a while, then one is let through to see.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Failures in a row that open the circuit.
const FAILURES: u32 = 5;
/// How long it stays open. Short: a shopper is waiting, and a refused call costs the provider nothing.
const OPEN: Duration = Duration::from_secs(3);

/// Counts failures of one dependency.
#[derive(Debug, Default)]
pub struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    open_until: Option<Instant>,
}

impl Breaker {
    /// Whether a call may be made now. When the pause is over, one caller is let through and the others wait for its outcome.
    pub fn allows(&self) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.open_until {
            Some(until) if Instant::now() < until => false,
            Some(_) => {
                state.open_until = Some(Instant::now() + OPEN);
                true
            }
            None => true,
        }
    }

    /// Tells how a call went.
    pub fn record(&self, succeeded: bool) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if succeeded {
            *state = State::default();
            return;
        }
        state.failures = state.failures.saturating_add(1);
        if state.failures >= FAILURES {
            state.open_until = Some(Instant::now() + OPEN);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_opens_after_failures_and_closes_after_a_success() {
        let breaker = Breaker::default();
        for _ in 0..FAILURES {
            assert!(breaker.allows());
            breaker.record(false);
        }
        assert!(!breaker.allows());
        tokio::time::sleep(OPEN + Duration::from_millis(50)).await;
        assert!(breaker.allows(), "one is let through");
        assert!(!breaker.allows(), "and no second one");
        breaker.record(true);
        assert!(breaker.allows() && breaker.allows());
    }
}
