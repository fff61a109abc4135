//! What may follow what in the provider's ledger. Each move notes the webhook that tells of it in the same breath.

use super::{
    cards::Behaviour,
    due,
    ledger::{Entry, Ledger, Refund, Session, State, Told},
};
use crate::payments::{Notice, WebhookEvent};
use domain::{
    PaymentId, RefundId,
    dispute::{DisputeNews, DisputeStage},
    money::Money,
    offer::Instant,
    payment::{Method, News},
    refund::RefundNews,
};

impl Ledger {
    /// Moves a session on and notes the webhook that tells of it, both or neither. `None`: it cannot go there from where it is, or nobody
    /// needs to be told.
    pub fn advance(&mut self, payment: PaymentId, to: State, force: bool, notice_id: &str, at: Instant) -> anyhow::Result<Option<Told>> {
        let Some(session) = self.session(payment) else { return Ok(None) };
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
            State::Pending => Some(session.pending()),
            State::Captured => Some(News::Captured { amount: session.amount }),
            State::Failed { reason } => Some(News::Failed { reason }),
            State::Closed => Some(News::Closed),
        };
        let told = news.map(|news| tell(session, notice_id, Notice::Payment { payment, news }));
        let later = session.behaviour.and_then(|behaviour| due::after_typing(behaviour, to, payment));
        self.write(Entry::State { payment, to, at })?;
        if let Some((wait_us, what)) = later {
            self.write(Entry::Due { at: at + wait_us, what })?;
        }
        self.note(told)
    }

    /// Refunds once per id; asked again it says how that stands. Refused: there is not so much to give back, the money is disputed, or the
    /// card takes none.
    pub fn give_back(&mut self, refund: RefundId, payment: PaymentId, amount: Money, at: Instant) -> anyhow::Result<RefundNews> {
        if let Some(known) = self.refund(refund) {
            let same = known.payment == payment && known.minor == amount.minor;
            return Ok(if same { known.news } else { RefundNews::Refused });
        }
        let Some(session) = self.session(payment) else { return Ok(RefundNews::Refused) };
        let covered = session.state == State::Captured
            && session.amount.currency == amount.currency
            && amount.minor > 0
            && !session.dispute.is_some_and(DisputeStage::claims)
            && session.refunded_minor.checked_add(amount.minor).is_some_and(|sum| sum <= session.amount.minor);
        let (news, later) = due::of_refund(session.behaviour, refund);
        if !covered || news == RefundNews::Refused {
            return Ok(RefundNews::Refused);
        }
        self.write(Entry::Refund { refund, payment, minor: amount.minor, at, news })?;
        if let Some((wait_us, what)) = later {
            self.write(Entry::Due { at: at + wait_us, what })?;
        }
        Ok(news)
    }

    /// Says what became of a refund that was taken on.
    pub fn settle_refund(&mut self, refund: RefundId, news: RefundNews, notice_id: &str, at: Instant) -> anyhow::Result<Option<Told>> {
        let Some(Refund { payment, news: known, .. }) = self.refund(refund) else { return Ok(None) };
        if known == news || known == RefundNews::Bounced {
            return Ok(None);
        }
        let told = self.session(payment).map(|session| tell(session, notice_id, Notice::Refund { refund, news }));
        self.write(Entry::RefundNews { refund, news, at })?;
        self.note(told)
    }

    /// Opens a dispute or moves it on. `None`: it was there before, or nothing was captured.
    pub fn dispute(&mut self, payment: PaymentId, stage: DisputeStage, notice_id: &str, at: Instant) -> anyhow::Result<Option<Told>> {
        let Some(session) = self.session(payment).filter(|session| session.state == State::Captured) else { return Ok(None) };
        if !stage.follows(session.dispute) {
            return Ok(None);
        }
        let news = disputed(session, stage);
        let told = tell(session, notice_id, Notice::Dispute { payment, news });
        self.write(Entry::Dispute { payment, stage, at })?;
        self.note(Some(told))
    }

    fn note(&mut self, told: Option<Told>) -> anyhow::Result<Option<Told>> {
        if let Some(told) = &told {
            self.write(Entry::Notice(told.clone()))?;
        }
        Ok(told)
    }
}

impl Session {
    /// What is said while its money is under way.
    pub(super) fn pending(&self) -> News {
        let method = match self.behaviour {
            Some(Behaviour::PaysDaysLater) => Method::BankTransfer,
            Some(Behaviour::FailsDaysLater) => Method::Voucher,
            _ => Method::Other,
        };
        News::Pending { method }
    }
}

/// What is said of a session's dispute.
pub(super) fn disputed(session: &Session, stage: DisputeStage) -> DisputeNews {
    DisputeNews { reference: format!("dp_{}", session.payment.0.simple()), amount: session.amount, reason: "fraudulent".to_owned(), stage }
}

fn tell(session: &Session, id: &str, notice: Notice) -> Told {
    let event = WebhookEvent { id: id.to_owned(), notice };
    Told { id: id.to_owned(), url: session.notify_url.clone(), body: serde_json::to_string(&event).expect("an event is plain data") }
}
