//! The way onto the list and off it: asked for by a form, confirmed by a link, left by another. Each step that changes a consent writes its proof in
//! the same transaction.

use super::{LEAVE, Newsletter, forget};
use crate::{
    events, mail, params,
    sql::{Lost, Row, Tx},
};
use domain::{
    EventId, SubscriptionId,
    account::Email,
    event::Event,
    locale::Locale,
    newsletter::{CONFIRM_WITHIN_US, Letter, Standing, letter},
    offer::Instant,
};
use std::net::IpAddr;

/// What a form asked for, and where.
#[derive(Clone, Debug)]
pub struct Asked {
    pub locale: Locale,
    /// Which text stood beside the form ([`domain::newsletter::consent`]).
    pub consent: String,
    /// The page's path ([`domain::newsletter::source`]).
    pub source: String,
    pub client: IpAddr,
}

/// What a link of a confirmation mail leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// It waits to be confirmed.
    Asked,
    Subscribed,
    /// Too late, of a sign-up that is over, or made up.
    Gone,
}

/// A row of the list, as far as decisions need it.
struct Entry {
    id: SubscriptionId,
    is_subscribed: bool,
    expires_at: Instant,
    mails: i64,
    mailed_at: Option<Instant>,
}

const ENTRY: &str = "SELECT id, state, expires_at, mails, mailed_at FROM newsletter_subscriptions WHERE subject = $1";

impl Newsletter {
    /// Takes a sign-up and queues the mail that it leads to, if any. Says nothing about the address: nobody is to learn who is on the list.
    pub async fn ask(&self, email: &Email, asked: Asked) -> anyhow::Result<()> {
        let subject = self.subject(email);
        let queued = self
            .db
            .transact::<_, anyhow::Error>(|tx| {
                let (this, email, subject, asked) = (self.clone(), email.clone(), subject.clone(), asked.clone());
                Box::pin(async move { this.ask_in(tx, &email, &subject, &asked).await })
            })
            .await?;
        if queued {
            mail::ring();
        }
        Ok(())
    }

    async fn ask_in(&self, tx: &mut Tx, email: &Email, subject: &str, asked: &Asked) -> anyhow::Result<bool> {
        let now = self.clock.now();
        let mut entry = tx.first(ENTRY, params![subject]).await?.as_ref().map(Entry::read).transpose()?;
        if let Some(old) = entry.take_if(|entry| !entry.is_subscribed && entry.expires_at <= now) {
            never_confirmed(tx, old.id).await?;
        }
        let has_left = tx.first("SELECT at FROM newsletter_left WHERE subject = $1", params![subject]).await?.is_some();
        let Some(letter) = letter(entry.as_ref().map_or(Standing::Unknown, Entry::standing), has_left, now) else { return Ok(false) };
        let id = match entry {
            Some(entry) => {
                if letter == Letter::Confirm {
                    self.ask_again(tx, &entry, asked, now).await?;
                } else {
                    let sql =
                        "UPDATE newsletter_subscriptions SET mailed_at = $2 WHERE id = $1 AND state = 'subscribed' AND COALESCE(mailed_at, 0) = $3";
                    won(tx.execute(sql, params![entry.id, now, entry.mailed_at.unwrap_or(0)]).await?)?;
                }
                entry.id
            }
            None => self.enter(tx, email, subject, asked, now).await?,
        };
        if letter == Letter::Confirm {
            self.prove(tx, (id, subject), "asked", asked).await?;
        }
        // The word for what has not been sent that servers of the release before leave alone.
        tx.execute(
            "INSERT INTO mails (id, order_id, kind, occasion, about, state, attempts, next_at, created_at, updated_at) \
             VALUES ($1, $2, $3, $1, '', 'due', 0, $4, $4, $4)",
            params![EventId(self.clock.id()), id, letter.word(), now],
        )
        .await?;
        Ok(true)
    }

