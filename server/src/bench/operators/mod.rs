//! `nextgen bench operators`: a made-up shop of any size, and how long each list of the operators' pages takes in it, beside `/healthz`, with the
//! plans of their statements. It prints figures and fails only on wrong answers.

mod draw;
mod fill_orders;
mod fill_products;
mod patterns;
mod plans;
mod rows;

use super::pages::open;
use crate::{
    Built, Shop, build,
    clock::Clock,
    config::{Config, TestProvider},
    orders::lists,
    outbound, params,
    sql::Db,
    staff::{Actor, accounts, passwords},
};
use anyhow::{Context as _, bail, ensure};
use domain::staff::{Role, Roles};
use draw::{Fate, Size};
use http::header;
use rows::Indexes;
use std::time::Duration;
use tokio::time::Instant;

/// What `shop_settings` calls a shop that this made, with its size: no other shop is filled.
const MADE_UP: &str = "made up";
const EMAIL: &str = "bench@example.com";
const PASSWORD: &str = "seven green umbrellas";
/// The longest that a page may take, in milliseconds.
const AIM_MS: f64 = 300.0;

/// How large a shop, and how often each page is asked for.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Options {
    /// Products, each with one variant.
    #[arg(long, default_value_t = 1_000_000)]
    products: u64,
    /// Orders, spread over two years.
    #[arg(long, default_value_t = 1_000_000)]
    orders: u64,
    /// Which of all such shops.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Requests of each page.
    #[arg(long, default_value_t = 20)]
    requests: usize,
}

pub async fn measure(mut config: Config, options: Options) -> anyhow::Result<()> {
    config.demo = true;
    config.rate_limits = false;
    config.test_provider = TestProvider::Off;
    let clock = Clock::system();
    let Built { router, shop, background } = build(config, clock.clone()).await?;
    settled(&shop).await?;
    // What follows shall not be disturbed by what tends a living shop.
    background.stop().await;
    let size = fill(&shop, options).await?;
    let port = open(router.clone()).await?;
    let cookie = sign_in(&shop, port).await?;
    let asked = ask(&shop, port, &cookie, size, options.requests).await;
    let one = format!("/ops/orders/{}", size.number(fill_orders::storied(size)));
    let mut pages = Vec::new();
    for (name, path) in [("one order", one.as_str()), ("log of changes", "/ops/audit")] {
        pages.push((name, plans::said(&router, path, &cookie).await?));
    }
    plans::print(&shop.db, &pages).await?;
    asked
}

/// Waits until the background has caught up with the empty shop, so that it has nothing to do with the full one.
async fn settled(shop: &Shop) -> anyhow::Result<()> {
    for _ in 0..600 {
        let rows =
            shop.db.all("SELECT name FROM shop_settings WHERE name IN ('catalog_terms', 'order tokens') AND value IN ('done', 'all')", params![]);
        if rows.await?.len() == 2 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("the shop is not ready after a minute")
}

async fn fill(shop: &Shop, options: Options) -> anyhow::Result<Size> {
    let known = shop.db.first("SELECT value FROM shop_settings WHERE name = $1", params![MADE_UP]).await?;
    if let Some(row) = known {
        let text = row.text("value")?;
        let figures: Vec<i64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        let [products, orders, seed, now] = figures[..] else { bail!("the shop was not filled to its end: begin with an empty one") };
        let size = Size { products: products.unsigned_abs(), orders: orders.unsigned_abs(), seed: seed.unsigned_abs(), now };
        println!("{} products and {} orders are there already (seed {})", size.products, size.orders, size.seed);
        return Ok(size);
    }
    ensure!(
        shop.db.first("SELECT id FROM orders LIMIT 1", params![]).await?.is_none(),
        "this shop has orders of its own: name an empty one with --data or --database-url"
    );
    set(&shop.db, "filling").await?;
    let size = Size { products: options.products, orders: options.orders, seed: options.seed, now: shop.clock.now() };
    let (patterns, locations) = patterns::place(shop).await?;
    let begun = Instant::now();
    let indexes = Indexes::put_off(&shop.db).await?;
    fill_products::fill(&shop.db, size, locations).await?;
    println!("{} products in {:.0} s", size.products, begun.elapsed().as_secs_f64());
    let begun = Instant::now();
    fill_orders::fill(&shop.orders, size, patterns).await?;
    println!("{} orders in {:.0} s", size.orders, begun.elapsed().as_secs_f64());
    let begun = Instant::now();
    indexes.catch_up(&shop.db).await?;
    analyze(&shop.db).await?;
    println!("indexes in {:.0} s", begun.elapsed().as_secs_f64());
    let hash = passwords::hash(PASSWORD.to_owned()).await?;
    accounts::add(&shop.db, &shop.clock, Actor::CommandLine, EMAIL, &Roles::from_iter([Role::Admin]), &hash, false).await?;
    set(&shop.db, &format!("{} {} {} {}", size.products, size.orders, size.seed, size.now)).await?;
    Ok(size)
}

async fn set(db: &Db, value: &str) -> anyhow::Result<()> {
    let sql = "INSERT INTO shop_settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    db.transact::<_, sqlx::Error>(|tx| {
        let value = value.to_owned();
        Box::pin(async move { tx.execute(sql, params![MADE_UP, value]).await })
    })
    .await?;
    Ok(())
}

