//! Coupons: codes that unlock a rule ([`crate::promotion::Rule`]) for whoever types them. How often one was used is counted elsewhere; here is
//! decided what the counts mean.

mod code;

pub use code::{Code, NotACode};

use crate::{
    ids::CouponId,
    promotion::{BadRule, Refusal, Rule},
};
use serde::{Deserialize, Serialize};

/// What all codes of one coupon give. A wire type: fields are added, never renamed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coupon {
    pub id: CouponId,
    #[serde(flatten)]
    pub rule: Rule,
    #[serde(default)]
    pub caps: Caps,
}

/// How often a coupon may be used; `None`: as often as anybody likes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caps {
    /// With all codes together.
    #[serde(default)]
    pub total: Option<u32>,
    /// With each code; 1 for unique codes.
    #[serde(default)]
    pub per_code: Option<u32>,
    /// By each customer: guests are known by their email address.
    #[serde(default)]
    pub per_customer: Option<u32>,
}

/// How often it has been used, by orders that stand or wait to be paid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub total: u32,
    pub by_code: u32,
    /// 0 while nobody knows who the customer is.
    pub by_customer: u32,
}

impl Caps {
    /// Why it may not be used once more.
    pub fn refusal(&self, usage: Usage) -> Option<Refusal> {
        let is_reached = |cap: Option<u32>, used: u32| cap.is_some_and(|cap| used >= cap);
        if is_reached(self.total, usage.total) || is_reached(self.per_code, usage.by_code) {
            return Some(Refusal::UsedUp);
        }
        is_reached(self.per_customer, usage.by_customer).then_some(Refusal::UsedByCustomer)
    }
}

impl Coupon {
    /// Whether the parts fit together; staff read the sentence.
    pub fn check(&self) -> Result<(), BadRule> {
        if [self.caps.total, self.caps.per_code, self.caps.per_customer].contains(&Some(0)) {
            return Err(BadRule::Cap);
        }
        self.rule.check()
    }
}

#[cfg(test)]
mod tests;
