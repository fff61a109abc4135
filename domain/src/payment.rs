//! One attempt to pay: what it may become. An order has several; what they mean together is decided in [`crate::order`]. Card data never
//! comes near here.

use crate::{ids::PaymentId, money::Money, offer::Instant};
use serde::{Deserialize, Serialize};

/// An attempt to pay at a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    pub id: PaymentId,
    pub amount: Money,
    pub created_at: Instant,
    pub state: PaymentState,
    /// The provider took another amount, by its own word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub odd: Option<Odd>,
}

/// A capture of another amount than was asked for: never believed, never forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Odd {
    pub amount: Money,
    /// Somebody has looked into it.
    pub settled: bool,
}

/// Where an attempt stands. It only ever moves forward: a provider's news may come twice, late and in any order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum PaymentState {
    /// We mean to ask the provider for a session; it may have heard of it or not.
    Created,
    /// The shopper can pay there.
    Open { session: String, redirect_url: String },
    /// The shopper has done their part, the money is under way (a bank transfer, a shop at the corner).
    Pending,
    /// The money is ours.
    Captured { at: Instant },
    /// Declined. This attempt will not become anything else, short of late money.
    Failed { at: Instant, reason: Decline },
    /// The session was closed before anything was paid.
    Closed { at: Instant },
}

/// Why a payment was declined, as far as a shopper may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decline {
    Declined,
    InsufficientFunds,
    ExpiredCard,
    WrongCode,
    NotAuthenticated,
}

impl Decline {
    pub const ALL: [Self; 5] = [Self::Declined, Self::InsufficientFunds, Self::ExpiredCard, Self::WrongCode, Self::NotAuthenticated];

    /// The word on the wire and in the table.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Declined => "declined",
            Self::InsufficientFunds => "insufficient_funds",
            Self::ExpiredCard => "expired_card",
            Self::WrongCode => "wrong_code",
            Self::NotAuthenticated => "not_authenticated",
        }
    }

    /// Reads a provider's word; one that we do not know is a plain decline.
    pub fn from_code(code: &str) -> Self {
        Self::ALL.into_iter().find(|decline| decline.code() == code).unwrap_or(Self::Declined)
    }
}

/// What a provider says about a session, by webhook, by answer or when asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum News {
    Open {
        session: String,
        redirect_url: String,
    },
    Pending {
        #[serde(default)]
        method: Method,
    },
    Captured {
        amount: Money,
    },
    Failed {
        reason: Decline,
    },
    Closed,
}

/// How money that is under way comes: it says how long it may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The shopper pays cash in a shop at the corner (konbini, OXXO, Boleto).
    Voucher,
    /// The shopper sends it from their bank's own pages.
    BankTransfer,
    /// The shopper's bank is asked for it (SEPA, ACH, Bacs).
    BankDebit,
    /// Wallets that look twice, and whatever is new.
    #[default]
    Other,
}

const DAY_US: Instant = 24 * 3_600 * 1_000_000;

impl Method {
    /// How long pieces are kept for money that is under way; after that for as long as the provider can neither say that it came nor call it
    /// off. Stripe's vouchers can be paid for 3 days and are settled a day later, transfers take up to 5 working days, debits up to 14 days
    /// (docs.stripe.com/payments/konbini, /bank-transfers, /sepa-debit).
    pub const fn hold_us(self) -> Instant {
        match self {
            Self::Voucher => 4 * DAY_US,
            Self::BankTransfer | Self::Other => 7 * DAY_US,
            Self::BankDebit => 14 * DAY_US,
        }
    }
}

/// Why news changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unchanged {
    /// Heard before, or overtaken by what is known already.
    #[error("nothing new")]
    Known,
    /// The provider names another amount than was asked for. A person must look.
    #[error("the provider names another amount")]
    AmountDiffers,
}