/// PostgreSQL plans by what it knows of the tables, and gets to know them by itself only after a while. SQLite goes without, as it does in a shop.
async fn analyze(db: &Db) -> anyhow::Result<()> {
    if matches!(db, Db::Postgres { .. }) {
        db.transact::<_, sqlx::Error>(|tx| Box::pin(tx.execute("ANALYZE", params![]))).await?;
    }
    Ok(())
}

/// The pages, by name.
async fn pages(shop: &Shop, size: Size) -> anyhow::Result<Vec<(String, String)>> {
    let some = size.orders / 3;
    let sent = (some..size.orders).find(|order| size.fate(*order) == Fate::Delivered).unwrap_or(some);
    let customer = size.customer(sent);
    let query = |pairs: &[(&str, &str)]| url::form_urlencoded::Serializer::new("/ops/orders?".to_owned()).extend_pairs(pairs).finish();
    let find = |text: &str| url::form_urlencoded::Serializer::new("/ops/orders?".to_owned()).append_pair("q", text).finish();
    let day = |before: i64| {
        let at = jiff::Timestamp::from_microsecond(size.now - before * 24 * 3_600 * 1_000_000);
        at.map(|at| at.to_zoned(jiff::tz::TimeZone::UTC).date().to_string())
    };
    let (from, to) = (day(400)?, day(370)?);
    let (deep, oldest) = (lists::Key { at: size.placed_at(some), id: size.order(some) }.to_string(), size.product(size.products / 2));
    let word = size.title(size.products / 2).split(' ').nth(2).unwrap_or_default().to_owned();
    let mut all = vec![("healthz".to_owned(), "/healthz".to_owned()), ("home".to_owned(), "/ops".to_owned())];
    let mut add = |name: &str, url: String| all.push((name.to_owned(), url));
    add("all orders", "/ops/orders".to_owned());
    add("all orders, a page deep in them", query(&[("after", &deep)]));
    for (word, ..) in app::staff::orders::WAITS {
        add(&format!("waits: {word}"), query(&[("waits", word)]));
        add(&format!("waits: {word}, in DE"), query(&[("waits", word), ("market", "DE")]));
    }
    add("waits: ship, deep", query(&[("waits", "ship"), ("after", &deep)]));
    for (state, ..) in app::staff::orders::STATES {
        add(&format!("state: {state}"), query(&[("state", state)]));
    }
    add("market", query(&[("market", "DE")]));
    add("market, deep", query(&[("market", "DE"), ("after", &deep)]));
    add("days", query(&[("from", &from), ("to", &to)]));
    add("state and market and days", query(&[("state", "delivered"), ("market", "FR"), ("from", &from), ("to", &to)]));
    add("a state with nothing in it, and days", query(&[("state", "packing"), ("from", &from), ("to", &to)]));
    add("state, deep", query(&[("state", "delivered"), ("after", &deep)]));
    add("by number", find(&size.number(some).to_string()));
    add("by email", find(Size::email(customer).as_str()));
    add("by phone", find(Size::phone(customer).as_str()));
    add("by postcode", find(&Size::postcode(customer)));
    add("by SKU of many", find(&Size::sku(1)));
    add("by tracking", find(&Size::tracking(sent)));
    add("by nothing that is there", find("nothing at all"));
    add("one order", format!("/ops/orders/{}", size.number(sent)));
    add("one order with a long story", format!("/ops/orders/{}", size.number(fill_orders::storied(size))));
    add("queue of shipping", "/ops/orders/ship".to_owned());
    let open: Vec<String> =
        (0..size.orders).rev().filter(|order| size.fate(*order) == Fate::Open).take(50).map(|order| size.number(order).to_string()).collect();
    let chosen: Vec<(&str, &str)> = open.iter().map(|number| ("order", number.as_str())).collect();
    for (name, path) in [("pick list of 50", app::staff::ship::PICKS), ("packing slips of 50", app::staff::ship::SLIPS)] {
        add(name, url::form_urlencoded::Serializer::new(format!("{path}?")).extend_pairs(&chosen).finish());
    }
    let stock = |text: &str| url::form_urlencoded::Serializer::new("/ops/stock?".to_owned()).append_pair("q", text).finish();
    add("stock", "/ops/stock".to_owned());
    add("stock by SKU", stock(&Size::sku(size.products / 2)));
    add("stock by the beginning of many SKUs", stock("tote"));
    add("stock by a word of many titles", stock(&word));
    add("stock by one letter", stock("s"));
    add("stock by nothing that is there", stock("zzzz"));
    let variant = shop.db.first("SELECT id FROM variants WHERE product_id = $1", params![oldest]).await?.context("a product of the made-up shop")?;
    add("stock of a variant", format!("/ops/stock/{}", variant.text("id")?));
    add("log of changes", "/ops/audit".to_owned());
    Ok(all)
}

