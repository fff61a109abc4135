//! The test provider as a process: started by the shop, started again when it dies, ended with the shop, also when the shop is killed.

use crate::support;
use anyhow::{Context as _, ensure};
use server::payments::test_provider;
use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// A shop as a process; killed when the test ends, whatever happened.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[tokio::test]
async fn the_provider_lives_as_long_as_the_shop() -> anyhow::Result<()> {
    let data = tempfile::tempdir()?;
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut shop = Running(
        Command::new(support::nextgen())
            .arg("serve")
            .args(["--addr", &format!("127.0.0.1:{port}"), "--demo", "0", "--data"])
            .arg(data.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("starting the shop")?,
    );
    let first = answering(data.path(), None).await.context("the shop starts a provider")?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    ensure!(answering(data.path(), None).await? == first, "it stays");
    ensure!(Command::new("kill").args(["-9", &first.to_string()]).status()?.success(), "killing the provider");
    let second = answering(data.path(), Some(first)).await.context("the shop starts it again")?;
    ensure!(first != second, "it is another process");
    shop.0.kill()?;
    shop.0.wait()?;
    let port = test_provider::port(data.path()).context("a port file")?;
    for _ in 0..100 {
        if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("the provider outlives a shop that was killed")
}

/// Waits until a provider other than `not` answers; its process.
async fn answering(data: &Path, not: Option<u32>) -> anyhow::Result<u32> {
    let http = server::outbound::client(Duration::from_millis(500)).build()?;
    for _ in 0..300 {
        if let Some(port) = test_provider::port(data)
            && let Ok(answer) = http.get(format!("http://127.0.0.1:{port}/healthz")).send().await
            && let Some(pid) = answer.text().await?.trim().strip_prefix("ok ").and_then(|pid| pid.parse().ok())
            && Some(pid) != not
        {
            return Ok(pid);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("no provider answers")
}
