//! The simulated world and everything that can happen in it, one step at a time.

use super::{
    deeds::Deed,
    ops::{Answer, Fate, Op, Task},
    provider::{Mail, Provider, Session, Told},
    rules::Rules,
    store::{Form, Heard, LOCATIONS, Store, VARIANTS, order_of},
};
use domain::{dispute::DisputeStage, market::MarketCode, offer::Instant, refund::RefundNews, stock::Movement};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Something that happens. Steps that cannot happen change nothing, so that any part of a history is a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Step {
    /// Pieces come in.
    Receive { variant: usize, location: usize, pieces: u32 },
    /// A shopper sends the form; a server takes it.
    Place { server: u8, form: Form },
    /// A shopper wants to pay (again).
    PayAgain { server: u8, order: usize },
    /// A shopper, or staff, cancels an order that is not paid.
    CancelUnpaid { server: u8, order: usize },
    /// A server's round: sweep, reconcile, refund.
    Tend { server: u8 },
    /// A task does the next thing it has to do.
    Run { task: usize, fate: Fate },
    /// A server is killed: what it was doing is gone.
    Crash { server: u8 },
    /// A payment becomes something at the provider.
    Become { account: usize, session: Session },
    /// A refund arrives at a bank, or comes back from it.
    Settle { account: usize, refund: usize, state: RefundWord },
    /// A bank claims a payment, or decides.
    Dispute { account: usize, stage: Stage },
    /// A message arrives at a server; it may come again.
    Deliver { server: u8, mail: usize, again: bool },
    /// A message never arrives.
    Lose { mail: usize },
    /// The clocks go on, or are put back.
    Clock { us: Instant },
    /// Somebody does something with a paid order.
    Do { order: usize, deed: Deed },
}

/// What becomes of a refund that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RefundWord {
    Issued,
    Bounced,
}

/// What becomes of a bank's claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Stage {
    Inquiry,
    Answered,
    Open,
    UnderReview,
    Won,
    Lost,
}

/// When evidence is due, in every dispute.
const EVIDENCE_DUE: Instant = 1_000_000_000_000;

impl Stage {
    const fn told(self) -> DisputeStage {
        match self {
            Self::Inquiry => DisputeStage::Inquiry { evidence_due: Some(EVIDENCE_DUE) },
            Self::Answered => DisputeStage::InquiryAnswered,
            Self::Open => DisputeStage::Open { evidence_due: Some(EVIDENCE_DUE) },
            Self::UnderReview => DisputeStage::UnderReview,
            Self::Won => DisputeStage::Won,
            Self::Lost => DisputeStage::Lost,
        }
    }
}

/// How often each kind of thing happened.
pub type Counts = BTreeMap<&'static str, u64>;

/// The world. `store` and `provider` live through crashes, `tasks` do not.
#[derive(Clone, Debug)]
pub struct World {
    pub rules: Rules,
    pub market: MarketCode,
    pub now: Instant,
    pub store: Store,
    pub provider: Provider,
    pub tasks: Vec<Task>,
    /// What the provider answered to the call that was made last; `None`: no answer came.
    pub answer: Option<Answer>,
    /// Orders that a shopper was told of.
    pub acknowledged: Vec<usize>,
    /// Tasks run from one call of the provider to the next without a pause, as they do where only those calls can be held back.
    pub is_gated: bool,
    pub counts: Counts,
    /// The first thing that must never be.
    pub fault: Option<String>,
}

