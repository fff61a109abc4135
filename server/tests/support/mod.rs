//! A running shop for tests: [`start`] builds one on a free port with a data folder of its own, visitors bring cookies of their own.
//!
//! `TEST_DATABASE_URL_PG` (`postgres://…`, of a user who may create databases) puts the order core on PostgreSQL,
//! `TEST_DYNAMODB_ENDPOINT` puts the read model and carts on a real DynamoDB.
#![allow(dead_code, reason = "what one test file leaves unused another one uses")]

pub mod mails;
mod template;

use anyhow::Context as _;
use domain::{
    offer::Instant,
    staff::{Role, Roles},
};
use futures::future::BoxFuture;
use reqwest::{StatusCode, header};
use server::{
    Built, Shop,
    background::Background,
    build,
    clock::Clock,
    config::{Config, Options, TestProvider},
    dynamo::Place,
    staff::{Actor, accounts, passwords},
};
use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// 2026-11-23T12:00:00Z, when every test shop opens.
pub const OPENING: Instant = 1_795_435_200_000_000;

/// A shop that answers on the loopback.
pub struct TestShop {
    /// `http://127.0.0.1:<port>`, without a trailing slash; also the public origin.
    pub url: String,
    pub shop: Shop,
    pub clock: TestClock,
    server: JoinHandle<()>,
    background: Background,
    data: TempDir,
    /// The server's address and the database's name, to drop it at the end.
    postgres: Option<(String, String)>,
}

/// A clock that starts at [`OPENING`], ticks, and can be moved on.
#[derive(Clone)]
pub struct TestClock {
    started: tokio::time::Instant,
    moved_us: Arc<AtomicI64>,
}

/// Starts a shop with the demo catalogue, without rate limits and without a payment provider.
pub async fn start() -> anyhow::Result<TestShop> {
    start_with(|_| {}).await
}

/// Starts a shop whose configuration was changed before.
pub async fn start_with(change: impl FnOnce(&mut Config)) -> anyhow::Result<TestShop> {
    server::telemetry::start_logging(server::config::LogFormat::Lines, "warn");
    let data = tempfile::tempdir()?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    let options = Options { addr: Some(addr.to_string()), data: Some(data.path().display().to_string()), ..Options::default() };
    let mut config = Config::checked(options, Options::default())?;
    config.rate_limits = false;
    config.test_provider = TestProvider::Off;
    if let Some(url) = variable("TEST_DYNAMODB_ENDPOINT") {
        config.dynamodb = Place::Endpoint { url };
        config.dynamodb_table = format!("test-{}", uuid::Uuid::from_bytes(server::random::bytes()).simple());
    }
    change(&mut config);
    let postgres = if let Some(server) = variable("TEST_DATABASE_URL_PG") {
        let name = format!("shop_{}", uuid::Uuid::from_bytes(server::random::bytes()).simple());
        config.database_url = template::copy_postgres(&server, &name, config.demo).await?;
        Some((server, name))
    } else {
        template::copy_sqlite(&config).await?;
        None
    };
    let clock = TestClock { started: tokio::time::Instant::now(), moved_us: Arc::default() };
    let ticking = clock.clone();
    let Built { router, shop, background } = build(config, Clock::from_fn(move || ticking.now())).await?;
    let mut stop = background.stop_handle();
    let server = tokio::spawn(async move {
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(listener, service).with_graceful_shutdown(async move { stop.requested().await }).await.ok();
    });
    Ok(TestShop { url: format!("http://{addr}"), shop, clock, server, background, data, postgres })
}

impl TestShop {
    /// Somebody without cookies, who follows no redirect.
    pub fn visitor(&self) -> Visitor {
        let builder = server::outbound::client(Duration::from_secs(30)).redirect(reqwest::redirect::Policy::none()).cookie_store(true);
        let client = builder.build().expect("a plain client can be built");
        Visitor { client, url: self.url.clone() }
    }

    /// Somebody of that role with an account of their own, signed in at the operators' pages.
    pub async fn signed_in(&self, role: Role) -> anyhow::Result<Visitor> {
        const PASSWORD: &str = "seven green umbrellas";
        let (db, clock) = (&self.shop.db, &self.shop.clock);
        let email = format!("{role}@example.com");
        let hash = passwords::hash(PASSWORD.to_owned()).await?;
        anyhow::ensure!(accounts::add(db, clock, Actor::CommandLine, &email, &Roles::from_iter([role]), &hash, false).await?);
        let visitor = self.visitor();
        let answer = visitor.post("/ops/sign-in", &[("email", &email), ("password", PASSWORD)]).await?;
        anyhow::ensure!(answer.location().as_deref() == Some("/ops"), "{}: {}", answer.status, answer.body);
        Ok(visitor)
    }

