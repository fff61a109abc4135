//! Configuration, read once: flags over variables over a file over defaults. The only place that reads the environment. What it
//! refuses, it refuses in one sentence that says what to set.

mod network;
mod stripe;

pub use network::Network;
pub use stripe::StripeAccess;

use crate::{
    dynamo::{self, Place},
    mail,
};
use anyhow::{Context as _, bail};
use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
};
use tracing_subscriber::EnvFilter;
use url::Url;

/// What the shop was told, checked and complete.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen.
    pub addr: SocketAddr,
    /// State, uploads, keys, the test provider's port and ledger. Delete it to start over.
    pub data: PathBuf,
    /// The public origin without a trailing slash. Canonical addresses, returns and Origin checks come from it, never from the Host header.
    pub url: Arc<str>,
    /// Whether an empty shop is filled with the demo catalogue on its first start.
    pub demo: bool,
    /// `sqlite:…` or `postgres://…`.
    pub database_url: String,
    /// Where the read model, carts and accounts are kept.
    pub dynamodb: Place,
    /// The table of the read model, carts and accounts.
    pub dynamodb_table: String,
    /// Where the embedded table is served for an edge on this machine.
    pub dynamodb_listen: Option<SocketAddr>,
    /// What an edge names to be answered about items and lists.
    pub edge_key: Option<Arc<str>>,
    pub rate_limits: bool,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    pub test_provider: TestProvider,
    /// Takes the payments instead of the test provider.
    pub stripe: Option<StripeAccess>,
    /// Where mails go.
    pub mail: mail::Place,
    /// Whom mails come from.
    pub mail_from: Arc<str>,
    pub log: LogFormat,
    /// What is logged, in the directives of `tracing_subscriber::EnvFilter`.
    pub log_filter: String,
    /// What `cargo xtask build` leaves beside the binary: assets, ready-made pictures, icons.
    pub site: PathBuf,
}

/// Who takes the payments of a shop without a real provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestProvider {
    /// `serve` starts one and ends it with itself.
    Spawn,
    /// One that runs already, at this origin.
    At(Arc<str>),
    /// None: orders cannot be paid.
    Off,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Lines,
    /// For machines: one JSON object a line.
    Json,
}

/// The shortest key of an edge.
const EDGE_KEY_BYTES_MIN: usize = 20;

