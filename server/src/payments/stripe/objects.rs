//! Stripe's objects, as far as we read them, and what they mean for a payment. Fields and their values as in Stripe's API description.

use super::form;
use crate::payments::{OpenedDispute, ProviderError, SentRefund};
use domain::{
    PaymentId,
    dispute::{DisputeNews, DisputeStage},
    payment::{Decline, Method, News},
    refund::RefundNews,
};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A page of a list.
#[derive(Deserialize)]
pub struct List<T> {
    pub data: Vec<T>,
    pub has_more: bool,
}

/// An id, or the object itself where the request asked for it.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Expandable<T> {
    Id(String),
    Object(Box<T>),
}

/// `checkout.session`.
#[derive(Deserialize)]
pub struct Session {
    pub id: String,
    pub client_reference_id: Option<String>,
    pub created: i64,
    /// `open`, `complete` or `expired`.
    status: Option<String>,
    /// `paid`, `unpaid` or `no_payment_required`.
    payment_status: String,
    url: Option<String>,
    amount_total: Option<i64>,
    currency: Option<String>,
    payment_intent: Option<Expandable<Intent>>,
    #[serde(default, deserialize_with = "or_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// `payment_intent`.
#[derive(Deserialize)]
pub struct Intent {
    pub id: String,
    created: i64,
    status: String,
    last_payment_error: Option<PaymentError>,
    payment_method: Option<Expandable<PaymentMethod>>,
    #[serde(default, deserialize_with = "or_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// `payment_method`.
#[derive(Deserialize)]
struct PaymentMethod {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct PaymentError {
    code: Option<String>,
    decline_code: Option<String>,
}

/// `refund`.
#[derive(Deserialize)]
pub struct Refund {
    pub id: String,
    /// `pending`, `requires_action`, `succeeded`, `failed` or `canceled`.
    status: Option<String>,
    amount: i64,
    currency: String,
    #[serde(default, deserialize_with = "or_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// `dispute`.
#[derive(Deserialize)]
pub struct Dispute {
    pub id: String,
    amount: i64,
    currency: String,
    reason: String,
    status: String,
    pub payment_intent: Option<Expandable<Intent>>,
    evidence_details: Option<EvidenceDetails>,
    /// What the dispute took from the shop's balance (below 0) and gave back.
    #[serde(default)]
    balance_transactions: Vec<Moved>,
}

#[derive(Deserialize)]
struct Moved {
    amount: i64,
}

#[derive(Deserialize)]
struct EvidenceDetails {
    /// Seconds; 0 where the bank hears no answer.
    due_by: Option<i64>,
}

fn or_empty<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn strange(what: &str) -> ProviderError {
    ProviderError::Unavailable(anyhow::anyhow!("Stripe sends {what}"))
}

impl<T> Expandable<T> {
    fn object(&self) -> Option<&T> {
        match self {
            Self::Id(_) => None,
            Self::Object(object) => Some(object),
        }
    }
}

impl Expandable<Intent> {
    pub fn id(&self) -> &str {
        match self {
            Self::Id(id) => id,
            Self::Object(intent) => &intent.id,
        }
    }
}

impl Session {
    fn intent(&self) -> Option<&Intent> {
        self.payment_intent.as_ref().and_then(Expandable::object)
    }

    /// How it is paid, as far as that was asked for.
    pub fn method(&self) -> Method {
        self.intent().map_or(Method::Other, Intent::method)
    }

    /// Our payment, if it is one of ours.
    pub fn payment(&self) -> Option<PaymentId> {
        self.client_reference_id.as_deref().or(self.metadata.get("payment").map(String::as_str)).and_then(|payment| payment.parse().ok())
    }

    pub fn intent_id(&self) -> Option<&str> {
        self.payment_intent.as_ref().map(Expandable::id)
    }

    /// When the shopper paid, in seconds; without the intent, when they were sent to pay.
    pub fn paid_at_s(&self) -> i64 {
        self.payment_intent.as_ref().and_then(Expandable::object).map_or(self.created, |intent| intent.created)
    }

    /// How much it matters among sessions of one payment.
    pub fn weight(&self) -> u8 {
        match self.status.as_deref() {
            Some("complete") => 2,
            Some("open") => 1,
            _ => 0,
        }
    }

