//! Accounts in SQL: made, changed and disabled on the command line, also while the shop runs.

use super::audit::{self, Actor, Change, Subject};
use crate::{
    clock::Clock,
    params,
    sql::{Db, Row, Tx},
};
use anyhow::Context as _;
use domain::{StaffId, offer::Instant, staff::Roles};
use serde_json::json;

/// An account as the table has it.
#[derive(Clone, Debug)]
pub struct Account {
    pub id: StaffId,
    pub email: String,
    pub(super) password_hash: String,
    pub password_is_temporary: bool,
    pub roles: Roles,
    pub created_at: Instant,
    pub disabled_at: Option<Instant>,
}

impl Account {
    fn read(row: &Row) -> anyhow::Result<Self> {
        Ok(Self {
            id: row.parse("id")?,
            email: row.text("email")?,
            password_hash: row.text("password_hash")?,
            password_is_temporary: row.flag("password_is_temporary")?,
            roles: Roles::from_words(&row.text("roles")?),
            created_at: row.int("created_at")?,
            disabled_at: row.int_or_null("disabled_at")?,
        })
    }
}

const COLUMNS: &str = "SELECT id, email, password_hash, password_is_temporary, roles, created_at, disabled_at FROM staff WHERE email = $1";

/// The account of a normalised email address.
pub async fn find(db: &Db, email: &str) -> anyhow::Result<Option<Account>> {
    db.first(COLUMNS, params![email]).await?.as_ref().map(Account::read).transpose()
}

/// Most accounts that a list shows.
const LISTED_MAX: i64 = 1_000;

/// All accounts by email address, each with when a session of it was last used.
pub async fn list(db: &Db) -> anyhow::Result<Vec<(Account, Option<Instant>)>> {
    let rows = db
        .all(
            "SELECT s.id, s.email, s.password_hash, s.password_is_temporary, s.roles, s.created_at, s.disabled_at, \
             (SELECT MAX(t.seen_at) FROM staff_sessions t WHERE t.staff_id = s.id) AS seen_at FROM staff s ORDER BY s.email LIMIT $1",
            params![LISTED_MAX],
        )
        .await?;
    rows.iter().map(|row| Ok((Account::read(row)?, row.int_or_null("seen_at")?))).collect()
}

/// Makes an account. `false`: that email address has one.
pub async fn add(db: &Db, clock: &Clock, actor: Actor, email: &str, roles: &Roles, password_hash: &str, is_temporary: bool) -> anyhow::Result<bool> {
    let id = StaffId(clock.id());
    db.transact::<_, anyhow::Error>(|tx| {
        let (clock, email, roles, hash) = (clock.clone(), email.to_owned(), roles.to_string(), password_hash.to_owned());
        Box::pin(async move {
            let made = tx
                .execute(
                    "INSERT INTO staff (id, email, password_hash, password_is_temporary, roles, created_at) VALUES ($1, $2, $3, $4, $5, $6) \
                     ON CONFLICT (email) DO NOTHING",
                    params![id, email, hash, is_temporary, &roles, clock.now()],
                )
                .await?;
            if made == 1 {
                let change = Change { action: "account made", subject: Subject::Staff(id), before: None, after: Some(json!({ "roles": roles })) };
                audit::write(tx, &clock, actor, change).await?;
            }
            Ok(made == 1)
        })
    })
    .await
}

/// Gives an account other roles; they hold from the next request on.
pub async fn set_roles(db: &Db, clock: &Clock, actor: Actor, id: StaffId, roles: &Roles) -> anyhow::Result<()> {
    db.transact::<_, anyhow::Error>(|tx| {
        let (clock, roles) = (clock.clone(), roles.to_string());
        Box::pin(async move {
            let before =
                tx.first("SELECT roles FROM staff WHERE id = $1", params![id]).await?.context("the account was just there")?.text("roles")?;
            tx.execute("UPDATE staff SET roles = $2 WHERE id = $1", params![id, &roles]).await?;
            let (before, after) = (Some(json!({ "roles": before })), Some(json!({ "roles": roles })));
            audit::write(tx, &clock, actor, Change { action: "roles changed", subject: Subject::Staff(id), before, after }).await?;
            Ok(())
        })
    })
    .await
}

/// Gives an account another password, and ends all its sessions.
pub async fn set_password(db: &Db, clock: &Clock, actor: Actor, id: StaffId, password_hash: &str, is_temporary: bool) -> anyhow::Result<()> {
    db.transact::<_, anyhow::Error>(|tx| {
        let (clock, hash) = (clock.clone(), password_hash.to_owned());
        Box::pin(async move {
            tx.execute("UPDATE staff SET password_hash = $2, password_is_temporary = $3 WHERE id = $1", params![id, hash, is_temporary]).await?;
            end_sessions(tx, id).await?;
            let change = Change { action: "password changed", subject: Subject::Staff(id), before: None, after: None };
            audit::write(tx, &clock, actor, change).await?;
            Ok(())
        })
    })
    .await
}

/// Lets nobody in with this account any more and ends its sessions, or lets in again. `false`: it was so already.
pub async fn set_disabled(db: &Db, clock: &Clock, actor: Actor, id: StaffId, disabled: bool) -> anyhow::Result<bool> {
    db.transact::<_, anyhow::Error>(|tx| {
        let clock = clock.clone();
        Box::pin(async move {
            let turned = if disabled {
                tx.execute("UPDATE staff SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NULL", params![id, clock.now()]).await?
            } else {
                tx.execute("UPDATE staff SET disabled_at = NULL WHERE id = $1 AND disabled_at IS NOT NULL", params![id]).await?
            };
            if turned == 1 {
                end_sessions(tx, id).await?;
                let action = if disabled { "account disabled" } else { "account enabled" };
                audit::write(tx, &clock, actor, Change { action, subject: Subject::Staff(id), before: None, after: None }).await?;
            }
            Ok(turned == 1)
        })
    })
    .await
}

async fn end_sessions(tx: &mut Tx, id: StaffId) -> Result<(), sqlx::Error> {
    tx.execute("DELETE FROM staff_sessions WHERE staff_id = $1", params![id]).await?;
    Ok(())
}
