//! `cargo xtask test`: every check, in the order in which they are cheap, with the time that each took.

use crate::{
    browser::BUDGET_BYTES,
    edge,
    edge_config::EdgeConfig,
    journeys,
    machine::{Repo, Stopwatch, say},
    node::Node,
    process::{Run as _, Server, passing},
    services::{DynamoDb, Postgres},
    site, tidy, walls,
    wasm_toolchain::{Choice, NATIVE, TARGET, WasmToolchain, XTASK, default_cargo},
};
use anyhow::{Context as _, Result, anyhow, bail};
use std::{
    cell::OnceCell,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

type Check = fn(&Session) -> Result<String>;
/// (name for --only and --skip, what it does, how). A check answers with the line of its summary.
type Step = (&'static str, &'static str, Check);

const STEPS: &[Step] = &[
    ("format", "rustfmt", format),
    ("walls", "tidy modules, walls between crates", walls_and_tidiness),
    ("lint-wasm", "clippy for wasm32", lint_wasm),
    ("wasm", "browser and edges, size budgets", wasm),
    ("lint", "clippy for the host", lint_native),
    ("build", "the server", build),
    ("edge", "both edges in front of shops: the same pages, live values, failures, strangers' data", edge_in_front),
    ("cloudfront", "CloudFront's function, the Lambda@Edge handler and a local CloudFront with its limits", cloudfront),
    ("test", "all tests; those of the server on what is embedded, then on PostgreSQL and DynamoDB Local", cargo_test),
    ("crash", "killed at every step and started again, on SQLite and PostgreSQL", crash),
    ("journeys", "browser journeys at the origin and through both edges, and the races that broke other shops", browser_journeys),
];

/// What is compiled for wasm32 has folders of its own: another process of ours makes it, as compilers seldom keep all cores busy…
const BESIDE: &[&str] = &["lint-wasm", "wasm"];
/// … while this one takes the steps that need nothing of it.
const MEANWHILE: &[&str] = &["format", "walls", "lint", "build"];

/// The other process.
struct Beside {
    names: String,
    watch: Stopwatch,
    log: PathBuf,
    process: Server,
}

impl Beside {
    fn start(repo: &Repo, choice: Choice, steps: Vec<&Step>) -> Result<Self> {
        let names = steps.iter().map(|(name, _, _)| *name).collect::<Vec<_>>().join(",");
        let log = repo.at("target").join("beside.log");
        say(&format!("{names}: beside the others, in {}", site::relative(repo, &log)));
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["test", "--only", &names, "--wasm-toolchain", choice.word()]);
        let process = Server::start("another xtask", &mut command, Some(&log), "INT")?;
        Ok(Self { names, watch: Stopwatch::start(), log, process })
    }

    /// Waits for it and says what it said.
    fn end(mut self) -> Result<(String, String, Result<String>)> {
        let status = self.process.wait()?;
        println!("{}", std::fs::read_to_string(&self.log)?);
        let outcome = if status.success() { Ok("see its own table above".to_owned()) } else { Err(anyhow!("see its own table above")) };
        Ok((self.names, self.watch.seconds(), outcome))
    }
}

struct Session<'a> {
    repo: &'a Repo,
    choice: Choice,
    toolchain: OnceCell<WasmToolchain>,
    node: OnceCell<Node>,
    bundles: OnceCell<journeys::Bundles>,
    postgres: OnceCell<Postgres>,
    dynamodb: OnceCell<DynamoDb>,
}

