//! Logs and metrics: readable lines or JSON, and counters for `/metrics`. No personal data goes into either.

use crate::config::LogFormat;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::{io::IsTerminal as _, sync::OnceLock};
use tracing_subscriber::EnvFilter;

/// Starts logging to standard error what `filter` lets through.
pub fn start_logging(format: LogFormat, filter: &str) {
    let logs =
        tracing_subscriber::fmt().with_env_filter(EnvFilter::new(filter)).with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    // A second start, as in tests, keeps the first.
    let _ = match format {
        LogFormat::Lines => logs.with_target(false).try_init(),
        LogFormat::Json => logs.json().flatten_event(true).try_init(),
    };
}

/// The process's metrics; the first call installs their recorder.
pub fn metrics() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        // 1 ms to 10 s, in steps of about 2.5.
        let seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
        let builder = PrometheusBuilder::new().set_buckets(&seconds).expect("the list of buckets is not empty");
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        // Somebody else's recorder stays; then ours is empty, which /metrics shows.
        let _ = metrics::set_global_recorder(recorder);
        handle
    })
}
