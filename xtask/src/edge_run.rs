//! `run --edge` and `run --cdn`: the shop on a free port, and an edge in front of it, at the address that was asked for.

use crate::{
    edge,
    edge_config::{EdgeConfig, take_value},
    machine::{Repo, free_port, say, wait_for_port},
    node::{Node, hex},
    process::Server,
    site,
    wasm_toolchain::{Choice, WasmToolchain},
};
use anyhow::{Context as _, Result, bail};
use std::{
    fs::File,
    io::Read as _,
    process::{Command, ExitCode},
    time::Duration,
};

/// A first start fills the demo shop.
const PATIENCE: Duration = Duration::from_mins(2);

/// What the shop and its edge must know alike.
const OWN: [&str; 5] = ["--edge-key", "--dynamodb-listen", "--dynamodb-table", "--trusted-proxies", "--config"];

/// What stands in front of the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Front {
    /// The Workers build in workerd.
    Workers,
    /// The CloudFront build behind the stand-in.
    Cdn,
}

impl Front {
    /// Takes `--edge` or `--cdn` out of the arguments.
    pub fn take(arguments: &[String]) -> (Option<Self>, Vec<String>) {
        let front = |argument: &String| match argument.as_str() {
            "--edge" => Some(Self::Workers),
            "--cdn" => Some(Self::Cdn),
            _ => None,
        };
        (arguments.iter().find_map(front), arguments.iter().filter(|argument| front(argument).is_none()).cloned().collect())
    }
}

/// Build, start the shop and its edge, and wait for either to end. Other options go to `nextgen serve`.
pub fn run(repo: &Repo, choice: Choice, front: Front, options: &[String]) -> Result<ExitCode> {
    let (addr, options) = take_value(options, "--addr")?;
    let (url, options) = take_value(&options, "--url")?;
    let addr = addr.unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let url = url.unwrap_or_else(|| format!("http://{}", addr.replace("0.0.0.0", "127.0.0.1")));
    if let Some(own) = options.iter().find(|option| OWN.iter().any(|name| option.split('=').next() == Some(name))) {
        bail!("`{own}` is said by `run --edge` and `run --cdn` themselves, which draw a key and ports for the shop behind");
    }
    // Taken or wrong, it is better known before the build than after it.
    drop(std::net::TcpListener::bind(&addr).with_context(|| format!("listening on {addr}"))?);
    let (shop_port, table_port) = (free_port()?, free_port()?);
    let table = format!("127.0.0.1:{table_port}");
    let origin = format!("http://127.0.0.1:{shop_port}");
    site::build(repo, choice)?;
    let toolchain = WasmToolchain::find_or_make(choice)?;
    let key = drawn_key()?;
    let config = EdgeConfig::local(repo, std::slice::from_ref(&origin), &url, Some(&format!("http://{table}"))).with_key(&key);
    let bundle = match front {
        Front::Workers => edge::workers(repo, &toolchain, &config)?,
        Front::Cdn => edge::cloudfront(repo, &toolchain, &config)?,
    };
    let mut shop = Command::new(repo.nextgen());
    shop.arg("serve").args(&options).args(["--addr", &format!("127.0.0.1:{shop_port}"), "--url", &url]);
    // The edge tells whose request it passes; everything on this machine is believed.
    shop.env("NEXTGEN_DYNAMODB_LISTEN", &table).env("NEXTGEN_EDGE_KEY", &key).env("NEXTGEN_TRUSTED_PROXIES", "127.0.0.1");
    let mut shop = Server::start("the shop", &mut shop, None, "INT")?;
    wait_for_port(shop_port, PATIENCE, &mut shop)?;
    let node = Node::find_or_install()?;
    let mut edge = match front {
        Front::Workers => {
            let folder = node.install(repo, "edge/workers")?;
            let mut miniflare = node.command();
            miniflare.arg(folder.join("serve.mjs")).arg("--bundle").arg(&bundle).args(["--listen", &addr]);
            miniflare.env("EDGE_CONFIG", config.json()?.to_string()).env("EDGE_KEY", &key);
            Server::start("the edge", &mut miniflare, None, "TERM")?
        }
        Front::Cdn => {
            let mut stand_in = node.command();
            stand_in.arg(repo.at("edge/cloudfront/stand-in.mjs")).args(["--listen", &addr, "--origins", &origin]);
            stand_in.arg("--viewer").arg(bundle.join("cloudfront-function.js")).arg("--handler").arg(bundle.join("index.mjs"));
            // What the README tells a distribution.
            stand_in.args(["--connection-attempts", "1", "--connection-timeout-s", "2"]);
            stand_in.envs([("AWS_ACCESS_KEY_ID", "local"), ("AWS_SECRET_ACCESS_KEY", "local")]);
            Server::start("the stand-in for CloudFront", &mut stand_in, None, "TERM")?
        }
    };
    let port = addr.rsplit(':').next().and_then(|port| port.parse().ok()).context("--addr takes HOST:PORT")?;
    wait_for_port(port, PATIENCE, &mut edge)?;
    say(&format!("the shop, through its edge: {url} (the origin itself: {origin})"));
    loop {
        for server in [&mut shop, &mut edge] {
            if let Some(status) = server.ended()? {
                say(&format!("{} ended with {status}", server.name));
                return Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
            }
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// By which the origin knows this run's edge.
fn drawn_key() -> Result<String> {
    let mut bytes = [0; 32];
    File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut bytes)).context("reading /dev/urandom")?;
    Ok(hex(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_front_is_taken_out_of_the_options() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(Front::take(&words("--addr a:1 --edge --data d")), (Some(Front::Workers), words("--addr a:1 --data d")));
        assert_eq!(Front::take(&words("--cdn")), (Some(Front::Cdn), Vec::new()));
        assert_eq!(Front::take(&words("--data d")), (None, words("--data d")));
    }
}
