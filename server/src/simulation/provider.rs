//! The simulated payment provider: it lives through every crash of the shop, forgets nothing, and tells what happened in messages that may
//! be lost, doubled and overtaken.

use domain::{
    PaymentId, RefundId,
    dispute::{DisputeNews, DisputeStage},
    money::Money,
    payment::{Decline, Method, News},
    refund::RefundNews,
};
use serde::{Deserialize, Serialize};

/// A payment as the provider knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Session {
    Open,
    Pending,
    /// So much money was taken, in minor units.
    Captured(i64),
    Failed,
    Closed,
}

impl Session {
    /// Whether somebody can still pay there, or money is under way.
    pub const fn is_payable(self) -> bool {
        matches!(self, Self::Open | Self::Pending)
    }

    fn news(self, currency: domain::money::Currency) -> News {
        match self {
            // A session's name matters to nobody here; empty ones cost nothing.
            Self::Open => News::Open { session: String::new(), redirect_url: String::new() },
            Self::Pending => News::Pending { method: Method::Other },
            Self::Captured(minor) => News::Captured { amount: Money::new(minor, currency) },
            Self::Failed => News::Failed { reason: Decline::Declined },
            Self::Closed => News::Closed,
        }
    }
}

/// What the provider keeps of one payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub payment: PaymentId,
    pub asked: Money,
    pub session: Session,
    pub refunds: Vec<Sent>,
    /// A bank's claim.
    pub dispute: Option<DisputeStage>,
}

impl Account {
    /// Minor units that were taken.
    pub const fn captured(&self) -> i64 {
        if let Session::Captured(minor) = self.session { minor } else { 0 }
    }

    /// Minor units that went back, or are on their way.
    pub fn sent_back(&self) -> i64 {
        self.refunds.iter().filter(|sent| matches!(sent.state, RefundNews::Issued | RefundNews::Pending)).map(|sent| sent.minor).sum()
    }
}

/// A refund as the provider knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub refund: RefundId,
    pub minor: i64,
    pub state: RefundNews,
    /// Somebody was told that it is refused while it was under way: the shop may not ask by itself any more.
    pub is_contested: bool,
}

/// A message to the shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The provider's id of the event; a repetition has the same.
    pub event: u32,
    pub payment: PaymentId,
    pub told: Told,
    /// Repeated until it is taken: the shop would not ask by itself. Refunds and disputes, and money after an attempt's end.
    pub arrives: bool,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    Payment(News),
    Refund(RefundId, RefundNews),
    Dispute(DisputeNews),
}

/// The provider's books, and the messages that are under way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provider {
    pub accounts: Vec<Account>,
    pub mail: Vec<Mail>,
    events: u32,
}

impl Provider {
    pub fn account(&self, payment: PaymentId) -> Option<&Account> {
        self.accounts.iter().find(|account| account.payment == payment)
    }

    fn opened(&mut self, payment: PaymentId, asked: Money, session: Session) -> &mut Account {
        let known = self.accounts.iter().position(|account| account.payment == payment).unwrap_or_else(|| {
            self.accounts.push(Account { payment, asked, session, refunds: Vec::new(), dispute: None });
            self.accounts.len() - 1
        });
        &mut self.accounts[known]
    }

    /// Opens a page, or says what became of the one that was opened before.
    pub fn create(&mut self, payment: PaymentId, asked: Money) -> News {
        self.opened(payment, asked, Session::Open).session.news(asked.currency)
    }

    /// Closes a page, also one that is only about to be opened; says what the payment is then.
    pub fn close(&mut self, payment: PaymentId, asked: Money) -> News {
        let account = self.opened(payment, asked, Session::Closed);
        if account.session == Session::Open {
            account.session = Session::Closed;
        }
        account.session.news(asked.currency)
    }

    pub fn session(&self, payment: PaymentId) -> Option<News> {
        self.account(payment).map(|account| account.session.news(account.asked.currency))
    }

    /// Sends money back, never more than was taken; the same refund asked for again is answered the same.
    pub fn refund(&mut self, payment: PaymentId, refund: RefundId, minor: i64, answer: RefundNews) -> RefundNews {
        let Some(account) = self.accounts.iter_mut().find(|account| account.payment == payment) else { return RefundNews::Refused };
        if let Some(sent) = account.refunds.iter_mut().find(|sent| sent.refund == refund) {
            // Two ask at once, and the second is turned away.
            if sent.state == RefundNews::Pending && answer == RefundNews::Refused {
                sent.is_contested = true;
                return RefundNews::Refused;
            }
            return sent.state;
        }
        let is_claimed = account.dispute.is_some_and(DisputeStage::claims);
        let state = if is_claimed || account.sent_back() + minor > account.captured() { RefundNews::Refused } else { answer };
        account.refunds.push(Sent { refund, minor, state, is_contested: false });
        state
    }

    /// A person asks anew for what was refused.
    pub fn forget_refusal(&mut self, refund: RefundId) {
        for account in &mut self.accounts {
            account.refunds.retain(|sent| sent.refund != refund || sent.state != RefundNews::Refused);
        }
    }

    /// A payment becomes something; the shop is told.
    pub fn become_(&mut self, at: usize, session: Session) {
        let account = &mut self.accounts[at];
        let was_over = !account.session.is_payable();
        account.session = session;
        let news = session.news(account.asked.currency);
        self.tell(at, Told::Payment(news), was_over);
    }

    /// A refund that was under way arrives or comes back; the shop is told.
    pub fn settle_refund(&mut self, at: usize, index: usize, state: RefundNews) {
        let sent = &mut self.accounts[at].refunds[index];
        // What is under way is asked about; what has arrived is not.
        let arrives = sent.is_contested || sent.state != RefundNews::Pending;
        sent.state = state;
        let refund = sent.refund;
        self.tell(at, Told::Refund(refund, state), arrives);
    }

    /// A bank asks about a payment, claims it, or decides about it; the shop is told.
    pub fn dispute(&mut self, at: usize, stage: DisputeStage) {
        let account = &mut self.accounts[at];
        account.dispute = Some(stage);
        let news = DisputeNews { reference: format!("d{at}"), amount: account.asked, reason: "fraudulent".to_owned(), stage };
        self.tell(at, Told::Dispute(news), true);
    }

    fn tell(&mut self, at: usize, told: Told, arrives: bool) {
        self.events += 1;
        self.mail.push(Mail { event: self.events, payment: self.accounts[at].payment, told, arrives });
    }
}
