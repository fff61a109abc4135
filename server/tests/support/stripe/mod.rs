//! A stand-in for Stripe: a real HTTP server that holds what it is asked to Stripe's published API description, answers in its shapes, and
//! signs its webhooks. It keeps its ledger in memory and lives as long as the test.
#![allow(dead_code, reason = "what one test file leaves unused another one uses")]

pub mod api;
pub mod description;
pub mod ledger;
pub mod money;
pub mod page;
pub mod webhooks;

use axum::{
    Router,
    routing::{get, post},
};
use ledger::Ledger;
use server::clock::Clock;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::net::TcpListener;

pub const KEY: &str = "sk_test_stand_in";
pub const SECRET: &str = "whsec_stand_in";

/// A running stand-in.
#[derive(Clone)]
pub struct StandIn {
    pub origin: String,
    pub clock: Clock,
    pub http: reqwest::Client,
    state: Arc<Mutex<State>>,
}

/// What it knows, what it was asked, what it shall do wrong.
#[derive(Default)]
pub struct State {
    pub ledger: Ledger,
    pub calls: Vec<Call>,
    /// What no caller should have sent.
    pub violations: Vec<String>,
    pub faults: Faults,
    /// Where webhooks go.
    pub endpoint: Option<String>,
    pub held: Vec<webhooks::Event>,
    pub saved: std::collections::BTreeMap<String, api::Saved>,
}

/// A call as it came.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: String,
    pub path: String,
    pub key: Option<String>,
    pub form: Vec<(String, String)>,
}

/// What goes wrong, each so many times or until it is changed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// Connections are cut before anything is done.
    pub down: bool,
    /// POSTs are done, and then the connection is cut.
    pub lose_replies: u32,
    /// 429, with `retry-after: 0`.
    pub too_many: u32,
    /// 500 before anything is done, nothing saved.
    pub break_down: u32,
    /// 409 `lock_timeout`, to be tried again.
    pub conflict: u32,
    /// 500 that is saved under the key and not to be tried again.
    pub fail_for_good: u32,
    /// Nothing is remembered under keys, as a day later.
    pub forget_keys: bool,
    pub refuse_emails: bool,
    pub hold_webhooks: bool,
    pub duplicate_webhooks: bool,
    pub drop_webhooks: bool,
    /// POSTs arrive so late.
    pub arrive_late_ms: u64,
}

impl StandIn {
    /// Serves on a free port until the test's runtime ends.
    pub async fn start(clock: Clock) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let origin = format!("http://{}", listener.local_addr()?);
        let http = server::outbound::client(Duration::from_secs(5)).build()?;
        let this = Self { origin, clock, http, state: Arc::default() };
        let router = Router::new()
            .route("/v1/checkout/sessions", post(api::create_session).get(api::list_sessions))
            .route("/v1/checkout/sessions/{id}", get(api::session))
            .route("/v1/checkout/sessions/{id}/expire", post(api::expire_session))
            .route("/v1/payment_intents/{id}", get(api::intent))
            .route("/v1/refunds", post(money::create_refund).get(money::list_refunds))
            .route("/v1/disputes", get(money::list_disputes))
            .layer(axum::middleware::from_fn_with_state(this.clone(), api::enter))
            .route("/c/pay/{id}", get(page::show).post(page::pay))
            .with_state(this.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(this)
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends webhooks there from now on.
    pub fn tell(&self, endpoint: String) {
        self.state().endpoint = Some(endpoint);
    }

    pub fn set(&self, faults: Faults) {
        self.state().faults = faults;
        if !faults.hold_webhooks {
            webhooks::release(self);
        }
    }

    pub fn now_s(&self) -> i64 {
        self.clock.now() / 1_000_000
    }

    /// The calls with that method and path.
    pub fn calls(&self, method: &str, path: &str) -> Vec<Call> {
        self.state().calls.iter().filter(|call| call.method == method && call.path == path).cloned().collect()
    }

    /// Nothing came that the description does not allow.
    pub fn check(&self) -> anyhow::Result<()> {
        let state = self.state();
        anyhow::ensure!(state.violations.is_empty(), "{:#?}", state.violations);
        Ok(())
    }
}
