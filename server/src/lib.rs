//! The origin as a library: [`build`] is the only place where things are wired, for `main` and for tests alike.

pub mod background;
pub mod backup;
pub mod bench;
pub mod catalog;
pub mod clock;
pub mod command;
pub mod config;
pub mod coupons;
pub mod dynamo;
pub mod events;
pub mod failpoint;
pub mod http;
pub mod invoices;
pub mod keys;
pub mod mail;
pub mod newsletter;
pub mod orders;
pub mod outbound;
pub mod payments;
pub mod promotions;
pub mod random;
pub mod readmodel;
pub mod search;
pub mod simulation;
pub mod sql;
mod sql_dsql;
pub mod sql_log;
mod sql_migrations;
mod sql_value;
pub mod staff;
pub mod tables;
pub mod tariffs;
pub mod telemetry;
pub mod users;

use crate::{
    background::Background,
    backup::Occupied,
    catalog::stock::Keeper,
    clock::Clock,
    config::Config,
    dynamo::Table,
    events::{Consumer, Dispatcher},
    http::{
        limits::Limits,
        pages::{ROOM, assets},
        render::Process,
        sitemap::Sitemap,
    },
    invoices::Bookkeeper,
    keys::Keys,
    mail::{MailQueue, Mailer},
    newsletter::Newsletter,
    orders::Orders,
    search::Index,
    sql::Db,
    staff::Throttle,
    users::{CartSettler, Carts},
};
use anyhow::Context as _;
use app::ports::Storefront;
use axum::Router;
use edge_pages::Pages;
use futures::future::BoxFuture;
use std::{sync::Arc, time::Duration};

/// What every handler may use.
#[derive(Clone)]
pub struct Shop {
    pub config: Arc<Config>,
    pub clock: Clock,
    pub keys: Arc<Keys>,
    pub db: Db,
    /// The read model, carts and accounts.
    pub table: Table,
    pub orders: Orders,
    pub newsletter: Newsletter,
    /// The public catalogue.
    pub storefront: Arc<dyn Storefront>,
    /// Computes lists.
    pub index: Arc<Index>,
    pub pages: Arc<Pages>,
    pub limits: Arc<Limits>,
    /// Attempts of staff to sign in.
    pub throttle: Arc<Throttle>,
    pub sitemap: Arc<Sitemap>,
    /// Keeps a restore out of the data folder.
    pub here: Arc<Occupied>,
}

impl Shop {
    /// The origin of the payment provider's page, where there is one.
    pub fn payment_origin(&self) -> Option<String> {
        self.orders.provider().origin()
    }
}

/// A wired shop: serve `router`, and stop `background` afterwards.
pub struct Built {
    pub router: Router,
    pub shop: Shop,
    pub background: Background,
}

/// Opens the stores, brings them up to date, starts the background tasks and mounts the routes. Boxed, so that all of it is compiled here and
/// not once more in every test.
pub fn build(config: Config, clock: Clock) -> BoxFuture<'static, anyhow::Result<Built>> {
    Box::pin(wire(config, clock))
}

/// How often the index looks at what other servers delivered. Lists that are computed from it may be some seconds old.
const FOLLOWS_EVERY: Duration = Duration::from_secs(1);

/// How often prices that began or ended by themselves are looked for. Pages show them at their instant; the history and what a market sells follow.
const PRICES_EVERY: Duration = Duration::from_millis(300);

/// How often refunds without a credit note are looked for: those that no event told of.
const BOOKS_EVERY: Duration = Duration::from_hours(1);

/// How often sign-ups for the newsletter that nobody confirmed are forgotten. Their links stop by the clock.
const FORGETS_EVERY: Duration = Duration::from_hours(1);

