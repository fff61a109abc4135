//! The provider's ledger: sessions, what became of them, refunds, and webhooks that have to be sent. Kept in memory, written to an
//! append-only file of JSON lines before anybody is answered, read back on start.

use anyhow::Context as _;
use domain::{
    PaymentId, RefundId,
    money::Money,
    offer::Instant,
    payment::{Decline, News},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
};

/// A page to pay on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    pub payment: PaymentId,
    /// In the page's address: whoever has it may pay.
    pub secret: String,
    pub number: String,
    pub amount: Money,
    pub locale: String,
    pub return_url: String,
    pub notify_url: String,
    pub state: State,
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

/// A webhook that has to reach the shop.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Notice {
    pub id: String,
    pub url: String,
    /// The signed text, the same on every try.
    pub body: String,
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
enum Entry {
    Session(Session),
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
    },
    Notice(Notice),
    Delivered {
        notice: String,
    },
    /// A session that must never open: it was closed before it was asked for.
    Barred {
        payment: PaymentId,
        at: Instant,
    },
}

/// Everything the provider knows.
pub struct Ledger {
    file: File,
    sessions: BTreeMap<PaymentId, Session>,
    barred: BTreeMap<PaymentId, Instant>,
    refunds: BTreeMap<RefundId, (PaymentId, i64)>,
    notices: BTreeMap<String, Notice>,
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
                let Ok(entry) = serde_json::from_str::<Entry>(&line) else { break };
                good_bytes += line.len() as u64;
                entries.push(entry);
                line.clear();
            }
        }
        let file = File::options().create(true).append(true).open(path).with_context(|| format!("opening {}", path.display()))?;
        file.set_len(good_bytes).context("cutting off a broken line")?;
        let mut ledger = Self { file, sessions: BTreeMap::new(), barred: BTreeMap::new(), refunds: BTreeMap::new(), notices: BTreeMap::new() };
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

    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values()
    }

    pub fn refunds(&self) -> impl Iterator<Item = (RefundId, PaymentId, i64)> {
        self.refunds.iter().map(|(refund, (payment, minor))| (*refund, *payment, *minor))
    }

    /// Webhooks that have not arrived.
    pub fn undelivered(&self) -> impl Iterator<Item = &Notice> {
        self.notices.values()
    }

    pub fn open_session(&mut self, session: Session) -> anyhow::Result<()> {
        self.write(Entry::Session(session))
    }

    pub fn bar(&mut self, payment: PaymentId, at: Instant) -> anyhow::Result<()> {
        self.write(Entry::Barred { payment, at })
    }

    /// Moves a session on and notes the webhook that tells of it, both or neither. `None`: it cannot go there from where it is.
    pub fn advance(&mut self, payment: PaymentId, to: State, force: bool, notice_id: &str, at: Instant) -> anyhow::Result<Option<Notice>> {
        let Some(session) = self.sessions.get(&payment) else { return Ok(None) };
        let allowed = match (session.state, to) {
            (State::Captured, _) | (State::Open, State::Open) => false,
            (_, State::Captured) if force => true,
            (State::Open | State::Challenged, _) | (State::Pending, State::Captured | State::Failed { .. }) => true,
            (State::Pending | State::Failed { .. } | State::Closed, _) => false,
        };
        if !allowed {
            return Ok(None);
        }
        let news = match to {
            State::Open | State::Challenged => None,
            State::Pending => Some(News::Pending),
            State::Captured => Some(News::Captured { amount: session.amount }),
            State::Failed { reason } => Some(News::Failed { reason }),
            State::Closed => Some(News::Closed),
        };
        let notice = news.map(|news| {
            let event = crate::payments::WebhookEvent { id: notice_id.to_owned(), payment, news };
            Notice { id: notice_id.to_owned(), url: session.notify_url.clone(), body: serde_json::to_string(&event).expect("an event is plain data") }
        });
        self.write(Entry::State { payment, to, at })?;
        if let Some(notice) = notice.clone() {
            self.write(Entry::Notice(notice))?;
        }
        Ok(notice)
    }

    /// Refunds once per id. `false`: there is not so much to give back.
    pub fn refund(&mut self, refund: RefundId, payment: PaymentId, amount: Money, at: Instant) -> anyhow::Result<bool> {
        if let Some(known) = self.refunds.get(&refund) {
            return Ok(*known == (payment, amount.minor));
        }
        let covered = self.sessions.get(&payment).is_some_and(|session| {
            session.state == State::Captured
                && session.amount.currency == amount.currency
                && amount.minor > 0
                && session.refunded_minor.checked_add(amount.minor).is_some_and(|sum| sum <= session.amount.minor)
        });
        if covered {
            self.write(Entry::Refund { refund, payment, minor: amount.minor, at })?;
        }
        Ok(covered)
    }

    pub fn delivered(&mut self, notice: &str) -> anyhow::Result<()> {
        self.write(Entry::Delivered { notice: notice.to_owned() })
    }

    fn write(&mut self, entry: Entry) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(&entry).context("a ledger entry")?;
        line.push(b'\n');
        // Handed to the system, which survives this process; a test provider need not survive a power cut.
        self.file.write_all(&line).context("writing the provider's ledger")?;
        self.apply(entry);
        Ok(())
    }

    fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Session(session) => drop(self.sessions.insert(session.payment, session)),
            Entry::State { payment, to, .. } => {
                if let Some(session) = self.sessions.get_mut(&payment) {
                    session.state = to;
                }
            }
            Entry::Refund { refund, payment, minor, .. } => {
                if let Some(session) = self.sessions.get_mut(&payment) {
                    session.refunded_minor += minor;
                }
                self.refunds.insert(refund, (payment, minor));
            }
            Entry::Notice(notice) => drop(self.notices.insert(notice.id.clone(), notice)),
            Entry::Delivered { notice } => drop(self.notices.remove(&notice)),
            Entry::Barred { payment, at } => drop(self.barred.insert(payment, at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::money::Currency;
    use uuid::Uuid;

    fn session(n: u128) -> Session {
        Session {
            payment: PaymentId(Uuid::from_u128(n)),
            secret: format!("secret {n}"),
            number: "NG-2222-2222".to_owned(),
            amount: Money::new(500, Currency::EUR),
            locale: "de-de".to_owned(),
            return_url: "http://shop".to_owned(),
            notify_url: "http://shop/webhook".to_owned(),
            state: State::Open,
            refunded_minor: 0,
            at: 0,
        }
    }

    #[test]
    fn what_was_answered_for_is_there_after_a_crash() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("ledger.jsonl");
        let (one, two) = (session(1).payment, session(2).payment);
        let refund = RefundId(Uuid::from_u128(9));
        {
            let mut ledger = Ledger::open(&path)?;
            ledger.open_session(session(1))?;
            ledger.bar(two, 1)?;
            assert!(ledger.advance(one, State::Captured, false, "evt_1", 2)?.is_some());
            assert!(ledger.refund(refund, one, Money::new(200, Currency::EUR), 3)?);
        }
        // The process died while it wrote a line.
        std::fs::OpenOptions::new().append(true).open(&path)?.write_all(b"{\"entry\":\"sess")?;
        for _ in 0..2 {
            let mut ledger = Ledger::open(&path)?;
            assert_eq!(ledger.session(one).map(|session| (session.state, session.refunded_minor)), Some((State::Captured, 200)));
            assert!(ledger.is_barred(two));
            assert_eq!(ledger.undelivered().count(), 1);
            assert!(ledger.advance(one, State::Closed, false, "evt_2", 4)?.is_none(), "money stays");
            assert!(ledger.refund(refund, one, Money::new(200, Currency::EUR), 5)?, "the same refund again");
            let too_much = ledger.refund(RefundId(Uuid::from_u128(10)), one, Money::new(301, Currency::EUR), 6)?;
            assert!(!too_much);
        }
        Ok(())
    }
}
