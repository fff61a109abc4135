//! A coupon as staff describe it on the command line: a rule, and how often its codes may be used.

use crate::promotions::terms;
use domain::{
    CouponId,
    coupon::{Caps, Coupon},
    market::Market,
    offer::Instant,
};

/// What a coupon gives, to whom and when.
#[derive(Clone, Debug, clap::Args)]
pub struct Terms {
    #[command(flatten)]
    pub rule: terms::Terms,
    /// How often it may be used in all.
    #[arg(long)]
    pub cap: Option<u32>,
    /// How often each customer may use it; guests are known by their email address.
    #[arg(long)]
    pub cap_per_customer: Option<u32>,
}

impl Terms {
    /// The coupon that they describe. `per_code`: how often each of its codes may be used.
    pub fn coupon(&self, id: CouponId, per_code: Option<u32>, markets: &[Market], now: Instant) -> anyhow::Result<Coupon> {
        let caps = Caps { total: self.cap, per_code, per_customer: self.cap_per_customer };
        let coupon = Coupon { id, rule: self.rule.rule(markets, now)?, caps };
        coupon.check()?;
        Ok(coupon)
    }
}
