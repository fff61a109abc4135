//! `nextgen coupon` as staff type it, beside a shop's data: what the README shows works, and what cannot be meant says so.

use crate::support;
use anyhow::{Context as _, ensure};
use std::{collections::BTreeSet, path::Path, process::Output};
use tokio::process::Command;

async fn nextgen(data: &Path, args: &[String]) -> anyhow::Result<Output> {
    let mut command = Command::new(support::nextgen());
    command.env_remove("DATABASE_URL").env("NEXTGEN_DATA", data).env("NEXTGEN_DEMO", "0").args(args);
    Ok(command.output().await?)
}

/// A shop that has nothing yet: the first account makes it.
pub async fn shop() -> anyhow::Result<tempfile::TempDir> {
    let data = tempfile::tempdir()?;
    says(data.path(), "staff add ada@example.com --role admin").await?;
    Ok(data)
}

/// What a command that works says.
pub async fn says(data: &Path, line: &str) -> anyhow::Result<String> {
    let output = nextgen(data, &arguments(line)).await?;
    ensure!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// What a command that is refused says.
pub async fn refuses(data: &Path, line: &str) -> anyhow::Result<String> {
    let output = nextgen(data, &arguments(line)).await?;
    ensure!(!output.status.success(), "{line} was carried out");
    Ok(String::from_utf8(output.stderr)?)
}

/// A line as a shell would cut it, as far as our examples need: words, and text in double quotes; `# …` and `> …` are not arguments.
fn arguments(line: &str) -> Vec<String> {
    let line = line.split(" #").next().unwrap_or(line).split(" > ").next().unwrap_or(line);
    let mut words = Vec::new();
    for (n, part) in line.split('"').enumerate() {
        if n % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

#[tokio::test]
async fn what_the_readme_shows_works() -> anyhow::Result<()> {
    let data = shop().await?;
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md"))?;
    let lines: Vec<_> = readme.lines().filter_map(|line| line.trim().strip_prefix("nextgen coupon ")).collect();
    assert!(lines.len() >= 4, "the README shows each command: {lines:?}");
    for line in lines {
        says(data.path(), &format!("coupon {line}")).await?;
    }
    Ok(())
}

#[tokio::test]
async fn codes_are_added_listed_and_ended() -> anyhow::Result<()> {
    let data = shop().await?;
    let at = data.path();
    assert!(says(at, "coupon list").await?.contains("There are no coupons yet"));
    let added = says(
        at,
        "coupon add SPRING-20 --percent 12.5 --title \"Spring\" --title \"de-de=Frühling\" --minimum 50.00EUR --market DE --market FR \
                          --from 2026-03-01 --until 2026-06-01 --cap 100 --cap-per-customer 1 --not-on-reduced",
    )
    .await?;
    for part in [
        "SPRING-20",
        "12.5 %",
        "from 50.00 EUR",
        "in DE FR",
        "at most 100 in all",
        "at most 1 a customer",
        "not on reduced pieces",
        "2026-02-28T23:00:00Z",
        "2026-05-31T22:00:00Z",
    ] {
        assert!(added.contains(part), "{part}: {added}");
    }
    for (line, sentence) in [
        ("coupon add spr1ng20 --percent 5 --title x", "reads like spr1ng20 already"),
        ("coupon add NEW --percent 0 --title x", "a percentage is above 0"),
        ("coupon add NEW --percent 101 --title x", "at most 100"),
        ("coupon add NEW --percent ten --title x", "not a percentage such as 10 or 12.5"),
        ("coupon add NEW --amount 5.00JPY --title x", "not an amount"),
        ("coupon add NEW --amount 5CHF --title x", "no market sells in CHF"),
        ("coupon add NEW --amount 5EUR --market US --title x", "market US does not sell in EUR"),
        ("coupon add NEW --amount 5EUR --minimum 10USD --title x", "different currencies"),
        ("coupon add NEW --percent 5 --market XX --title x", "there is no market"),
        ("coupon add NEW --percent 5 --until 2020-01-01 --title x", "it ends before it begins"),
        ("coupon add NEW --percent 5 --from soon --title x", "not a time such as 2026-12-01"),
        ("coupon add NEW --percent 5 --cap 0 --title x", "a cap is at least 1"),
        ("coupon add NEW --percent 5 --amount 5EUR --title x", "cannot be used with"),
        ("coupon add NEW --title x", "required"),
        ("coupon add NEW --percent 5", "required"),
        ("coupon add É! --percent 5 --title x", "cannot be a code"),
        ("coupon bulk 0 --percent 5 --title x", "between 1 and 100000 codes"),
        ("coupon bulk 5 --percent 5 --title x --prefix THISPREFIXISTOOLONG", "cannot stand before a code"),
        ("coupon end NOBODY", "there is no coupon"),
        ("coupon list --codes NOBODY", "there is no coupon"),
    ] {
        let said = refuses(at, line).await?;
        assert!(said.contains(sentence), "{line}: {said}");
    }
    let listed = says(at, "coupon list").await?;
    assert!(listed.lines().count() == 1 && listed.contains("SPRING-20") && listed.contains("used 0 of 100"), "{listed}");
    assert!(says(at, "coupon end spring20").await?.starts_with("Ended."));
    assert!(says(at, "coupon end spring20").await?.starts_with("It had ended before."));
    assert!(says(at, "coupon list").await?.contains("  ended  "));
    Ok(())
}

#[tokio::test]
async fn a_thousand_unique_codes_are_a_thousand() -> anyhow::Result<()> {
    let data = shop().await?;
    let csv = says(data.path(), "coupon bulk 1201 --prefix GIFT --amount 10.00EUR --title \"A gift\"").await?;
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("code"));
    let codes: BTreeSet<_> = lines.collect();
    assert_eq!(codes.len(), 1_201);
    assert!(codes.iter().all(|code| code.starts_with("GIFT-") && code.len() == "GIFT-XXXX-XXXX-XXXX".len()));
    let one = codes.first().context("a code")?;
    let listed = says(data.path(), &format!("coupon list --codes {one}")).await?;
    assert_eq!(listed.lines().skip(1).map(|line| line.trim_end_matches(",0")).collect::<BTreeSet<_>>(), codes);
    assert!(says(data.path(), "coupon list").await?.contains("1201 codes"));
    Ok(())
}

#[tokio::test]
async fn a_place_without_a_shop_is_told_and_stays_empty() -> anyhow::Result<()> {
    let data = tempfile::tempdir()?;
    let mistyped = data.path().join("dta");
    for line in ["coupon list", "coupon add SPRING20 --percent 20 --title x", "promotion list", "tax rates DE", "stock locations", "reconcile"] {
        let said = refuses(&mistyped, line).await?;
        assert!(said.contains("there is no shop in ") && said.contains("--data"), "{line}: {said}");
        assert!(!mistyped.exists(), "{line} made a shop");
    }
    Ok(())
}
