//! `nextgen bench`: what a page costs at the origin, in CPU time of the serving process, beside a plain handler that sends the same
//! bytes. It prints figures and never fails on slowness.

use crate::{
    Built, Shop, build,
    clock::Clock,
    config::{Config, Options, TestProvider},
    http,
    http::pages::Pages,
    outbound,
    simulation::{self, Rules},
};
use ::http::header;
use anyhow::{Context as _, bail};
use axum::{Router, response::IntoResponse as _, routing::get};
use bytes::Bytes;
use futures::future::BoxFuture;
use std::{net::SocketAddr, process::Stdio, sync::Arc};
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
/// Kernel ticks are counted in hundredths of a second on every Linux that Rust runs on (USER_HZ, proc(5)).
const TICK_MS: f64 = 10.0;

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

/// Measures a process of its own and prints what came out.
pub fn run() -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(measure())
}

/// The process that is measured: prints its three ports and serves until its input ends.
pub fn serve() -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(be_measured())
}

/// Lives simulated histories of the order core and prints how many a second there were and what happened in them. The first that breaks a
/// rule is the error.
pub fn histories(from: u64, seeds: u64) -> anyhow::Result<()> {
    let begun = tokio::time::Instant::now();
    let counts = simulation::many(from..from.saturating_add(seeds), Rules::OURS).map_err(|broken| anyhow::anyhow!("{broken}"))?;
    let took = begun.elapsed();
    for (what, count) in &counts {
        println!("{count:>12} {what}");
    }
    let each_second = u128::from(seeds) * 1_000 / took.as_millis().max(1);
    println!("{seeds} histories in {:.1} s, {each_second} a second: none of them broke a rule", took.as_secs_f64());
    Ok(())
}

async fn measure() -> anyhow::Result<()> {
    let program = std::env::current_exe().context("finding this program")?;
    let mut child = tokio::process::Command::new(program)
        .args(["bench", "--serve"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("starting the process to measure")?;
    let pid = child.id().context("the process to measure is gone")?;
    let mut lines = BufReader::new(child.stdout.take().context("its output")?).lines();
    let ports = lines.next_line().await?.context("the process to measure ended early")?;
    let ports: Vec<u16> = ports.split_whitespace().map(str::parse).collect::<Result<_, _>>().context("its ports")?;
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

async fn be_measured() -> anyhow::Result<()> {
    let data = tempfile::tempdir()?;
    let options = Options { data: Some(data.path().display().to_string()), ..Options::default() };
    let mut config = Config::checked(options, Options::default())?;
    config.rate_limits = false;
    config.test_provider = TestProvider::Off;
    let Built { router, shop, background } = build(config, Clock::system()).await?;
    let uncached = http::router(&Shop { pages: Arc::new(Pages::without_templates(&shop.config.site)), ..shop.clone() });
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

async fn open(router: Router) -> anyhow::Result<u16> {
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

/// User and system time of a process so far: fields 14 and 15 of `/proc/<pid>/stat` (proc(5)).
fn cpu_ms(pid: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).context("reading the CPU time of the process to measure")?;
    // The second field is the name in parentheses, which may contain anything.
    let (_, rest) = stat.rsplit_once(')').context("a stat line has a name")?;
    let mut fields = rest.split_whitespace().skip(11);
    let (Some(user), Some(system)) = (fields.next(), fields.next()) else { bail!("a stat line is too short") };
    Ok((user.parse::<f64>()? + system.parse::<f64>()?) * TICK_MS)
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
