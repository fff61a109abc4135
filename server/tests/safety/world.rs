//! A shop and its payment provider as two processes with one data folder, each of which can be killed alone.

use crate::support::{self, Answer, Visitor, mails::Mail};
use anyhow::{Context as _, ensure};
use server::{config::sqlite_in, payments::test_provider, sql::Db};
use std::{
    collections::BTreeSet,
    net::TcpListener,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};
use tempfile::TempDir;

/// Both processes, and where they keep what they know.
pub struct World {
    pub folder: TempDir,
    pub url: String,
    pub provider: String,
    /// `None`: SQLite in the data folder.
    pub postgres: Option<support::OwnDatabase>,
    binary: PathBuf,
    address: String,
    shop: Option<Child>,
    teller: Child,
}

impl World {
    /// Opens the demo shop.
    pub async fn open(binary: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::create_dir(folder.path().join("data"))?;
        let (address, provider) = (free_address()?, free_address()?);
        let postgres = support::own_database().await?;
        let mut command = Command::new(support::nextgen());
        command.args(["test-provider", "--addr", &provider, "--data"]).arg(folder.path().join("data"));
        let teller = quiet(&mut command).spawn().context("starting the provider")?;
        let mut world = Self {
            folder,
            url: format!("http://{address}"),
            provider: format!("http://{provider}"),
            postgres,
            binary: binary.to_owned(),
            address,
            shop: None,
            teller,
        };
        world.start(&[]).await?;
        Ok(world)
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.env("NEXTGEN_RATE_LIMITS", "off").env("NEXTGEN_TEST_PROVIDER", &self.provider).env_remove("DATABASE_URL").env("RUST_LOG", "warn");
        if let Some(postgres) = &self.postgres {
            command.env("DATABASE_URL", &postgres.url);
        }
        command.args(["--addr", &self.address, "--data"]).arg(self.data());
        command
    }

    /// Another command on this shop's data.
    pub fn run(&self, words: &[&str]) -> anyhow::Result<Output> {
        Ok(self.command().args(words).stdin(Stdio::null()).output()?)
    }

    /// The same, which must succeed; what it says.
    pub fn must(&self, words: &[&str]) -> anyhow::Result<String> {
        let output = self.run(words)?;
        ensure!(output.status.success(), "nextgen {words:?}: {}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Starts the shop and waits until it is ready.
    pub async fn start(&mut self, variables: &[(&str, &str)]) -> anyhow::Result<()> {
        let mut command = self.command();
        self.shop = Some(quiet(command.arg("serve").envs(variables.iter().copied())).spawn().context("starting the shop")?);
        let visitor = self.visitor()?;
        for _ in 0..600 {
            if visitor.get("/readyz").await.is_ok_and(|answer| answer.status == 200) {
                return Ok(());
            }
            ensure!(self.is_running()?, "the shop ended before it was ready");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("the shop is not ready after 30 s")
    }

    /// Whether the shop's process is there.
    pub fn is_running(&mut self) -> anyhow::Result<bool> {
        Ok(match &mut self.shop {
            Some(shop) => shop.try_wait()?.is_none(),
            None => false,
        })
    }

    /// Whether it answers. A process that was killed a moment ago may still seem to be there.
    pub async fn lives(&self) -> anyhow::Result<bool> {
        Ok(self.visitor()?.get("/readyz").await.is_ok_and(|answer| answer.status == 200))
    }

    /// Whether it ended by SIGKILL, and by nothing else.
    pub fn was_killed(&mut self) -> anyhow::Result<bool> {
        let status = self.shop.take().context("it was started")?.wait()?;
        Ok(status.signal() == Some(9))
    }

    /// SIGKILL: nothing is finished, nothing is flushed.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut shop) = self.shop.take() {
            shop.kill()?;
            shop.wait()?;
        }
        Ok(())
    }

    /// Somebody with cookies of their own.
    pub fn visitor(&self) -> anyhow::Result<Visitor> {
        let client = server::outbound::client(Duration::from_secs(20)).redirect(reqwest::redirect::Policy::none()).cookie_store(true).build()?;
        Ok(Visitor { client, url: self.url.clone() })
    }

    /// The shop's database, beside the shop.
    pub async fn db(&self) -> anyhow::Result<Db> {
        match &self.postgres {
            Some(postgres) => Db::open(&postgres.url).await,
            None => Db::open(&sqlite_in(&self.data())).await,
        }
    }

    /// The provider's ledger.
    pub async fn ledger(&self) -> anyhow::Result<serde_json::Value> {
        let secret = String::from_utf8(test_provider::secret(&self.data())?)?;
        let client = server::outbound::client(Duration::from_secs(10)).build()?;
        let answer = Answer::read(client.get(format!("{}/v1/ledger", self.provider)).bearer_auth(secret)).await?;
        Ok(serde_json::from_str(&answer.body)?)
    }

    /// What goes wrong at the provider from now on.
    pub async fn faults(&self, faults: serde_json::Value) -> anyhow::Result<()> {
        let client = server::outbound::client(Duration::from_secs(10)).build()?;
        let answer = Answer::read(client.post(format!("{}/_faults", self.provider)).json(&faults)).await?;
        ensure!(answer.status == 204, "{}", answer.body);
        Ok(())
    }

    /// Money comes, whatever became of the page.
    pub async fn late_money(&self, payment: &str) -> anyhow::Result<()> {
        let client = server::outbound::client(Duration::from_secs(10)).build()?;
        Answer::read(client.post(format!("{}/_faults/capture/{payment}", self.provider))).await.map(drop)
    }

    /// The provider's clock goes forward; the shop's does not.
    pub async fn advance(&self, by: Duration) -> anyhow::Result<()> {
        let client = server::outbound::client(Duration::from_secs(10)).build()?;
        let forward = serde_json::json!({ "seconds": by.as_secs() });
        let answer = Answer::read(client.post(format!("{}/_faults/advance", self.provider)).json(&forward)).await?;
        ensure!(answer.status == 204, "{}", answer.body);
        Ok(())
    }

    /// Where mails about this order lead.
    pub fn mailed_links(&self, number: &str) -> anyhow::Result<BTreeSet<String>> {
        let mut links = BTreeSet::new();
        for file in std::fs::read_dir(self.data().join("mail"))? {
            let path = file?.path();
            // Others are being written.
            if path.extension().is_some_and(|extension| extension == "eml") {
                let mail = Mail::read(&std::fs::read(&path)?).with_context(|| path.display().to_string())?;
                if mail.text.contains(number) {
                    links.insert(mail.order()?);
                }
            }
        }
        Ok(links)
    }

    /// Ends both and removes what they left.
    pub async fn close(mut self) -> anyhow::Result<()> {
        self.kill()?;
        if let Some(postgres) = self.postgres.take() {
            postgres.drop().await?;
        }
        Ok(())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.kill().ok();
        self.teller.kill().ok();
        self.teller.wait().ok();
    }
}

fn quiet(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).stdout(Stdio::null())
}

fn free_address() -> anyhow::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