    /// What became of the payment. With the intent in it, a failure after days is told from money under way.
    pub fn news(&self) -> Result<News, ProviderError> {
        match (self.status.as_deref(), self.payment_status.as_str()) {
            (Some("open"), _) => {
                let redirect_url = self.url.clone().ok_or_else(|| strange("an open session without an address"))?;
                Ok(News::Open { session: self.id.clone(), redirect_url })
            }
            (Some("expired"), _) => Ok(News::Closed),
            (Some("complete"), "paid" | "no_payment_required") => {
                let amount = self.amount_total.zip(self.currency.as_deref()).and_then(|(amount, currency)| form::money(amount, currency));
                Ok(News::Captured { amount: amount.ok_or_else(|| strange("a paid session without an amount that we know"))? })
            }
            (Some("complete"), _) => Ok(self.intent().map_or(News::Pending { method: Method::Other }, Intent::news)),
            (status, _) => Err(strange(&format!("a session that is {status:?}"))),
        }
    }
}

impl Intent {
    /// Our payment, if it is one of ours.
    pub fn payment(&self) -> Option<PaymentId> {
        self.metadata.get("payment").and_then(|payment| payment.parse().ok())
    }

    /// docs.stripe.com/api/payment_methods/object, `type`.
    fn method(&self) -> Method {
        match self.payment_method.as_ref().and_then(Expandable::object).map(|method| method.kind.as_str()) {
            Some("konbini" | "oxxo" | "boleto") => Method::Voucher,
            Some("customer_balance" | "multibanco") => Method::BankTransfer,
            Some("sepa_debit" | "us_bank_account" | "bacs_debit" | "acss_debit" | "au_becs_debit" | "nz_bank_account") => Method::BankDebit,
            _ => Method::Other,
        }
    }

    /// What an intent says of a session that is complete and not paid.
    fn news(&self) -> News {
        match self.status.as_str() {
            "requires_payment_method" => News::Failed { reason: self.last_payment_error.as_ref().map_or(Decline::Declined, PaymentError::reason) },
            "canceled" => News::Closed,
            _ => News::Pending { method: self.method() },
        }
    }
}

impl PaymentError {
    /// docs.stripe.com/declines/codes, as far as a shopper may know.
    fn reason(&self) -> Decline {
        match self.decline_code.as_deref().or(self.code.as_deref()) {
            Some("insufficient_funds") => Decline::InsufficientFunds,
            Some("expired_card") => Decline::ExpiredCard,
            Some("incorrect_cvc" | "invalid_cvc") => Decline::WrongCode,
            Some("authentication_required" | "payment_intent_authentication_failure") => Decline::NotAuthenticated,
            _ => Decline::Declined,
        }
    }
}

impl Refund {
    /// A refund that failed was taken on and came back: asking for it again is of no use.
    pub fn news(&self) -> RefundNews {
        match self.status.as_deref() {
            Some("succeeded") => RefundNews::Issued,
            Some("pending" | "requires_action") => RefundNews::Pending,
            Some("failed" | "canceled") => RefundNews::Bounced,
            _ => RefundNews::Unclear,
        }
    }
}

impl Refund {
    /// The refund as this shop knows it; `None` if it was not made here.
    pub fn sent(&self) -> Option<SentRefund> {
        let id = |name: &str| self.metadata.get(name);
        Some(SentRefund {
            refund: id("refund")?.parse().ok()?,
            payment: id("payment")?.parse().ok()?,
            amount: form::money(self.amount, &self.currency)?,
            news: self.news(),
        })
    }
}

impl Dispute {
    /// The dispute as this shop knows it, from a list with the intents in it; `None` if nothing here is disputed.
    pub fn opened(&self) -> Option<OpenedDispute> {
        let payment = self.payment_intent.as_ref().and_then(Expandable::object).and_then(Intent::payment)?;
        Some(OpenedDispute { payment, news: self.news()? })
    }

