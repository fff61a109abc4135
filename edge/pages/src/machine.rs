//! What a host lends to whoever renders: the time, randomness, a place for work that outlives an answer, and a log.

use domain::offer::Instant;
use futures_util::future::BoxFuture;

/// The machine that this runs on.
pub trait Machine: Send + Sync {
    /// Microseconds since the Unix epoch, UTC.
    fn now(&self) -> Instant;

    /// Bytes that nobody can guess.
    fn random(&self) -> [u8; 16];

    /// Work that goes on after the answer was sent.
    fn later(&self, work: BoxFuture<'static, ()>);

    /// Says what went wrong, without anything of a visitor's.
    fn log(&self, what: Log<'_>);
}

/// What a host may want to write down.
#[derive(Clone, Copy, Debug)]
pub enum Log<'a> {
    /// Something older is sent because it could not be made anew.
    Stale { what: &'static str, reason: &'a str },
    /// A page cannot be made here; the host asks somebody else.
    Unmade { reason: &'a str },
    /// A page that is not a template: a bug.
    Broken { reason: &'a str },
}
