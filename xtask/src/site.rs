//! `cargo xtask build`: `target/release/nextgen` and, beside it, `site/` with everything that it serves. A second run does little.

use crate::{
    assets::{Assets, write_whole},
    browser::{self, Browser},
    css,
    machine::{Repo, Stopwatch, files_below, say},
    node::Shrinkers,
    process::Run as _,
    wasm_toolchain::{Choice, NATIVE, WasmToolchain, default_cargo},
};
use anyhow::{Context as _, Result};
use serde_json::json;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

pub fn build(repo: &Repo, choice: Choice) -> Result<Browser> {
    let watch = Stopwatch::start();
    let toolchain = WasmToolchain::find_or_make(choice)?;
    let browser = build_site(repo, &toolchain)?;
    say(if repo.nextgen().exists() { "compiling the server" } else { "compiling the server (about ten minutes on two cores, the first time)" });
    default_cargo(repo).args(["build", "--release", "--bin=nextgen"]).args(NATIVE).loudly()?;
    say(&format!("built in {}: {}", watch.seconds(), relative(repo, &repo.nextgen())));
    say(&size_line(&browser));
    Ok(browser)
}

pub fn size_line(browser: &Browser) -> String {
    format!(
        "script + Wasm on a page: {:.1} kB brotli (script {:.1}, Wasm {:.1}; budget {} kB)",
        kilobytes(browser.sent_bytes()),
        kilobytes(browser.script.sent_bytes),
        kilobytes(browser.wasm.sent_bytes),
        browser::BUDGET_BYTES / 1000
    )
}

fn kilobytes(bytes: usize) -> f64 {
    f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / 1000.0
}

/// The folder that the server finds beside its executable: assets/ (hashed, old ones stay), media/, root/ and manifest.json.
pub fn build_site(repo: &Repo, toolchain: &WasmToolchain) -> Result<Browser> {
    let site = repo.release().join("site");
    let assets = Assets::open(&site)?;
    let shrinkers = Shrinkers::find(repo);
    let browser = browser::build(repo, toolchain, shrinkers.as_ref(), &assets)?;
    let fonts = fonts(repo, &assets)?;
    let css = assets.add("shop", "css", &style(repo, "shop", &fonts, shrinkers.as_ref())?)?;
    let staff_css = assets.add("staff", "css", &style(repo, "staff", &fonts, shrinkers.as_ref())?)?;
    let font = fonts
        .iter()
        .find(|(name, _)| Path::new(name).extension().is_some_and(|extension| extension == "woff2"))
        .map(|(_, url)| url.as_str())
        .unwrap_or_default();
    let copied = copy_new(&repo.at("public/media"), &site.join("media"))? + copy_root(repo, &site)?;
    if copied > 0 {
        say(&format!("copied {copied} pictures and files"));
    }
    // Last: until now a running server keeps the old set, which is still there.
    let manifest = json!({ "css": css.url, "staff_css": staff_css.url, "script": browser.script.url, "wasm": browser.wasm.url, "font": font });
    write_whole(&site.join("manifest.json"), serde_json::to_string_pretty(&manifest)?.as_bytes())?;
    Ok(browser)
}

/// File name → hashed URL.
fn fonts(repo: &Repo, assets: &Assets) -> Result<BTreeMap<String, String>> {
    let mut hashed = BTreeMap::new();
    for file in files_below(&repo.at("public/font")) {
        let (Some(stem), Some(extension)) = (file.file_stem(), file.extension()) else { continue };
        let (stem, extension) = (stem.to_string_lossy(), extension.to_string_lossy());
        if extension == "woff2" {
            hashed.insert(format!("{stem}.{extension}"), assets.add(&stem, &extension, &std::fs::read(&file)?)?.url);
        }
    }
    Ok(hashed)
}

/// `style/<name>.css` with everything that it imports.
fn style(repo: &Repo, name: &str, fonts: &BTreeMap<String, String>, shrinkers: Option<&Shrinkers>) -> Result<Vec<u8>> {
    let sheet = css::point_at_assets(&css::bundle(&repo.at(&format!("style/{name}.css")))?, fonts);
    let Some(shrinkers) = shrinkers else { return Ok(sheet.into_bytes()) };
    let file = repo.at(&format!("target/browser-files/{name}.css"));
    std::fs::write(&file, sheet)?;
    shrinkers.minify(&file, None).context("the style sheet")
}

/// Icons, the web manifest, licences: whatever of `public/` is neither font nor picture.
fn copy_root(repo: &Repo, site: &Path) -> Result<usize> {
    let public = repo.at("public");
    let mut copied = 0;
    for entry in std::fs::read_dir(&public)?.flatten() {
        let name = entry.file_name();
        let from = entry.path();
        if name == "media" || name == "font" {
            continue;
        }
        let to = site.join("root").join(&name);
        copied += if from.is_dir() { copy_new(&from, &to)? } else { usize::from(copy_if_newer(&from, &to)?) };
    }
    Ok(copied)
}

fn copy_new(from: &Path, to: &Path) -> Result<usize> {
    let mut copied = 0;
    for file in files_below(from) {
        copied += usize::from(copy_if_newer(&file, &to.join(file.strip_prefix(from)?))?);
    }
    Ok(copied)
}

fn copy_if_newer(from: &PathBuf, to: &PathBuf) -> Result<bool> {
    let source = from.metadata()?;
    let same = to.metadata().is_ok_and(|there| there.len() == source.len() && there.modified().ok() >= source.modified().ok());
    if same {
        return Ok(false);
    }
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::copy(from, to).with_context(|| format!("copying {}", from.display()))?;
    Ok(true)
}

pub fn relative(repo: &Repo, path: &Path) -> String {
    path.strip_prefix(&repo.root).unwrap_or(path).display().to_string()
}
