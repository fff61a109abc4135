//! Sends what is due: takes it, writes it, hands it over, notes what became of it. Several processes may do so at once.

use super::{
    compose::{Letter, compose},
    folder,
    place::Place,
    queue,
    smtp::Smtp,
};
use crate::{
    background::Stop,
    clock::Clock,
    config::Config,
    failpoint,
    newsletter::{self, Newsletter},
    orders::{
        Orders,
        story::{self, Actor, Happened},
    },
    params,
    sql::{Db, Row},
};
use anyhow::Context as _;
use app::{mail::Kind, ports::Storefront};
use domain::{EventId, OrderId, SubscriptionId, newsletter::Letter as ListLetter, offer::Instant};
use futures::{StreamExt as _, stream};
use lettre::message::Mailbox;
use std::{path::PathBuf, sync::Arc, time::Duration};

/// Mails taken at once, and how many of them are under way together.
const BATCH: i64 = 50;
const TOGETHER: usize = 4;
/// How long a mail belongs to the process that took it (10 min); a batch takes at most `BATCH / TOGETHER` minutes' worth of it.
const LEASE_US: Instant = 15 * 60 * 1_000_000;
/// Attempts before a mail is given up, with waits of 30 s, 2 min, 8 min, 32 min, 2 h and then 6 h: about a day in all.
pub const ATTEMPTS_MAX: i64 = 9;
const WAIT_S_FIRST: i64 = 30;
const WAIT_S_MAX: i64 = 6 * 3_600;
/// How long a mail waits at most before somebody looks.
const POLL: Duration = Duration::from_secs(1);

/// How mails leave.
pub enum Delivery {
    Folder(PathBuf),
    Smtp(Smtp),
}

/// What an attempt came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Sent,
    /// It may work another time.
    Later(String),
    /// It never will.
    Never(String),
}

/// Writes and sends mails.
#[derive(Clone)]
pub struct Mailer {
    db: Db,
    clock: Clock,
    orders: Orders,
    newsletter: Newsletter,
    storefront: Arc<dyn Storefront>,
    delivery: Arc<Delivery>,
    from: Mailbox,
}

/// A mail that this process has taken.
struct Due {
    id: EventId,
    what: What,
    attempts: i64,
}

/// What a mail tells of.
#[derive(Clone, Debug)]
enum What {
    /// An order, and what of it.
    Order(OrderId, Kind, String),
    /// The newsletter's list, to an address on it or on the way there.
    List(SubscriptionId, ListLetter),
}

impl What {
    /// `None`: a kind of a later release.
    fn read(row: &Row) -> anyhow::Result<Option<Self>> {
        let word = row.text("kind")?;
        if let Some(letter) = ListLetter::parse(&word) {
            return Ok(Some(Self::List(row.parse("order_id")?, letter)));
        }
        let Ok(kind) = word.parse() else { return Ok(None) };
        Ok(Some(Self::Order(row.parse("order_id")?, kind, row.text("about")?)))
    }

    const fn word(&self) -> &'static str {
        match self {
            Self::Order(_, kind, _) => kind.word(),
            Self::List(_, letter) => letter.word(),
        }
    }

    /// The state of what is tried again.
    const fn unsent(&self) -> &'static str {
        match self {
            Self::Order(_, kind, _) => queue::unsent(*kind),
            Self::List(..) => "due",
        }
    }
}

impl Delivery {
    /// Opens what the configuration names; a folder lies in the data folder.
    pub fn open(place: &Place, data: &std::path::Path, from: &Mailbox) -> anyhow::Result<Self> {
        Ok(match place {
            Place::Folder => Self::Folder(data.join("mail")),
            Place::Smtp(server) => Self::Smtp(Smtp::new(server, from.email.domain())?),
        })
    }
}

impl Mailer {
    /// `from`: as `config.mail_from` has checked it.
    pub fn new(
        db: Db,
        clock: Clock,
        orders: Orders,
        newsletter: Newsletter,
        storefront: Arc<dyn Storefront>,
        config: &Config,
    ) -> anyhow::Result<Self> {
        let from: Mailbox = config.mail_from.parse().context("the sender's address")?;
        let delivery = Arc::new(Delivery::open(&config.mail, &config.data, &from)?);
        Ok(Self { db, clock, orders, newsletter, storefront, delivery, from })
    }

    /// Sends until the shop stops.
    pub async fn run(self, mut stop: Stop) {
        while !stop.is_requested() {
            let sent = self.send_due().await.unwrap_or_else(|error| {
                tracing::error!(error = format!("{error:#}"), "mails could not be sent");
                0
            });
            if sent == 0 {
                tokio::select! {
                    () = stop.requested() => {}
                    () = queue::rung() => {}
                    () = tokio::time::sleep(POLL) => {}
                }
            }
        }
    }

    /// Sends what is due now, one batch: how many were tried.
    pub async fn send_due(&self) -> anyhow::Result<usize> {
        let due = self.take().await?;
        let tried = due.len();
        let outcomes: Vec<(Due, Outcome)> = stream::iter(due)
            .map(|mail| async { (self.attempt(&mail).await, mail) })
            .buffer_unordered(TOGETHER)
            .map(|(outcome, mail)| (mail, outcome))
            .collect()
            .await;
        for (mail, outcome) in outcomes {
            failpoint!("mail-handed-over");
            self.settle(&mail, outcome).await?;
        }
        Ok(tried)
    }

