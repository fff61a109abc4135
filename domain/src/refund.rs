//! One refund: what it may become. Whether money may go back at all is decided in [`crate::order`].

use crate::{
    ids::{PaymentId, RefundId},
    money::Money,
};
use serde::{Deserialize, Serialize};

/// Money that goes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    pub id: RefundId,
    pub payment: PaymentId,
    pub amount: Money,
    pub reason: RefundReason,
    /// Why staff wanted it. `None`: nobody had to say, or it was sent before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goodwill: Option<GoodwillReason>,
    pub state: RefundState,
}

/// Why money goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundReason {
    /// The money came after the hold had lapsed, and the pieces were gone.
    SoldOutMeanwhile,
    /// The order had been paid already.
    PaidTwice,
    /// The order had been replaced by a later one.
    Withdrawn,
    /// Pieces are not sent after all, or the whole order was cancelled before the money came.
    Cancelled,
    /// Pieces came back.
    Returned,
    /// Nothing came back: we are sorry.
    Goodwill,
}

impl RefundReason {
    pub const ALL: [Self; 6] = [Self::SoldOutMeanwhile, Self::PaidTwice, Self::Withdrawn, Self::Cancelled, Self::Returned, Self::Goodwill];

    /// The word in the table.
    pub const fn code(self) -> &'static str {
        match self {
            Self::SoldOutMeanwhile => "sold_out_meanwhile",
            Self::PaidTwice => "paid_twice",
            Self::Withdrawn => "withdrawn",
            Self::Cancelled => "cancelled",
            Self::Returned => "returned",
            Self::Goodwill => "goodwill",
        }
    }

    /// Reads the word in the table.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

/// Why staff send money back although nothing came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GoodwillReason {
    Late,
    Damaged,
    Missing,
    /// It was cheaper elsewhere, or a moment later.
    Price,
    Service,
    Other,
}

impl GoodwillReason {
    pub const ALL: [Self; 6] = [Self::Late, Self::Damaged, Self::Missing, Self::Price, Self::Service, Self::Other];

    /// The word in forms.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Damaged => "damaged",
            Self::Missing => "missing",
            Self::Price => "price",
            Self::Service => "service",
            Self::Other => "other",
        }
    }

    /// Reads the word in forms.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

/// Where a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RefundState {
    /// We owe it; the provider is asked until it answers. After [`REFUND_ATTEMPTS_MAX`] attempts a person must look too: any of the requests
    /// may have got through, so the money counts as going until somebody knows.
    Requested {
        attempts: u32,
    },
    /// The provider took it on; the bank has not confirmed.
    Pending,
    Issued,
    /// The provider refuses: a person must look, and may ask again.
    Failed,
    /// The shopper's bank sent it back (a closed account): asking again is of no use, a person must find another way.
    Bounced,
    /// A person paid it back some other way.
    SettledOutside,
}

/// How often a provider is asked for one refund before a person must look: with waits that double from a minute and end at six hours,
/// about two days.
pub const REFUND_ATTEMPTS_MAX: u32 = 16;

/// What a provider says of a refund, by answer, by webhook or when asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundNews {
    /// Taken on; the money is under way.
    Pending,
    Issued,
    /// Refused at once: nothing is under way.
    Refused,
    /// It was under way, or even there, and came back.
    Bounced,
    /// No answer, or none that says which.
    Unclear,
}

