//! The provider's ledger: sessions, what became of them, refunds, disputes, what is due later, and webhooks that have to be sent. Kept in
//! memory, written to an append-only file of JSON lines before anybody is answered, read back on start. What may follow what is decided
//! in `moves.rs`.

use super::{cards::Behaviour, due::What};
use crate::payments::SessionLine;
use anyhow::Context as _;
use domain::{PaymentId, RefundId, dispute::DisputeStage, money::Money, offer::Instant, payment::Decline, refund::RefundNews};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
};

/// A page to pay on. A stored type: fields are added with a default, never renamed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    pub payment: PaymentId,
    /// In the page's address: whoever has it may pay.
    pub secret: String,
    pub number: String,
    pub amount: Money,
    #[serde(default)]
    pub lines: Vec<SessionLine>,
    pub locale: String,
    #[serde(alias = "return_url")]
    pub success_url: String,
    /// Empty: as `success_url`.
    #[serde(default)]
    pub cancel_url: String,
    pub notify_url: String,
    /// `None`: never.
    #[serde(default)]
    pub expires_at: Option<Instant>,
    #[serde(default)]
    pub capsule: Option<String>,
    pub state: State,
    /// What was typed last does that.
    #[serde(default)]
    pub behaviour: Option<Behaviour>,
    #[serde(default)]
    pub captured_at: Option<Instant>,
    #[serde(default)]
    pub dispute: Option<DisputeStage>,
    #[serde(default)]
    pub disputed_at: Option<Instant>,
    pub refunded_minor: i64,
    pub at: Instant,
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    Open,
    /// 3-D Secure was asked for.
    Challenged,
    Pending,
    Captured,
    Failed {
        reason: Decline,
    },
    Closed,
}

/// Money that goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refund {
    pub payment: PaymentId,
    pub minor: i64,
    /// When it was asked for.
    pub at: Instant,
    /// `Pending`, `Issued` or `Bounced`.
    pub news: RefundNews,
}

/// A webhook that has to reach the shop.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Told {
    pub id: String,
    pub url: String,
    /// The signed text, the same on every try.
    pub body: String,
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub(super) enum Entry {
    Session(Box<Session>),
    /// What was typed into the page.
    Typed {
        payment: PaymentId,
        behaviour: Behaviour,
    },
    State {
        payment: PaymentId,
        to: State,
        at: Instant,
    },
    Refund {
        refund: RefundId,
        payment: PaymentId,
        minor: i64,
        at: Instant,
        #[serde(default = "issued")]
        news: RefundNews,
    },
    RefundNews {
        refund: RefundId,
        news: RefundNews,
        at: Instant,
    },
    Dispute {
        payment: PaymentId,
        stage: DisputeStage,
        at: Instant,
    },
    Due {
        at: Instant,
        what: What,
    },
    /// It was due and is done, or came to nothing.
    Done {
        at: Instant,
        what: What,
    },
    /// The provider's clock was put forward.
    Advanced {
        by_us: Instant,
    },
    Notice(Told),
    Delivered {
        notice: String,
    },
    /// A session that must never open: it was closed before it was asked for.
    Barred {
        payment: PaymentId,
        at: Instant,
    },
}

const fn issued() -> RefundNews {
    RefundNews::Issued
}

/// Everything the provider knows.
pub struct Ledger {
    file: File,
    sessions: BTreeMap<PaymentId, Session>,
    barred: BTreeMap<PaymentId, Instant>,
    refunds: BTreeMap<RefundId, Refund>,
    due: BTreeSet<(Instant, What)>,
    notices: BTreeMap<String, Told>,
    advanced_us: Instant,
}

