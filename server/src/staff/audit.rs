//! The log of what staff changed: append-only, written in the transaction of the change, read newest first by key. It holds ids, words and
//! figures, never personal data of customers in clear.

use crate::{
    clock::Clock,
    params,
    sql::{Db, Row, Tx},
};
use anyhow::Context as _;
use domain::{CouponId, OrderId, PromotionId, StaffId, VariantId, offer::Instant};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// Who changed something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    Staff(StaffId),
    /// Somebody at the machine itself.
    CommandLine,
}

/// What was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    Coupon(CouponId),
    /// The name of a file that was imported.
    File(String),
    /// A location's code.
    Location(String),
    Order(OrderId),
    Promotion(PromotionId),
    Staff(StaffId),
    Variant(VariantId),
    /// What a later release writes, as it stands.
    Other(String),
}

/// One change.
#[derive(Clone, Debug)]
pub struct Change {
    /// A few words in the past tense: `stock adjusted`, `order cancelled`.
    pub action: &'static str,
    pub subject: Subject,
    /// What was and what is, as far as it changed. No personal data of customers.
    pub before: Option<serde_json::Value>,
    pub after: Option<serde_json::Value>,
}

/// Writes a change into the log, in the transaction that makes it.
pub async fn write(tx: &mut Tx, clock: &Clock, actor: Actor, change: Change) -> Result<(), sqlx::Error> {
    let json = |value: Option<serde_json::Value>| value.map(|value| value.to_string());
    tx.execute(
        "INSERT INTO audit_log (id, at, actor, action, subject, before, after) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![
            clock.id().to_string(),
            clock.now(),
            actor.to_string(),
            change.action,
            change.subject.to_string(),
            json(change.before),
            json(change.after)
        ],
    )
    .await?;
    Ok(())
}

/// A row of the log.
#[derive(Clone, Debug)]
pub struct Entry {
    pub id: String,
    pub at: Instant,
    pub actor: Actor,
    /// The email address of the account, where a member of staff did it.
    pub email: Option<String>,
    pub action: String,
    pub subject: Subject,
    /// The email address of the account that was changed, the number of the order, or the SKU of the variant.
    pub name: Option<String>,
    pub before: Option<String>,
    pub after: Option<String>,
}

impl Entry {
    fn read(row: &Row) -> anyhow::Result<Self> {
        Ok(Self {
            id: row.text("id")?,
            at: row.int("at")?,
            actor: row.parse("actor")?,
            email: row.text_or_null("email")?,
            action: row.text("action")?,
            subject: row.parse("subject")?,
            name: row.text_or_null("name")?,
            before: row.text_or_null("before")?,
            after: row.text_or_null("after")?,
        })
    }
}

/// Rows of the log older than the row `older_than`, newest first.
pub async fn page(db: &Db, older_than: Option<Uuid>, limit: u32) -> anyhow::Result<Vec<Entry>> {
    // What stands after 'staff:', 'order:' and 'variant:' are ids; of other subjects it is nobody's.
    let rows = db
        .all(
            "SELECT a.id, a.at, a.actor, a.action, a.subject, a.before, a.after, s.email, COALESCE(c.email, o.number, v.sku) AS name FROM audit_log a \
             LEFT JOIN staff s ON s.id = SUBSTR(a.actor, 7) LEFT JOIN staff c ON c.id = SUBSTR(a.subject, 7) \
             LEFT JOIN orders o ON o.id = SUBSTR(a.subject, 7) LEFT JOIN variants v ON v.id = SUBSTR(a.subject, 9) WHERE a.id < $1 ORDER BY a.id DESC LIMIT $2",
            params![older_than.unwrap_or(Uuid::max()).to_string(), limit],
        )
        .await?;
    rows.iter().map(Entry::read).collect()
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Staff(id) => write!(f, "staff:{id}"),
            Self::CommandLine => f.write_str("command line"),
        }
    }
}

impl FromStr for Actor {
    type Err = anyhow::Error;
    fn from_str(text: &str) -> anyhow::Result<Self> {
        match text.split_once(':') {
            None if text == "command line" => Ok(Self::CommandLine),
            Some(("staff", id)) => Ok(Self::Staff(id.parse()?)),
            _ => anyhow::bail!("nobody is called {text:?}"),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Coupon(id) => write!(f, "coupon:{id}"),
            Self::File(name) => write!(f, "file:{name}"),
            Self::Location(code) => write!(f, "location:{code}"),
            Self::Order(id) => write!(f, "order:{id}"),
            Self::Promotion(id) => write!(f, "promotion:{id}"),
            Self::Staff(id) => write!(f, "staff:{id}"),
            Self::Variant(id) => write!(f, "variant:{id}"),
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl FromStr for Subject {
    type Err = anyhow::Error;
    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (kind, id) = text.split_once(':').context("a subject is a kind and an id")?;
        Ok(match kind {
            "coupon" => Self::Coupon(id.parse()?),
            "file" => Self::File(id.to_owned()),
            "location" => Self::Location(id.to_owned()),
            "order" => Self::Order(id.parse()?),
            "promotion" => Self::Promotion(id.parse()?),
            "staff" => Self::Staff(id.parse()?),
            "variant" => Self::Variant(id.parse()?),
            _ => Self::Other(text.to_owned()),
        })
    }
}
