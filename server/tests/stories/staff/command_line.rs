//! `nextgen staff`, beside a running shop and before one was ever started.

use crate::{
    staff::house::{PASSWORD, sign_in},
    support::{self, TestShop},
};
use anyhow::Context as _;
use server::sql::Db;
use std::{path::Path, process::Stdio};
use tokio::{io::AsyncWriteExt as _, process::Command};

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

async fn staff(data: &Path, database: Option<&str>, args: &[&str], input: &str) -> anyhow::Result<Said> {
    let mut command = Command::new(support::nextgen());
    command.arg("staff").args(args).env_remove("DATABASE_URL").env("NEXTGEN_DATA", data);
    if let Some(url) = database {
        command.env("DATABASE_URL", url);
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn()?;
    let mut stdin = child.stdin.take().context("its input")?;
    // Whoever does not read its input may be gone already.
    stdin.write_all(input.as_bytes()).await.ok();
    drop(stdin);
    let output = child.wait_with_output().await?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) })
}

#[tokio::test]
async fn accounts_are_made_and_changed_beside_a_running_shop() -> anyhow::Result<()> {
    let shop: TestShop = support::start().await?;
    let database = match &shop.shop.db {
        Db::Sqlite { .. } => None,
        Db::Postgres { .. } => Some(shop.shop.config.database_url.clone()),
    };
    let run = |args: &'static [&'static str], input: &'static str| staff(shop.data(), database.as_deref(), args, input);
    assert!(run(&["list"], "").await?.out.contains("Nobody has an account"));
    let added = run(&["add", "Ada@Example.com", "--role", "admin", "--role", "warehouse"], "").await?;
    assert_eq!(added.code, Some(0), "{}", added.err);
    let given = added.out.lines().last().context("a password")?;
    let ada = shop.visitor();
    assert_eq!(sign_in(&ada, "ada@example.com", given).await?.status, 303, "{}", added.out);
    assert_eq!(ada.get("/ops").await?.location().as_deref(), Some("/ops/password"));

    let replaced = run(&["password", "ada@example.com", "--password-stdin"], "seven green umbrellas\n").await?;
    assert_eq!(replaced.code, Some(0), "{}", replaced.err);
    assert_eq!(ada.get("/ops").await?.location().as_deref(), Some("/ops/sign-in"), "the session ended");
    assert_eq!(sign_in(&ada, "ada@example.com", PASSWORD).await?.location().as_deref(), Some("/ops"));
    assert_eq!(ada.get("/ops/audit").await?.status, 200, "a password that was chosen opens everything");

    assert_eq!(run(&["role", "ada@example.com", "--role", "viewer"], "").await?.code, Some(0));
    assert_eq!(ada.get("/ops/audit").await?.status, 403);
    let listed = run(&["list"], "").await?.out;
    assert!(listed.contains("ada@example.com\tviewer\tmay sign in\tlast seen 23 Nov 2026"), "{listed}");
    assert_eq!(run(&["disable", "ada@example.com"], "").await?.code, Some(0));
    assert_eq!(ada.get("/ops").await?.status, 303);
    assert!(run(&["disable", "ada@example.com"], "").await?.out.contains("already"));
    assert_eq!(run(&["enable", "ada@example.com"], "").await?.code, Some(0));
    assert_eq!(sign_in(&ada, "ada@example.com", PASSWORD).await?.status, 303);
    shop.stop().await
}

#[tokio::test]
async fn what_cannot_be_done_is_said_in_a_sentence() -> anyhow::Result<()> {
    let data = tempfile::tempdir()?;
    let run = |args: &'static [&'static str], input: &'static str| staff(data.path(), None, args, input);
    assert_eq!(run(&["add", "ada@example.com", "--role", "support", "--password-stdin"], "seven green umbrellas").await?.code, Some(0));
    for (args, input, says) in [
        (&["add", "ada@example.com", "--role", "admin"][..], "", "has an account"),
        (&["add", "ben@example.com"], "", "--role"),
        (&["add", "ben@example.com", "--role", "root"], "", "viewer, support, warehouse, merchant or admin"),
        (&["add", "nobody", "--role", "admin"], "", "is no email address"),
        (&["add", "ben@example.com", "--role", "admin", "--password-stdin"], "short\n", "at least 15 characters"),
        (&["role", "ben@example.com", "--role", "admin"], "", "has no account"),
        (&["password", "ben@example.com"], "", "has no account"),
        (&["disable", "ben@example.com"], "", "has no account"),
    ] {
        let said = run(args, input).await?;
        assert_eq!(said.code, Some(2), "{args:?}: {}", said.out);
        assert!(said.err.contains(says), "{args:?}: {}", said.err);
    }
    assert_eq!(run(&["list"], "").await?.out.lines().count(), 1, "and nothing was made");
    Ok(())
}
