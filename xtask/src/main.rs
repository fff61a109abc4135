//! `cargo xtask …`: set-up, builds and checks for a fresh machine, in one command each. No product code lives here.

mod assets;
mod browser;
mod css;
mod dev;
mod edge;
mod edge_config;
mod edge_run;
mod journeys;
mod machine;
mod node;
mod process;
mod services;
mod site;
mod test;
mod tidy;
mod walls;
mod wasm_toolchain;

use anyhow::Result;
use machine::Repo;
use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask build            everything that the shop serves, and target/release/nextgen
cargo xtask build --edge     the edge's bundles: target/edge/workers/ and target/edge/cloudfront/ (--edge-config FILE: what they are told)
cargo xtask site             what the server serves beside its pages only: script, Wasm, styles, pictures
cargo xtask run [OPTIONS]    build, then serve; options go to `nextgen serve` (--addr, --data, --url, …)
cargo xtask run --edge       the same behind the Workers build in workerd; --cdn: behind the CloudFront build and its stand-in
cargo xtask dev [OPTIONS]    run, and rebuild on change
cargo xtask test             format, lints, walls, all tests on real stores, size budget, browser journeys
cargo xtask bench            the origin's figures beside a plain handler
cargo xtask bench orders     how fast orders are placed, on SQLite and on PostgreSQL beside pgbench with the same statements
cargo xtask bench histories  a million simulated histories of the order core (--seeds N: so many; --from N: from that seed on)
cargo xtask bench total      a cart of 20 lines, priced and explained with 50 promotions
cargo xtask bench operators  the operators' lists in a made-up shop of a million orders (--data: an empty folder for it)
cargo xtask bench edge       what a page costs in workerd, beside a plain worker; size, cold start, latency, a crowd of 10,000 requests
cargo xtask lighthouse       Lighthouse mobile on home, category and product

build, site, run, dev, test:  --wasm-toolchain auto|rustup|debian   where the Wasm target comes from (auto: rustup first)
test:                   --only STEP[,STEP]  --skip STEP[,STEP]   see the steps that it prints
";

fn main() -> ExitCode {
    process::end_all_on_interrupt();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = dispatch(&arguments);
    process::end_all();
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nxtask stopped: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<ExitCode> {
    let Some((command, rest)) = arguments.split_first() else {
        eprint!("{USAGE}");
        return Ok(ExitCode::from(2));
    };
    let repo = Repo::find()?;
    let (choice, rest) = wasm_toolchain::Choice::take(rest)?;
    match command.as_str() {
        "build" => build(&repo, choice, &rest),
        "site" => site::build_site(&repo, &wasm_toolchain::WasmToolchain::find_or_make(choice)?).map(|browser| {
            machine::say(&site::size_line(&browser));
            ExitCode::SUCCESS
        }),
        "run" => match edge_run::Front::take(&rest) {
            (Some(front), rest) => edge_run::run(&repo, choice, front, &rest),
            (None, rest) => dev::run(&repo, choice, &rest),
        },
        "dev" => dev::watch(&repo, choice, &rest),
        "test" => test::run(&repo, choice, &rest),
        "bench" => dev::bench(&repo, choice, &rest),
        "lighthouse" => journeys::lighthouse(&repo, choice),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        unknown => {
            eprintln!("xtask does not know `{unknown}`.\n\n{USAGE}");
            Ok(ExitCode::from(2))
        }
    }
}

fn build(repo: &Repo, choice: wasm_toolchain::Choice, arguments: &[String]) -> Result<ExitCode> {
    if arguments.iter().any(|argument| argument == "--edge") {
        let (config, rest) = edge_config::EdgeConfig::take(repo, arguments)?;
        if let Some(unknown) = rest.iter().find(|argument| *argument != "--edge") {
            eprintln!("`build --edge` does not know `{unknown}`.\n\n{USAGE}");
            return Ok(ExitCode::from(2));
        }
        let toolchain = wasm_toolchain::WasmToolchain::find_or_make(choice)?;
        site::build_site(repo, &toolchain)?;
        edge::build(repo, &toolchain, &config)?;
    } else {
        site::build(repo, choice)?;
    }
    Ok(ExitCode::SUCCESS)
}