impl PaymentState {
    /// The word in the table's `state`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Open { .. } => "open",
            Self::Pending => "pending",
            Self::Captured { .. } => "captured",
            Self::Failed { .. } => "failed",
            Self::Closed { .. } => "closed",
        }
    }

    /// Whether money may still come without anybody doing anything against our will: the provider must be asked or told before stock
    /// that was held for it is given away.
    pub const fn is_live(&self) -> bool {
        matches!(self, Self::Created | Self::Open { .. } | Self::Pending)
    }
}

impl Payment {
    /// The attempt after `news`. Money that comes after a decline or a closing is believed: it is there.
    pub fn hear(self, news: News, now: Instant) -> Result<Self, Unchanged> {
        use PaymentState::{Captured, Closed, Created, Failed, Open, Pending};
        let state = match (&self.state, news) {
            (Captured { .. }, _) => return Err(Unchanged::Known),
            (_, News::Captured { amount }) if amount != self.amount => return Err(Unchanged::AmountDiffers),
            (_, News::Captured { .. }) => Captured { at: now },
            (Created, News::Open { session, redirect_url }) => Open { session, redirect_url },
            (Created | Open { .. }, News::Pending { .. }) => Pending,
            (Created | Open { .. } | Pending, News::Failed { reason }) => Failed { at: now, reason },
            (Created | Open { .. } | Pending, News::Closed) => Closed { at: now },
            (Open { .. } | Pending | Failed { .. } | Closed { .. }, _) => return Err(Unchanged::Known),
        };
        Ok(Self { state, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn payment(state: PaymentState) -> Payment {
        Payment { id: PaymentId(Uuid::nil()), amount: Money::new(4800, Currency::USD), created_at: 0, state, odd: None }
    }
    fn open() -> News {
        News::Open { session: "s".to_owned(), redirect_url: "http://pay".to_owned() }
    }
    fn captured() -> News {
        News::Captured { amount: Money::new(4800, Currency::USD) }
    }

    #[test]
    fn an_attempt_only_moves_forward() {
        let failed = PaymentState::Failed { at: 1, reason: Decline::Declined };
        for (state, news, expected) in [
            (PaymentState::Created, open(), Ok("open")),
            (PaymentState::Created, captured(), Ok("captured")),
            (PaymentState::Pending, open(), Err(Unchanged::Known)),
            (PaymentState::Pending, News::Failed { reason: Decline::Declined }, Ok("failed")),
            (failed.clone(), open(), Err(Unchanged::Known)),
            (failed.clone(), News::Closed, Err(Unchanged::Known)),
            (failed, captured(), Ok("captured")),
            (PaymentState::Closed { at: 1 }, captured(), Ok("captured")),
            (PaymentState::Captured { at: 1 }, captured(), Err(Unchanged::Known)),
            (PaymentState::Captured { at: 1 }, News::Failed { reason: Decline::Declined }, Err(Unchanged::Known)),
            (PaymentState::Created, News::Captured { amount: Money::new(4799, Currency::USD) }, Err(Unchanged::AmountDiffers)),
        ] {
            let heard = payment(state.clone()).hear(news.clone(), 5).map(|payment| payment.state.word());
            assert_eq!(heard, expected, "{state:?} hears {news:?}");
        }
    }

    fn news() -> impl Strategy<Value = News> {
        prop_oneof![
            Just(open()),
            Just(News::Pending { method: Method::Voucher }),
            Just(captured()),
            Just(News::Failed { reason: Decline::Declined }),
            Just(News::Closed)
        ]
    }

    proptest! {
        #[test]
        fn whatever_the_order_of_news_money_is_seen(mut all in proptest::collection::vec(news(), 1..8), twice in any::<bool>()) {
            if twice {
                all.extend(all.clone());
            }
            let has_money = all.iter().any(|news| matches!(news, News::Captured { .. }));
            let end = all.into_iter().fold(payment(PaymentState::Created), |payment, news| payment.clone().hear(news, 1).unwrap_or(payment));
            prop_assert_eq!(matches!(end.state, PaymentState::Captured { .. }), has_money);
        }
    }
}
