//! The command line of `nextgen`: what it can be told, and what it ends with.

use crate::{
    Built, backup, bench, build,
    catalog::{
        self, import,
        prices::{self, command::PriceTask},
        stock,
    },
    clock::Clock,
    config::{Config, LogFormat, Options},
    coupons::{self, command::CouponTask},
    keys::Keys,
    newsletter::{self, Newsletter, command::NewsletterTask},
    payments::test_provider,
    promotions::{self, command::PromotionTask, customers::SegmentTask},
    sql::Db,
    staff,
    tariffs::{self, command::TaxTask},
    telemetry,
};
use anyhow::{Context as _, ensure};
use clap::{Parser, Subcommand};
use std::{net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

/// NextGen Commerce: a shop.
#[derive(Parser)]
#[command(name = "nextgen", version)]
struct Command {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    task: Option<Task>,
}

#[derive(Subcommand)]
enum Task {
    /// Serve the shop (this is also what happens without a command).
    Serve,
    /// Import products from a file, into a shop that runs or that does not. Ends with 0 when all rows were taken, 3 when some were refused, 1
    /// or 2 when nothing could be done.
    Import(import::Args),
    /// Save everything that is in the data folder into one file, also while the shop runs.
    Backup {
        /// The file to write, such as shop-2026-11-23.tar. It holds the shop's keys: guard it like them.
        file: PathBuf,
    },
    /// Put a backup in place of what is in the data folder of a stopped shop, keep that beside it, and compare with the payment provider.
    Restore {
        /// A file that `nextgen backup` wrote.
        file: PathBuf,
    },
    /// Accounts for the operator pages under /ops, of a shop that runs or that does not.
    Staff {
        #[command(subcommand)]
        task: staff::command::Task,
    },
    /// Say what locations keep back, and spread hot variants over several rows, of a shop that runs or that does not.
    Stock {
        #[command(subcommand)]
        task: stock::command::Task,
    },
    /// Discount codes: add one, make many, list them, end one. Works beside a running shop.
    #[command(subcommand)]
    Coupon(CouponTask),
    /// Taxes: which rates are in force, and where the shop collects them (nexus). Works beside a running shop.
    #[command(subcommand)]
    Tax(TaxTask),
    /// Prices: what stands for a variant, set one, plan one that begins or ends by itself, take one back. Works beside a running shop.
    #[command(subcommand)]
    Prices(PriceTask),
    /// Promotions, which need no code: add one, list them, end one. Works beside a running shop.
    #[command(subcommand)]
    Promotion(PromotionTask),
    /// Segments of customers that promotions and codes may be for. Works beside a running shop.
    #[command(subcommand)]
    Segment(SegmentTask),
    /// The newsletter's list: hand it over, forget an address. Works beside a running shop.
    #[command(subcommand)]
    Newsletter(NewsletterTask),
    /// Compare with the payment provider's ledger: what it captured or sent back and the shop does not know is taken over, and orders that a
    /// restored backup does not know are written again. The shop does the same by itself, once an hour. Ends with 3 when a payment belongs to
    /// no order.
    Reconcile {
        /// How far back to look, such as 2026-11-23T00:00:00Z [default: since the last time].
        #[arg(long)]
        since: Option<jiff::Timestamp>,
    },
    /// Serve the test payment provider alone; `serve` starts one by itself unless told otherwise. --addr says where it listens.
    TestProvider {
        /// End when standard input ends.
        #[arg(long)]
        with_parent: bool,
    },
    /// Measure what a page costs, beside a plain handler.
    #[command(hide = true)]
    Bench {
        /// Be the process that is measured.
        #[arg(long)]
        serve: bool,
        #[command(subcommand)]
        instead: Option<Figure>,
    },
}

/// What else can be measured.
#[derive(Subcommand)]
enum Figure {
    /// Live simulated histories of the order core, with crashes, losses and clocks that jump, and look for one that breaks it; one in
    /// a thousand is lived through SQL as well.
    Histories {
        /// How many.
        #[arg(long, default_value_t = 1_000_000)]
        seeds: u64,
        /// The first of them.
        #[arg(long, default_value_t = 0)]
        from: u64,
    },
    /// A cart of 20 lines, priced and explained with 50 promotions.
    Total,
    /// The place-order use case, beside pgbench where there is one.
    Orders(bench::Orders),
    /// Fill an empty shop (named by --data or --database-url) with products and orders, and time the operators' pages in it.
    Operators(bench::Operators),
}

/// How long requests under way may take after a signal.
const GRACE: Duration = Duration::from_secs(10);

/// Reads the command line and does what it says.
pub fn run() -> ExitCode {
    let command = Command::parse();
    let listen_on = command.options.addr.clone();
    let outcome = Config::read(command.options).and_then(|config| {
        let is_measured = matches!(command.task, Some(Task::Bench { .. }));
        telemetry::start_logging(config.log, if is_measured { "error" } else { &config.log_filter });
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
        runtime.block_on(async {
            match command.task {
                None | Some(Task::Serve) => Box::pin(serve(config)).await.map(|()| ExitCode::SUCCESS),
                Some(Task::Import(args)) => Box::pin(import_products(config, args)).await,
                Some(Task::Backup { file }) => backup::command::save(&config, &file).await,
                Some(Task::Restore { file }) => Box::pin(backup::command::restore(config, &file)).await,
                Some(Task::Staff { task }) => Box::pin(staff::command::run(config, task)).await.map(|()| ExitCode::SUCCESS),
                Some(Task::Stock { task }) => Box::pin(tell_stock(config, task)).await,
                Some(Task::Coupon(task)) => Box::pin(tend_coupons(config, task)).await.map(|()| ExitCode::SUCCESS),
                Some(Task::Tax(task)) => Box::pin(tend_taxes(config, task)).await.map(|()| ExitCode::SUCCESS),
                Some(Task::Prices(task)) => Box::pin(tend_prices(config, task)).await.map(|()| ExitCode::SUCCESS),
                Some(Task::Promotion(task)) => Box::pin(tend_promotions(config, task)).await.map(|()| ExitCode::SUCCESS),
                Some(Task::Segment(task)) => Box::pin(tend_segments(config, task)).await.map(|()| ExitCode::SUCCESS),
                Some(Task::Newsletter(task)) => Box::pin(tend_newsletter(config, task)).await.map(|()| ExitCode::SUCCESS),
                Some(Task::Reconcile { since }) => Box::pin(backup::command::reconcile(config, since)).await,
                Some(Task::TestProvider { with_parent }) => {
                    // NEXTGEN_ADDR is the shop's when the shop starts this: then the port of last time, or any, will do.
                    let addr = listen_on.filter(|_| !with_parent).map(|_| config.addr);
                    test_provider::run(test_provider::Args { data: config.data, addr, with_parent }).await.map(|()| ExitCode::SUCCESS)
                }
                Some(Task::Bench { instead: Some(Figure::Histories { seeds, from }), .. }) => {
                    bench::histories(from, seeds).await.map(|()| ExitCode::SUCCESS)
                }
                Some(Task::Bench { instead: Some(Figure::Total), .. }) => bench::run_total().map(|()| ExitCode::SUCCESS),
                Some(Task::Bench { instead: Some(Figure::Orders(args)), .. }) => bench::run_orders(args).await.map(|()| ExitCode::SUCCESS),
                Some(Task::Bench { instead: Some(Figure::Operators(options)), .. }) => {
                    bench::run_operators(config, options).await.map(|()| ExitCode::SUCCESS)
                }
                Some(Task::Bench { serve: false, .. }) => bench::run().await.map(|()| ExitCode::SUCCESS),
                Some(Task::Bench { serve: true, .. }) => bench::serve().await.map(|()| ExitCode::SUCCESS),
            }
        })
    });
    outcome.unwrap_or_else(|error| {
        eprintln!("nextgen: {error:#}");
        ExitCode::from(2)
    })
}

/// Writes SQL; a running shop takes a new code at once.
async fn tend_coupons(config: Config, task: CouponTask) -> anyhow::Result<()> {
    let clock = Clock::system();
    let (db, _here) = open_existing(&config, &clock).await?;
    coupons::command::run(&db, &clock, task).await
}

/// Writes SQL; a running shop reckons with it at once.
async fn tend_taxes(config: Config, task: TaxTask) -> anyhow::Result<()> {
    let clock = Clock::system();
    let (db, _here) = open_existing(&config, &clock).await?;
    tariffs::seed(&db).await?;
    println!("{}", tariffs::command::run(&db, &clock, task).await?);
    Ok(())
}

/// Writes SQL and the outbox; a running shop shows it within a second.
async fn tend_prices(config: Config, task: PriceTask) -> anyhow::Result<()> {
    let clock = Clock::system();
    let (db, _here) = open_existing(&config, &clock).await?;
    println!("{}", prices::command::run(&db, &clock, task).await?);
    Ok(())
}

/// Writes SQL; a running shop knows the next customer by it.
async fn tend_segments(config: Config, task: SegmentTask) -> anyhow::Result<()> {
    let clock = Clock::system();
    let (db, _here) = open_existing(&config, &clock).await?;
    println!("{}", promotions::customers::run(&db, &Keys::open(&config.data)?, &clock, task).await?);
    Ok(())
}

/// Reads or writes SQL, and the audit log.
async fn tend_newsletter(config: Config, task: NewsletterTask) -> anyhow::Result<()> {
    let clock = Clock::system();
    let (db, _here) = open_existing(&config, &clock).await?;
    let list = Newsletter::new(db, clock, Arc::new(Keys::open(&config.data)?), config.url);
    print!("{}", newsletter::command::run(&list, task).await?);
    Ok(())
}

/// Writes SQL; a running shop prices the next cart with it.
async fn tend_promotions(config: Config, task: PromotionTask) -> anyhow::Result<()> {
    let clock = Clock::system();
    let (db, _here) = open_existing(&config, &clock).await?;
    promotions::command::run(&db, &clock, task).await
}

/// The shop's database, brought up to date; a new shop gets its markets.
async fn open(config: &Config, clock: &Clock) -> anyhow::Result<(Db, backup::Occupied)> {
    std::fs::create_dir_all(&config.data).with_context(|| format!("creating {}", config.data.display()))?;
    let here = backup::Occupied::shared(&config.data)?;
    let db = Db::open(&config.database_url).await?;
    db.migrate().await?;
    catalog::first_start(&db, clock, config.demo).await?;
    Ok((db, here))
}

/// The same for a shop that is there: whoever mistypes its place is told so, instead of being shown a new and empty one.
async fn open_existing(config: &Config, clock: &Clock) -> anyhow::Result<(Db, backup::Occupied)> {
    ensure!(Db::holds_a_shop(&config.database_url).await?, "there is no shop in {}: --data or --database-url says where it is", config.database());
    open(config, clock).await
}

/// Writes SQL and the outbox; a running shop shows what changed within a second.
async fn import_products(config: Config, args: import::Args) -> anyhow::Result<ExitCode> {
    let clock = Clock::system();
    let (db, _here) = open(&config, &clock).await?;
    let report = import::run(&db, &clock, &config.data, &args).await?;
    println!("{report}");
    Ok(ExitCode::from(report.exit_code()))
}

/// A running shop shows what changed within a second, as after an import.
async fn tell_stock(config: Config, task: stock::command::Task) -> anyhow::Result<ExitCode> {
    let clock = Clock::system();
    let (db, _here) = open_existing(&config, &clock).await?;
    println!("{}", stock::command::run(&db, &clock, task).await?);
    Ok(ExitCode::SUCCESS)
}

/// Serves until SIGTERM or SIGINT, then finishes what is under way.
async fn serve(config: Config) -> anyhow::Result<()> {
    let (addr, url, log) = (config.addr, config.url.clone(), config.log);
    let listener = tokio::net::TcpListener::bind(addr)
        .await
        .with_context(|| format!("{addr} cannot be listened on: set NEXTGEN_ADDR to a free address, or stop what is listening there"))?;
    let Built { router, background, .. } = build(config, Clock::system()).await?;
    if addr.ip().is_unspecified() && ["://127.0.0.1:", "://[::1]:"].iter().any(|loopback| url.contains(loopback)) {
        tracing::warn!("forms are taken from {url} only: set NEXTGEN_URL to the address that shoppers type");
    }
    match log {
        LogFormat::Lines => println!("The shop is open at {url}"),
        LogFormat::Json => tracing::info!(%addr, %url, "the shop is open"),
    }
    let (stopping, mut stopped) = tokio::sync::watch::channel(false);
    let server = axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).with_graceful_shutdown(async move {
        signal().await;
        tracing::info!("finishing what is under way");
        stopping.send_replace(true);
    });
    tokio::select! {
        served = async { server.await } => served.context("serving")?,
        () = async {
            let _ = stopped.wait_for(|stop| *stop).await;
            tokio::time::sleep(GRACE).await;
        } => tracing::warn!("some requests were cut off"),
    }
    background.stop().await;
    Ok(())
}

async fn signal() {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).expect("signals can be listened to");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
