//! What the requests of a function's instance share: pages, templates, hot reads. Nothing of a visitor's.

use domain::offer::Instant;
use edge_pages::{Edge, Log, Machine, Pages, pages::Room};
use edge_replica::http::{Config, DynamoDb, Now, storefront};
use serde_json::Value;
use std::{cell::RefCell, pin::Pin, sync::Arc};
use wasm_bindgen_futures::spawn_local;
use web_sys::console;

#[derive(Clone)]
pub struct Instance {
    pub edge: Edge,
    table: Arc<DynamoDb>,
    /// Without its credentials.
    told: Value,
}

thread_local! {
    static INSTANCE: RefCell<Option<Instance>> = const { RefCell::new(None) };
}

pub fn get() -> Option<Instance> {
    INSTANCE.with_borrow(Clone::clone)
}

/// The first time everything is made. Later, with nothing but other credentials, only those change: a role gets new ones every few hours.
pub fn configure(json: &str) -> serde_json::Result<()> {
    let mut told: Value = serde_json::from_str(json)?;
    let config: Config = serde_json::from_value(told.clone())?;
    if let Some(told) = told.as_object_mut() {
        told.remove("credentials");
    }
    INSTANCE.with_borrow_mut(|instance| match instance {
        Some(known) if known.told == told => known.table.sign_with(config.credentials),
        _ => *instance = Some(Instance::new(config, told)),
    });
    Ok(())
}

impl Instance {
    fn new(config: Config, told: Value) -> Self {
        let now: Now = Arc::new(now_us);
        let (storefront, table) = storefront(&config, &now);
        let pages = Pages::new(config.assets, config.url.into(), storefront, Arc::new(Lambda), Room::at_edge(config.templates_max));
        Self { edge: Edge::new(Arc::new(pages)), table, told }
    }
}

/// Microseconds since the Unix epoch.
#[expect(clippy::cast_possible_truncation, reason = "JavaScript counts whole milliseconds, far below 2^53")]
fn now_us() -> Instant {
    (js_sys::Date::now() as i64).saturating_mul(1_000)
}

struct Lambda;

impl Machine for Lambda {
    fn now(&self) -> Instant {
        now_us()
    }

    fn random(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        // It fails only where there is no `crypto`, and then no page may be sent: the handler passes the request.
        if getrandom::fill(&mut bytes).is_err() {
            wasm_bindgen::throw_str("there is no crypto");
        }
        bytes
    }

    fn later(&self, work: Pin<Box<dyn Future<Output = ()> + Send>>) {
        // Frozen after the answer, it goes on with the next request. What is lost so is not waited for: a stale page is made anew after
        // a minute at the latest, before it is sent.
        spawn_local(work);
    }

    fn log(&self, what: Log<'_>) {
        match what {
            Log::Stale { what, reason } => console::warn_1(&format!("older than it should be, {what}: {reason}").into()),
            Log::Unmade { reason } => console::warn_1(&format!("a page is left to an origin: {reason}").into()),
            Log::Broken { reason } => console::error_1(&format!("a page is broken: {reason}").into()),
        }
    }
}
