//! What a page costs at the origin, in CPU time of the serving process, beside a plain handler that sends the same
//! bytes. It prints figures and never fails on slowness.

use super::{Measured, cpu_ms, median};
use crate::{
    Built, Shop, build,
    catalog::stock::{self, Item},
    clock::Clock,
    config::{Config, Options, TestProvider},
    http, outbound, params,
};
use ::http::header;
use anyhow::Context as _;
use axum::{Router, response::IntoResponse as _, routing::get};
use bytes::Bytes;
use edge_pages::pages::Room;
use std::{net::SocketAddr, path::Path, sync::Arc};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
};

/// Rounds: in each, everything is measured once, one after the other, so that a busy moment hits all alike.
const ROUNDS: usize = 5;
/// Requests at once.
const CLIENTS: usize = 8;
/// The list that is measured: everything the demo sells, of which a page shows 24.
const PAGE: &str = "/en-us/all";
/// What is measured: its name, how it is asked for and how often a round.
struct Case {
    name: &'static str,
    port: usize,
    compressed: bool,
    requests: usize,
}

/// 0: templates kept, 1: no template kept, 2: a plain handler.
const CASES: [Case; 4] = [
    Case { name: "plain axum handler, the same bytes", port: 2, compressed: false, requests: 10_000 },
    Case { name: "cached page, holes filled", port: 0, compressed: false, requests: 10_000 },
    Case { name: "uncached page of 24 products", port: 1, compressed: false, requests: 1_000 },
    Case { name: "cached page, compressed (br)", port: 0, compressed: true, requests: 2_000 },
];

pub(super) async fn measure() -> anyhow::Result<()> {
    let Measured { mut child, pid, ports } = Measured::start().await?;
    println!("one page of 24 products ({PAGE}), {CLIENTS} connections, HTTP/1.1 on the loopback, CPU time of the serving process only");
    println!("caches: templates on for the cached page, off for the uncached one; hot reads (documents 1 s, live values 200 ms) on for both");
    println!("logs: warnings only; rate limits: off; table and SQL: embedded");
    let mut figures = vec![Vec::new(); CASES.len()];
    let mut bytes = vec![0; CASES.len()];
    for _ in 0..ROUNDS {
        for (at, case) in CASES.iter().enumerate() {
            let port = *ports.get(case.port).context("three ports")?;
            load(port, case.compressed, case.requests / 20).await?;
            let before = cpu_ms(pid)?;
            bytes[at] = load(port, case.compressed, case.requests).await?;
            #[expect(clippy::cast_precision_loss, reason = "a number of requests is small")]
            figures[at].push((cpu_ms(pid)? - before) / case.requests as f64);
        }
    }
    println!("{:<38} {:>10} {:>12}   rounds", "CPU-ms per request", "median", "bytes sent");
    for ((case, figures), bytes) in CASES.iter().zip(&mut figures).zip(bytes) {
        let rounds: Vec<_> = figures.iter().map(|figure| format!("{figure:.3}")).collect();
        println!("{:<38} {:>10.3} {bytes:>12}   {}", case.name, median(figures), rounds.join(" "));
    }
    let (plain, cached, uncached) = (median(&mut figures[0]), median(&mut figures[1]), median(&mut figures[2]));
    println!("cached page: {:.0} % of the plain handler's requests per CPU-second (aim: 50 % or more)", 100.0 * plain / cached);
    println!("uncached page: {uncached:.2} CPU-ms (aim: 1.00 or less)");
    drop(child.stdin.take());
    child.wait().await?;
    Ok(())
}

pub(super) async fn be_measured() -> anyhow::Result<()> {
    let data = tempfile::tempdir()?;
    let Built { router, shop, background } = measured_shop(data.path()).await?;
    let uncached = http::router(&Shop { pages: Arc::new(shop.pages.with_room(Room { templates_max: 0, bytes_max: 0 })), ..shop.clone() });
    let mut ports = Vec::new();
    ports.push(open(router).await?);
    ports.push(open(uncached).await?);
    let page = outbound::client(std::time::Duration::from_secs(30))
        .build()?
        .get(format!("http://127.0.0.1:{}{PAGE}", ports[0]))
        .send()
        .await?
        .error_for_status()?;
    let page: Bytes = page.bytes().await?;
    let plain = move || {
        let page = page.clone();
        async move { ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response() }
    };
    ports.push(open(Router::new().route(PAGE, get(plain))).await?);
    let line: Vec<_> = ports.iter().map(ToString::to_string).collect();
    tokio::io::stdout().write_all(format!("{}\n", line.join(" ")).as_bytes()).await?;
    tokio::io::stdout().flush().await?;
    let mut input = BufReader::new(tokio::io::stdin()).lines();
    while input.next_line().await?.is_some() {}
    background.stop().await;
    data.close().context("removing the measured shop's data")
}

/// Of which the measured shop has many.
pub(super) const PRODUCT: &str = "insulated-bottle";
/// Where it lies, and how many of each colour are added.
const PLENTY: (&str, i64) = ("rotterdam", 1_000);

/// The demo's shop, whom no rate limit and no payment provider keeps waiting, with plenty of one product.
pub(super) async fn measured_shop(data: &Path) -> anyhow::Result<Built> {
    let options = Options { data: Some(data.display().to_string()), ..Options::default() };
    let mut config = Config::checked(options, Options::default())?;
    config.rate_limits = false;
    config.test_provider = TestProvider::Off;
    let built = build(config, Clock::system()).await?;
    let (db, clock) = (built.shop.db.clone(), built.shop.clock.clone());
    db.transact::<_, anyhow::Error>(|tx| {
        let clock = clock.clone();
        Box::pin(async move {
            let variants = "SELECT v.id, v.product_id FROM variants v JOIN products p ON p.id = v.product_id WHERE p.handle = $1";
            for row in tx.all(variants, params![PRODUCT]).await? {
                let item = Item { product: row.parse("product_id")?, variant: row.parse("id")? };
                stock::adjust(tx, &clock, item, PLENTY.0, PLENTY.1, "bench", "bench").await?;
            }
            Ok(())
        })
    })
    .await?;
    Ok(built)
}

pub(super) async fn open(router: Router) -> anyhow::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move { axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await });
    Ok(port)
}

/// Asks for the page again and again; how many bytes a body had.
async fn load(port: u16, compressed: bool, requests: usize) -> anyhow::Result<usize> {
    let client = outbound::client(std::time::Duration::from_secs(30)).build()?;
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let client = client.clone();
        clients.push(tokio::spawn(async move {
            let mut bytes = 0;
            for _ in 0..requests.div_ceil(CLIENTS) {
                let mut request = client.get(format!("http://127.0.0.1:{port}{PAGE}"));
                if compressed {
                    request = request.header(header::ACCEPT_ENCODING, "br");
                }
                bytes = request.send().await?.error_for_status()?.bytes().await?.len();
            }
            anyhow::Ok(bytes)
        }));
    }
    let mut bytes = 0;
    for client in clients {
        bytes = client.await??;
    }
    Ok(bytes)
}
