//! `nextgen promotion` as staff type it, beside a shop's data: what the README shows works, and what cannot be meant says so.

use super::coupon_command::{refuses, says, shop};
use anyhow::Context as _;
use std::path::Path;

#[tokio::test]
async fn what_the_readme_shows_works() -> anyhow::Result<()> {
    let data = shop().await?;
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md"))?;
    let lines: Vec<_> = readme.lines().filter_map(|line| line.trim().strip_prefix("nextgen promotion ")).collect();
    assert!(lines.len() >= 3, "the README shows them: {lines:?}");
    for line in lines {
        says(data.path(), &format!("promotion {line}")).await?;
    }
    Ok(())
}

#[tokio::test]
async fn promotions_are_added_listed_and_ended() -> anyhow::Result<()> {
    let data = shop().await?;
    let at = data.path();
    assert!(says(at, "promotion list").await?.contains("There are no promotions yet"));
    let line =
        "promotion add --tier 3=10% --tier 6=10.00EUR --category desk --market DE --from 2026-03-01 --combines nothing --priority 2 --title \"Desk\"";
    let added = says(at, line).await?;
    for part in ["10 % from 3 pieces", "10.00 EUR from 6 pieces", "category desk", "alone", "priority 2", "in DE", "2026-02-28T23:00:00Z"] {
        assert!(added.contains(part), "{part}: {added}");
    }
    let id = added.split(' ').next().context("an id")?;
    assert!(says(at, "promotion list").await?.contains(&format!("{id}  runs  \"Desk\"")));
    assert!(says(at, &format!("promotion end {id}")).await?.contains("Ended."));
    assert!(says(at, &format!("promotion end {id}")).await?.contains("It had ended before."));
    assert!(says(at, "promotion list").await?.contains(&format!("{id}  ended")));
    for (line, sentence) in [
        ("promotion add --buy 2 --title x", "--get"),
        ("promotion add --buy 0 --get 1 --title x", "buy 1 to 100"),
        ("promotion add --tier 6=10% --tier 3=5% --title x", "tiers begin above zero and ascend"),
        ("promotion add --tier 6=10% --tier 30.00EUR=5% --title x", "all by pieces or all by value"),
        ("promotion add --fixed-price 9.00USD --market DE --title x", "market DE does not sell in USD"),
        ("promotion add --percent 10 --amount 1.00EUR --title x", "cannot be used with"),
        ("promotion end 00000000-0000-0000-0000-000000000001", "there is no promotion"),
    ] {
        let said = refuses(at, line).await?;
        assert!(said.contains(sentence), "{line}: {said}");
    }
    Ok(())
}
