//! What this machine offers: the repository's folders, the user, the environment, Debian's packages, the time that a step took.

use crate::process::{self, Run as _};
use anyhow::{Context as _, Result, bail};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// The repository that the command was started in, from whichever of its folders.
pub struct Repo {
    pub root: PathBuf,
}

impl Repo {
    pub fn find() -> Result<Self> {
        let here = std::env::current_dir()?;
        let root = here
            .ancestors()
            .find(|folder| folder.join("xtask/Cargo.toml").is_file() && folder.join("browser/shop").is_dir())
            .context("start this command in a folder of the repository")?;
        Ok(Self { root: root.to_path_buf() })
    }
    pub fn at(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }
    /// The one place where the release build leaves the shop and everything that it serves.
    pub fn release(&self) -> PathBuf {
        self.root.join("target/release")
    }
    pub fn nextgen(&self) -> PathBuf {
        self.release().join("nextgen")
    }
    /// A fresh folder under `target/` for what a run of the tests leaves behind.
    pub fn scratch(&self, name: &str) -> Result<PathBuf> {
        let folder = self.root.join("target").join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}

#[expect(clippy::disallowed_methods, reason = "xtask is not the shop: this is its one reader of the environment")]
pub fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// What is built once a machine: outside `target/`, so that it outlives a clean checkout.
pub fn cache_folder() -> Result<PathBuf> {
    let base = match (variable("XDG_CACHE_HOME"), variable("HOME")) {
        (Some(cache), _) => PathBuf::from(cache),
        (None, Some(home)) => PathBuf::from(home).join(".cache"),
        (None, None) => bail!("set HOME or XDG_CACHE_HOME: tools are kept in a cache folder there"),
    };
    Ok(base.join("nextgen-commerce"))
}

/// Measures the steps; the shop's own clock is not meant for this.
pub struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "wall time of a build step, not the shop's time")]
    pub fn start() -> Self {
        Self(Instant::now())
    }
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
    pub fn seconds(&self) -> String {
        let seconds = self.elapsed().as_secs();
        if seconds >= 60 { format!("{} min {:02} s", seconds / 60, seconds % 60) } else { format!("{:.1} s", self.elapsed().as_secs_f32()) }
    }
}

/// A line that says what happens now.
pub fn say(text: &str) {
    eprintln!("▸ {text}");
}

pub fn is_root() -> bool {
    Command::new("id").arg("-u").read().is_ok_and(|id| id.trim() == "0")
}

/// The first of `names` on the PATH.
pub fn find_program(names: &[&str]) -> Option<PathBuf> {
    let path = variable("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|file| file.is_file())
}

/// Installs Debian packages, or stops with the exact command to type where that needs root.
pub fn apt_install(packages: &[&str], for_what: &str) -> Result<()> {
    let list = packages.join(" ");
    if find_program(&["apt-get"]).is_none() {
        bail!("{for_what} is missing, and this is no Debian: install what Debian calls {list}");
    }
    if !is_root() {
        bail!(
            "{for_what} is missing and installing it needs root. Type this, then start again:\n\n    sudo apt-get update && sudo apt-get install -y --no-install-recommends {list}\n"
        );
    }
    say(&format!("installing {for_what} from Debian: {list}"));
    let install = || {
        Command::new("apt-get")
            .args(["install", "-y", "-qq", "--no-install-recommends"])
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .quietly()
    };
    // The package lists of a fresh machine are absent or stale; those of a prepared one are fine.
    if install().is_err() {
        Command::new("apt-get").args(["update", "-qq"]).quietly()?;
        install().with_context(|| format!("apt-get install {list}"))?;
    }
    Ok(())
}

/// A free port on the loopback, for a server that cannot choose one by itself.
pub fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Waits until something listens, the process ends, or the patience does.
pub fn wait_for_port(port: u16, patience: Duration, server: &mut process::Server) -> Result<()> {
    let watch = Stopwatch::start();
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    while std::net::TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_err() {
        if let Some(status) = server.ended()? {
            bail!("{} ended with {status} before it listened; {}", server.name, server.its_words());
        }
        if watch.elapsed() > patience {
            bail!("{} does not listen on {port} after {} s; {}", server.name, patience.as_secs(), server.its_words());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// Every file below `folder`, sorted, hidden ones and `node_modules` left out.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let hidden = name.to_string_lossy().starts_with('.');
            if hidden || name == "node_modules" || name == "target" {
                continue;
            }
            let path = entry.path();
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}