async fn wire(config: Config, clock: Clock) -> anyhow::Result<Built> {
    std::fs::create_dir_all(&config.data)
        .with_context(|| format!("creating {}; set NEXTGEN_DATA to a folder that can be written", config.data.display()))?;
    let here = Arc::new(Occupied::shared(&config.data)?);
    let config = Arc::new(config);
    let keys = Arc::new(Keys::open(&config.data)?);
    let db = Db::open(&config.database_url).await?;
    db.migrate().await?;
    let table = Table::open(&config.dynamodb, &config.dynamodb_table).await?;
    table.create_if_missing().await?;
    tariffs::seed(&db).await?;
    invoices::seed(&db).await?;
    catalog::first_start(&db, &clock, config.demo).await?;
    catalog::prices::catch_up(&db, &clock).await.context("recording which prices have begun or ended")?;
    let model = readmodel::open(db.clone(), table.clone(), clock.clone())?;
    model.projector.start().await.context("filling the read model")?;
    let storefront: Arc<dyn Storefront> = model.storefront;
    let index = model.index;
    let mut background = Background::new();
    if let Some(address) = config.dynamodb_listen {
        let served = table.clone();
        background.spawn("table-port", move |mut stop| async move {
            if let Err(error) = served.serve(address, async move { stop.requested().await }).await {
                tracing::error!(error = format!("{error:#}"), "the embedded table is not served");
            }
        });
    }
    let follower = model.projector.clone();
    background.every("index", FOLLOWS_EVERY, move || {
        let follower = follower.clone();
        async move {
            if let Err(error) = follower.catch_up().await {
                tracing::error!(error = format!("{error:#}"), "what other servers delivered could not be followed");
            }
        }
    });
    let carts = Carts::new(table.clone(), clock.clone(), keys.clone());
    let provider = payments::open(&config, &mut background).await?;
    let orders = Orders::new(db.clone(), clock.clone(), keys.clone(), provider, config.url.clone());
    let books = Bookkeeper::new(orders.clone());
    let consumers: Vec<Arc<dyn Consumer>> = vec![
        model.projector,
        Arc::new(CartSettler::new(db.clone(), carts)),
        Arc::new(MailQueue::new(db.clone(), clock.clone())),
        Arc::new(books.clone()),
    ];
    let dispatcher = Dispatcher::new(db.clone(), clock.clone(), consumers);
    background.spawn("dispatcher", |mut stop| dispatcher.run(async move { stop.requested().await }));
    background.every("invoices", BOOKS_EVERY, move || {
        let books = books.clone();
        async move {
            if let Err(error) = books.catch_up().await {
                tracing::error!(error = format!("{error:#}"), "missing credit notes could not be looked for");
            }
        }
    });
    background.spawn("orders", {
        let orders = orders.clone();
        move |stop| orders.run(stop)
    });
    background.spawn("stock", {
        let keeper = Keeper::new(db.clone(), clock.clone());
        move |stop| keeper.run(stop)
    });
    let looked_at = (db.clone(), clock.clone());
    background.every("prices", PRICES_EVERY, move || {
        let (db, clock) = looked_at.clone();
        async move {
            if let Err(error) = catalog::prices::catch_up(&db, &clock).await {
                tracing::error!(error = format!("{error:#}"), "prices that began or ended could not be recorded");
            }
            if let Err(error) = tariffs::versions::catch_up(&db, &clock).await {
                tracing::error!(error = format!("{error:#}"), "delivery methods that began could not be told of");
            }
        }
    });
    background.spawn("terms", {
        let db = db.clone();
        move |stop| catalog::terms::catch_up(db, stop)
    });
    let newsletter = Newsletter::new(db.clone(), clock.clone(), keys.clone(), config.url.clone());
    let mailer = Mailer::new(db.clone(), clock.clone(), orders.clone(), newsletter.clone(), storefront.clone(), &config)?;
    background.spawn("mail", |stop| mailer.run(stop));
    let list = newsletter.clone();
    background.every("newsletter", FORGETS_EVERY, move || {
        let list = list.clone();
        async move {
            if let Err(error) = list.sweep().await {
                tracing::error!(error = format!("{error:#}"), "sign-ups that nobody confirmed could not be forgotten");
            }
        }
    });
    let limits = Arc::new(Limits::new());
    let throttle = Arc::new(Throttle::new());
    let quiet = (Arc::clone(&limits), Arc::clone(&throttle));
    background.every("limits", Duration::from_mins(1), move || {
        quiet.0.forget_quiet();
        quiet.1.forget_quiet();
        std::future::ready(())
    });
    let expired = table.clone();
    background.every("table", Duration::from_hours(1), move || {
        let table = expired.clone();
        async move {
            if let Err(error) = table.sweep().await {
                tracing::warn!(error = format!("{error:#}"), "expired items were not removed");
            }
        }
    });
    let told = (db.clone(), clock.clone());
    background.every("outbox", Duration::from_hours(1), move || {
        let (db, clock) = told.clone();
        async move {
            if let Err(error) = events::prune(&db, clock.now()).await {
                tracing::warn!(error = format!("{error:#}"), "delivered events were not removed");
            }
        }
    });
    let machine = Arc::new(Process(clock.clone()));
    let pages = Arc::new(Pages::new(assets(&config.site), config.url.clone(), storefront.clone(), machine, ROOM));
    telemetry::metrics();
    let shop = Shop { config, clock, keys, db, table, orders, newsletter, storefront, index, pages, limits, throttle, sitemap: Arc::default(), here };
    let router = http::router(&shop);
    Ok(Built { router, shop, background })
}
