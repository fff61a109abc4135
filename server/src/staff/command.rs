//! `nextgen staff …`: who may use the operator pages. There is no account until somebody at the machine makes one.

use super::{
    accounts::{self, Account},
    audit::Actor,
    passwords,
};
use crate::{backup::Occupied, clock::Clock, config::Config, sql::Db};
use anyhow::{Context as _, bail, ensure};
use clap::Subcommand;
use domain::{
    account::Email,
    staff::{Role, Roles},
};
use std::io::Read as _;
use zeroize::Zeroizing;

/// What can be done about accounts.
#[derive(Subcommand)]
pub enum Task {
    /// Make an account. Prints a password to sign in once with, unless one is given on standard input.
    Add {
        email: String,
        /// viewer, support, warehouse, merchant or admin; once or more often.
        #[arg(long = "role", required = true, value_name = "ROLE")]
        roles: Vec<Role>,
        /// Read the password from standard input instead of making one.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Show all accounts.
    List,
    /// Give an account other roles, from its next request on.
    Role {
        email: String,
        /// viewer, support, warehouse, merchant or admin; once or more often.
        #[arg(long = "role", required = true, value_name = "ROLE")]
        roles: Vec<Role>,
    },
    /// Give an account another password and end its sessions.
    Password {
        email: String,
        /// Read the password from standard input instead of making one.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Let nobody in with this account any more and end its sessions.
    Disable { email: String },
    /// Let a disabled account in again.
    Enable { email: String },
}

/// The longest password that is read, with its line break.
const INPUT_BYTES_MAX: u64 = passwords::BYTES_MAX as u64 + 2;

/// Does it, in the database that the options name.
pub async fn run(config: Config, task: Task) -> anyhow::Result<()> {
    std::fs::create_dir_all(&config.data).with_context(|| format!("creating {}", config.data.display()))?;
    let _here = Occupied::shared(&config.data)?;
    let db = Db::open(&config.database_url).await?;
    db.migrate().await?;
    let clock = Clock::system();
    match task {
        Task::Add { email, roles, password_stdin } => {
            let (email, roles) = (normalised(&email)?, roles.into_iter().collect::<Roles>());
            ensure!(accounts::find(&db, &email).await?.is_none(), "{email} has an account: `staff role` and `staff password` change it");
            let password = Password::take(&email, password_stdin)?;
            let made = accounts::add(&db, &clock, Actor::CommandLine, &email, &roles, &password.hash().await?, password.is_temporary).await?;
            ensure!(made, "{email} was given an account just now: `staff role` and `staff password` change it");
            println!("{email} may sign in under /ops, at the shop's address, as {roles}.");
            password.print();
        }
        Task::List => {
            let accounts = accounts::list(&db).await?;
            if accounts.is_empty() {
                println!("Nobody has an account: make one with `nextgen staff add EMAIL --role admin`.");
            }
            for (account, seen_at) in accounts {
                let state = if account.disabled_at.is_some() { "disabled" } else { "may sign in" };
                let seen = seen_at.map_or_else(|| "no session".to_owned(), |at| format!("last seen {}", app::staff::moment(at)));
                println!("{}\t{}\t{state}\t{seen}", account.email, account.roles);
            }
        }
        Task::Role { email, roles } => {
            let (account, roles) = (existing(&db, &email).await?, roles.into_iter().collect::<Roles>());
            accounts::set_roles(&db, &clock, Actor::CommandLine, account.id, &roles).await?;
            println!("{} works as {roles} from now on.", account.email);
        }
        Task::Password { email, password_stdin } => {
            let account = existing(&db, &email).await?;
            let password = Password::take(&account.email, password_stdin)?;
            accounts::set_password(&db, &clock, Actor::CommandLine, account.id, &password.hash().await?, password.is_temporary).await?;
            println!("{} has another password; all sessions have ended.", account.email);
            password.print();
        }
        Task::Disable { email } => {
            let account = existing(&db, &email).await?;
            let turned = accounts::set_disabled(&db, &clock, Actor::CommandLine, account.id, true).await?;
            println!("{} {}", account.email, if turned { "is disabled; all sessions have ended." } else { "was disabled already." });
        }
        Task::Enable { email } => {
            let account = existing(&db, &email).await?;
            let turned = accounts::set_disabled(&db, &clock, Actor::CommandLine, account.id, false).await?;
            println!("{} {}", account.email, if turned { "may sign in again." } else { "was not disabled." });
        }
    }
    Ok(())
}

/// A password that was made or read.
struct Password {
    text: Zeroizing<String>,
    /// Made by us: its owner chooses another at once.
    is_temporary: bool,
}

impl Password {
    fn take(email: &str, from_stdin: bool) -> anyhow::Result<Self> {
        if !from_stdin {
            return Ok(Self { text: passwords::random(), is_temporary: true });
        }
        let mut text = Zeroizing::new(String::new());
        std::io::stdin().lock().take(INPUT_BYTES_MAX).read_to_string(&mut text).context("reading the password from standard input")?;
        let text = Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned());
        if let Err(unfit) = passwords::fit(&text, email) {
            bail!("{unfit}");
        }
        Ok(Self { text, is_temporary: false })
    }

    async fn hash(&self) -> anyhow::Result<String> {
        passwords::hash(self.text.to_string()).await
    }

    fn print(&self) {
        if self.is_temporary {
            println!("Password, to be replaced at the first sign-in (it is shown this once):\n{}", *self.text);
        }
    }
}

fn normalised(email: &str) -> anyhow::Result<String> {
    Ok(Email::parse(email).map_err(|error| anyhow::anyhow!("{email:?} is no email address: {error}"))?.normalised())
}

async fn existing(db: &Db, email: &str) -> anyhow::Result<Account> {
    let email = normalised(email)?;
    accounts::find(db, &email).await?.with_context(|| format!("{email} has no account; `staff list` shows those there are"))
}
