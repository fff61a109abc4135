//! Who works here: accounts made on the command line, sessions, and the log of what was changed. Holding a [`Staff`] is the proof that somebody
//! is signed in; what it allows is said by its roles.

pub mod accounts;
pub mod audit;
pub mod command;
pub mod passwords;
pub mod sessions;
pub mod stock;
mod throttle;

pub use audit::Actor;
pub use passwords::Unfit;
pub use sessions::{Session, Staff};
pub use throttle::Throttle;

use crate::{Shop, params, sql::Tx};
use domain::{StaffId, account::Email, offer::Instant};
use std::net::IpAddr;

/// Why somebody was not let in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// No such account, another password, or disabled: the answer is the same, and takes as long.
    #[error("the email address and the password do not belong to an account that may sign in")]
    Wrong,
    #[error("too many attempts; wait {wait_s} s")]
    TooMany { wait_s: u64 },
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

/// Lets somebody in who knows an account's password: the session's token, which is stored nowhere. `replaced` is the token that the browser
/// sent, whose session ends.
pub async fn sign_in(shop: &Shop, email: &str, password: &str, client: IpAddr, replaced: Option<&str>) -> Result<String, SignInError> {
    let email = Email::parse(email).map(|email| email.normalised()).unwrap_or_default();
    shop.throttle.check(&email, client).map_err(|wait_s| SignInError::TooMany { wait_s })?;
    let account = accounts::find(&shop.db, &email).await?;
    // Without an account the same work is done for nothing, so that the time tells nothing.
    let hash = account.as_ref().map(|account| account.password_hash.clone());
    let fits = passwords::verify(password.to_owned(), hash).await?;
    let account = account.filter(|account| fits && account.disabled_at.is_none()).ok_or(SignInError::Wrong)?;
    sessions::begin(shop, account.id, &account.password_hash, replaced).await?.ok_or(SignInError::Wrong)
}

/// Why a password was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangePasswordError {
    #[error("that is not the password in use")]
    Wrong,
    #[error(transparent)]
    Unfit(#[from] Unfit),
    #[error("too many attempts; wait {wait_s} s")]
    TooMany { wait_s: u64 },
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

/// Gives somebody the password that they chose. All sessions end; the answer is a new one's token.
pub async fn change_password(shop: &Shop, session: &Session, current: &str, chosen: &str, client: IpAddr) -> Result<String, ChangePasswordError> {
    // What is wrong with the chosen one is said without counting an attempt.
    passwords::fit(chosen, session.email())?;
    if chosen == current {
        return Err(Unfit::Same.into());
    }
    shop.throttle.check(session.email(), client).map_err(|wait_s| ChangePasswordError::TooMany { wait_s })?;
    let account = accounts::find(&shop.db, session.email()).await?.ok_or(ChangePasswordError::Wrong)?;
    if !passwords::verify(current.to_owned(), Some(account.password_hash)).await? {
        return Err(ChangePasswordError::Wrong);
    }
    let hash = passwords::hash(chosen.to_owned()).await?;
    accounts::set_password(&shop.db, &shop.clock, Actor::Staff(account.id), account.id, &hash, false).await?;
    let token = sessions::begin(shop, account.id, &hash, None).await?;
    token.ok_or(ChangePasswordError::Wrong)
}

/// Whether a form is carried out: it is the first time that `mutation` comes from this member of staff. Call it first in the transaction of
/// the change; a second click finds the key taken, and nothing is to be done any more.
pub async fn first_time(tx: &mut Tx, by: StaffId, mutation: &str, fingerprint: &str, now: Instant) -> Result<bool, sqlx::Error> {
    let taken = tx
        .execute(
            "INSERT INTO idempotency_keys (scope, key, fingerprint, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (scope, key) DO NOTHING",
            params![format!("staff:{by}"), mutation, fingerprint, now],
        )
        .await?;
    Ok(taken == 1)
}

/// The fingerprint of the form that was carried out under this key.
pub async fn earlier(tx: &mut Tx, by: StaffId, mutation: &str) -> anyhow::Result<Option<String>> {
    let sql = "SELECT fingerprint FROM idempotency_keys WHERE scope = $1 AND key = $2";
    tx.first(sql, params![format!("staff:{by}"), mutation]).await?.map(|row| row.text("fingerprint")).transpose()
}
