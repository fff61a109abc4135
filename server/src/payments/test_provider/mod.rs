//! A payment provider for development and tests, in a process of its own: a hosted page, signed webhooks, a stored ledger, sentinel cards,
//! a clock that can be put forward, and faults that can be turned. It knows nothing of the shop but what its API was told.

mod api;
mod cards;
mod control;
mod due;
mod faults;
mod hosted;
mod ledger;
mod moves;
mod page;
mod process;
mod webhooks;
mod words;

pub use ledger::{Ledger, Session};
pub use process::{Args, port, run, secret, spawn};

use crate::{clock::Clock, outbound};
use anyhow::Context as _;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{StatusCode, header};
use std::{
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::net::TcpListener;

/// A card form is a few hundred bytes; a session with a hundred lines and a capsule stays below this.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// A running provider's state.
#[derive(Clone)]
pub(crate) struct Provider {
    ledger: Arc<Mutex<Ledger>>,
    faults: Arc<Mutex<faults::Faults>>,
    /// A webhook that waits for the next one, so that they change places.
    waiting: Arc<Mutex<Option<ledger::Told>>>,
    secret: Arc<[u8]>,
    /// Where its own pages are.
    origin: Arc<str>,
    clock: Clock,
    http: reqwest::Client,
}

impl Provider {
    fn open(ledger: &Path, secret: Vec<u8>, origin: String, clock: Clock) -> anyhow::Result<Self> {
        Ok(Self {
            ledger: Arc::new(Mutex::new(Ledger::open(ledger)?)),
            faults: Arc::default(),
            waiting: Arc::default(),
            secret: secret.into(),
            origin: origin.into(),
            clock,
            http: outbound::client(Duration::from_secs(5)).build().context("an HTTP client")?,
        })
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn faults(&self) -> MutexGuard<'_, faults::Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, Option<ledger::Told>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves a provider on `listener`, with its ledger in `data`, until `stop` is done. In-process for tests; [`run`] is the process.
pub async fn serve(listener: TcpListener, data: &Path, clock: Clock, stop: impl Future<Output = ()> + Send + 'static) -> anyhow::Result<()> {
    let address = listener.local_addr()?;
    // This makes the folder, too.
    let secret = secret(data)?;
    let provider = Provider::open(&process::folder(data).join("ledger.jsonl"), secret, format!("http://{address}"), clock)?;
    process::write_port(data, address.port())?;
    webhooks::resume(&provider);
    let looking = tokio::spawn(due::run(provider.clone()));
    let router = Router::new()
        .merge(api::routes(&provider))
        .merge(control::routes())
        .merge(hosted::routes())
        .route("/healthz", get(async || format!("ok {}\n", std::process::id())))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(provider);
    let served = axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(stop)
        .await
        .context("serving the test provider");
    looking.abort();
    served
}

fn json(value: &impl serde::Serialize) -> Response {
    let body = serde_json::to_string(value).expect("plain data");
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn failed(error: &anyhow::Error) -> Response {
    tracing::error!(error = format!("{error:#}"), "the test provider's ledger");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
