//! The provider as a process: its folder, port file and secret, and how `serve` starts it, keeps it alive and ends it with itself.

use crate::{background::Stop, clock::Clock, outbound, random};
use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{
    io::Write as _,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{io::AsyncReadExt as _, net::TcpListener, process::Command};

/// What the process is told.
#[derive(Clone, Debug)]
pub struct Args {
    /// The shop's data folder; the provider's things are in `test-provider` there.
    pub data: PathBuf,
    /// Where to listen; without it at the port of last time if it is free, else at any.
    pub addr: Option<SocketAddr>,
    /// End when standard input ends: the parent is gone.
    pub with_parent: bool,
}

/// `nextgen test-provider`: serves until it is told to stop.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let listener = match args.addr {
        Some(addr) => TcpListener::bind(addr).await.with_context(|| format!("the test provider cannot listen on {addr}: choose a free address"))?,
        None => listen_again(&args.data).await?,
    };
    let addr = listener.local_addr()?;
    tracing::info!(%addr, "the test payment provider is open");
    let with_parent = args.with_parent;
    super::serve(listener, &args.data, Clock::system(), async move {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).expect("signals can be listened to");
        tokio::select! {
            _ = terminate.recv() => {}
            () = parent_gone(), if with_parent => {}
            // With a parent, Ctrl+C in a terminal reaches both: the parent finishes first and then ends this one.
            _ = tokio::signal::ctrl_c(), if !with_parent => {}
        }
    })
    .await
}

/// Starts `program test-provider` and starts it again whenever it dies, until `stop`. Returns once it answers, so that the first shopper
/// can pay.
pub async fn spawn(program: PathBuf, data: PathBuf, background: &mut crate::background::Background) -> anyhow::Result<()> {
    secret(&data)?;
    std::fs::create_dir_all(folder(&data))?;
    background.spawn("test provider", {
        let data = data.clone();
        move |stop| keep_alive(program, data, stop)
    });
    // A port file of last time may stand there already: ask until somebody answers.
    let http = outbound::client(Duration::from_millis(500)).build().context("an HTTP client")?;
    for _ in 0..100 {
        if let Some(port) = port(&data)
            && http.get(format!("http://127.0.0.1:{port}/healthz")).send().await.is_ok_and(|answer| answer.status().is_success())
        {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tracing::warn!("the test payment provider has not answered yet; orders can be paid as soon as it does");
    Ok(())
}

async fn keep_alive(program: PathBuf, data: PathBuf, mut stop: Stop) {
    while !stop.is_requested() {
        let child =
            Command::new(&program).args(["test-provider", "--with-parent", "--data"]).arg(&data).stdin(Stdio::piped()).kill_on_drop(true).spawn();
        match child {
            Ok(mut child) => {
                // Taken out, because waiting for a child closes what is left in it.
                let lifeline = child.stdin.take();
                tokio::select! {
                    status = child.wait() => tracing::warn!(status = ?status.ok(), "the test payment provider ended and is started again"),
                    () = stop.requested() => {
                        // Closing its standard input asks it to end; then it has a moment to finish.
                        drop(lifeline);
                        let _ = tokio::time::timeout(Duration::from_secs(2), child.wait()).await;
                        return;
                    }
                }
            }
            Err(error) => tracing::error!(%error, program = %program.display(), "the test payment provider cannot be started"),
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(500)) => {}
            () = stop.requested() => return,
        }
    }
}

async fn parent_gone() {
    let mut stdin = tokio::io::stdin();
    let mut bytes = [0; 64];
    while stdin.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
}

async fn listen_again(data: &Path) -> anyhow::Result<TcpListener> {
    if let Some(port) = port(data)
        && let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await
    {
        return Ok(listener);
    }
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("the test provider cannot listen on any port of 127.0.0.1")
}

/// Where the provider keeps its things.
pub(super) fn folder(data: &Path) -> PathBuf {
    data.join("test-provider")
}

/// The port that the provider listened on last.
pub fn port(data: &Path) -> Option<u16> {
    std::fs::read_to_string(folder(data).join("port")).ok()?.trim().parse().ok()
}

pub(super) fn write_port(data: &Path, port: u16) -> anyhow::Result<()> {
    let folder = folder(data);
    // Renamed into place, so that nobody reads half a number.
    let draft = folder.join(format!("port.{}", std::process::id()));
    std::fs::write(&draft, port.to_string()).context("writing the port file")?;
    std::fs::rename(&draft, folder.join("port")).context("putting the port file in place")
}

/// The secret that shop and provider share, for the API and for webhooks; made by whoever comes first.
pub fn secret(data: &Path) -> anyhow::Result<Vec<u8>> {
    let folder = folder(data);
    std::fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    let path = folder.join("secret");
    if !path.exists() {
        let draft = folder.join(format!("secret.{}", URL_SAFE_NO_PAD.encode(random::bytes::<9>())));
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).context("creating the provider's secret")?;
        file.write_all(URL_SAFE_NO_PAD.encode(random::bytes::<32>()).as_bytes()).context("writing the provider's secret")?;
        // Linking fails when another process was faster: then its secret counts.
        let linked = std::fs::hard_link(&draft, &path);
        std::fs::remove_file(&draft).ok();
        if !path.exists() {
            linked.context("putting the provider's secret in place")?;
        }
    }
    std::fs::read(&path).with_context(|| format!("reading {}", path.display()))
}