    /// `None`: a status that Stripe's version has not, or a currency that we do not know.
    pub fn news(&self) -> Option<DisputeNews> {
        let due = self.evidence_details.as_ref().and_then(|details| details.due_by).filter(|seconds| *seconds > 0);
        let evidence_due = due.map(|seconds| seconds * 1_000_000);
        let stage = match self.status.as_str() {
            "warning_needs_response" => DisputeStage::Inquiry { evidence_due },
            "warning_under_review" => DisputeStage::InquiryAnswered,
            "needs_response" => DisputeStage::Open { evidence_due },
            "under_review" => DisputeStage::UnderReview,
            "lost" => DisputeStage::Lost,
            // Kept from becoming one by talking to the bank, or by giving the money back at once: what it moved tells.
            "prevented" if self.balance_transactions.iter().map(|moved| moved.amount).sum::<i64>() < 0 => DisputeStage::Lost,
            // An inquiry that came to nothing moved no money.
            "won" | "warning_closed" | "prevented" => DisputeStage::Won,
            _ => return None,
        };
        Some(DisputeNews { reference: self.id.clone(), amount: form::money(self.amount, &self.currency)?, reason: self.reason.clone(), stage })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn session(status: &str, paid: &str, intent: &serde_json::Value) -> Session {
        let text = json!({ "id": "cs_1", "client_reference_id": null, "created": 1, "status": status, "payment_status": paid, "url": "https://pay",
            "amount_total": 4620, "currency": "jpy", "payment_intent": intent, "metadata": null });
        serde_json::from_value(text).expect("a session")
    }

    #[test]
    fn a_session_and_its_intent_say_what_became_of_a_payment() {
        let intent = |status: &str, error: Option<(&str, &str)>| {
            let error = error.map(|(code, decline)| json!({ "code": code, "decline_code": decline }));
            json!({ "id": "pi_1", "created": 1, "status": status, "last_payment_error": error, "metadata": {},
                "payment_method": { "id": "pm_1", "type": "konbini" } })
        };
        let none = json!(null);
        for (status, paid, intent, expected) in [
            ("open", "unpaid", none.clone(), r#"{"state":"open","session":"cs_1","redirect_url":"https://pay"}"#),
            ("expired", "unpaid", none.clone(), r#"{"state":"closed"}"#),
            ("complete", "paid", json!("pi_1"), r#"{"state":"captured","amount":{"minor":4620,"currency":"JPY"}}"#),
            ("complete", "unpaid", json!("pi_1"), r#"{"state":"pending","method":"other"}"#),
            ("complete", "unpaid", intent("processing", None), r#"{"state":"pending","method":"voucher"}"#),
            ("complete", "unpaid", intent("requires_action", None), r#"{"state":"pending","method":"voucher"}"#),
            ("complete", "unpaid", intent("canceled", None), r#"{"state":"closed"}"#),
            ("complete", "unpaid", intent("requires_payment_method", None), r#"{"state":"failed","reason":"declined"}"#),
            (
                "complete",
                "unpaid",
                intent("requires_payment_method", Some(("card_declined", "insufficient_funds"))),
                r#"{"state":"failed","reason":"insufficient_funds"}"#,
            ),
        ] {
            let news = session(status, paid, &intent).news().expect("news");
            assert_eq!(serde_json::to_string(&news).expect("plain data"), expected, "{status} {paid} {intent}");
        }
        assert!(session("something", "unpaid", &none).news().is_err());
    }

    #[test]
    fn every_status_of_a_dispute_and_of_a_refund_is_known() {
        let dispute = |status: &str, moved: &[i64]| {
            let moved: Vec<_> = moved.iter().map(|amount| json!({ "amount": amount })).collect();
            let text = json!({ "id": "dp_1", "amount": 500, "currency": "usd", "reason": "fraudulent", "status": status, "payment_intent": "pi_1",
                "evidence_details": { "due_by": 3 }, "balance_transactions": moved });
            serde_json::from_value::<Dispute>(text).expect("a dispute").news().map(|news| news.stage)
        };
        let evidence_due = Some(3_000_000);
        for (status, moved, expected) in [
            ("warning_needs_response", &[][..], DisputeStage::Inquiry { evidence_due }),
            ("warning_under_review", &[], DisputeStage::InquiryAnswered),
            ("warning_closed", &[], DisputeStage::Won),
            ("needs_response", &[-500], DisputeStage::Open { evidence_due }),
            ("under_review", &[-500], DisputeStage::UnderReview),
            ("won", &[-500, 500], DisputeStage::Won),
            ("lost", &[-500], DisputeStage::Lost),
            ("prevented", &[], DisputeStage::Won),
            ("prevented", &[-500], DisputeStage::Lost),
            ("prevented", &[-500, 500], DisputeStage::Won),
        ] {
            assert_eq!(dispute(status, moved), Some(expected), "{status} {moved:?}");
        }
        assert_eq!(dispute("something", &[]), None);
        let refund = |status: &str| {
            let text = json!({ "id": "re_1", "amount": 500, "currency": "usd", "status": status, "metadata": {}, "created": 1 });
            serde_json::from_value::<Refund>(text).expect("a refund").news()
        };
        for (status, expected) in [
            ("succeeded", RefundNews::Issued),
            ("pending", RefundNews::Pending),
            ("requires_action", RefundNews::Pending),
            ("failed", RefundNews::Bounced),
            ("canceled", RefundNews::Bounced),
            ("something", RefundNews::Unclear),
        ] {
            assert_eq!(refund(status), expected, "{status}");
        }
    }
}