/// The cookie of somebody who may see everything.
async fn sign_in(shop: &Shop, port: u16) -> anyhow::Result<String> {
    let client = outbound::client(Duration::from_mins(2)).redirect(reqwest::redirect::Policy::none()).build()?;
    let form = [("email", EMAIL), ("password", PASSWORD)];
    let answer = client
        .post(format!("http://127.0.0.1:{port}/ops/sign-in"))
        .header(header::ORIGIN, &*shop.config.url)
        .header("sec-fetch-site", "same-origin")
        .form(&form)
        .send()
        .await?;
    let cookie =
        answer.headers().get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok()?.split(';').next()).collect::<Vec<_>>().join("; ");
    ensure!(answer.status() == 303 && !cookie.is_empty(), "signing in: {}", answer.status());
    Ok(cookie)
}

async fn ask(shop: &Shop, port: u16, cookie: &str, size: Size, requests: usize) -> anyhow::Result<()> {
    let base = format!("http://127.0.0.1:{port}");
    let client = outbound::client(Duration::from_mins(2)).redirect(reqwest::redirect::Policy::none()).build()?;
    println!("{:<42} {:>9} {:>9} {:>9} {:>8}", "milliseconds", "first", "median", "worst", "answer");
    let mut slow = Vec::new();
    for (name, path) in pages(shop, size).await? {
        let (mut took, mut status) = (Vec::new(), 0);
        for _ in 0..requests.max(1) {
            let begun = Instant::now();
            let answer = client.get(format!("{base}{path}")).header(header::COOKIE, cookie).send().await?;
            status = answer.status().as_u16();
            ensure!(matches!(status, 200 | 303), "{name}: {path} answers {status}");
            answer.bytes().await?;
            took.push(begun.elapsed().as_secs_f64() * 1_000.0);
        }
        let first = took[0];
        took.sort_by(f64::total_cmp);
        let (median, worst) = (took[took.len() / 2], took[took.len() - 1]);
        println!("{name:<42} {first:>9.1} {median:>9.1} {worst:>9.1} {status:>8}");
        if worst > AIM_MS {
            slow.push(name);
        }
    }
    let told = if slow.is_empty() { "none".to_owned() } else { slow.join(", ") };
    println!("slower than {AIM_MS} ms: {told}");
    Ok(())
}
