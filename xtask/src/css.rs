//! One style sheet from `style/shop.css` and one from `style/staff.css`: their `@import` lines, in order, and the hashed names of the fonts.

use anyhow::{Context as _, Result, bail};
use std::{collections::BTreeMap, path::Path};

/// Inlines every `@import "file.css";` and `@import "file.css" layer(name);`, nested ones too. Other lines stay as they are.
pub fn bundle(entry: &Path) -> Result<String> {
    let mut sheet = String::new();
    inline(entry, 0, &mut sheet)?;
    Ok(sheet)
}

/// An import of an import of an import is a mistake, or a circle.
const DEPTH_MAX: usize = 4;

fn inline(file: &Path, depth: usize, sheet: &mut String) -> Result<()> {
    if depth > DEPTH_MAX {
        bail!("{}: imports are nested more than {DEPTH_MAX} deep", file.display());
    }
    let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let folder = file.parent().context("a style sheet has a folder")?;
    for line in text.lines() {
        let Some((name, layer)) = import(line) else {
            sheet.push_str(line);
            sheet.push('\n');
            continue;
        };
        let Some(layer) = layer else {
            inline(&folder.join(name), depth + 1, sheet)?;
            continue;
        };
        sheet.extend(["@layer ", layer, " {\n"]);
        inline(&folder.join(name), depth + 1, sheet)?;
        sheet.push_str("}\n");
    }
    Ok(())
}

/// `@import url("x.css") layer(y);` as (x.css, Some(y)).
fn import(line: &str) -> Option<(&str, Option<&str>)> {
    let rest = line.trim().strip_prefix("@import")?.split(';').next()?.trim();
    let rest = rest.strip_prefix("url(").unwrap_or(rest);
    let quote = rest.chars().next().filter(|mark| matches!(mark, '"' | '\''))?;
    let (name, tail) = rest[1..].split_once(quote)?;
    if name.contains("//") {
        return None;
    }
    let layer = tail.split_once("layer(").and_then(|(_, tail)| tail.split_once(')')).map(|(layer, _)| layer.trim());
    Some((name, layer))
}

/// Every `url(…/file)` whose file name is a known asset becomes that asset's hashed URL.
pub fn point_at_assets(sheet: &str, hashed: &BTreeMap<String, String>) -> String {
    let mut out = String::with_capacity(sheet.len());
    let mut rest = sheet;
    while let Some((before, after)) = rest.split_once("url(") {
        out.push_str(before);
        out.push_str("url(");
        let Some((value, tail)) = after.split_once(')') else {
            rest = after;
            break;
        };
        let name = value.trim_matches(['"', '\'', ' ']).rsplit('/').next().unwrap_or_default();
        match hashed.get(name) {
            Some(url) => out.extend(["\"", url, "\""]),
            None => out.push_str(value),
        }
        out.push(')');
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_read_with_and_without_a_layer() {
        assert_eq!(import(r#"@import "tokens.css";"#), Some(("tokens.css", None)));
        assert_eq!(import("  @import url('a/b.css') layer(components); /* why */"), Some(("a/b.css", Some("components"))));
        assert_eq!(import("a { color: red }"), None);
        assert_eq!(import(r#"@import "https://elsewhere.example/x.css";"#), None);
    }

    #[test]
    fn fonts_get_their_hashed_names_and_other_urls_stay() {
        let hashed = BTreeMap::from([("f.woff2".to_owned(), "/assets/f.1.woff2".to_owned())]);
        let sheet = r#"src: url("../public/font/f.woff2") format("woff2"); background: url(data:image/svg+xml,x)"#;
        assert_eq!(point_at_assets(sheet, &hashed), r#"src: url("/assets/f.1.woff2") format("woff2"); background: url(data:image/svg+xml,x)"#);
    }
}