pub fn run(repo: &Repo, choice: Choice, arguments: &[String]) -> Result<ExitCode> {
    let chosen = chosen_steps(arguments)?;
    let session = Session {
        repo,
        choice,
        toolchain: OnceCell::new(),
        node: OnceCell::new(),
        bundles: OnceCell::new(),
        postgres: OnceCell::new(),
        dynamodb: OnceCell::new(),
    };
    let all = Stopwatch::start();
    let is_shared = chosen.iter().any(|(name, ..)| MEANWHILE.contains(name));
    let (beside, mine): (Vec<&Step>, Vec<&Step>) = chosen.into_iter().partition(|(name, ..)| is_shared && BESIDE.contains(name));
    let mut beside = if beside.is_empty() { None } else { Some(Beside::start(repo, choice, beside)?) };
    let mut results = Vec::new();
    for (name, what, check) in mine {
        if !MEANWHILE.contains(name)
            && let Some(beside) = beside.take()
        {
            results.push(beside.end()?);
        }
        say(&format!("{name}: {what} ({} after the start)", all.seconds()));
        let watch = Stopwatch::start();
        let outcome = check(&session);
        match &outcome {
            Ok(summary) => say(&format!("{name} passed in {}: {summary}", watch.seconds())),
            Err(error) => say(&format!("{name} FAILED after {}: {error:#}", watch.seconds())),
        }
        results.push(((*name).to_owned(), watch.seconds(), outcome));
    }
    if let Some(beside) = beside.take() {
        results.push(beside.end()?);
    }
    println!("\nstep          time          result");
    for (name, time, outcome) in &results {
        let summary = outcome.as_ref().map_or_else(|error| format!("FAILED: {}", error.to_string().lines().next().unwrap_or_default()), Clone::clone);
        println!("{name:<13} {time:<13} {summary}");
    }
    let failed = results.iter().filter(|(_, _, outcome)| outcome.is_err()).count();
    println!("\n{} steps passed, {failed} failed, in {}", results.len() - failed, all.seconds());
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn chosen_steps(arguments: &[String]) -> Result<Vec<&'static Step>> {
    let mut only: Option<Vec<&str>> = None;
    let mut skip = Vec::new();
    for pair in arguments.chunks(2) {
        let [option, names] = pair else { bail!("`{}` needs a value; steps: {}", pair[0], step_names()) };
        let names: Vec<&str> = names.split(',').collect();
        if let Some(unknown) = names.iter().find(|name| !STEPS.iter().any(|(step, _, _)| step == *name)) {
            bail!("there is no step `{unknown}`; steps: {}", step_names());
        }
        match option.as_str() {
            "--only" => only = Some(names),
            "--skip" => skip = names,
            other => bail!("`cargo xtask test` does not know `{other}`; it takes --only STEP,… and --skip STEP,…"),
        }
    }
    Ok(STEPS.iter().filter(|(name, _, _)| only.as_ref().is_none_or(|only| only.contains(name)) && !skip.contains(name)).collect())
}

fn step_names() -> String {
    STEPS.iter().map(|(name, _, _)| *name).collect::<Vec<_>>().join(", ")
}

impl Session<'_> {
    fn toolchain(&self) -> Result<&WasmToolchain> {
        made_once(&self.toolchain, || WasmToolchain::find_or_make(self.choice))
    }
    fn node(&self) -> Result<&Node> {
        made_once(&self.node, Node::find_or_install)
    }
    /// They are told where their shops are by the program that starts them.
    fn bundles(&self) -> Result<&journeys::Bundles> {
        let toolchain = self.toolchain()?;
        made_once(&self.bundles, || edge::build(self.repo, toolchain, &EdgeConfig::take(self.repo, &[])?.0))
    }
    fn postgres(&self) -> Result<&Postgres> {
        made_once(&self.postgres, || Postgres::start(self.repo))
    }
    fn dynamodb(&self) -> Result<&DynamoDb> {
        let node = self.node()?;
        made_once(&self.dynamodb, || DynamoDb::start(self.repo, node))
    }
}

fn made_once<T>(cell: &OnceCell<T>, make: impl FnOnce() -> Result<T>) -> Result<&T> {
    if cell.get().is_none() {
        let made = make()?;
        return Ok(cell.get_or_init(|| made));
    }
    cell.get().context("just looked")
}

fn format(session: &Session) -> Result<String> {
    default_cargo(session.repo).args(["fmt", "--all", "--check"]).loudly()?;
    Ok("formatted".to_owned())
}

fn walls_and_tidiness(session: &Session) -> Result<String> {
    let found = [walls::check(session.repo)?, tidy::check(session.repo)?].concat();
    if found.is_empty() { Ok("tidy, and every wall stands".to_owned()) } else { bail!("{} findings\n{}", found.len(), found.join("\n")) }
}

/// The profile of builds of the server that are never shipped, and what they have besides: points at which the server can be killed.
const UNSHIPPED: &str = "bench";
const FAILPOINTS: &str = "--features=server/failpoints";

/// Clippy looks on while what is not shipped is compiled: a pass of its own would read every dependency once more.
fn lint_native(session: &Session) -> Result<String> {
    for packages in [&[NATIVE, &[FAILPOINTS]].concat(), XTASK] {
        let mut cargo = default_cargo(session.repo);
        looked_at(&mut cargo).args(["test", "--profile", UNSHIPPED, "--no-run", "--tests"]).args(packages).loudly()?;
    }
    Ok("no warnings".to_owned())
}

