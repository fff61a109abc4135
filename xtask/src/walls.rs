//! The walls between crates, read from `cargo metadata`: what each may depend on, directly or through others. deny.toml says the same to cargo-deny.

use crate::{machine::Repo, process::Run as _, wasm_toolchain::default_cargo};
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
    Ok(breaches(&Graph::read(&serde_json::from_str(&text)?)?))
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
    fn the_server_may_have_it() {
        assert!(breaches(&graph(&[("server", &["sqlx", "domain"]), ("domain", &[])], &["server", "domain"])).is_empty());
    }

    #[test]
    fn the_domain_must_not_look_up() {
        assert_eq!(breaches(&graph(&[("domain", &["app"]), ("app", &[])], &["app", "domain"])).len(), 1);
    }
}
