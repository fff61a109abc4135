//! How often somebody may try to sign in. Held in this process: a second one doubles what may be tried, and 125 random bits bear that.

use crate::http::limits;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};
use sha2::{Digest as _, Sha256};
use std::{hash::Hash, net::IpAddr, num::NonZeroU32, time::Duration};

/// One account from one address: ten attempts, then one a minute.
const PAIR: (NonZeroU32, Duration) = (NonZeroU32::new(10).expect("10 is not zero"), Duration::from_mins(1));
/// One address, whatever the account: thirty attempts, then one in ten seconds.
const ADDRESS: (NonZeroU32, Duration) = (NonZeroU32::new(30).expect("30 is not zero"), Duration::from_secs(10));
/// One account from anywhere: a hundred attempts (NIST SP 800-63B-4, 3.2.2), then one in half a minute. Wider than the pair's, so that
/// nobody is locked out by one stranger who knows their email address.
const ACCOUNT: (NonZeroU32, Duration) = (NonZeroU32::new(100).expect("100 is not zero"), Duration::from_secs(30));

/// A hash of an account's address: what was typed is not kept.
type Account = [u8; 32];

/// Attempts to sign in, counted three ways.
#[derive(Debug)]
pub struct Throttle {
    pair: DefaultKeyedRateLimiter<(Account, IpAddr)>,
    address: DefaultKeyedRateLimiter<IpAddr>,
    account: DefaultKeyedRateLimiter<Account>,
}

impl Throttle {
    pub fn new() -> Self {
        Self { pair: limiter(PAIR), address: limiter(ADDRESS), account: limiter(ACCOUNT) }
    }

    /// Counts an attempt. Refused: how many seconds to wait, at least one.
    pub fn check(&self, email: &str, client: IpAddr) -> Result<(), u64> {
        let (account, client) = (Account::from(Sha256::digest(email.as_bytes())), limits::bucket(client));
        // The narrowest first: who is refused by it takes nothing from the others.
        count(&self.pair, &(account, client))?;
        count(&self.address, &client)?;
        count(&self.account, &account)
    }

    /// Forgets who has been quiet.
    pub fn forget_quiet(&self) {
        self.pair.retain_recent();
        self.address.retain_recent();
        self.account.retain_recent();
    }
}

impl Default for Throttle {
    fn default() -> Self {
        Self::new()
    }
}

fn limiter<K: Clone + Hash + Eq>((at_once, then_one_in): (NonZeroU32, Duration)) -> DefaultKeyedRateLimiter<K> {
    RateLimiter::keyed(Quota::with_period(then_one_in).expect("no period here is zero").allow_burst(at_once))
}

fn count<K: Clone + Hash + Eq>(limiter: &DefaultKeyedRateLimiter<K>, key: &K) -> Result<(), u64> {
    limiter.check_key(key).map_err(|not_until| not_until.wait_time_from(limiter.clock().now()).as_secs() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_is_slowed_down_and_locks_nobody_out() {
        let throttle = Throttle::new();
        let (stranger, own): (IpAddr, IpAddr) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        let tries = |email: &str, client, times: u32| (0..times).filter(|_| throttle.check(email, client).is_ok()).count();
        assert_eq!(tries("ada@example.com", stranger, 60), 10);
        assert!(throttle.check("ada@example.com", stranger).is_err_and(|wait_s| (1..=61).contains(&wait_s)));
        assert_eq!(tries("ada@example.com", own, 1), 1, "the account's owner comes from elsewhere");
        let more: usize = (0..60).map(|n| tries(&format!("{n}@example.com"), stranger, 1)).sum();
        assert_eq!(more, 20, "thirty from one address");
        let many = (0..200).filter(|n| throttle.check("ben@example.com", [198, 51, 100, *n].into()).is_ok()).count();
        assert!((100..=101).contains(&many), "{many} from everywhere");
    }
}
