//! `run`, `dev` and `bench`: the built shop, served.

use crate::{
    edge,
    edge_config::EdgeConfig,
    journeys,
    machine::{Repo, Stopwatch, files_below, say},
    node::Node,
    process::{Run as _, Server},
    services::Postgres,
    site,
    wasm_toolchain::{Choice, NATIVE, WasmToolchain, default_cargo},
};
use anyhow::{Context as _, Result};
use std::{
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Command, ExitCode},
    time::{Duration, SystemTime},
};

/// Build, then become the server: Ctrl-C is its own affair from there.
pub fn run(repo: &Repo, choice: Choice, options: &[String]) -> Result<ExitCode> {
    site::build(repo, choice)?;
    let error = Command::new(repo.nextgen()).arg("serve").args(options).exec();
    Err(error).context("starting target/release/nextgen")
}

pub fn bench(repo: &Repo, choice: Choice, options: &[String]) -> Result<ExitCode> {
    site::build(repo, choice)?;
    if options.first().is_some_and(|what| what == "edge") {
        let (config, _) = EdgeConfig::take(repo, &[])?;
        let bundles = edge::build(repo, &WasmToolchain::find_or_make(choice)?, &config)?;
        let good = journeys::edge_figures(repo, &Node::find_or_install()?, &bundles)?;
        return Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let mut command = Command::new(repo.nextgen());
    command.arg("bench").args(options);
    if options.first().is_some_and(|what| what == "orders") {
        let postgres = Postgres::start_durable(repo)?;
        let database = postgres.database("bench")?;
        command.args(["--postgres", &database, "--pgbench"]).arg(postgres.programs().join("pgbench")).loudly()?;
    } else {
        command.loudly()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// How often the files' times are read; about 2 ms of work for a thousand files.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const SOURCES: &[&str] = &["domain", "app", "edge", "server", "browser", "style", "public", "Cargo.toml"];

/// Serve, look at the sources, rebuild what changed, serve again. A build that fails leaves the old shop running.
pub fn watch(repo: &Repo, choice: Choice, options: &[String]) -> Result<ExitCode> {
    let toolchain = WasmToolchain::find_or_make(choice)?;
    site::build(repo, choice)?;
    let mut serving = Some(serve(repo, options)?);
    let mut seen = newest(repo);
    loop {
        std::thread::sleep(LOOK_EVERY);
        if let Some(status) = serving.as_mut().map(Server::ended).transpose()?.flatten() {
            say(&format!("the server ended with {status}; waiting for a change"));
            serving = None;
        }
        let now = newest(repo);
        if now == seen {
            continue;
        }
        seen = now;
        let watch = Stopwatch::start();
        match rebuild(repo, &toolchain) {
            Ok(()) => {
                drop(serving.take());
                serving = Some(serve(repo, options)?);
                say(&format!("rebuilt in {}", watch.seconds()));
            }
            Err(error) => say(&format!("not rebuilt: {error:#}")),
        }
    }
}

fn rebuild(repo: &Repo, toolchain: &WasmToolchain) -> Result<()> {
    site::build_site(repo, toolchain)?;
    default_cargo(repo).args(["build", "--release", "--bin=nextgen"]).args(NATIVE).loudly()
}

fn serve(repo: &Repo, options: &[String]) -> Result<Server> {
    Server::start("the shop", Command::new(repo.nextgen()).arg("serve").args(options), None, "INT")
}

fn newest(repo: &Repo) -> Option<(SystemTime, usize)> {
    let files: Vec<PathBuf> = SOURCES
        .iter()
        .flat_map(|source| {
            let path = repo.at(source);
            if path.is_file() { vec![path] } else { files_below(&path) }
        })
        .collect();
    let count = files.len();
    files.iter().filter_map(|file| file.metadata().ok()?.modified().ok()).max().map(|time| (time, count))
}
