//! The binary as processes: what it refuses and says at its start, that a signal lets requests under way finish, and that an import beside
//! a running shop is soon on its pages.

use crate::support;
use anyhow::Context as _;
use std::{io::Write as _, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

fn nextgen(data: &std::path::Path) -> Command {
    let mut command = Command::new(support::nextgen());
    command.env_remove("DATABASE_URL").env("NEXTGEN_DATA", data).env("NEXTGEN_TEST_PROVIDER", "off");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

#[tokio::test]
async fn a_bad_configuration_stops_the_start_with_one_sentence() -> anyhow::Result<()> {
    let data = tempfile::tempdir()?;
    let taken = TcpListener::bind("127.0.0.1:0").await?;
    let (taken, file) = (taken.local_addr()?.to_string(), data.path().join("shop.toml"));
    std::fs::write(&file, "adress = '127.0.0.1:0'")?;
    let file = file.display().to_string();
    for (name, value, says) in [
        ("NEXTGEN_ADDR", "3000", "NEXTGEN_ADDR"),
        ("NEXTGEN_ADDR", taken.as_str(), "NEXTGEN_ADDR"),
        ("NEXTGEN_URL", "shop.example", "NEXTGEN_URL"),
        ("NEXTGEN_DEMO", "maybe", "NEXTGEN_DEMO"),
        ("NEXTGEN_RATE_LIMIT", "off", "NEXTGEN_RATE_LIMIT is not a variable"),
        ("NEXTGEN_CONFIG", file.as_str(), "adress"),
        ("NEXTGEN_CONFIG", "/nowhere/shop.toml", "--config"),
        ("DATABASE_URL", "mysql://shop", "DATABASE_URL"),
        ("DATABASE_URL", "postgres://shop@127.0.0.1:1/shop", "DATABASE_URL"),
        ("NEXTGEN_DATA", "/proc/nowhere", "NEXTGEN_DATA"),
    ] {
        let output = timeout(Duration::from_mins(1), nextgen(data.path()).env(name, value).output()).await??;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{name}={value}: {said}");
        assert!(said.contains(says), "{name}={value}: {said}");
    }
    Ok(())
}

#[tokio::test]
async fn a_signal_lets_requests_finish_and_ends_the_shop() -> anyhow::Result<()> {
    let data = tempfile::tempdir()?;
    let free = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let mut shop = nextgen(data.path())
        .env("NEXTGEN_ADDR", free.to_string())
        .env("NEXTGEN_DEMO", "0")
        .env("NEXTGEN_LOG", "json")
        .env_remove("RUST_LOG")
        .spawn()?;
    let mut slow = connect(free).await?;
    // Half a request: it is under way when the signal comes.
    slow.write_all(b"POST /en-us/nothing HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 3\r\n\r\na=")
        .await?;
    sleep(Duration::from_millis(300)).await;
    signal(&shop, "TERM").await?;
    sleep(Duration::from_millis(300)).await;
    assert!(TcpStream::connect(free).await.is_err(), "nobody new is let in");
    slow.write_all(b"1").await?;
    let mut answer = Vec::new();
    timeout(Duration::from_secs(5), slow.read_to_end(&mut answer)).await??;
    assert!(answer.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&answer));
    let ended = timeout(Duration::from_secs(12), shop.wait()).await.context("it did not end")??;
    assert!(ended.success(), "{ended:?}");
    let mut logs = String::new();
    shop.stderr.take().context("its log")?.read_to_string(&mut logs).await?;
    let line: serde_json::Value = serde_json::from_str(logs.lines().find(|line| line.contains("\"answered\"")).context("a line for the request")?)?;
    assert!(line["span"]["id"].as_str().is_some_and(|id| id.len() == 9), "{line}");
    Ok(())
}

/// How often a price is changed: enough for a 95th percentile that is not the slowest of all.
const ROUNDS: usize = 20;

#[tokio::test]
async fn a_price_from_an_import_is_on_a_pages_next_load_within_a_second() -> anyhow::Result<()> {
    let data = tempfile::tempdir()?;
    let free = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let mut shop = nextgen(data.path())
        .env("NEXTGEN_ADDR", free.to_string())
        .env("NEXTGEN_DEMO", "1")
        .env("NEXTGEN_RATE_LIMITS", "off")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    connect(free).await?;
    let client = server::outbound::client(Duration::from_secs(5)).build()?;
    let page = async || anyhow::Ok(client.get(format!("http://{free}/en-us/p/insulated-bottle")).send().await?.error_for_status()?.text().await?);
    assert!(page().await?.contains("34.00"), "the page is open, and is rendered");
    let file = data.path().join("prices.csv");
    let mut waits_ms = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS {
        let price = format!("{}.07", 41 + round);
        let colours = ["Sage", "Clay", "Ink", "Chalk"].map(|colour| format!("insulated-bottle,,{colour},{price}\n")).concat();
        std::fs::write(&file, format!("Handle,Title,Option1 Value,Variant Price\n{colours}"))?;
        let import = timeout(Duration::from_mins(1), nextgen(data.path()).arg("import").arg(&file).output()).await??;
        let ended = Instant::now();
        assert!(import.status.success(), "{}", String::from_utf8_lossy(&import.stdout));
        while !page().await?.contains(&price) {
            assert!(ended.elapsed() < Duration::from_secs(30), "{price} is not on the page");
            sleep(Duration::from_millis(2)).await;
        }
        waits_ms.push(ended.elapsed().as_millis());
    }
    waits_ms.sort_unstable();
    let (p50, p95) = (waits_ms[ROUNDS / 2 - 1], waits_ms[(ROUNDS * 95).div_ceil(100) - 1]);
    let line = format!(
        "a price changed by an import is on the page's next load, from the end of the import: {ROUNDS} rounds, p50 {p50} ms, p95 {p95} ms, slowest {} ms\n",
        waits_ms[ROUNDS - 1]
    );
    // Written past the test harness, which keeps what passing tests print to itself.
    std::io::stderr().write_all(line.as_bytes())?;
    // The shop's promise is a second for all; a machine that compiles or tests something else meanwhile may be late now and then.
    assert!(p50 < 1_000 && p95 < 1_000, "{line}");
    signal(&shop, "TERM").await?;
    assert!(timeout(Duration::from_secs(12), shop.wait()).await.context("it did not end")??.success());
    Ok(())
}

/// A connection to the shop, once it answers.
async fn connect(addr: std::net::SocketAddr) -> anyhow::Result<TcpStream> {
    for _ in 0..600 {
        if is_healthy(addr).await.unwrap_or(false) {
            return Ok(TcpStream::connect(addr).await?);
        }
        sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("the shop did not open within 30 s")
}

async fn is_healthy(addr: std::net::SocketAddr) -> anyhow::Result<bool> {
    let client = server::outbound::client(Duration::from_secs(1)).build()?;
    Ok(client.get(format!("http://{addr}/healthz")).send().await?.status().is_success())
}

async fn signal(child: &Child, name: &str) -> anyhow::Result<()> {
    let id = child.id().context("it runs")?.to_string();
    Command::new("kill").args(["-s", name, &id]).status().await?;
    Ok(())
}