    /// Another server with this shop's stores, routed differently; it ends with the test's runtime.
    pub async fn serve(&self, router: axum::Router) -> anyhow::Result<Visitor> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await });
        Ok(Visitor { url, ..self.visitor() })
    }

    /// The data folder.
    pub fn data(&self) -> &std::path::Path {
        self.data.path()
    }

    /// Ends the shop as a signal would, and removes what it left.
    pub fn stop(self) -> BoxFuture<'static, anyhow::Result<()>> {
        Box::pin(async move {
            self.background.stop().await;
            tokio::time::timeout(Duration::from_secs(10), self.server).await.context("requests were still under way")??;
            if let Some((server, name)) = self.postgres {
                let pool = sqlx::PgPool::connect(&server).await?;
                sqlx::query(sqlx::AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))).execute(&pool).await?;
            }
            Ok(())
        })
    }
}

impl TestClock {
    /// The shop's time.
    pub fn now(&self) -> Instant {
        let ticked = i64::try_from(self.started.elapsed().as_micros()).unwrap_or(i64::MAX);
        OPENING + ticked + self.moved_us.load(Ordering::Relaxed)
    }

    /// Moves the shop's time on.
    pub fn advance(&self, by: Duration) {
        self.moved_us.fetch_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX), Ordering::Relaxed);
    }
}

/// A visitor with a cookie jar.
#[derive(Clone)]
pub struct Visitor {
    pub client: reqwest::Client,
    pub url: String,
}

/// What the shop answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: header::HeaderMap,
    pub body: String,
}

impl Visitor {
    /// Loads a page; `path` begins with a slash.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        Answer::read(self.client.get(format!("{}{path}", self.url))).await
    }

    /// Loads a page and follows redirects within the shop, at most five.
    pub async fn open(&self, path: &str) -> anyhow::Result<Answer> {
        let mut answer = self.get(path).await?;
        for _ in 0..5 {
            match answer.location() {
                Some(location) if location.starts_with('/') => answer = self.get(&location).await?,
                _ => break,
            }
        }
        Ok(answer)
    }

    /// Sends a form as a browser would from a page of the shop.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<Answer> {
        let request = self.client.post(format!("{}{path}", self.url)).header(header::ORIGIN, &self.url).header("sec-fetch-site", "same-origin");
        Answer::read(request.form(fields)).await
    }
}

impl Answer {
    /// Sends and reads to the end.
    pub async fn read(request: reqwest::RequestBuilder) -> anyhow::Result<Self> {
        let response = request.send().await?;
        Ok(Self { status: response.status().as_u16(), headers: response.headers().clone(), body: response.text().await? })
    }

    /// A header's value, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Where a redirect leads.
    pub fn location(&self) -> Option<String> {
        let redirect = StatusCode::from_u16(self.status).is_ok_and(|status| status.is_redirection());
        redirect.then(|| self.header("location").to_owned())
    }

    /// The value of the first form field with this name in the page.
    pub fn field(&self, name: &str) -> Option<&str> {
        let at = self.body.find(&format!("name=\"{name}\""))?;
        let tag = &self.body[self.body[..at].rfind('<')?..];
        let tag = &tag[..tag.find('>')?];
        let (_, value) = tag.split_once("value=\"")?;
        value.split_once('"').map(|(value, _)| value)
    }
}

/// A database of one's own on the PostgreSQL server that the tests were given.
pub struct OwnDatabase {
    pub url: String,
    server: String,
    name: String,
}

/// Makes one; `None` without such a server.
pub async fn own_database() -> anyhow::Result<Option<OwnDatabase>> {
    let Some(server) = variable("TEST_DATABASE_URL_PG") else { return Ok(None) };
    let name = format!("shop_{}", uuid::Uuid::from_bytes(server::random::bytes()).simple());
    let url = create_database(&server, &name, "template1").await?;
    Ok(Some(OwnDatabase { url, server, name }))
}

impl OwnDatabase {
    /// Throws it away, whoever is connected.
    pub async fn drop(self) -> anyhow::Result<()> {
        self.lose().await
    }

    /// Puts an empty one in its place.
    pub async fn empty(&self) -> anyhow::Result<()> {
        self.lose().await?;
        create_database(&self.server, &self.name, "template1").await.map(drop)
    }

    async fn lose(&self) -> anyhow::Result<()> {
        let pool = sqlx::PgPool::connect(&self.server).await?;
        sqlx::query(sqlx::AssertSqlSafe(format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name))).execute(&pool).await?;
        Ok(())
    }
}

/// The shipped binary: `target/<profile>/nextgen`, above the folder of the test's own.
pub fn nextgen() -> PathBuf {
    let test = std::env::current_exe().expect("a test is a file");
    let binary = test.ancestors().nth(2).expect("tests lie in target/<profile>/deps").join("nextgen");
    assert!(binary.is_file(), "{} is not there: `cargo xtask build` makes it", binary.display());
    binary
}

#[expect(clippy::disallowed_methods, reason = "tests are pointed at servers by variables")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

async fn create_database(server: &str, name: &str, template: &str) -> anyhow::Result<String> {
    let pool = sqlx::PgPool::connect(server).await.context("TEST_DATABASE_URL_PG cannot be reached")?;
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE {template}"))).execute(&pool).await?;
    let mut url = url::Url::parse(server)?;
    url.set_path(name);
    Ok(url.into())
}
