//! Node 20 and the npm packages that shrink the browser's files and drive the tests; optional for `run`, needed by `test`.

use crate::{
    machine::{Repo, apt_install, cache_folder, find_program, say, variable},
    process::Run as _,
};
use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// esbuild, binaryen, Playwright and Lighthouse 12 all run on this one.
const NODE_MAJOR_MIN: u32 = 20;

/// A Node that is new enough.
#[derive(Clone, Debug)]
pub struct Node {
    program: PathBuf,
}

impl Node {
    /// The machine's own Node, if it is new enough and comes with npm.
    pub fn find() -> Option<Self> {
        find_program(&["npm"])?;
        let node = Self { program: find_program(&["node", "nodejs"])? };
        (node.major()? >= NODE_MAJOR_MIN).then_some(node)
    }

    /// For the tests: the machine's own, or npm's `node` package in the cache folder (Debian 12's Node is 18, its npm suffices).
    pub fn find_or_install() -> Result<Self> {
        if let Some(node) = Self::find() {
            return Ok(node);
        }
        let folder = cache_folder()?.join("node-20");
        let node = Self { program: folder.join("node_modules/node/bin/node") };
        if node.major().is_none() {
            if find_program(&["npm"]).is_none() {
                apt_install(&["npm"], "npm")?;
            }
            say("installing Node 20 from npm (tests only)");
            std::fs::create_dir_all(&folder)?;
            Command::new("npm").args(["install", "--no-save", "--prefix"]).arg(&folder).arg("node@20").quietly()?;
        }
        node.major().context("npm's `node` package did not bring a working Node 20")?;
        Ok(node)
    }

    fn major(&self) -> Option<u32> {
        let version = Command::new(&self.program).arg("--version").read().ok()?;
        version.trim().trim_start_matches('v').split('.').next()?.parse().ok()
    }

    pub fn command(&self) -> Command {
        Command::new(&self.program)
    }

    /// `npm ci` in `folder`, once per lock file.
    pub fn install(&self, repo: &Repo, folder: &str) -> Result<PathBuf> {
        let folder = repo.at(folder);
        let lock = std::fs::read(folder.join("package-lock.json")).with_context(|| format!("{}/package-lock.json", folder.display()))?;
        let wanted = hex(&Sha256::digest(&lock));
        let stamp = folder.join("node_modules/.installed");
        if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(folder);
        }
        say(&format!("installing npm packages of {}", folder.strip_prefix(&repo.root).unwrap_or(&folder).display()));
        // npm runs on the Node that will run what it brings.
        let mut path = self.program.parent().unwrap_or(&folder).as_os_str().to_owned();
        path.push(":");
        path.push(variable("PATH").unwrap_or_default());
        Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"])
            .current_dir(&folder)
            .env("PATH", path)
            .quietly()?;
        std::fs::write(stamp, wanted)?;
        Ok(folder)
    }
}

/// The two tools that make the browser's files small.
#[derive(Clone, Debug)]
pub struct Shrinkers {
    node: Node,
    folder: PathBuf,
}

impl Shrinkers {
    /// `None`, with the reason said, where they cannot be had: the shop works without them, its Wasm is only bigger.
    pub fn find(repo: &Repo) -> Option<Self> {
        let Some(node) = Node::find() else {
            say("no Node 20 here: the Wasm stays unoptimised (bigger, otherwise the same)");
            return None;
        };
        match node.install(repo, "browser") {
            Ok(folder) => Some(Self { node, folder }),
            Err(error) => {
                say(&format!("npm cannot bring esbuild and wasm-opt, so the Wasm stays unoptimised: {error:#}"));
                None
            }
        }
    }

    /// For the key that decides whether a file must be made again.
    pub fn identity(&self) -> String {
        std::fs::read_to_string(self.folder.join("node_modules/.installed")).unwrap_or_default()
    }

    /// For size: phones load it, and cold starts read it.
    pub fn wasm_opt(&self, input: &Path, output: &Path) -> Result<()> {
        let features =
            ["bulk-memory", "exception-handling", "nontrapping-float-to-int", "sign-ext", "mutable-globals", "reference-types", "multivalue"];
        self.node
            .command()
            .arg(self.folder.join("node_modules/binaryen/bin/wasm-opt"))
            .args(["-Oz", "--strip-debug", "--strip-producers"])
            .args(features.map(|feature| format!("--enable-{feature}")))
            .arg(input)
            .arg("-o")
            .arg(output)
            .quietly()
    }

    /// `file` without its spaces, comments and long names; `.js` stays an ES module, `.css` keeps its layers. `target`: the newest
    /// language that the reader knows, as esbuild names it.
    pub fn minify(&self, file: &Path, target: Option<&str>) -> Result<Vec<u8>> {
        let text = self
            .node
            .command()
            .arg(self.folder.join("node_modules/esbuild/bin/esbuild"))
            .args(["--minify", "--legal-comments=none", "--charset=utf8", "--log-level=error"])
            .args(target.map(|target| format!("--target={target}")))
            .arg(file)
            .read()?;
        Ok(text.into_bytes())
    }

    /// `entry` and all that it imports as one ES module, minified.
    pub fn bundle(&self, entry: &Path, output: &Path, options: &[String]) -> Result<()> {
        self.node
            .command()
            .arg(self.folder.join("node_modules/esbuild/bin/esbuild"))
            .args(["--bundle", "--format=esm", "--minify", "--legal-comments=none", "--charset=utf8", "--log-level=warning"])
            .args(options)
            .arg(format!("--outfile={}", output.display()))
            .arg(entry)
            .quietly()
    }
}

pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}
