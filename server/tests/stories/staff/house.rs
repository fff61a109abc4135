//! The demo shop, with people who work there.

use crate::support::{self, Answer, TestShop, Visitor};
use anyhow::{Context as _, ensure};
use domain::staff::{Role, Roles};
use server::{
    params,
    staff::{Actor, accounts, passwords},
};

/// Everybody's password.
pub const PASSWORD: &str = "seven green umbrellas";

pub struct House {
    pub shop: Box<TestShop>,
}

/// A row of the log: who, what, on what, before, after.
#[derive(Debug)]
pub struct Logged {
    pub actor: String,
    pub action: String,
    pub subject: String,
    pub before: serde_json::Value,
    pub after: serde_json::Value,
}

pub async fn open() -> anyhow::Result<House> {
    Ok(House { shop: Box::new(support::start().await?) })
}

impl House {
    pub async fn close(self) -> anyhow::Result<()> {
        Box::pin(self.shop.stop()).await
    }

    /// Makes an account.
    pub async fn hire(&self, email: &str, role: Role) -> anyhow::Result<()> {
        let (db, clock) = (&self.shop.shop.db, &self.shop.shop.clock);
        let hash = passwords::hash(PASSWORD.to_owned()).await?;
        let roles = Roles::from_iter([role]);
        ensure!(accounts::add(db, clock, Actor::CommandLine, email, &roles, &hash, false).await?);
        Ok(())
    }

    /// Somebody of that role, signed in, with an account of their own.
    pub async fn signed_in(&self, role: Role) -> anyhow::Result<Visitor> {
        let email = format!("{role}@example.com");
        if accounts::find(&self.shop.shop.db, &email).await?.is_none() {
            self.hire(&email, role).await?;
        }
        let visitor = self.shop.visitor();
        let answer = sign_in(&visitor, &email, PASSWORD).await?;
        ensure!(answer.location().as_deref() == Some("/ops"), "{}: {}", answer.status, answer.body);
        Ok(visitor)
    }

    /// The log, oldest first.
    pub async fn log(&self) -> anyhow::Result<Vec<Logged>> {
        let rows = self.shop.shop.db.all("SELECT actor, action, subject, before, after FROM audit_log ORDER BY id", params![]).await?;
        let json = |text: Option<String>| text.map_or(Ok(serde_json::Value::Null), |text| serde_json::from_str(&text));
        rows.iter()
            .map(|row| {
                Ok(Logged {
                    actor: row.text("actor")?,
                    action: row.text("action")?,
                    subject: row.text("subject")?,
                    before: json(row.text_or_null("before")?)?,
                    after: json(row.text_or_null("after")?)?,
                })
            })
            .collect()
    }

    /// The latest row of the log.
    pub async fn last_logged(&self) -> anyhow::Result<Logged> {
        self.log().await?.pop().context("something is in the log")
    }
}

/// Sends the form of the sign-in page.
pub async fn sign_in(visitor: &Visitor, email: &str, password: &str) -> anyhow::Result<Answer> {
    visitor.post("/ops/sign-in", &[("email", email), ("password", password)]).await
}