    async fn take(&self) -> anyhow::Result<Vec<Due>> {
        let now = self.clock.now();
        let waiting = self
            .db
            .all(
                "SELECT id, order_id, kind, about, attempts FROM mails WHERE state IN ('waiting', 'due') AND next_at <= $1 ORDER BY next_at, id LIMIT $2",
                params![now, BATCH],
            )
            .await?;
        // Kinds of a later release are left to its servers.
        let mut known = Vec::with_capacity(waiting.len());
        for row in &waiting {
            if let Some(what) = What::read(row)? {
                known.push(Due { id: row.parse("id")?, what, attempts: row.int("attempts")? + 1 });
            }
        }
        if known.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<EventId> = known.iter().map(|mail| mail.id).collect();
        let taken = self
            .db
            .transact::<_, anyhow::Error>(|tx| {
                let ids = ids.clone();
                Box::pin(async move {
                    let mut taken = Vec::with_capacity(ids.len());
                    for id in ids {
                        let sql =
                            "UPDATE mails SET next_at = $2, attempts = attempts + 1 WHERE id = $1 AND state IN ('waiting', 'due') AND next_at <= $3";
                        taken.push(tx.execute(sql, params![id, now + LEASE_US, now]).await? == 1);
                    }
                    Ok(taken)
                })
            })
            .await?;
        Ok(known.into_iter().zip(taken).filter(|(_, taken)| *taken).map(|(mail, _)| mail).collect())
    }

    async fn attempt(&self, mail: &Due) -> Outcome {
        let now = self.clock.now();
        let written = match &mail.what {
            What::Order(order, kind, about) => compose(&self.orders, &*self.storefront, &self.from, mail.id, (*order, *kind, about), now).await,
            What::List(id, letter) => newsletter::compose(&self.newsletter, &*self.storefront, &self.from, mail.id, (*id, *letter), now).await,
        };
        let letter = match written {
            Ok(Letter::Ready(message)) => *message,
            Ok(Letter::Impossible(why)) => return Outcome::Never(why.to_owned()),
            Err(error) => {
                tracing::error!(mail = %mail.id, error = format!("{error:#}"), "a mail could not be written");
                return Outcome::Later("it could not be written: see the log".to_owned());
            }
        };
        match &*self.delivery {
            Delivery::Smtp(smtp) => smtp.send(letter).await,
            Delivery::Folder(folder) => {
                let (folder, id) = (folder.clone(), mail.id);
                match tokio::task::spawn_blocking(move || folder::put(&folder, id, &letter.formatted())).await.map_err(anyhow::Error::new).flatten() {
                    Ok(()) => Outcome::Sent,
                    Err(error) => {
                        tracing::error!(mail = %mail.id, error = format!("{error:#}"), "the mail folder");
                        Outcome::Later("the mail folder cannot be written".to_owned())
                    }
                }
            }
        }
    }

    async fn settle(&self, mail: &Due, outcome: Outcome) -> anyhow::Result<()> {
        let now = self.clock.now();
        let (state, next_at, error) = match outcome {
            Outcome::Sent => ("sent", now, None),
            Outcome::Later(why) if mail.attempts < ATTEMPTS_MAX => (mail.what.unsent(), now + wait_us(mail.attempts), Some(why)),
            Outcome::Later(why) | Outcome::Never(why) => ("given_up", now, Some(why)),
        };
        match (state, &error) {
            ("given_up", Some(why)) => tracing::error!(mail = %mail.id, what = ?mail.what, why, "a mail was given up"),
            (_, Some(why)) => tracing::warn!(mail = %mail.id, kind = mail.what.word(), attempt = mail.attempts, why, "a mail is sent again later"),
            _ => {}
        }
        metrics::counter!("mails_total", "state" => state).increment(1);
        self.db
            .transact::<_, anyhow::Error>(|tx| {
                let values = params![mail.id, state, next_at, error.clone(), now];
                let (clock, what) = (self.clock.clone(), mail.what.clone());
                Box::pin(async move {
                    if let What::Order(order, kind, _) = what
                        && state == "sent"
                    {
                        story::tell(tx, &clock, &Actor::Shop, order, &Happened::MailSent { mail: kind.word().to_owned() }).await?;
                    }
                    tx.execute(
                        "UPDATE mails SET state = $2, next_at = $3, last_error = $4, updated_at = $5 WHERE id = $1 AND state IN ('waiting', 'due')",
                        values,
                    )
                    .await?;
                    Ok(())
                })
            })
            .await?;
        Ok(())
    }
}

/// The wait after so many attempts, in microseconds.
fn wait_us(attempts: i64) -> Instant {
    let doubled = u32::try_from(attempts.clamp(1, 10) - 1).unwrap_or(0) * 2;
    (WAIT_S_FIRST << doubled).min(WAIT_S_MAX) * 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_six_hours_and_last_about_a_day() {
        let waits: Vec<i64> = (1..ATTEMPTS_MAX).map(|attempts| wait_us(attempts) / 1_000_000).collect();
        assert_eq!(waits, [30, 120, 480, 1_920, 7_680, 21_600, 21_600, 21_600]);
        assert!((20..28).contains(&(waits.iter().sum::<i64>() / 3_600)));
    }
}
