//! How fast orders are placed: the use case in process on SQLite and on PostgreSQL, there beside pgbench with the very same statements in
//! the same run, and what an order costs over HTTP. After each run the books are checked.

use super::{
    Measured,
    buyers::{House, SCARCE, SCARCE_PIECES, VARIANTS},
    cpu_ms, median,
    pages::PRODUCT,
    pgbench::Script,
};
use crate::{clock::Clock, orders::PlaceOrderError, outbound};
use anyhow::{Context as _, ensure};
use app::routes::{Action, Address, Route};
use domain::locale::Locale;
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Buyers at once.
const BUYERS: [u32; 3] = [1, 8, 32];
/// Rounds: in each, everything is measured once, one after the other, so that a busy moment hits all alike.
const ROUNDS: usize = 3;
/// Seconds a figure.
const SECONDS: u32 = 3;
/// Rows that a hot variant is spread over, as the shop does by itself.
const BUCKETS: u32 = 16;
/// Orders over HTTP.
const OVER_HTTP: usize = 200;
/// The share of pgbench's orders a second that is aimed at when buyers spread.
const AIM: f64 = 70.0;

/// What `nextgen bench orders` is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// An empty PostgreSQL database to measure on, as a URL; without it only SQLite is measured.
    #[arg(long)]
    postgres: Option<String>,
    /// pgbench, to drive the same statements there.
    #[arg(long, requires = "postgres")]
    pgbench: Option<PathBuf>,
}

pub(super) async fn measure(args: Args) -> anyhow::Result<()> {
    println!("one order of one piece, new customer, no payment provider; {SECONDS} s a figure, median of {ROUNDS} rounds; orders a second");
    println!("{:<12} {:<12} {:>6} {:>10} {:>10} {:>8} {:>8}", "engine", "variants", "buyers", "in process", "pgbench", "share", "books");
    let folder = tempfile::tempdir()?;
    let sqlite = format!("sqlite:{}", folder.path().join("bench.db").display());
    on(&House::open(&sqlite, folder.path()).await?, "SQLite", None).await?;
    if let Some(url) = &args.postgres {
        let house = House::open(url, folder.path()).await?;
        on(&house, "PostgreSQL", args.pgbench.as_ref().map(|program| (program, url.as_str()))).await?;
    }
    over_http().await
}

/// Measures one engine, and prints a line for each number of buyers.
async fn on(house: &House, engine: &str, pgbench: Option<(&PathBuf, &str)>) -> anyhow::Result<()> {
    let house = Arc::new(house.clone());
    for (name, variants) in [("spread", VARIANTS), ("one, hot", 1)] {
        let script = Script::record(&house, variants).await?;
        let mut missed = Vec::new();
        for buyers in BUYERS {
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                if let Some((program, url)) = pgbench {
                    theirs.push(script.drive(program, url, buyers, SECONDS).await?);
                }
                ours.push(place(&house, buyers, variants).await?);
            }
            house.check().await?;
            let (ours, theirs) = (median(&mut ours), median(&mut theirs));
            let share = 100.0 * ours / theirs;
            if share < AIM {
                missed.push(buyers.to_string());
            }
            let share = if share.is_nan() { String::new() } else { format!("{share:.0} %") };
            let theirs = if theirs.is_nan() { String::new() } else { format!("{theirs:.0}") };
            println!("{engine:<12} {name:<12} {buyers:>6} {ours:>10.0} {theirs:>10} {share:>8} {:>8}", "balance");
        }
        if variants > 1 && pgbench.is_some() {
            let missed = if missed.is_empty() { "reached".to_owned() } else { format!("missed at {} buyers", missed.join(", ")) };
            println!("             {} statements an order; aim when spread: {AIM:.0} % of pgbench, {missed}", script.statements);
        }
    }
    house.spread(0, BUCKETS).await?;
    for buyers in BUYERS {
        let mut ours = Vec::new();
        for _ in 0..ROUNDS {
            ours.push(place(&house, buyers, 1).await?);
        }
        house.check().await?;
        println!("{engine:<12} {:<12} {buyers:>6} {:>10.0} {:>10} {:>8} {:>8}", "hot, 16 rows", median(&mut ours), "", "", "balance");
    }
    sell_out(&house, engine).await
}