/// Options as they were written, before any check: the same names in flags, variables and file.
#[derive(clap::Args, Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// A TOML file with these options (addr, data, url, …); flags and variables win over it.
    #[arg(long, env = "NEXTGEN_CONFIG", global = true, value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<String>,
    /// Where to listen [default: 127.0.0.1:3000].
    #[arg(long, env = "NEXTGEN_ADDR", global = true, value_name = "HOST:PORT")]
    #[serde(deserialize_with = "text")]
    pub addr: Option<String>,
    /// The folder of all state; delete it to start over [default: ./data].
    #[arg(long, env = "NEXTGEN_DATA", global = true, value_name = "FOLDER")]
    #[serde(deserialize_with = "text")]
    pub data: Option<String>,
    /// The public origin, such as https://shop.example [default: http://<addr>].
    #[arg(long, env = "NEXTGEN_URL", global = true, value_name = "URL")]
    #[serde(deserialize_with = "text")]
    pub url: Option<String>,
    /// 1 fills an empty shop with the demo catalogue, 0 leaves it empty [default: 1].
    #[arg(long, env = "NEXTGEN_DEMO", global = true, value_name = "0|1")]
    #[serde(deserialize_with = "text")]
    pub demo: Option<String>,
    /// sqlite:<file> or postgres://… [default: SQLite in the data folder].
    #[arg(long, env = "DATABASE_URL", global = true, value_name = "URL", hide_env_values = true)]
    #[serde(deserialize_with = "text", alias = "database-url")]
    pub database_url: Option<String>,
    /// embedded, or aws with the SDK's own variables such as AWS_ENDPOINT_URL_DYNAMODB [default: embedded].
    #[arg(long, env = "NEXTGEN_DYNAMODB", global = true, value_name = "embedded|aws")]
    #[serde(deserialize_with = "text")]
    pub dynamodb: Option<String>,
    /// The table of the read model and carts [default: nextgen].
    #[arg(long, env = "NEXTGEN_DYNAMODB_TABLE", global = true, value_name = "NAME")]
    #[serde(deserialize_with = "text", alias = "dynamodb-table")]
    pub dynamodb_table: Option<String>,
    /// Serves the read model's items of the embedded table on a loopback port, for an edge on this machine [default: not].
    #[arg(long, env = "NEXTGEN_DYNAMODB_LISTEN", global = true, value_name = "HOST:PORT")]
    #[serde(deserialize_with = "text", alias = "dynamodb-listen")]
    pub dynamodb_listen: Option<String>,
    /// A secret of at least 20 characters by which an edge is known, that asks for items and lists [default: no edge].
    #[arg(long, env = "NEXTGEN_EDGE_KEY", global = true, value_name = "KEY", hide_env_values = true)]
    #[serde(deserialize_with = "text", alias = "edge-key")]
    pub edge_key: Option<String>,
    /// on, or off for load tests [default: on].
    #[arg(long, env = "NEXTGEN_RATE_LIMITS", global = true, value_name = "on|off")]
    #[serde(deserialize_with = "text", alias = "rate-limits")]
    pub rate_limits: Option<String>,
    /// Addresses or networks whose X-Forwarded-For is believed, separated by commas [default: none].
    #[arg(long, env = "NEXTGEN_TRUSTED_PROXIES", global = true, value_name = "CIDR,…")]
    #[serde(deserialize_with = "text", alias = "trusted-proxies")]
    pub trusted_proxies: Option<String>,
    /// spawn, off, or the origin of a test payment provider that runs already [default: spawn].
    #[arg(long, env = "NEXTGEN_TEST_PROVIDER", global = true, value_name = "spawn|off|URL")]
    #[serde(deserialize_with = "text", alias = "test-provider")]
    pub test_provider: Option<String>,
    /// test, or stripe with the three options below [default: test].
    #[arg(long, env = "NEXTGEN_PAYMENTS", global = true, value_name = "test|stripe")]
    #[serde(deserialize_with = "text")]
    pub payments: Option<String>,
    /// The account's secret key, sk_… or rk_….
    #[arg(long, env = "STRIPE_SECRET_KEY", global = true, value_name = "KEY", hide_env_values = true)]
    #[serde(deserialize_with = "text", alias = "stripe-secret-key")]
    pub stripe_secret_key: Option<String>,
    /// The signing secret of the endpoint /webhooks/stripe, whsec_…; two, separated by a comma, while one is replaced.
    #[arg(long, env = "STRIPE_WEBHOOK_SECRET", global = true, value_name = "SECRET,…", hide_env_values = true)]
    #[serde(deserialize_with = "text", alias = "stripe-webhook-secret")]
    pub stripe_webhook_secret: Option<String>,
    /// The origin of Stripe's API, or of a stand-in for it [default: https://api.stripe.com].
    #[arg(long, env = "STRIPE_API_BASE", global = true, value_name = "URL")]
    #[serde(deserialize_with = "text", alias = "stripe-api-base")]
    pub stripe_api_base: Option<String>,
    /// folder, smtp://name:password@host:587 or smtps://name:password@host:465 [default: folder].
    #[arg(long, env = "NEXTGEN_MAIL", global = true, value_name = "folder|URL", hide_env_values = true)]
    #[serde(deserialize_with = "text")]
    pub mail: Option<String>,
    /// Whom mails come from, such as Shop <orders@shop.example> [default: orders@ the public origin's name].
    #[arg(long, env = "NEXTGEN_MAIL_FROM", global = true, value_name = "ADDRESS")]
    #[serde(deserialize_with = "text", alias = "mail-from")]
    pub mail_from: Option<String>,
    /// lines, or json for one object a line [default: lines].
    #[arg(long, env = "NEXTGEN_LOG", global = true, value_name = "lines|json")]
    #[serde(deserialize_with = "text")]
    pub log: Option<String>,
    /// What is logged, such as warn or info,server=debug [default: info, and warnings of libraries].
    #[arg(long, env = "RUST_LOG", global = true, value_name = "DIRECTIVES")]
    #[serde(deserialize_with = "text", alias = "log-filter")]
    pub log_filter: Option<String>,
}

/// The default of `log_filter`.
const LOG_FILTER: &str = "info,sqlx=warn,aws=warn,hyper=warn";

/// The variables of ours that mean something.
const VARIABLES: [&str; 16] = [
    "NEXTGEN_CONFIG",
    "NEXTGEN_ADDR",
    "NEXTGEN_DATA",
    "NEXTGEN_URL",
    "NEXTGEN_DEMO",
    "NEXTGEN_DYNAMODB",
    "NEXTGEN_DYNAMODB_TABLE",
    "NEXTGEN_DYNAMODB_LISTEN",
    "NEXTGEN_EDGE_KEY",
    "NEXTGEN_RATE_LIMITS",
    "NEXTGEN_TRUSTED_PROXIES",
    "NEXTGEN_TEST_PROVIDER",
    "NEXTGEN_PAYMENTS",
    "NEXTGEN_MAIL",
    "NEXTGEN_MAIL_FROM",
    "NEXTGEN_LOG",
];

impl Config {
    /// Where the orders are, for people: never with a password.
    pub fn database(&self) -> String {
        if self.database_url.starts_with("sqlite:") { self.data.display().to_string() } else { "the database of --database-url".to_owned() }
    }

