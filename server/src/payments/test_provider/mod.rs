//! A payment provider for development and tests, in a process of its own: a hosted page, signed webhooks, a stored ledger, sentinel cards
//! and faults that can be turned. It knows nothing of the shop but what its API was told.

mod api;
mod cards;
mod faults;
mod ledger;
mod page;
mod process;
mod webhooks;
mod words;

pub use ledger::{Ledger, Session};
pub use process::{Args, port, run, secret, spawn};

use crate::{clock::Clock, outbound};
use anyhow::Context as _;
use std::{
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::net::TcpListener;

/// A running provider's state.
#[derive(Clone)]
pub(crate) struct Provider {
    ledger: Arc<Mutex<Ledger>>,
    faults: Arc<Mutex<faults::Faults>>,
    secret: Arc<[u8]>,
    /// Where its own pages are.
    origin: Arc<str>,
    clock: Clock,
    http: reqwest::Client,
}

impl Provider {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn faults(&self) -> MutexGuard<'_, faults::Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves a provider on `listener`, with its ledger in `data`, until `stop` is done. In-process for tests; [`run`] is the process.
pub async fn serve(listener: TcpListener, data: &Path, clock: Clock, stop: impl Future<Output = ()> + Send + 'static) -> anyhow::Result<()> {
    let address = listener.local_addr()?;
    // This makes the folder, too.
    let secret = secret(data)?;
    let provider = Provider {
        ledger: Arc::new(Mutex::new(Ledger::open(&process::folder(data).join("ledger.jsonl"))?)),
        faults: Arc::default(),
        secret: secret.into(),
        origin: format!("http://{address}").into(),
        clock,
        http: outbound::client(std::time::Duration::from_secs(5)).build().context("an HTTP client")?,
    };
    process::write_port(data, address.port())?;
    webhooks::resume(&provider);
    let pending: Vec<_> =
        provider.ledger().sessions().filter(|session| session.state == ledger::State::Pending).map(|session| session.payment).collect();
    for payment in pending {
        api::capture_soon(&provider, payment);
    }
    let router = api::router(provider);
    axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(stop)
        .await
        .context("serving the test provider")
}