impl RefundState {
    /// The word in the table's `state`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Requested { .. } => "requested",
            Self::Pending => "pending",
            Self::Issued => "issued",
            Self::Failed => "failed",
            Self::Bounced => "bounced",
            Self::SettledOutside => "settled_outside",
        }
    }

    /// Whether the money counts as gone or going: it must not be sent a second time.
    pub const fn counts(self) -> bool {
        matches!(self, Self::Requested { .. } | Self::Pending | Self::Issued | Self::SettledOutside)
    }

    /// Whether it does not get through by itself.
    pub const fn is_stuck(self) -> bool {
        matches!(self, Self::Failed | Self::Bounced | Self::Requested { attempts: REFUND_ATTEMPTS_MAX.. })
    }

    /// The state after news; `None` when it changes nothing. What a bank sent back stays back, whichever message comes last.
    pub fn hear(self, news: RefundNews) -> Option<Self> {
        use RefundNews as News;
        match (self, news) {
            (Self::Requested { .. } | Self::Pending | Self::Failed, News::Issued) => Some(Self::Issued),
            (Self::Requested { .. } | Self::Failed, News::Pending) => Some(Self::Pending),
            (Self::Requested { .. }, News::Refused) => Some(Self::Failed),
            (Self::Requested { .. } | Self::Pending | Self::Issued | Self::Failed, News::Bounced) => Some(Self::Bounced),
            (Self::Requested { attempts }, News::Unclear) if attempts < REFUND_ATTEMPTS_MAX => Some(Self::Requested { attempts: attempts + 1 }),
            (Self::Requested { .. }, News::Unclear)
            // What is under way is not stopped by a refusal: another server asked at the same time.
            | (Self::Pending, News::Pending | News::Refused | News::Unclear)
            | (Self::Issued, News::Pending | News::Issued | News::Refused | News::Unclear)
            | (Self::Failed, News::Refused | News::Unclear)
            | (Self::Bounced | Self::SettledOutside, _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;
    use proptest::prelude::*;
    use uuid::Uuid;

    #[test]
    fn a_refund_from_before_its_why_was_kept_is_read() {
        let (id, payment, amount) = (RefundId(Uuid::nil()), PaymentId(Uuid::nil()), Money::new(800, Currency::USD));
        let known = Refund { id, payment, amount, reason: RefundReason::Goodwill, goodwill: None, state: RefundState::Issued };
        let text = serde_json::to_string(&known).expect("plain data");
        assert!(!text.contains("why") && !text.contains("null"), "{text}");
        assert_eq!(serde_json::from_str::<Refund>(&text).expect("a refund"), known);
        let why = Refund { goodwill: Some(GoodwillReason::Late), ..known };
        let text = serde_json::to_string(&why).expect("plain data");
        assert_eq!(serde_json::from_str::<Refund>(&text).expect("a refund"), why);
    }

    #[test]
    fn a_refund_is_asked_for_until_it_is_clear() {
        let mut state = RefundState::Requested { attempts: 0 };
        let mut asked = 0;
        while let Some(next) = state.hear(RefundNews::Unclear) {
            state = next;
            asked += 1;
        }
        assert_eq!((state, asked, state.is_stuck(), state.counts()), (RefundState::Requested { attempts: asked }, REFUND_ATTEMPTS_MAX, true, true));
        assert_eq!(RefundState::Failed.hear(RefundNews::Issued), Some(RefundState::Issued));
        assert_eq!(RefundState::Issued.hear(RefundNews::Refused), None);
        assert_eq!(RefundState::Pending.hear(RefundNews::Refused), None);
        assert_eq!(RefundState::Issued.hear(RefundNews::Bounced), Some(RefundState::Bounced));
        assert_eq!(RefundState::SettledOutside.hear(RefundNews::Issued), None);
    }

    fn news() -> impl Strategy<Value = RefundNews> {
        prop_oneof![
            Just(RefundNews::Pending),
            Just(RefundNews::Issued),
            Just(RefundNews::Refused),
            Just(RefundNews::Bounced),
            Just(RefundNews::Unclear)
        ]
    }

    proptest! {
        #[test]
        fn what_came_back_is_seen_whatever_the_order_of_news(all in proptest::collection::vec(news(), 1..10)) {
            let bounced = all.contains(&RefundNews::Bounced);
            let end = all.into_iter().fold(RefundState::Requested { attempts: 0 }, |state, news| state.hear(news).unwrap_or(state));
            prop_assert!(!bounced || end == RefundState::Bounced);
        }
    }
}
