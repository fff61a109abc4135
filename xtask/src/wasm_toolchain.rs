//! Finds or makes a compiler for wasm32: rustup's target first, then Debian's rustc with a standard library built once a machine.

use crate::{
    machine::{Repo, apt_install, cache_folder, find_program, say, variable},
    process::Run as _,
};
use anyhow::{Context as _, Result, bail};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Native crates are built, linted and tested as one selection: one set of features, so that dependencies are compiled once.
pub const NATIVE: &[&str] = &[
    "--package=domain",
    "--package=edge-core",
    "--package=edge-pages",
    "--package=edge-replica",
    "--package=app",
    "--package=server",
    "--package=stories",
    "--features=app/origin,edge-replica/http",
];
/// This program, with the features that `cargo xtask` built it with.
pub const XTASK: &[&str] = &["--package=xtask"];

pub const TARGET: &str = "wasm32-unknown-unknown";
/// Debian 12's security suite keeps this compiler for its browsers; it is newer than Debian's own `rustc`.
const DEBIAN_PACKAGES: &[&str] = &["rustc-web", "cargo-web", "rust-web-src", "lld-22"];
const DEBIAN_CLIPPY: &str = "rust-web-clippy";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_LLD: &str = "/usr/bin/lld-22";
const DEBIAN_LIBRARY: &str = "/usr/lib/rustlib/src/rust/library";

/// `--wasm-toolchain`: where the target comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    Auto,
    Rustup,
    Debian,
}

impl Choice {
    /// As it is said on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Rustup => "rustup",
            Self::Debian => "debian",
        }
    }

    /// Takes the option out of the arguments and leaves the rest.
    pub fn take(arguments: &[String]) -> Result<(Self, Vec<String>)> {
        let mut choice = Self::Auto;
        let mut rest = Vec::new();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let value = match argument.split_once('=') {
                Some(("--wasm-toolchain", value)) => value,
                None if argument == "--wasm-toolchain" => arguments.next().context("--wasm-toolchain takes auto, rustup or debian")?,
                _ => {
                    rest.push(argument.clone());
                    continue;
                }
            };
            choice = match value {
                "auto" => Self::Auto,
                "rustup" => Self::Rustup,
                "debian" => Self::Debian,
                other => bail!("--wasm-toolchain takes auto, rustup or debian, not `{other}`"),
            };
        }
        Ok((choice, rest))
    }
}

/// A cargo that can build for wasm32.
#[derive(Clone, Debug)]
pub enum WasmToolchain {
    /// The default toolchain has the target.
    Default,
    /// Debian's compiler, with the sysroot that we built for it.
    Debian { sysroot: PathBuf },
}

impl WasmToolchain {
    pub fn find_or_make(choice: Choice) -> Result<Self> {
        if choice != Choice::Debian {
            if default_toolchain_has_target() || rustup_adds_target() {
                return Ok(Self::Default);
            }
            if choice == Choice::Rustup {
                bail!("rustup cannot add {TARGET}; `--wasm-toolchain debian` builds it from Debian's packages");
            }
        }
        Ok(Self::Debian { sysroot: debian_sysroot()? })
    }

    /// `cargo` with this toolchain; the caller adds the subcommand and `--target`.
    pub fn cargo(&self, repo: &Repo) -> Command {
        self.cargo_with(repo, Vec::new())
    }

    /// Compiles a package as it is sent: small, and without this machine's names.
    pub fn build(&self, repo: &Repo, package: &str) -> Result<()> {
        self.cargo_with(repo, nameless(repo)).args(["build", "--profile", "browser", "--package", package, "--target", TARGET]).loudly()
    }

    /// The same with more flags for what is compiled for the target.
    fn cargo_with(&self, repo: &Repo, mut flags: Vec<String>) -> Command {
        let mut cargo = match self {
            Self::Default => default_cargo(repo),
            Self::Debian { sysroot } => {
                let mut cargo = debian_cargo(&repo.root);
                flags.push(format!("--sysroot {}", sysroot.display()));
                cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", sysroot.join("rust-lld"));
                cargo
            }
        };
        if !flags.is_empty() {
            // Joined with the flags of .cargo/config.toml; host crates (build scripts, macros) keep the compiler's own.
            cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", flags.join(" "));
        }
        cargo
    }

    /// Lints of the wasm crates need the clippy that belongs to the compiler.
    pub fn prepare_clippy(&self) -> Result<()> {
        match self {
            Self::Default => Ok(()),
            Self::Debian { .. } if Path::new("/usr/bin/cargo-clippy").exists() => Ok(()),
            Self::Debian { .. } => apt_install(&[DEBIAN_CLIPPY], "clippy for Debian's compiler"),
        }
    }
}

/// Plain `cargo` of the toolchain that runs us, without the variables that `cargo run` left in our environment.
pub fn default_cargo(repo: &Repo) -> Command {
    let mut cargo = Command::new("cargo");
    without_cargo_variables(&mut cargo);
    cargo.current_dir(&repo.root);
    cargo
}

