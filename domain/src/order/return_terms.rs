//! What a market promises about returns: how long, by whose will, and who pays for the way. The help pages say the same
//! (`server/demo/policies.json`; a test of the server compares them).

use super::{ReturnItem, ReturnReason};
use crate::{market::MarketCode, money::Money};

/// How many days after delivery the shop takes things back in a market, as its help pages promise: 14 in Japan and Korea, 30 elsewhere.
/// Both are longer than what the law gives ([`legal_withdrawal_days`]).
pub fn return_days(market: MarketCode) -> i64 {
    if matches!(market.code(), "JP" | "KR") { 14 } else { 30 }
}

/// How many days after delivery the law lets consumers withdraw from a contract without a reason: 14 in the EU and the UK
/// (Directive 2011/83/EU, article 9; Consumer Contracts Regulations 2013, 30), 7 in Korea (E-Commerce Act, article 17), 0 where no law does.
pub fn legal_withdrawal_days(market: MarketCode) -> i64 {
    match market.code() {
        "US" | "CA" | "JP" => 0,
        "KR" => 7,
        _ => 14,
    }
}

/// What the label for the way back costs the shopper in a market, in the money of `of`: it is kept back from the refund. Nothing when
/// anything of the return is our fault.
pub fn return_label(market: MarketCode, items: &[ReturnItem], of: Money) -> Money {
    let minor = match market.code() {
        "CA" => 995,
        "JP" => 800,
        "KR" => 3_000,
        _ => 0,
    };
    let minor = if items.iter().any(|item| item.reason.is_our_fault()) { 0 } else { minor };
    Money::new(minor, of.currency)
}

impl ReturnReason {
    /// Whether the shop bears the way back whatever the market says: what was sent was not what was ordered.
    pub const fn is_our_fault(self) -> bool {
        matches!(self, Self::NotAsDescribed | Self::Faulty | Self::WrongItem)
    }
}