impl Ledger {
    /// Opens the file and reads it back. A last line that was cut off by a crash was never answered for, and is dropped.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let mut good_bytes = 0_u64;
        let mut entries = Vec::new();
        if let Ok(file) = File::open(path) {
            let mut reader = BufReader::new(file);
            let mut line = String::new();
            while reader.read_line(&mut line).context("reading the provider's ledger")? > 0 {
                match serde_json::from_str::<Entry>(&line) {
                    Ok(entry) => entries.push(entry),
                    Err(_) if !line.ends_with('\n') => break,
                    Err(error) => anyhow::bail!("{}, line {}: {error}; it is not this version's", path.display(), entries.len() + 1),
                }
                good_bytes += line.len() as u64;
                line.clear();
            }
        }
        let file = File::options().create(true).append(true).open(path).with_context(|| format!("opening {}", path.display()))?;
        file.set_len(good_bytes).context("cutting off a broken line")?;
        let mut ledger = Self {
            file,
            sessions: BTreeMap::new(),
            barred: BTreeMap::new(),
            refunds: BTreeMap::new(),
            due: BTreeSet::new(),
            notices: BTreeMap::new(),
            advanced_us: 0,
        };
        for entry in entries {
            ledger.apply(entry);
        }
        Ok(ledger)
    }

    /// A session by our merchant's id of the payment.
    pub fn session(&self, payment: PaymentId) -> Option<&Session> {
        self.sessions.get(&payment)
    }

    /// A session by the secret of its page.
    pub fn by_secret(&self, secret: &str) -> Option<&Session> {
        self.sessions.values().find(|session| session.secret == secret)
    }

    /// Whether the session was closed before it existed.
    pub fn is_barred(&self, payment: PaymentId) -> bool {
        self.barred.contains_key(&payment)
    }

    /// By the ids of their payments.
    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values()
    }

    /// Sessions after that payment's, by the ids of their payments.
    pub fn sessions_after(&self, payment: Option<PaymentId>) -> impl Iterator<Item = &Session> {
        use std::ops::Bound::{Excluded, Unbounded};
        self.sessions.range((payment.map_or(Unbounded, Excluded), Unbounded)).map(|(_, session)| session)
    }

    pub fn refund(&self, refund: RefundId) -> Option<Refund> {
        self.refunds.get(&refund).copied()
    }

    pub fn refunds(&self) -> impl Iterator<Item = (RefundId, Refund)> {
        self.refunds.iter().map(|(id, refund)| (*id, *refund))
    }

    /// What is due at `now`, the oldest first, with when it was due.
    pub(super) fn due(&self, now: Instant) -> Option<(Instant, What)> {
        self.due.first().copied().filter(|(at, _)| *at <= now)
    }

    /// Webhooks that have not arrived.
    pub fn undelivered(&self) -> impl Iterator<Item = &Told> {
        self.notices.values()
    }

    /// How far the provider's clock was put forward.
    pub fn advanced_us(&self) -> Instant {
        self.advanced_us
    }

    pub fn open_session(&mut self, session: Session) -> anyhow::Result<()> {
        self.write(Entry::Session(Box::new(session)))
    }

    pub fn bar(&mut self, payment: PaymentId, at: Instant) -> anyhow::Result<()> {
        self.write(Entry::Barred { payment, at })
    }

    pub fn delivered(&mut self, notice: &str) -> anyhow::Result<()> {
        self.write(Entry::Delivered { notice: notice.to_owned() })
    }

    pub(super) fn write(&mut self, entry: Entry) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(&entry).context("a ledger entry")?;
        line.push(b'\n');
        // Handed to the system, which survives this process; a test provider need not survive a power cut.
        self.file.write_all(&line).context("writing the provider's ledger")?;
        self.apply(entry);
        Ok(())
    }

    fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Session(session) => drop(self.sessions.insert(session.payment, *session)),
            Entry::Typed { payment, behaviour } => {
                if let Some(session) = self.sessions.get_mut(&payment) {
                    session.behaviour = Some(behaviour);
                }
            }
            Entry::State { payment, to, at } => {
                if let Some(session) = self.sessions.get_mut(&payment) {
                    session.state = to;
                    if to == State::Captured {
                        session.captured_at = Some(at);
                    }
                }
            }
            Entry::Refund { refund, payment, minor, at, news } => {
                self.refunds.insert(refund, Refund { payment, minor, at, news });
                self.add_up_refunds(payment);
            }
            Entry::RefundNews { refund, news, .. } => {
                if let Some(known) = self.refunds.get_mut(&refund) {
                    known.news = news;
                    let payment = known.payment;
                    self.add_up_refunds(payment);
                }
            }
            Entry::Dispute { payment, stage, at } => {
                if let Some(session) = self.sessions.get_mut(&payment) {
                    session.dispute = Some(stage);
                    session.disputed_at.get_or_insert(at);
                }
            }
            Entry::Due { at, what } => _ = self.due.insert((at, what)),
            Entry::Done { at, what } => _ = self.due.remove(&(at, what)),
            Entry::Advanced { by_us } => self.advanced_us += by_us,
            Entry::Notice(notice) => drop(self.notices.insert(notice.id.clone(), notice)),
            Entry::Delivered { notice } => drop(self.notices.remove(&notice)),
            Entry::Barred { payment, at } => drop(self.barred.insert(payment, at)),
        }
    }

    /// What came back does not count as refunded.
    fn add_up_refunds(&mut self, payment: PaymentId) {
        let sum =
            self.refunds.values().filter(|refund| refund.payment == payment && refund.news != RefundNews::Bounced).map(|refund| refund.minor).sum();
        if let Some(session) = self.sessions.get_mut(&payment) {
            session.refunded_minor = sum;
        }
    }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
