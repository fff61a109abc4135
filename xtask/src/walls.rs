//! The walls between crates, read from `cargo metadata`: what each may depend on, directly or through others. deny.toml says the same to cargo-deny.
//! And the wall around prices, read from the sources: one place reads what a variant costs, one makes an offer of it.

use crate::{
    machine::{Repo, files_below},
    process::Run as _,
    wasm_toolchain::default_cargo,
};
use anyhow::{Context as _, Result};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// (dependency, the workspace crates that may have it below them, why).
const ONLY_UNDER: &[(&str, &[&str], &str)] = &[
    ("sqlx", &["server"], "SQL is the origin's affair"),
    ("aws-sdk-dynamodb", &["server"], "its SDK is too big for the edge"),
    ("aws-config", &["server"], "its SDK is too big for the edge"),
    ("dynoxide-rs", &["server"], "the embedded table lives in the origin"),
    ("tantivy", &["server"], "the search index lives in the origin"),
    ("leptos", &["app", "shop", "edge-pages", "edge-replica", "edge-workers", "edge-cloudfront", "server"], "rules and edge decisions know no view"),
    ("openssl-sys", &[], "rustls everywhere: nothing to install"),
    ("worker", &["edge-workers"], "one host's own interface"),
    ("wasm-bindgen-cli-support", &["xtask"], "a build tool"),
];

/// The same for what a crate names itself. `cargo metadata` unites the features of the whole workspace, so that Leptos seems to bring
/// these everywhere; what a build for wasm32 really links, the lints of that target show.
const ONLY_NAMED_BY: &[(&str, &[&str], &str)] = &[
    ("axum", &["server"], "HTTP is the host's affair"),
    ("tokio", &["server"], "rules and pages perform nothing"),
    ("reqwest", &["server", "edge-replica"], "rules and pages call nobody"),
    ("cached", &["edge-replica"], "hot reads are held in one place"),
    ("rand", &["server"], "randomness is an argument"),
];

/// (workspace crate, the workspace crates that it may depend on directly): dependencies point one way.
const POINTS_TO: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("app", &["domain"]),
    ("edge-core", &["domain"]),
    ("edge-replica", &["domain", "app", "edge-core"]),
    ("edge-pages", &["domain", "app", "edge-core"]),
    ("edge-workers", &["app", "domain", "edge-core", "edge-pages", "edge-replica"]),
    ("edge-cloudfront", &["app", "domain", "edge-core", "edge-pages", "edge-replica"]),
    ("shop", &["app"]),
    ("server", &["domain", "app", "edge-core", "edge-pages", "edge-replica"]),
    ("stories", &[]),
    ("xtask", &[]),
];

pub fn check(repo: &Repo) -> Result<Vec<String>> {
    // Only what is compiled natively or for wasm counts; `--locked` also says that Cargo.lock is up to date.
    let text = default_cargo(repo).args(["metadata", "--format-version=1", "--locked"]).read()?;
    let mut found = breaches(&Graph::read(&serde_json::from_str(&text)?)?);
    for file in ["domain", "app", "browser", "edge", "server/src"].iter().flat_map(|folder| files_below(&repo.at(folder))) {
        let Ok(path) = file.strip_prefix(&repo.root) else { continue };
        if path.extension().is_some_and(|extension| extension == "rs") {
            found.extend(second_price(&path.to_string_lossy(), &std::fs::read_to_string(&file)?));
        }
    }
    Ok(found)
}

/// Where rows of `prices` are read and written, and where they become windows.
const PRICES: &str = "server/src/catalog/prices/";
/// Where windows become offers.
const OFFER: &str = "domain/src/offer.rs";
/// What fills a shop to measure or simulate it, and modules for tests alone whose names do not say so.
const NOT_SHIPPED: &[&str] = &[
    "server/src/bench/",
    "server/src/simulation/",
    "server/src/tariffs/seed/worked_examples.rs",
    "app/src/pages/memory.rs",
    "domain/src/invoice/whole_life.rs",
];

/// A second computation of a price: SQL over the table, a window or an offer made by hand. Tests may.
fn second_price(path: &str, text: &str) -> Vec<String> {
    let is_test = path.ends_with("/tests.rs") || path.ends_with("_tests.rs") || NOT_SHIPPED.iter().any(|place| path.starts_with(place));
    let text = if is_test { "" } else { text.split("#[cfg(test)]\nmod ").next().unwrap_or_default() };
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || "\"(),\\".contains(c)).filter(|word| !word.is_empty()).collect();
    let reads = words.windows(2).any(|pair| ["FROM", "JOIN", "INTO", "UPDATE"].contains(&pair[0]) && pair[1] == "prices");
    let offers = words.windows(3).any(|three| three[0].rsplit("::").next() == Some("Offer") && three[1] == "{" && is_field(three[2]));
    let mut found = Vec::new();
    if reads && !path.starts_with(PRICES) {
        found.push(format!("{path}: only {PRICES} reads and writes the table `prices`: ask it"));
    }
    if text.contains("PriceWindow::new(") && !path.starts_with(PRICES) && path != OFFER {
        found.push(format!("{path}: only {PRICES} makes windows of prices"));
    }
    if offers && path != OFFER {
        found.push(format!("{path}: an `Offer` comes from `domain::offer::offer` and is never made by hand"));
    }
    found
}

