//! The list as a whole: who is on it, what is forgotten by itself, and forgetting an address on demand.

use super::{Newsletter, forget, sign_up::never_confirmed};
use crate::{
    params,
    sql::{AT_ONCE, Row, Tx},
    staff::audit::{self, Actor, Change, Subject},
};
use anyhow::Context as _;
use domain::{SubscriptionId, account::Email, locale::Locale, newsletter::PROOF_KEPT_US, offer::Instant};
use serde_json::json;

/// Somebody who gets the newsletter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriber {
    pub email: Email,
    pub locale: Locale,
    pub confirmed_at: Instant,
    /// Where the address leaves the list; also for `List-Unsubscribe` (RFC 8058).
    pub leave_url: String,
}

/// What a sweep removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Sign-ups that nobody confirmed in time.
    pub sign_ups: u64,
    /// Consents whose proof is no longer needed.
    pub proofs: u64,
}

/// Subscriptions whose proofs go in one transaction: each has at most seven ([`domain::newsletter::CONFIRM_MAILS_MAX`] questions, a yes and a no).
const ENDED_AT_ONCE: i64 = 100;

impl Newsletter {
    /// Everybody on the list, in the order in which they signed up, for handing over; the log says that it was read.
    pub async fn export(&self, actor: Actor) -> anyhow::Result<Vec<Subscriber>> {
        const PAGE: &str = "SELECT id, subject, wrapped_key, sealed_email, locale, confirmed_at FROM newsletter_subscriptions \
                            WHERE state = 'subscribed' AND id > $1 ORDER BY id LIMIT $2";
        let mut all: Vec<Subscriber> = Vec::new();
        let mut after = String::new();
        loop {
            let rows = self.db.all(PAGE, params![&after, AT_ONCE]).await?;
            let Some(last) = rows.last() else { break };
            after = last.text("id")?;
            for row in &rows {
                all.push(self.subscriber(row)?);
            }
        }
        let subscribers = all.len();
        self.db
            .transact::<_, anyhow::Error>(|tx| {
                let clock = self.clock.clone();
                Box::pin(async move {
                    let (subject, after) = (Subject::Other("newsletter:list".to_owned()), Some(json!({ "subscribers": subscribers })));
                    audit::write(tx, &clock, actor, Change { action: "newsletter list exported", subject, before: None, after }).await?;
                    Ok(())
                })
            })
            .await?;
        Ok(all)
    }

    fn subscriber(&self, row: &Row) -> anyhow::Result<Subscriber> {
        let locale = row.parse("locale")?;
        Ok(Subscriber {
            email: self.email(row)?,
            locale,
            confirmed_at: row.int("confirmed_at")?,
            leave_url: self.leave_url(locale, &row.text("subject")?),
        })
    }

    /// The address of a row with `id`, `wrapped_key` and `sealed_email`.
    pub(super) fn email(&self, row: &Row) -> anyhow::Result<Email> {
        let id = row.text("id")?;
        let wrapped = row.bytes_or_null("wrapped_key")?.context("a subscription without a key")?;
        let sealed = row.bytes_or_null("sealed_email")?.context("a subscription without an address")?;
        let plain = self.keys.data_key(&id, &wrapped)?.open(&id, &sealed)?;
        Ok(Email::parse(&String::from_utf8(plain)?)?)
    }

    /// Destroys everything about an address: its row with its key, its proofs, and that it left. Whether there was something.
    pub async fn erase(&self, email: &Email, actor: Actor) -> anyhow::Result<bool> {
        let subject = self.subject(email);
        self.db
            .transact::<_, anyhow::Error>(|tx| {
                let (this, subject) = (self.clone(), subject.clone());
                Box::pin(async move { this.erase_in(tx, &subject, actor).await })
            })
            .await
    }

    async fn erase_in(&self, tx: &mut Tx, subject: &str, actor: Actor) -> anyhow::Result<bool> {
        let row = tx.first("SELECT id FROM newsletter_subscriptions WHERE subject = $1", params![subject]).await?;
        let id = row.map(|row| row.parse::<SubscriptionId>("id")).transpose()?;
        if let Some(id) = id {
            forget(tx, id).await?;
        }
        let proofs = tx.execute("DELETE FROM newsletter_proofs WHERE subject = $1", params![subject]).await?;
        let left = tx.execute("DELETE FROM newsletter_left WHERE subject = $1", params![subject]).await?;
        if id.is_none() && proofs + left == 0 {
            return Ok(false);
        }
        // The log outlives what is erased, so it does not say who it was.
        let after = Some(json!({ "subscriptions": u8::from(id.is_some()), "proofs": proofs }));
        let change = Change { action: "newsletter address erased", subject: Subject::Other("newsletter:list".to_owned()), before: None, after };
        audit::write(tx, &self.clock, actor, change).await?;
        Ok(true)
    }

    /// Forgets sign-ups that nobody confirmed in time, and proofs of consents that ended long ago.
    pub async fn sweep(&self) -> anyhow::Result<Swept> {
        const LATE: &str = "SELECT id FROM newsletter_subscriptions WHERE state = 'asked' AND expires_at <= $1 LIMIT $2";
        const ENDED: &str = "SELECT subscription AS id FROM newsletter_proofs WHERE what = 'left' AND at <= $1 LIMIT $2";
        let now = self.clock.now();
        Ok(Swept { sign_ups: self.sweep_each(LATE, now, true).await?, proofs: self.sweep_each(ENDED, now - PROOF_KEPT_US, false).await? })
    }

    async fn sweep_each(&self, which: &'static str, before: Instant, are_sign_ups: bool) -> anyhow::Result<u64> {
        let mut swept = 0;
        loop {
            let gone = self
                .db
                .transact::<_, anyhow::Error>(|tx| {
                    Box::pin(async move {
                        let rows = tx.all(which, params![before, ENDED_AT_ONCE]).await?;
                        for row in &rows {
                            let id: SubscriptionId = row.parse("id")?;
                            if are_sign_ups {
                                // Another form may have asked for it again since.
                                let sql = "UPDATE newsletter_subscriptions SET mails = mails WHERE id = $1 AND state = 'asked' AND expires_at <= $2";
                                if tx.execute(sql, params![id, before]).await? == 1 {
                                    never_confirmed(tx, id).await?;
                                }
                            } else {
                                tx.execute("DELETE FROM newsletter_proofs WHERE subscription = $1", params![id]).await?;
                            }
                        }
                        Ok(rows.len() as u64)
                    })
                })
                .await?;
            swept += gone;
            if gone < ENDED_AT_ONCE.unsigned_abs() {
                return Ok(swept);
            }
        }
    }
}