/// As `cargo clippy -- -D warnings` does it.
fn looked_at(cargo: &mut Command) -> &mut Command {
    cargo.env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver").env("CLIPPY_ARGS", "-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__")
}

/// `hydrate` and `ssr` never meet in one build, so each is its own.
fn lint_wasm(session: &Session) -> Result<String> {
    let toolchain = session.toolchain()?;
    toolchain.prepare_clippy()?;
    let builds: [&[&str]; 3] = [
        &["--package=domain", "--package=edge-core"],
        &["--package=app", "--package=shop", "--features=app/hydrate"],
        &[
            "--package=app",
            "--package=edge-pages",
            "--package=edge-replica",
            "--package=edge-workers",
            "--package=edge-cloudfront",
            "--features=app/ssr",
        ],
    ];
    for packages in builds {
        toolchain
            .cargo(session.repo)
            .args(["clippy", "--profile=browser", "--target", TARGET])
            .args(packages)
            .args(["--", "-D", "warnings"])
            .loudly()?;
    }
    Ok("no warnings".to_owned())
}

fn wasm(session: &Session) -> Result<String> {
    let browser = site::build_site(session.repo, session.toolchain()?)?;
    let bundles = session.bundles()?;
    let sum = |folder: &Path, script: &str| anyhow::Ok(edge::packed_bytes(&folder.join(script))? + edge::packed_bytes(&folder.join("edge.wasm"))?);
    let (workers, cloudfront) = (sum(&bundles.workers, "worker.js")?, sum(&bundles.cloudfront, "index.mjs")?);
    let sizes = format!("{}; Workers {workers}, CloudFront {cloudfront} bytes brotli", site::size_line(&browser));
    if browser.sent_bytes() > BUDGET_BYTES || workers.max(cloudfront) > edge::BUDGET_BYTES {
        bail!("over the budget: {sizes}; an edge may have {}", edge::BUDGET_BYTES);
    }
    Ok(sizes)
}

fn build(session: &Session) -> Result<String> {
    default_cargo(session.repo).args(["build", "--release", "--bin=nextgen"]).args(NATIVE).loudly()?;
    Ok("target/release/nextgen".to_owned())
}

fn edge_in_front(session: &Session) -> Result<String> {
    if !journeys::edge(session.repo, session.node()?, session.postgres()?, session.dynamodb()?, session.bundles()?)? {
        bail!("see the lines above; logs are in target/end2end-edge");
    }
    Ok("see the lines above".to_owned())
}

fn cloudfront(session: &Session) -> Result<String> {
    if journeys::cloudfront(session.repo, session.node()?, session.bundles()?)? {
        Ok("see the lines above".to_owned())
    } else {
        bail!("see the lines above")
    }
}

