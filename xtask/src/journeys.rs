//! Real browsers on the built shop: the journeys of end2end/, and Lighthouse.

use crate::{
    machine::{Repo, apt_install, find_program, say},
    node::Node,
    process::{Server, passing},
    services::{DynamoDb, Postgres, chromium},
    site,
    wasm_toolchain::Choice,
};
use anyhow::{Context as _, Result};
use std::{
    path::PathBuf,
    process::{Command, ExitCode},
};

/// Runs `end2end/run.mjs` at the origin, then the race gate, then the journeys through both edges at once; all start shops of their own on free
/// ports and end them by their pid.
pub fn run(repo: &Repo, node: &Node, postgres: &Postgres, dynamodb: &DynamoDb, bundles: &Bundles) -> Result<bool> {
    let mut command = prepared(repo, node, "run.mjs")?;
    command.env("JOURNEY_DATABASE_URL", postgres.database("journey")?).env("JOURNEY_DYNAMODB_ENDPOINT", &dynamodb.endpoint);
    let mut all_well = succeeds(&mut command)?;
    all_well &= succeeds(&mut prepared(repo, node, "races.mjs")?)?;
    all_well &= succeeds(prepared(repo, node, "races.mjs")?.env("JOURNEY_DATABASE_URL", postgres.database("races")?))?;
    node.install(repo, "edge/workers")?;
    let mut fronts = Vec::new();
    for front in ["workers", "cdn"] {
        let mut command = prepared(repo, node, "run.mjs")?;
        let left_behind = repo.scratch(&format!("end2end-{front}"))?;
        bundles.told(&mut command).env("FRONT", front).env("LEFT_BEHIND", left_behind);
        fronts.push(Server::start("the journeys", &mut command, None, "TERM").context("starting Node")?);
    }
    for mut front in fronts {
        all_well &= front.wait()?.success();
    }
    Ok(all_well)
}

/// Where the edge's bundles are.
pub struct Bundles {
    pub workers: PathBuf,
    pub cloudfront: PathBuf,
}

impl Bundles {
    fn told<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("EDGE_BUNDLE", &self.workers).env("CDN_BUNDLE", &self.cloudfront)
    }
}

/// Runs `end2end/edge.mjs`, which starts shops, workerd and the stand-in for CloudFront.
pub fn edge(repo: &Repo, node: &Node, postgres: &Postgres, dynamodb: &DynamoDb, bundles: &Bundles) -> Result<bool> {
    let mut command = before_the_shop(repo, node, "edge.mjs", bundles)?;
    command.env("JOURNEY_DATABASE_URL", postgres.database("edge")?).env("JOURNEY_DYNAMODB_ENDPOINT", &dynamodb.endpoint);
    succeeds(&mut command)
}

/// Runs `end2end/edge-bench.mjs`: what the edge costs.
pub fn edge_figures(repo: &Repo, node: &Node, bundles: &Bundles) -> Result<bool> {
    succeeds(&mut before_the_shop(repo, node, "edge-bench.mjs", bundles)?)
}

/// A script that opens an edge before shops of its own.
fn before_the_shop(repo: &Repo, node: &Node, script: &str, bundles: &Bundles) -> Result<Command> {
    node.install(repo, "edge/workers")?;
    let mut command = node.command();
    bundles.told(command.arg(repo.at("end2end").join(script)).current_dir(repo.at("end2end")));
    command.env("JOURNEY_BINARY", repo.nextgen()).env("LEFT_BEHIND", repo.scratch("end2end-edge")?).env("TMPDIR", passing());
    Ok(command)
}

/// Tests of CloudFront's function, in njs, of the Lambda@Edge handler, and of the local stand-in for CloudFront.
pub fn cloudfront(repo: &Repo, node: &Node, bundles: &Bundles) -> Result<bool> {
    if find_program(&["njs"]).is_none() {
        apt_install(&["njs"], "the engine of CloudFront Functions (tests only)")?;
    }
    let folder = repo.at("edge/cloudfront/tests");
    let mut files: Vec<_> = std::fs::read_dir(&folder)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.to_string_lossy().ends_with(".test.mjs"));
    files.sort();
    let mut command = node.command();
    succeeds(bundles.told(command.arg("--test").args(files).current_dir(&repo.root)))
}

pub fn lighthouse(repo: &Repo, choice: Choice) -> Result<ExitCode> {
    site::build(repo, choice)?;
    let node = Node::find_or_install()?;
    let good = measure(repo, &node)?;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Lighthouse mobile on home, category and product.
pub fn measure(repo: &Repo, node: &Node) -> Result<bool> {
    succeeds(&mut prepared(repo, node, "lighthouse.mjs")?)
}

fn prepared(repo: &Repo, node: &Node, script: &str) -> Result<Command> {
    let folder = node.install(repo, "end2end")?;
    let chromium = chromium()?;
    let left_behind = repo.scratch("end2end")?;
    say(&format!("browser: {}; pictures and logs of failures: {}", chromium.display(), site::relative(repo, &left_behind)));
    let mut command = node.command();
    command
        .arg(folder.join(script))
        .current_dir(folder)
        .env("CHROMIUM", chromium)
        .env("JOURNEY_BINARY", repo.nextgen())
        .env("LEFT_BEHIND", left_behind)
        .env("TMPDIR", passing());
    Ok(command)
}

fn succeeds(command: &mut Command) -> Result<bool> {
    // A server as far as ending it goes: Ctrl-C must reach it, and it must end its shops.
    let mut journeys = Server::start("the journeys", command, None, "TERM").context("starting Node")?;
    Ok(journeys.wait()?.success())
}