/// A crowd wants more than there is: every piece goes, and no order gets one that is not there.
async fn sell_out(house: &Arc<House>, engine: &str) -> anyhow::Result<()> {
    let buyers = BUYERS[BUYERS.len() - 1];
    let buying: Vec<_> = (0..buyers)
        .map(|_| {
            let house = house.clone();
            tokio::spawn(async move {
                let mut placed = 0_u32;
                loop {
                    match Box::pin(house.buy(SCARCE)).await {
                        Ok(()) => placed += 1,
                        Err(PlaceOrderError::OutOfStock(_)) => return Ok::<_, PlaceOrderError>(placed),
                        Err(error) => return Err(error),
                    }
                }
            })
        })
        .collect();
    let mut placed = 0;
    for buyer in buying {
        placed += buyer.await??;
    }
    ensure!(placed == SCARCE_PIECES, "{placed} of {SCARCE_PIECES} pieces were sold");
    house.check().await?;
    println!("{engine:<12} {buyers} buyers and {SCARCE_PIECES} pieces: {placed} orders, then all are told that nothing is left");
    Ok(())
}

/// Orders a second with so many buyers, each with one order under way.
async fn place(house: &Arc<House>, buyers: u32, variants: u64) -> anyhow::Result<f64> {
    let next = Arc::new(AtomicU64::new(0));
    let clock = Clock::system();
    let began = clock.now();
    let until = began + i64::from(SECONDS) * 1_000_000;
    let buying: Vec<_> = (0..buyers)
        .map(|_| {
            let (house, next, clock) = (house.clone(), next.clone(), clock.clone());
            tokio::spawn(async move {
                let mut placed = 0_u32;
                while clock.now() < until {
                    // Steps through the variants in an order that does not follow their ids.
                    let number = next.fetch_add(1, Ordering::Relaxed).wrapping_mul(7_919) % variants;
                    Box::pin(house.buy(number)).await?;
                    placed += 1;
                }
                Ok::<_, PlaceOrderError>(placed)
            })
        })
        .collect();
    let mut placed = 0;
    for buyer in buying {
        placed += buyer.await??;
    }
    let took_us = clock.now() - began;
    #[expect(clippy::cast_precision_loss, reason = "microseconds of a few seconds")]
    let seconds = took_us as f64 / 1e6;
    Ok(f64::from(placed) / seconds)
}

/// What the last form of the checkout costs, in CPU time of the serving process.
async fn over_http() -> anyhow::Result<()> {
    let Measured { mut child, pid, ports } = Measured::start().await?;
    let shop = format!("http://127.0.0.1:{}", ports.first().context("a port")?);
    let mut shoppers = Vec::with_capacity(OVER_HTTP);
    for _ in 0..OVER_HTTP {
        shoppers.push(Shopper::at_the_till(&shop).await?);
    }
    let before = cpu_ms(pid)?;
    for shopper in &shoppers {
        shopper.order(&shop).await?;
    }
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    let cost = (cpu_ms(pid)? - before) / OVER_HTTP as f64;
    println!(
        "over HTTP (SQLite, {OVER_HTTP} orders): {cost:.2} CPU-ms per order in the serving process, all of it: session, cart, prices, order, events"
    );
    drop(child.stdin.take());
    child.wait().await?;
    Ok(())
}

/// Somebody with a browser, and the checkout's form as they send it.
struct Shopper {
    client: reqwest::Client,
    form: Vec<(String, String)>,
}

