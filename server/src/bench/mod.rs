//! `nextgen bench`: figures of this machine, printed and never failing on slowness. `pages` is what a page costs, `orders` how fast orders
//! are placed, `operators` how long the operators' lists take in a large shop; histories are lived by the simulation.

mod buyers;
mod histories;
mod operators;
mod orders;
mod pages;
mod pgbench;
mod total;

pub use operators::Options as Operators;
pub use orders::Args as Orders;

use crate::config::Config;
use anyhow::{Context as _, bail};
use futures::future::BoxFuture;
use std::process::Stdio;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Child,
};

/// Measures what a page costs in a process of its own.
pub fn run() -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(pages::measure())
}

/// Measures how fast orders are placed.
pub fn run_orders(args: Orders) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(orders::measure(args))
}

/// Fills the shop that the configuration names, if it is empty, and measures the operators' pages in it.
pub fn run_operators(config: Config, options: Operators) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(operators::measure(config, options))
}

/// Lives simulated histories of the order core, one in a thousand through SQL as well.
pub fn histories(from: u64, seeds: u64) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(histories::live(from, seeds))
}

/// Prices and explains a full cart with many promotions.
pub fn run_total() -> anyhow::Result<()> {
    total::measure()
}

/// The process that is measured: prints its three ports and serves until its input ends.
pub fn serve() -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(pages::be_measured())
}

/// Kernel ticks are counted in hundredths of a second on every Linux that Rust runs on (USER_HZ, proc(5)).
const TICK_MS: f64 = 10.0;

/// A shop in a process of its own; it ends when its input does.
struct Measured {
    child: Child,
    pid: u32,
    /// With templates, without them, a plain handler.
    ports: Vec<u16>,
}

impl Measured {
    async fn start() -> anyhow::Result<Self> {
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
        let ports = ports.split_whitespace().map(str::parse).collect::<Result<_, _>>().context("its ports")?;
        Ok(Self { child, pid, ports })
    }
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
