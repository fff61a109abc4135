//! What a provider is told of a payment, and what it can tell of those that were paid. Card data is in none of it.

use domain::{PaymentId, RefundId, dispute::DisputeNews, money::Money, offer::Instant, payment::Payment, refund::RefundNews};
use serde::{Deserialize, Serialize};

/// How long a payment page stays open after its attempt began: an hour. Stripe takes 30 minutes to 24 hours from when it hears of the page,
/// so an attempt that it hears of within its first half hour fits. Counted from the attempt and not from the call, so that every
/// repetition of the call says the same.
pub const SESSION_US: Instant = 60 * 60 * 1_000_000;
/// Bytes of a capsule that every provider keeps. Stripe keeps 50 values of 500 characters; ten are left for other things.
pub const CAPSULE_BYTES_MAX: usize = 40 * 500;
/// Lines that a payment page lists; an order with more is one line there. Stripe takes 100.
const LINES_MAX: usize = 100;

/// What a provider has to know to take a payment. The same payment says the same each time: providers compare.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRequest {
    pub payment: PaymentId,
    /// As the shopper sees it.
    pub number: String,
    pub amount: Money,
    /// What is paid for, delivery and taxes included; see [`SessionRequest::items`].
    pub lines: Vec<SessionLine>,
    /// Where the provider writes to, and what its page fills in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// As in our URLs: `fr-ca`.
    pub locale: String,
    /// Where the shopper comes back to with the payment done.
    pub success_url: String,
    /// Where the shopper comes back to without.
    pub cancel_url: String,
    /// When the page closes by itself.
    pub expires_at: Instant,
    /// Sealed text that the provider keeps with the payment and hands out with [`super::Provider::captured_since`], at most
    /// [`CAPSULE_BYTES_MAX`] of printable ASCII; a longer one is left out. It must be the same on every call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capsule: Option<String>,
}

/// A line on the payment page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionLine {
    pub title: String,
    pub quantity: u32,
    /// Of all pieces together.
    pub amount: Money,
}

impl SessionRequest {
    /// The lines if they add up to the amount and a provider can show them, else one line with the order's number: what is charged is always
    /// [`SessionRequest::amount`].
    pub fn items(&self) -> Vec<SessionLine> {
        let sum = self.lines.iter().try_fold(Money::zero(self.amount.currency), |sum, line| sum.plus(line.amount));
        let can_be_shown = self.lines.iter().all(|line| line.amount.minor > 0 && line.quantity > 0 && !line.title.trim().is_empty());
        if !self.lines.is_empty() && self.lines.len() <= LINES_MAX && can_be_shown && sum == Ok(self.amount) {
            return self.lines.clone();
        }
        vec![SessionLine { title: self.number.clone(), quantity: 1, amount: self.amount }]
    }

    /// The capsule if it is one that every provider keeps.
    pub fn capsule(&self) -> Option<&str> {
        let fits = |capsule: &&str| !capsule.is_empty() && capsule.len() <= CAPSULE_BYTES_MAX && capsule.bytes().all(|byte| byte.is_ascii_graphic());
        let capsule = self.capsule.as_deref()?;
        let kept = Some(capsule).filter(fits);
        if kept.is_none() {
            tracing::error!(payment = %self.payment, bytes = capsule.len(), "a capsule does not fit and is left out: this order cannot be rebuilt from the provider's ledger");
        }
        kept
    }
}

/// A payment as its provider can find it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub payment: PaymentId,
    /// The provider's own id of its page, if an answer with it ever arrived.
    pub session: Option<String>,
    pub created_at: Instant,
}

impl Attempt {
    /// A payment of which no answer came yet.
    pub const fn unanswered(payment: &Payment) -> Self {
        Self { payment: payment.id, session: None, created_at: payment.created_at }
    }
}

/// Money to send back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundRequest {
    pub refund: RefundId,
    pub attempt: Attempt,
    pub amount: Money,
    /// When it is asked for.
    pub at: Instant,
}

/// A payment that a provider has taken, by its own ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapturedPayment {
    pub payment: PaymentId,
    /// What was captured, also if some of it went back since.
    pub amount: Money,
    /// When it was captured.
    pub at: Instant,
    #[serde(default)]
    pub capsule: Option<String>,
}

/// A part of a provider's ledger, at most 100 payments, in no particular order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapturedPage {
    pub payments: Vec<CapturedPayment>,
    /// What to ask for next; `None`: that was all.
    pub next: Option<String>,
}

/// A refund that a provider was asked for, by its own ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentRefund {
    pub refund: RefundId,
    pub payment: PaymentId,
    pub amount: Money,
    pub news: RefundNews,
}

/// A part of a provider's refunds, at most 100, in no particular order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundPage {
    pub refunds: Vec<SentRefund>,
    /// What to ask for next; `None`: that was all.
    pub next: Option<String>,
}

/// A dispute of a payment, by the provider's ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedDispute {
    pub payment: PaymentId,
    /// Where it stands now.
    pub news: DisputeNews,
}

/// A part of a provider's disputes, at most 100, in no particular order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisputePage {
    pub disputes: Vec<OpenedDispute>,
    /// What to ask for next; `None`: that was all.
    pub next: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::money::Currency;
    use uuid::Uuid;

    fn request(lines: &[(&str, u32, i64)], capsule: Option<&str>) -> SessionRequest {
        let line = |(title, quantity, minor): &(&str, u32, i64)| SessionLine {
            title: (*title).to_owned(),
            quantity: *quantity,
            amount: Money::new(*minor, Currency::EUR),
        };
        SessionRequest {
            payment: PaymentId(Uuid::nil()),
            number: "NG-2222-2222".to_owned(),
            amount: Money::new(1_000, Currency::EUR),
            lines: lines.iter().map(line).collect(),
            email: None,
            locale: "de-de".to_owned(),
            success_url: String::new(),
            cancel_url: String::new(),
            expires_at: 0,
            capsule: capsule.map(str::to_owned),
        }
    }

    #[test]
    fn lines_are_listed_only_if_they_are_what_is_charged() {
        let titles = |lines: &[(&str, u32, i64)]| request(lines, None).items().into_iter().map(|line| line.title).collect::<Vec<_>>();
        assert_eq!(titles(&[("Belt", 2, 800), ("Delivery", 1, 200)]), ["Belt", "Delivery"]);
        let hundred_and_one = vec![("Belt", 1, 10); 101];
        let unlike: [&[(&str, u32, i64)]; 6] =
            [&[], &[("Belt", 1, 999)], &[("Belt", 1, 1_200), ("Coupon", 1, -200)], &[("Belt", 0, 1_000)], &[(" ", 1, 1_000)], &hundred_and_one];
        for lines in unlike {
            let items = request(lines, None).items();
            assert_eq!(items, [SessionLine { title: "NG-2222-2222".to_owned(), quantity: 1, amount: Money::new(1_000, Currency::EUR) }], "{lines:?}");
        }
    }

    #[test]
    fn a_capsule_that_a_provider_cannot_keep_is_left_out() {
        let longest = "a".repeat(CAPSULE_BYTES_MAX);
        for (capsule, kept) in [("abc", true), (longest.as_str(), true), (&format!("{longest}a"), false), ("", false), ("a b", false), ("ä", false)]
        {
            assert_eq!(request(&[], Some(capsule)).capsule().is_some(), kept, "{} bytes", capsule.len());
        }
    }
}