fn without_cargo_variables(command: &mut Command) {
    for name in ["CARGO", "CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_PKG_NAME", "CARGO_PKG_VERSION", "LD_LIBRARY_PATH"] {
        command.env_remove(name);
    }
}

fn default_toolchain_has_target() -> bool {
    let Ok(folder) = Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).read() else { return false };
    has_core(Path::new(folder.trim()))
}

fn has_core(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|entries| entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-")))
}

fn rustup_adds_target() -> bool {
    let Some(rustup) = find_program(&["rustup"]) else { return false };
    say(&format!("adding {TARGET} with rustup"));
    // The distribution server may be out of reach without an error: two minutes are enough for 20 MB.
    let added = match find_program(&["timeout"]) {
        Some(timeout) => Command::new(timeout).arg("120").arg(rustup).args(["target", "add", TARGET]).quietly(),
        None => Command::new(rustup).args(["target", "add", TARGET]).quietly(),
    };
    if added.is_err() {
        say("rustup cannot reach its server: taking Debian's compiler for the Wasm part");
        return false;
    }
    default_toolchain_has_target()
}

fn debian_sysroot() -> Result<PathBuf> {
    let complete = [DEBIAN_RUSTC, DEBIAN_CARGO, DEBIAN_LLD, DEBIAN_LIBRARY].iter().all(|path| Path::new(path).exists());
    if !complete {
        apt_install(DEBIAN_PACKAGES, "a Rust compiler for Wasm")?;
    }
    let version = Command::new(DEBIAN_RUSTC).arg("--version").read()?;
    let label: String = version.split_whitespace().take(2).collect::<Vec<_>>().join("-");
    let sysroot = cache_folder()?.join(format!("wasm-sysroot-{label}"));
    if !has_core(&library_folder(&sysroot)) {
        say(&format!("building the Wasm standard library with {} (about 30 s, once a machine)", version.trim()));
        build_standard_library(&sysroot)?;
    }
    Ok(sysroot)
}

fn library_folder(sysroot: &Path) -> PathBuf {
    sysroot.join("lib/rustlib").join(TARGET).join("lib")
}

/// Flags that keep this machine's folders out of what is uploaded: panics name source files.
fn nameless(repo: &Repo) -> Vec<String> {
    let cargo_home = variable("CARGO_HOME").map(PathBuf::from).or_else(|| Some(PathBuf::from(variable("HOME")?).join(".cargo")));
    let of_cargo = cargo_home.map(|home| format!("--remap-path-prefix={}=/cargo", home.display()));
    of_cargo.into_iter().chain([format!("--remap-path-prefix={}=/shop", repo.root.display())]).collect()
}

fn debian_cargo(folder: &Path) -> Command {
    let mut cargo = Command::new(DEBIAN_CARGO);
    without_cargo_variables(&mut cargo);
    // Debian's programs come first, so that `cargo clippy` finds its own driver and no rustup proxy answers.
    let path = crate::machine::variable("PATH").unwrap_or_default();
    let mut first = std::ffi::OsString::from("/usr/bin:");
    first.push(path);
    cargo.current_dir(folder).env("RUSTC", DEBIAN_RUSTC).env("PATH", first).env_remove("RUSTUP_TOOLCHAIN");
    cargo
}

/// Cargo's `build-std` over an empty crate; the rlibs are then moved into a sysroot of their own.
fn build_standard_library(sysroot: &Path) -> Result<()> {
    let work = sysroot.with_extension("building");
    if work.exists() {
        std::fs::remove_dir_all(&work)?;
    }
    std::fs::create_dir_all(work.join("src"))?;
    std::fs::write(work.join("Cargo.toml"), "[package]\nname = \"empty\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[workspace]\n")?;
    std::fs::write(work.join("src/lib.rs"), "")?;
    debian_cargo(&work)
        .args(["build", "--release", "--target", TARGET, "--target-dir", "target", "-Z", "build-std=std,panic_abort,proc_macro,test"])
        .env("RUSTC_BOOTSTRAP", "1")
        .env("__CARGO_DEFAULT_LIB_METADATA", "stablestd")
        // Without the bitcode `lto = "fat"` has nothing to optimise.
        .env("RUSTFLAGS", "-Cembed-bitcode=yes")
        .quietly()
        .context("building the Wasm standard library")?;
    let libraries = library_folder(&work.join("sysroot"));
    std::fs::create_dir_all(&libraries)?;
    for file in std::fs::read_dir(work.join("target").join(TARGET).join("release/deps"))?.flatten() {
        let name = file.file_name().to_string_lossy().into_owned();
        if Path::new(&name).extension().is_some_and(|extension| extension == "rlib") && !name.starts_with("libempty-") {
            std::fs::copy(file.path(), libraries.join(&name))?;
        }
    }
    std::os::unix::fs::symlink(DEBIAN_LLD, work.join("sysroot/rust-lld"))?;
    if sysroot.exists() {
        std::fs::remove_dir_all(sysroot)?;
    }
    // Renamed last: an interrupted build leaves no half sysroot.
    std::fs::rename(work.join("sysroot"), sysroot)?;
    std::fs::remove_dir_all(&work)?;
    Ok(())
}