impl World {
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            market: "DE".parse().expect("two capital letters"),
            now: 1_800_000_000_000_000,
            store: Store::default(),
            provider: Provider::default(),
            tasks: Vec::new(),
            answer: None,
            acknowledged: Vec::new(),
            is_gated: false,
            counts: Counts::new(),
            fault: None,
        }
    }

    pub fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    pub fn fail(&mut self, fault: String) {
        self.fault.get_or_insert(fault);
    }

    /// Lets one thing happen.
    pub fn apply(&mut self, step: Step) {
        if self.is_gated {
            // No two things at one instant: rows that are taken in the order of their times have one.
            self.now += 1_000;
        }
        match step {
            Step::Receive { variant, location, pieces } => self.receive(variant, location, pieces),
            Step::Place { server, form } => self.start(server, vec![Op::Place { form, tries: 0 }]),
            Step::PayAgain { server, order } if order < self.store.orders.len() => self.start(server, vec![Op::PayAgain { order, rounds: 0 }]),
            Step::CancelUnpaid { server, order } if order < self.store.orders.len() => {
                self.start(server, vec![Op::Cancel { order, rounds: 0 }]);
            }
            Step::Tend { server } => {
                let mut ops = vec![Op::Refunds, Op::Reconcile, Op::Sweep];
                if self.store.orders.iter().any(|row| !row.order.fulfilments.is_empty()) {
                    ops.insert(0, Op::Arrivals);
                }
                self.start(server, ops);
            }
            Step::Run { task, fate } => self.run(task, fate),
            Step::Crash { server } => self.crash(server),
            Step::Become { account, session } => self.become_(account, session),
            Step::Settle { account, refund, state } => self.settle(account, refund, state),
            Step::Dispute { account, stage } => self.dispute(account, stage),
            Step::Deliver { server, mail, again } => self.deliver(server, mail, again),
            Step::Lose { mail } => {
                if self.provider.mail.get(mail).is_some_and(|mail| !mail.arrives) {
                    self.provider.mail.remove(mail);
                    self.count("messages lost");
                }
            }
            Step::Clock { us } => {
                self.now += us;
                self.count(if us < 0 { "clocks put back" } else { "clocks moved on" });
            }
            Step::Do { order, deed } => self.deed(order, deed),
            Step::PayAgain { .. } | Step::CancelUnpaid { .. } => {}
        }
    }

    fn receive(&mut self, variant: usize, location: usize, pieces: u32) {
        if variant < VARIANTS
            && location < LOCATIONS
            && let Ok(next) = (self.rules.moved)(self.store.balances[variant][location], Movement::Receipt(pieces))
        {
            self.store.balances[variant][location] = next;
            self.store.received[variant] += i64::from(pieces);
        }
    }

    /// Begins to do `ops`, the first one last.
    fn start(&mut self, server: u8, ops: Vec<Op>) {
        let task = Task::new(server, ops);
        let goes_on = self.is_gated && !task.waits();
        self.tasks.push(task);
        if goes_on {
            self.run(self.tasks.len() - 1, Fate::Well);
        }
    }

    fn crash(&mut self, server: u8) {
        let before = self.tasks.len();
        self.tasks.retain(|task| task.server != server);
        if self.tasks.len() < before {
            self.count("servers killed at work");
        }
    }

    fn become_(&mut self, at: usize, session: Session) {
        let Some(account) = self.provider.accounts.get(at) else { return };
        let what = match (account.session, session) {
            (Session::Open, Session::Captured(minor)) if minor != account.asked.minor => "wrong amounts captured",
            (Session::Open, Session::Captured(_)) => "payments captured",
            (Session::Open, Session::Pending) => "payments pending",
            (Session::Open | Session::Pending, Session::Failed) => "payments declined",
            (Session::Pending, Session::Captured(_)) => "pending payments captured",
            (Session::Closed | Session::Failed, Session::Captured(_)) => "payments captured after their end",
            _ => return,
        };
        self.count(what);
        self.provider.become_(at, session);
    }

    fn settle(&mut self, at: usize, refund: usize, state: RefundWord) {
        let Some(sent) = self.provider.accounts.get(at).and_then(|account| account.refunds.get(refund)) else { return };
        let (what, state) = match (sent.state, state) {
            (RefundNews::Pending, RefundWord::Issued) => ("slow refunds arrived", RefundNews::Issued),
            (RefundNews::Pending | RefundNews::Issued, RefundWord::Bounced) => ("refunds bounced", RefundNews::Bounced),
            _ => return,
        };
        self.count(what);
        self.provider.settle_refund(at, refund, state);
    }

    fn dispute(&mut self, at: usize, stage: Stage) {
        let Some(account) = self.provider.accounts.get(at).filter(|account| account.captured() == account.asked.minor) else { return };
        // A bank claims what the shopper has not got back.
        if !stage.told().follows(account.dispute) || (stage == Stage::Open && account.sent_back() > 0) {
            return;
        }
        let what = match stage {
            Stage::Inquiry => "inquiries opened",
            Stage::Answered => "inquiries answered",
            Stage::Open if account.dispute.is_some() => "inquiries that became disputes",
            Stage::Open => "disputes opened",
            Stage::UnderReview => "disputes under review",
            Stage::Won => "disputes won",
            Stage::Lost => "disputes lost",
        };
        self.count(what);
        self.provider.dispute(at, stage.told());
    }

    /// The webhook's id and its effect in one transaction.
    fn deliver(&mut self, server: u8, at: usize, again: bool) {
        if at >= self.provider.mail.len() {
            return;
        }
        let mail = if again { self.provider.mail[at].clone() } else { self.provider.mail.remove(at) };
        if at > 0 {
            self.count("messages overtaken");
        }
        let Mail { event, payment, told, .. } = mail;
        if self.store.heard.contains(&event) {
            self.count("messages heard twice");
            return;
        }
        self.store.heard.push(event);
        let order = order_of(payment);
        let is_new = match told {
            Told::Payment(news) => matches!(self.hear(payment, news), Heard::New),
            Told::Refund(refund, news) => self.hear_refund(order, refund, news),
            Told::Dispute(news) => {
                self.change(order, |rules, known, now| (rules.hear_dispute)(known, payment, news, now).ok().map(|changed| changed.0))
            }
        };
        if is_new {
            let ops = self.close_others(order);
            if !ops.is_empty() {
                self.start(server, ops);
            }
        }
    }
}
