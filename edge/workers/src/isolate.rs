//! What the requests of an isolate share: pages, templates, hot reads. Nothing of a visitor's, and nothing that waits: workerd lets no
//! request wait for what another one began.

use crate::settings;
use domain::offer::Instant;
use edge_pages::{Edge, Log, Machine, Pages, pages::Room};
use edge_replica::http::{Now, storefront};
use std::{
    cell::{OnceCell, RefCell},
    pin::Pin,
    rc::Rc,
    sync::Arc,
};
use worker::{Context, Date, Env, Result, console_error, console_warn, wasm_bindgen::throw_str};

/// One a worker's instance.
pub struct Isolate {
    /// In the order in which they are preferred, without trailing slashes.
    pub origins: Vec<String>,
    pub edge: Edge,
}

thread_local! {
    static ISOLATE: OnceCell<Rc<Isolate>> = const { OnceCell::new() };
    /// Whose work is being done at this moment.
    static CURRENT: RefCell<Option<Rc<Context>>> = const { RefCell::new(None) };
}

/// Made by the first request: bindings are not there before, nor is randomness. They change only with a new isolate. An isolate stays in one
/// place, to which its first visitor was near.
pub fn of(env: &Env, continent: Option<&str>) -> Result<Rc<Isolate>> {
    ISOLATE.with(|known| {
        if let Some(known) = known.get() {
            return Ok(Rc::clone(known));
        }
        let config = settings::read(env, continent)?;
        let now: Now = Arc::new(now_us);
        let (storefront, _) = storefront(&config, &now);
        let pages = Pages::new(config.assets, config.url.into(), storefront, Arc::new(Workerd), Room::at_edge(config.templates_max));
        let isolate = Isolate { origins: config.origins, edge: Edge::new(Arc::new(pages)) };
        Ok(Rc::clone(known.get_or_init(|| Rc::new(isolate))))
    })
}

/// Does a request's work in such a way that what it leaves for later is done in its own name.
pub async fn within<T>(context: Context, work: impl Future<Output = T>) -> T {
    named(Rc::new(context), work).await
}

async fn named<T>(context: Rc<Context>, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    std::future::poll_fn(|task| {
        let before = CURRENT.replace(Some(Rc::clone(&context)));
        let outcome = work.as_mut().poll(task);
        CURRENT.replace(before);
        outcome
    })
    .await
}

/// Microseconds since the Unix epoch. workerd's clock stands still while nothing is waited for.
pub fn now_us() -> Instant {
    i64::try_from(Date::now().as_millis()).unwrap_or(i64::MAX / 1_000).saturating_mul(1_000)
}

struct Workerd;

impl Machine for Workerd {
    fn now(&self) -> Instant {
        now_us()
    }

    fn random(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        // It fails only where there is no `crypto`, and then no page may be sent: worker.mjs passes the request.
        if getrandom::fill(&mut bytes).is_err() {
            throw_str("there is no crypto");
        }
        bytes
    }

    fn later(&self, work: Pin<Box<dyn Future<Output = ()> + Send>>) {
        // Whoever is not asked by a request leaves it: the next one that sees the page does it.
        if let Some(context) = CURRENT.with_borrow(Clone::clone) {
            context.wait_until(named(Rc::clone(&context), work));
        }
    }

    fn log(&self, what: Log<'_>) {
        match what {
            Log::Stale { what, reason } => console_warn!("older than it should be, {what}: {reason}"),
            Log::Unmade { reason } => console_warn!("a page is left to an origin: {reason}"),
            Log::Broken { reason } => console_error!("a page is broken: {reason}"),
        }
    }
}