/// Tests of the crates once; the stories on what is embedded, then once more on the real stores, and again in transactions of the stricter kind.
fn cargo_test(session: &Session) -> Result<String> {
    // Some stories start the shipped binary.
    default_cargo(session.repo).args(["build", "--release", "--bin=nextgen"]).args(NATIVE).loudly()?;
    let own = tests(session.repo, UNSHIPPED, &[XTASK, &["--bins"]].concat(), &[])?;
    let units = tests(session.repo, UNSHIPPED, &[NATIVE, &[FAILPOINTS, "--lib"]].concat(), &[])?;
    let stories = [NATIVE, &["--test=stories", "--test=safety"]].concat();
    let embedded = tests(session.repo, "release", &stories, &[])?;
    let postgres = session.postgres()?;
    let dynamodb = session.dynamodb()?;
    // The SDK wants credentials; DynamoDB Local takes any.
    let real = [
        ("TEST_DATABASE_URL_PG", postgres.url.as_str()),
        ("TEST_DYNAMODB_ENDPOINT", dynamodb.endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_REGION", "eu-central-1"),
    ];
    let real = tests(session.repo, "release", &stories, &real)?;
    let repeatable = tests(session.repo, "release", &stories, &[("TEST_DATABASE_URL_PG", &postgres.repeatable_url)])?;
    let summary =
        format!("crates: {units}; embedded: {embedded}; PostgreSQL and DynamoDB Local: {real}; REPEATABLE READ: {repeatable}; xtask: {own}");
    if [&own, &units, &embedded, &real, &repeatable].iter().any(|tally| tally.failed > 0 || tally.passed == 0) {
        bail!("{summary}");
    }
    Ok(summary)
}

/// The server with the points at which it can be killed has a name of its own, so that it is never shipped.
fn crash(session: &Session) -> Result<String> {
    default_cargo(session.repo).args(["build", "--release", "--bin=nextgen"]).args(NATIVE).loudly()?;
    let mut cargo = default_cargo(session.repo);
    looked_at(&mut cargo).args(["build", "--profile", UNSHIPPED, "--bin=nextgen-failpoints", FAILPOINTS]).args(NATIVE).loudly()?;
    let binary = session.repo.at("target/release/nextgen-failpoints");
    let binary = binary.to_str().context("a path that is text")?;
    let ignored = [NATIVE, &["--test=safety", "--", "--ignored"]].concat();
    let (repo, postgres) = (session.repo, session.postgres()?);
    // Killed shops are waited for most of the time: both engines at once.
    let (embedded, real) = std::thread::scope(|scope| {
        let embedded = scope.spawn(|| tests(repo, "release", &ignored, &[("CRASH_BINARY", binary)]));
        let real = tests(repo, "release", &ignored, &[("CRASH_BINARY", binary), ("TEST_DATABASE_URL_PG", &postgres.url)]);
        (embedded.join(), real)
    });
    let (embedded, real) = (embedded.map_err(|_| anyhow!("the tests on SQLite panicked"))??, real?);
    let summary = format!("SQLite: {embedded}; PostgreSQL: {real}");
    if embedded.failed + real.failed > 0 || embedded.passed == 0 || real.passed == 0 {
        bail!("{summary}");
    }
    Ok(summary)
}

fn tests(repo: &Repo, profile: &str, selection: &[&str], variables: &[(&str, &str)]) -> Result<Tally> {
    let mut command = default_cargo(repo);
    if profile == UNSHIPPED {
        looked_at(&mut command);
    }
    command.args(["test", "--profile", profile, "--no-fail-fast"]).args(selection).envs(variables.iter().copied()).env("TMPDIR", passing());
    // Many wait for something most of the time.
    command.env("RUST_TEST_THREADS", (2 * std::thread::available_parallelism()?.get()).to_string());
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut tally = Tally::default();
    for line in BufReader::new(child.stdout.take().context("its output is piped")?).lines() {
        let line = line?;
        println!("{line}");
        tally.read(&line);
    }
    let status = child.wait()?;
    if !status.success() && tally.failed == 0 {
        bail!("the tests did not run to their end: {status}");
    }
    Ok(tally)
}

fn browser_journeys(session: &Session) -> Result<String> {
    if journeys::run(session.repo, session.node()?, session.postgres()?, session.dynamodb()?, session.bundles()?)? {
        Ok("see the lines above".to_owned())
    } else {
        bail!("see the lines above; pictures and logs are in target/end2end");
    }
}

/// Sums up the `test result:` lines of all test binaries.
#[derive(Default)]
struct Tally {
    passed: u32,
    failed: u32,
    ignored: u32,
}

impl Tally {
    fn read(&mut self, line: &str) {
        let Some((_, counts)) = line.split_once("test result: ") else { return };
        for part in counts.split([';', '.']) {
            let mut words = part.split_whitespace();
            let (Some(count), Some(kind)) = (words.next().and_then(|word| word.parse::<u32>().ok()), words.next()) else { continue };
            match kind {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.ignored += count,
                _ => {}
            }
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed, {} ignored", self.passed, self.failed, self.ignored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_several_binaries_are_summed() {
        let mut tally = Tally::default();
        tally.read("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.03s");
        tally.read("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.03s");
        tally.read("test a_result ... ok");
        assert_eq!(tally.to_string(), "15 passed, 2 failed, 1 ignored");
    }

    #[test]
    fn steps_are_chosen_by_name_and_a_wrong_name_is_told() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(chosen_steps(&words("--only format,walls")).map(|steps| steps.len()).ok(), Some(2));
        assert_eq!(chosen_steps(&words("--skip journeys")).map(|steps| steps.len()).ok(), Some(STEPS.len() - 1));
        assert!(chosen_steps(&words("--only nonsense")).is_err());
    }
}