    async fn enter(&self, tx: &mut Tx, email: &Email, subject: &str, asked: &Asked, now: Instant) -> anyhow::Result<SubscriptionId> {
        let id = SubscriptionId(self.clock.id());
        let (key, wrapped) = self.keys.new_data_key(&id.to_string());
        let sealed = key.seal(&id.to_string(), email.as_str().as_bytes());
        let entered = tx
            .execute(
                "INSERT INTO newsletter_subscriptions (id, subject, state, wrapped_key, sealed_email, locale, consent, source, expires_at, mails, mailed_at) \
                 VALUES ($1, $2, 'asked', $3, $4, $5, $6, $7, $8, 1, $9) ON CONFLICT (subject) DO NOTHING",
                params![id, subject, wrapped, sealed, asked.locale.to_string(), &asked.consent, &asked.source, now + CONFIRM_WITHIN_US, now],
            )
            .await?;
        won(entered)?;
        Ok(id)
    }

    /// The latest form counts: its text, its page and its week.
    async fn ask_again(&self, tx: &mut Tx, entry: &Entry, asked: &Asked, now: Instant) -> anyhow::Result<()> {
        let sql = "UPDATE newsletter_subscriptions SET locale = $2, consent = $3, source = $4, expires_at = $5, mails = mails + 1, mailed_at = $6 \
                   WHERE id = $1 AND state = 'asked' AND mails = $7";
        let values = params![entry.id, asked.locale.to_string(), &asked.consent, &asked.source, now + CONFIRM_WITHIN_US, now, entry.mails];
        won(tx.execute(sql, values).await?)
    }

    /// What the link of a confirmation mail leads to. Looking changes nothing: programs that check mails open every link.
    pub async fn look(&self, token: &str) -> anyhow::Result<Link> {
        let Some(id) = self.confirmed_by(token) else { return Ok(Link::Gone) };
        let row = self.db.first("SELECT state, expires_at FROM newsletter_subscriptions WHERE id = $1", params![id]).await?;
        Ok(match row {
            Some(row) if row.text("state")? == "subscribed" => Link::Subscribed,
            Some(row) if row.int("expires_at")? > self.clock.now() => Link::Asked,
            _ => Link::Gone,
        })
    }

    /// Confirms a sign-up. Once more changes nothing.
    pub async fn confirm(&self, token: &str, client: IpAddr) -> anyhow::Result<Link> {
        let Some(id) = self.confirmed_by(token) else { return Ok(Link::Gone) };
        let changed = self
            .db
            .transact::<_, anyhow::Error>(|tx| {
                let this = self.clone();
                Box::pin(async move { this.confirm_in(tx, id, client).await })
            })
            .await?;
        if changed {
            events::ring();
        }
        self.look(token).await
    }

    async fn confirm_in(&self, tx: &mut Tx, id: SubscriptionId, client: IpAddr) -> anyhow::Result<bool> {
        let now = self.clock.now();
        let sql = "UPDATE newsletter_subscriptions SET state = 'subscribed', confirmed_at = $2, mailed_at = NULL WHERE id = $1 AND state = 'asked' AND expires_at > $2";
        if tx.execute(sql, params![id, now]).await? == 0 {
            return Ok(false);
        }
        let row = tx.first("SELECT subject, locale, consent, source FROM newsletter_subscriptions WHERE id = $1", params![id]).await?;
        let row = row.ok_or(Lost)?;
        let subject = row.text("subject")?;
        let asked = Asked { locale: row.parse("locale")?, consent: row.text("consent")?, source: row.text("source")?, client };
        self.prove(tx, (id, &subject), "confirmed", &asked).await?;
        tx.execute("DELETE FROM newsletter_left WHERE subject = $1", params![&subject]).await?;
        // Another mail that asks for it would come too late.
        tx.execute("DELETE FROM mails WHERE order_id = $1 AND state = 'due'", params![id]).await?;
        events::emit(tx, &self.clock, &Event::ConsentChanged { subscription: id }).await?;
        Ok(true)
    }

