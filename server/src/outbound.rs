//! HTTP to others: every client has a deadline, and none goes through a proxy that the environment names.

use std::time::Duration;

/// A client whose requests end after `deadline` at the latest; connecting may take 500 ms of it, which is for machines nearby: set another
/// `connect_timeout` for those far away.
pub fn client(deadline: Duration) -> reqwest::ClientBuilder {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that makes HTTP clients")]
    let builder = reqwest::Client::builder();
    builder.timeout(deadline).connect_timeout(deadline.min(Duration::from_millis(500))).no_proxy()
}
