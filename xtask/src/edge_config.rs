//! What an edge is told: its origins, the public address, the table, and the key by which the origins know it, from a file
//! (`--edge-config FILE`, TOML or JSON) or made up for a run on this machine. Addresses of assets come from the site that was built with it.

use crate::machine::{Repo, say};
use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The configuration, without credentials for the table: those are the host's own.
pub struct EdgeConfig {
    told: Value,
    manifest: PathBuf,
}

impl EdgeConfig {
    /// For one shop on this machine. `table`: where its table listens.
    pub fn local(repo: &Repo, origins: &[String], url: &str, table: Option<&str>) -> Self {
        let told = json!({ "origins": origins, "url": url, "table": { "name": "nextgen", "region": "eu-central-1", "endpoint": table } });
        Self { told, manifest: repo.release().join("site/manifest.json") }
    }

    pub fn from_file(repo: &Repo, file: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
        let is_json = file.extension().is_some_and(|extension| extension == "json");
        let told = if is_json { serde_json::from_str(&text)? } else { toml::from_str(&text)? };
        check(&told).with_context(|| file.display().to_string())?;
        Ok(Self { told, manifest: repo.release().join("site/manifest.json") })
    }

    /// Takes `--edge-config FILE` out of the arguments. Without it: addresses of this machine, for tests and for a look.
    pub fn take(repo: &Repo, arguments: &[String]) -> Result<(Self, Vec<String>)> {
        let (file, rest) = take_value(arguments, "--edge-config")?;
        let config = if let Some(file) = file {
            Self::from_file(repo, Path::new(&file))?
        } else {
            say("no --edge-config: the bundles are for a shop on this machine, and not for upload");
            Self::local(repo, &["http://127.0.0.1:3001".to_owned()], "http://127.0.0.1:3000", Some("http://127.0.0.1:3002"))
        };
        Ok((config, rest))
    }

    /// With the key by which the origins know the edge.
    #[must_use]
    pub fn with_key(mut self, key: &str) -> Self {
        self.told[KEY] = key.into();
        self
    }

    /// As the edge reads it, for a host that keeps the key as a secret.
    pub fn json(&self) -> Result<Value> {
        let mut json = self.json_with_key()?;
        if let Some(fields) = json.as_object_mut() {
            fields.remove(KEY);
        }
        Ok(json)
    }

    /// As the edge reads it, all in one: for a host without secrets.
    pub fn json_with_key(&self) -> Result<Value> {
        let manifest = std::fs::read_to_string(&self.manifest).with_context(|| format!("{}: build the site first", self.manifest.display()))?;
        let mut json = self.told.clone();
        json["assets"] = serde_json::from_str(&manifest)?;
        Ok(json)
    }
}

/// The one field that is secret.
const KEY: &str = "edge_key";
const KNOWN: &[&str] = &["origins", "url", "table", "near", "templates_max", KEY];

/// An option with a value, `--name VALUE` or `--name=VALUE`, and the other arguments.
pub fn take_value(arguments: &[String], name: &str) -> Result<(Option<String>, Vec<String>)> {
    let mut value = None;
    let mut rest = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == name {
            value = Some(arguments.next().with_context(|| format!("{name} takes a value"))?.clone());
        } else if let Some(given) = argument.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) {
            value = Some(given.to_owned());
        } else {
            rest.push(argument.clone());
        }
    }
    Ok((value, rest))
}

fn check(told: &Value) -> Result<()> {
    let is_origin =
        |value: &Value| value.as_str().is_some_and(|text| (text.starts_with("https://") || text.starts_with("http://")) && !text.ends_with('/'));
    let are_origins = |value: &Value| value.as_array().is_some_and(|origins| !origins.is_empty() && origins.iter().all(is_origin));
    if !are_origins(&told["origins"]) {
        bail!("`origins` is a list of addresses such as \"https://eu.origin.example\", without a slash at the end");
    }
    if !is_origin(&told["url"]) {
        bail!("`url` is the public address, such as \"https://shop.example\", without a slash at the end");
    }
    if told["table"]["name"].as_str().is_none() || told["table"]["region"].as_str().is_none() {
        bail!("`table` has a `name` and a `region`");
    }
    if !told["templates_max"].is_null() && told["templates_max"].as_u64().is_none() {
        bail!("`templates_max` is a whole number");
    }
    for (place, near) in told["near"].as_object().into_iter().flatten() {
        if near["region"].as_str().is_none() || !are_origins(&near["origins"]) {
            bail!("`near.{place}` has a `region` and `origins`, like those for everywhere");
        }
    }
    if let Some(unknown) = told.as_object().into_iter().flatten().map(|(key, _)| key).find(|key| !KNOWN.contains(&key.as_str())) {
        bail!("`{unknown}` is nothing that an edge is told; it knows {}", KNOWN.join(", "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_says_too_little_or_too_much_is_refused() {
        let good = "origins = [\"https://eu.example\"]\nurl = \"https://shop.example\"\n[table]\nname = \"nextgen\"\nregion = \"eu-central-1\"\n";
        let told = |text: &str| toml::from_str::<Value>(text).map_err(anyhow::Error::from).and_then(|told| check(&told));
        assert!(told(good).is_ok());
        assert!(told(&good.replace("https://eu.example", "eu.example")).is_err());
        assert!(told(&good.replace("https://shop.example", "https://shop.example/")).is_err());
        assert!(told(&good.replace("region", "place")).is_err());
        assert!(told(&format!("templates_max = 100\n{good}")).is_ok());
        assert!(told(&format!("templates_max = \"all\"\n{good}")).is_err());
        let readme = include_str!("../../README.md").split("```toml\n").find(|block| block.starts_with("origins = "));
        assert!(readme.and_then(|block| block.split("```").next()).is_some_and(|block| told(block).is_ok()), "the README's example");
        assert!(told(&format!("secret = 1\n{good}")).is_err());
        assert!(told(&format!("{good}[near.NA]\nregion = \"us-east-1\"\norigins = [\"https://us.example\"]\n")).is_ok());
        assert!(told(&format!("{good}[near.NA]\nregion = \"us-east-1\"\n")).is_err());
    }

    #[test]
    fn values_are_taken_in_both_spellings() -> Result<()> {
        for words in ["--a --edge-config x --b", "--a --edge-config=x --b"] {
            let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
            let (value, rest) = take_value(&words, "--edge-config")?;
            assert_eq!((value.as_deref(), rest.join(" ").as_str()), (Some("x"), "--a --b"));
        }
        Ok(())
    }
}