/// Whether a struct expression goes on with a field of `Offer`.
fn is_field(word: &str) -> bool {
    ["price", "was", "valid_until", ".."].iter().any(|field| word.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest == ":"))
}

/// Package names and who depends on whom outside of tests.
struct Graph {
    members: BTreeSet<String>,
    edges: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    fn read(metadata: &Value) -> Result<Self> {
        let packages = metadata["packages"].as_array().context("cargo metadata lists packages")?;
        let name_of: BTreeMap<&str, &str> =
            packages.iter().filter_map(|package| Some((package["id"].as_str()?, package["name"].as_str()?))).collect();
        let names = |ids: &Value| -> BTreeSet<String> {
            ids.as_array().into_iter().flatten().filter_map(|id| name_of.get(id.as_str()?)).map(|name| (*name).to_owned()).collect()
        };
        let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for node in metadata["resolve"]["nodes"].as_array().context("cargo metadata resolves")? {
            let Some(name) = node["id"].as_str().and_then(|id| name_of.get(id)) else { continue };
            let used = node["deps"].as_array().into_iter().flatten().filter(|dependency| !only_for_tests(dependency));
            let used = used.filter_map(|dependency| name_of.get(dependency["pkg"].as_str()?)).map(|name| (*name).to_owned());
            edges.entry((*name).to_owned()).or_default().extend(used);
        }
        Ok(Self { members: names(&metadata["workspace_members"]), edges })
    }

    fn below(&self, name: &str) -> BTreeSet<&str> {
        let mut seen = BTreeSet::new();
        let mut open = vec![name];
        while let Some(name) = open.pop() {
            for next in self.edges.get(name).into_iter().flatten() {
                if seen.insert(next.as_str()) {
                    open.push(next);
                }
            }
        }
        seen
    }
}

fn only_for_tests(dependency: &Value) -> bool {
    let kinds = dependency["dep_kinds"].as_array();
    kinds.is_some_and(|kinds| !kinds.is_empty() && kinds.iter().all(|kind| kind["kind"] == "dev"))
}

fn who(allowed: &[&str]) -> String {
    if allowed.is_empty() { "nobody".to_owned() } else { format!("only {}", allowed.join(", ")) }
}

fn breaches(graph: &Graph) -> Vec<String> {
    let mut found = Vec::new();
    for member in &graph.members {
        let below = graph.below(member);
        for (dependency, allowed, why) in ONLY_UNDER {
            if below.contains(dependency) && !allowed.contains(&member.as_str()) {
                found.push(format!("`{member}` has `{dependency}` below it, which {} may have: {why}", who(allowed)));
            }
        }
        let named = graph.edges.get(member);
        for (dependency, allowed, why) in ONLY_NAMED_BY {
            if named.is_some_and(|named| named.contains(*dependency)) && !allowed.contains(&member.as_str()) {
                found.push(format!("`{member}` names `{dependency}`, which only {} may: {why}", allowed.join(", ")));
            }
        }
        let Some((_, allowed)) = POINTS_TO.iter().find(|(name, _)| name == member) else {
            found.push(format!("`{member}` is a new crate: say in xtask/src/walls.rs what it may depend on"));
            continue;
        };
        for dependency in graph.edges.get(member).into_iter().flatten() {
            if graph.members.contains(dependency) && !allowed.contains(&dependency.as_str()) {
                found.push(format!("`{member}` depends on `{dependency}`; dependencies point one way (ARCHITECTURE.md)"));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(&str, &[&str])], members: &[&str]) -> Graph {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Graph { members: owned(members), edges: edges.iter().map(|(name, below)| ((*name).to_owned(), owned(below))).collect() }
    }

    #[test]
    fn sql_under_the_domain_is_a_breach_even_through_another_crate() {
        let graph = graph(&[("domain", &["handy"]), ("handy", &["sqlx"])], &["domain"]);
        assert_eq!(breaches(&graph).len(), 1);
    }

    #[test]
    fn a_second_computation_of_a_price_is_a_breach() {
        let reads = "let sql = \"SELECT amount_minor FROM prices WHERE variant_id = $1\";";
        let joins = "\"SELECT p.amount_minor FROM variants v \\\n JOIN prices p ON p.variant_id = v.id\"";
        let made = "let offer = domain::offer::Offer { price, was: None, valid_until: None };";
        let window = "PriceWindow::new(0, None, price, None)";
        for text in [reads, joins, made, window] {
            assert_eq!(second_price("server/src/http/cart.rs", text).len(), 1, "{text}");
            assert!(second_price("domain/src/pricing/tests.rs", text).is_empty(), "{text}");
            assert!(second_price("app/src/a.rs", &format!("fn a() {{}}\n#[cfg(test)]\nmod tests {{ {text} }}")).is_empty(), "{text}");
        }
        assert!(second_price("server/src/catalog/prices/mod.rs", reads).is_empty() && second_price("domain/src/offer.rs", made).is_empty());
        assert!(second_price("app/src/a.rs", "fn of(line: &Line) -> Offer { line.offer }\nSELECT at FROM price_instants").is_empty());
    }

    #[test]
    fn the_server_may_have_it() {
        assert!(breaches(&graph(&[("server", &["sqlx", "domain"]), ("domain", &[])], &["server", "domain"])).is_empty());
    }

    #[test]
    fn the_domain_must_not_look_up() {
        assert_eq!(breaches(&graph(&[("domain", &["app"]), ("app", &[])], &["app", "domain"])).len(), 1);
    }
}