    /// Reads the file that `options` name, refuses variables that nobody reads, and checks everything.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    pub fn read(options: Options) -> anyhow::Result<Self> {
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        refuse_unknown(names)?;
        let file = match options.config.as_deref().filter(|path| !path.is_empty()) {
            Some(path) => {
                let toml = std::fs::read_to_string(path).with_context(|| format!("--config names {path:?}, which cannot be read"))?;
                // The parser draws its finding over several lines; the message alone says what is wrong.
                let said = |error: toml::de::Error| {
                    let at = error.span().and_then(|span| toml.get(..span.start)).map_or(1, |before| before.split('\n').count());
                    anyhow::anyhow!("{path}, line {at}: {}; keys are the names of --help's options", error.message().replace('\n', " "))
                };
                toml::from_str(&toml).map_err(said)?
            }
            None => Options::default(),
        };
        Self::checked(options, file)
    }

    /// Joins options with those of a file and checks every value.
    pub fn checked(options: Options, file: Options) -> anyhow::Result<Self> {
        let pick = |first: Option<String>, second: Option<String>| {
            [first, second].into_iter().flatten().map(|value| value.trim().to_owned()).find(|value| !value.is_empty())
        };
        let addr = pick(options.addr, file.addr).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
        let addr: SocketAddr = addr
            .replace("localhost", "127.0.0.1")
            .parse()
            .map_err(|_| anyhow::anyhow!("NEXTGEN_ADDR is {addr:?}: set it to an address and a port such as 127.0.0.1:3000"))?;
        let data = PathBuf::from(pick(options.data, file.data).unwrap_or_else(|| "./data".to_owned()));
        let url = match pick(options.url, file.url) {
            Some(url) => public_origin("NEXTGEN_URL", &url)?,
            // Nobody can open "every address of this machine".
            None if addr.ip().is_unspecified() => {
                let loopback = if addr.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
                format!("http://{}", SocketAddr::new(loopback, addr.port())).into()
            }
            None => format!("http://{addr}").into(),
        };
        let database_url = pick(options.database_url, file.database_url).unwrap_or_else(|| sqlite_in(&data));
        if !["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| database_url.starts_with(scheme)) {
            bail!("DATABASE_URL must begin with sqlite: or postgres://, such as sqlite:/srv/shop/shop.db or postgres://shop@localhost/shop");
        }
        let demo = one_of("NEXTGEN_DEMO", pick(options.demo, file.demo), &[("1", true), ("0", false), ("true", true), ("false", false)])?;
        let aws = one_of("NEXTGEN_DYNAMODB", pick(options.dynamodb, file.dynamodb), &[("embedded", false), ("aws", true)])?;
        let on_or_off = [("on", true), ("off", false), ("true", true), ("false", false)];
        let table = pick(options.dynamodb_table, file.dynamodb_table).unwrap_or_else(|| dynamo::NAME.to_owned());
        // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
        if !(3..=255).contains(&table.len()) || !table.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)) {
            bail!("NEXTGEN_DYNAMODB_TABLE is {table:?}: set it to a table name of 3 to 255 letters, digits, '_', '-' or '.'");
        }
        let listen = pick(options.dynamodb_listen, file.dynamodb_listen);
        let listen = listen.map(|text| match text.parse::<SocketAddr>() {
            Ok(address) if address.ip().is_loopback() && aws != Some(true) => Ok(address),
            _ => Err(anyhow::anyhow!(
                "NEXTGEN_DYNAMODB_LISTEN is {text:?}: set it to a loopback address such as 127.0.0.1:8000, with the embedded table"
            )),
        });
        let dynamodb_listen = listen.transpose()?;
        let edge_key: Option<Arc<str>> = pick(options.edge_key, file.edge_key).map(Into::into);
        if edge_key.as_ref().is_some_and(|key| key.len() < EDGE_KEY_BYTES_MIN || !key.bytes().all(|byte| byte.is_ascii_graphic())) {
            bail!("NEXTGEN_EDGE_KEY must have at least {EDGE_KEY_BYTES_MIN} letters, digits or signs, such as the output of `openssl rand -hex 32`");
        }
        let proxies = pick(options.trusted_proxies, file.trusted_proxies).unwrap_or_default();
        let trusted_proxies = proxies.split(',').map(str::trim).filter(|part| !part.is_empty()).map(Network::parse).collect::<anyhow::Result<_>>()?;
        let test_provider = match pick(options.test_provider, file.test_provider).as_deref() {
            None | Some("spawn") => TestProvider::Spawn,
            Some("off") => TestProvider::Off,
            Some(url) => TestProvider::At(public_origin("NEXTGEN_TEST_PROVIDER (spawn, off, or a URL)", url)?),
        };
        let stripe = one_of("NEXTGEN_PAYMENTS", pick(options.payments, file.payments), &[("test", false), ("stripe", true)])?
            .filter(|is_stripe| *is_stripe)
            .map(|_| {
                StripeAccess::checked(
                    pick(options.stripe_secret_key, file.stripe_secret_key),
                    pick(options.stripe_webhook_secret, file.stripe_webhook_secret),
                    pick(options.stripe_api_base, file.stripe_api_base),
                )
            })
            .transpose()?;
        let log_filter = pick(options.log_filter, file.log_filter).unwrap_or_else(|| LOG_FILTER.to_owned());
        if let Err(error) = EnvFilter::try_new(&log_filter) {
            bail!("RUST_LOG is {log_filter:?}: set it to directives such as warn or info,server=debug ({error})");
        }
        Ok(Self {
            addr,
            demo: demo.unwrap_or(true),
            database_url,
            dynamodb: if aws == Some(true) { Place::Aws } else { Place::Embedded { file: Some(data.join("table.db")) } },
            dynamodb_table: table,
            dynamodb_listen,
            edge_key,
            rate_limits: one_of("NEXTGEN_RATE_LIMITS", pick(options.rate_limits, file.rate_limits), &on_or_off)?.unwrap_or(true),
            trusted_proxies,
            test_provider,
            stripe,
            mail: mail::Place::parse(&pick(options.mail, file.mail).unwrap_or_else(|| "folder".to_owned()))?,
            mail_from: mail::sender(pick(options.mail_from, file.mail_from), &url)?,
            log: one_of("NEXTGEN_LOG", pick(options.log, file.log), &[("lines", LogFormat::Lines), ("json", LogFormat::Json)])?
                .unwrap_or(LogFormat::Lines),
            log_filter,
            site: site_beside_the_binary(),
            data,
            url,
        })
    }

    /// Whether visitors come by https, so that cookies are Secure.
    pub fn is_https(&self) -> bool {
        self.url.starts_with("https://")
    }

    /// Whether `address` is a proxy whose forwarding headers are believed.
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(address))
    }
}

