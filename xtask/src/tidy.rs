//! Tidiness that no lint knows: modules open with a sentence, have names that say something, and stay short.

use crate::machine::{Repo, files_below};
use anyhow::Result;
use std::path::Path;

const LINES_MAX: usize = 400;

/// Longer files, each with its reason. Take a file off the list when it shrinks.
const LONG_FILES: &[(&str, &str)] = &[];

/// A thing that has no home has no name yet.
const JUNK_DRAWERS: &[&str] = &["utils", "util", "helpers", "helper", "common", "misc", "manager"];

/// Top-level folders with Rust in them.
const CRATES: &[&str] = &["domain", "app", "browser", "edge", "server", "xtask"];

pub fn check(repo: &Repo) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for file in CRATES.iter().flat_map(|name| files_below(&repo.at(name))) {
        let Ok(path) = file.strip_prefix(&repo.root) else { continue };
        found.extend(junk_drawer(path));
        if path.extension().is_some_and(|extension| extension == "rs") {
            found.extend(untidy(&path.to_string_lossy(), &std::fs::read_to_string(&file)?));
        }
    }
    for (path, _) in LONG_FILES {
        if std::fs::read_to_string(repo.at(path)).is_ok_and(|text| text.lines().count() < LINES_MAX) {
            found.push(format!("{path}: shorter than {LINES_MAX} lines now; take it off the list in xtask/src/tidy.rs"));
        }
    }
    Ok(found)
}

fn junk_drawer(path: &Path) -> Option<String> {
    let named = |name: &std::ffi::OsStr| JUNK_DRAWERS.contains(&Path::new(name).file_stem().unwrap_or_default().to_string_lossy().as_ref());
    path.iter().any(named).then(|| format!("{}: a junk drawer's name; say what lives there", path.display()))
}

fn untidy(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !text.starts_with("//!") {
        found.push(format!("{path}: open the module with one `//!` sentence"));
    }
    let lines = text.lines().count();
    if lines >= LINES_MAX && !LONG_FILES.iter().any(|(listed, _)| *listed == path) {
        found.push(format!("{path}: {lines} lines; split it by noun, or list it in xtask/src/tidy.rs with a reason"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_module_and_a_long_one_are_named() {
        assert_eq!(untidy("a.rs", "fn a() {}").len(), 1);
        assert_eq!(untidy("a.rs", &format!("//! A.\n{}", "\n".repeat(LINES_MAX))).len(), 1);
        assert!(untidy("a.rs", "//! A.\nfn a() {}\n").is_empty());
    }

    #[test]
    fn junk_drawers_are_named_as_files_and_as_folders() {
        assert!(junk_drawer(Path::new("app/src/utils.rs")).is_some());
        assert!(junk_drawer(Path::new("app/src/common/a.rs")).is_some());
        assert!(junk_drawer(Path::new("app/src/cart.rs")).is_none());
    }
}