impl Shopper {
    /// Puts one piece into a new cart and fills in the checkout.
    async fn at_the_till(shop: &str) -> anyhow::Result<Self> {
        let client = outbound::client(Duration::from_secs(30)).redirect(reqwest::redirect::Policy::none()).cookie_store(true).build()?;
        let product = address(Route::Product { slug: PRODUCT.to_owned(), selection: BTreeMap::new() });
        let page = client.get(format!("{shop}{product}")).send().await?.error_for_status()?.text().await?;
        let add = Action::AddLine.url(locale());
        let form = fields(&page, &add).with_context(|| format!("{product} has a form"))?;
        let added = client.post(format!("{shop}{add}")).form(&form).send().await?;
        ensure!(added.status() == 303, "adding answers {}", added.status());
        let page = client.get(format!("{shop}{}", address(Route::Checkout))).send().await?.error_for_status()?.text().await?;
        let mut form = fields(&page, &Action::PlaceOrder.url(locale())).context("the checkout has a form")?;
        for (name, value) in ADDRESS {
            form.retain(|(known, _)| known != name);
            form.push(((*name).to_owned(), (*value).to_owned()));
        }
        Ok(Self { client, form })
    }

    /// Sends the checkout's form; the path of the order's page.
    async fn order(&self, shop: &str) -> anyhow::Result<String> {
        let placed = self.client.post(format!("{shop}{}", Action::PlaceOrder.url(locale()))).form(&self.form).send().await?;
        let to = placed.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or_default();
        let path = to.strip_prefix(shop).unwrap_or(to);
        let is_order = Address::parse(path, "").is_some_and(|address| matches!(address.route, Route::Order { .. }));
        ensure!(placed.status() == 303 && is_order, "the checkout answers {} {to}", placed.status());
        Ok(path.to_owned())
    }
}

fn locale() -> Locale {
    "de-de".parse().expect("a language and a country")
}

fn address(route: Route) -> String {
    Address::new(locale(), route).url()
}

const ADDRESS: &[(&str, &str)] = &[
    ("intent", "place"),
    ("method", "standard"),
    ("email", "ada@example.com"),
    ("delivery_country", "DE"),
    ("delivery_name", "Ada Lovelace"),
    ("delivery_line1", "Ackerstraße 12"),
    ("delivery_postcode", "10115"),
    ("delivery_city", "Berlin"),
];

/// The hidden and chosen fields of the form with this action.
fn fields(page: &str, action: &str) -> Option<Vec<(String, String)>> {
    let at = page.find(&format!("action=\"{action}\""))?;
    let form = &page[page[..at].rfind("<form")?..];
    let form = &form[..form.find("</form>")?];
    let value = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!("{name}=\""))?;
        rest.split_once('"').map(|(value, _)| value.to_owned())
    };
    let mut found = Vec::new();
    for tag in form.split("<input").skip(1) {
        let tag = &tag[..tag.find('>')?];
        let is_chosen = match value(tag, "type").as_deref() {
            Some("radio" | "checkbox") => tag.contains(" checked"),
            Some("hidden" | "number") => true,
            _ => false,
        };
        if let (true, Some(name), Some(value)) = (is_chosen, value(tag, " name"), value(tag, "value")) {
            found.push((name, value));
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{bench::pages, params};

    #[tokio::test]
    async fn a_shopper_of_the_figures_places_an_order() -> anyhow::Result<()> {
        let data = tempfile::tempdir()?;
        let built = pages::measured_shop(data.path()).await?;
        let shop = format!("http://127.0.0.1:{}", pages::open(built.router).await?);
        let shopper = Shopper::at_the_till(&shop).await?;
        let path = shopper.order(&shop).await?;
        let page = shopper.client.get(format!("{shop}{path}")).send().await?.error_for_status()?.text().await?;
        assert!(page.contains("NG-"), "an order with a number");
        assert_eq!(shopper.order(&shop).await?, path, "sent again it is the same order");
        let orders = built.shop.db.first("SELECT COUNT(*) AS n FROM orders", params![]).await?.context("a count")?.int("n")?;
        assert_eq!(orders, 1);
        built.background.stop().await;
        Ok(())
    }
}