fn refuse_unknown(names: impl Iterator<Item = String>) -> anyhow::Result<()> {
    for name in names {
        if name.starts_with("NEXTGEN_") && !VARIABLES.contains(&name.as_str()) {
            bail!("{name} is not a variable of this shop: unset it, or use one of {}", VARIABLES.join(", "));
        }
    }
    Ok(())
}

fn one_of<T: Copy>(name: &str, value: Option<String>, choices: &[(&str, T)]) -> anyhow::Result<Option<T>> {
    let Some(value) = value else { return Ok(None) };
    if let Some((_, choice)) = choices.iter().find(|(text, _)| *text == value) {
        return Ok(Some(*choice));
    }
    let shown: Vec<_> = choices.iter().map(|(text, _)| *text).filter(|text| !["true", "false"].contains(text)).collect();
    bail!("{name} is {value:?}: set it to {}", shown.join(" or "))
}

fn public_origin(name: &str, text: &str) -> anyhow::Result<Arc<str>> {
    let refuse = || anyhow::anyhow!("{name} is {text:?}: set it to an origin such as https://shop.example, without a path");
    let url = Url::parse(text).map_err(|_| refuse())?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    if !bare || !["http", "https"].contains(&url.scheme()) || url.host_str().is_none() {
        return Err(refuse());
    }
    Ok(url.origin().ascii_serialization().into())
}

/// The default of `database_url`.
pub fn sqlite_in(data: &Path) -> String {
    let path = data.join("shop.db");
    format!("sqlite:{}", path.to_string_lossy().replace('%', "%25").replace('?', "%3F"))
}

/// The binary's folder, or the one above it for tests, which Cargo puts into `deps`.
fn site_beside_the_binary() -> PathBuf {
    let folder = std::env::current_exe().ok().and_then(|path| path.parent().map(Path::to_path_buf)).unwrap_or_default();
    let folder = if folder.ends_with("deps") { folder.parent().map(Path::to_path_buf).unwrap_or_default() } else { folder };
    folder.join("site")
}

/// Lets a file say `demo = true`, `demo = 1` or `demo = "1"`, and lists as lists.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    struct Any;
    impl<'de> Visitor<'de> for Any {
        type Value = Option<String>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text, a number, true or false, or a list of texts")
        }
        fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
            Ok(Some(value.to_owned()))
        }
        fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
            Ok(Some(value.to_string()))
        }
        fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
            Ok(Some(value.to_string()))
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
            let mut parts = Vec::<String>::new();
            while let Some(part) = sequence.next_element()? {
                parts.push(part);
            }
            Ok(Some(parts.join(",")))
        }
    }
    deserializer.deserialize_any(Any)
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