    /// Whether a link out of the list is one of ours, and whether its address is on the list now.
    pub async fn look_out(&self, token: &str) -> anyhow::Result<Option<bool>> {
        let Some(subject) = self.keys.verify(LEAVE, token) else { return Ok(None) };
        let row = self.db.first("SELECT id FROM newsletter_subscriptions WHERE subject = $1", params![subject]).await?;
        Ok(Some(row.is_some()))
    }

    /// Takes an address off the list and destroys its key. `false`: the link is none of ours. Leaving twice is leaving.
    pub async fn leave(&self, token: &str) -> anyhow::Result<bool> {
        let Some(subject) = self.keys.verify(LEAVE, token) else { return Ok(false) };
        let changed = self
            .db
            .transact::<_, anyhow::Error>(|tx| {
                let (this, subject) = (self.clone(), subject.to_owned());
                Box::pin(async move { this.leave_in(tx, &subject).await })
            })
            .await?;
        if changed {
            events::ring();
        }
        Ok(true)
    }

    async fn leave_in(&self, tx: &mut Tx, subject: &str) -> anyhow::Result<bool> {
        let sql = "SELECT id, state, locale, consent, source FROM newsletter_subscriptions WHERE subject = $1";
        let Some(row) = tx.first(sql, params![subject]).await? else { return Ok(false) };
        let (id, now) = (row.parse("id")?, self.clock.now());
        if row.text("state")? != "subscribed" {
            never_confirmed(tx, id).await?;
            return Ok(false);
        }
        won(forget(tx, id).await?)?;
        let what = (row.parse::<Locale>("locale")?, row.text("consent")?, row.text("source")?);
        self.write_proof(tx, (id, subject), "left", (&what.0, &what.1, &what.2), "").await?;
        let sql = "INSERT INTO newsletter_left (subject, at) VALUES ($1, $2) ON CONFLICT (subject) DO NOTHING";
        tx.execute(sql, params![subject, now]).await?;
        events::emit(tx, &self.clock, &Event::ConsentChanged { subscription: id }).await?;
        Ok(true)
    }

    async fn prove(&self, tx: &mut Tx, whose: (SubscriptionId, &str), what: &str, asked: &Asked) -> Result<(), sqlx::Error> {
        self.write_proof(tx, whose, what, (&asked.locale, &asked.consent, &asked.source), &self.client(asked.client)).await
    }

    async fn write_proof(
        &self,
        tx: &mut Tx,
        (id, subject): (SubscriptionId, &str),
        what: &str,
        (locale, consent, source): (&Locale, &str, &str),
        client: &str,
    ) -> Result<(), sqlx::Error> {
        tx.execute(
            "INSERT INTO newsletter_proofs (id, subscription, subject, what, at, locale, consent, source, client) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            params![self.clock.id().to_string(), id, subject, what, self.clock.now(), locale.to_string(), consent, source, client],
        )
        .await?;
        Ok(())
    }
}

impl Entry {
    fn read(row: &Row) -> anyhow::Result<Self> {
        Ok(Self {
            id: row.parse("id")?,
            is_subscribed: row.text("state")? == "subscribed",
            expires_at: row.int("expires_at")?,
            mails: row.int("mails")?,
            mailed_at: row.int_or_null("mailed_at")?,
        })
    }

    fn standing(&self) -> Standing {
        if self.is_subscribed {
            Standing::Subscribed { mailed_at: self.mailed_at }
        } else {
            Standing::Asked { mails: self.mails, mailed_at: self.mailed_at.unwrap_or(0) }
        }
    }
}

/// Forgets a sign-up that nobody confirmed: no consent came of it, so there is nothing to prove.
pub(super) async fn never_confirmed(tx: &mut Tx, id: SubscriptionId) -> Result<(), sqlx::Error> {
    if forget(tx, id).await? > 0 {
        tx.execute("DELETE FROM newsletter_proofs WHERE subscription = $1", params![id]).await?;
    }
    Ok(())
}

/// A row that was to be changed is as it was read; else the transaction is tried again.
fn won(rows: u64) -> anyhow::Result<()> {
    if rows == 1 { Ok(()) } else { Err(Lost.into()) }
}
