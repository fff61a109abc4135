//! How often one client address may ask, and which address a client has behind proxies that are trusted.

use crate::config::Config;
use domain::order::OrderNumber;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};
use http::{HeaderMap, Method};
use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    num::NonZeroU32,
    time::Duration,
};

/// Reads per second that go on forever, and how many may come at once: a person with many tabs, or a polite crawler.
const READS_A_SECOND: NonZeroU32 = NonZeroU32::new(100).expect("100 is not zero");
const READS_AT_ONCE: NonZeroU32 = NonZeroU32::new(1_000).expect("1000 is not zero");
/// The same for forms. A journey through the shop sends about ten.
const FORMS_A_SECOND: NonZeroU32 = NonZeroU32::new(5).expect("5 is not zero");
const FORMS_AT_ONCE: NonZeroU32 = NonZeroU32::new(60).expect("60 is not zero");

/// Discount codes that are typed: a person tries a few, a machine that guesses is slowed to ten a minute.
const CODES_EVERY: Duration = Duration::from_secs(6);
const CODES_AT_ONCE: NonZeroU32 = NonZeroU32::new(20).expect("20 is not zero");

/// Orders looked for from one address: ten at once, then one in two minutes. One number: six at once, then one in ten minutes, whoever asks.
const FINDS_AT_ONCE: NonZeroU32 = NonZeroU32::new(10).expect("10 is not zero");
const FIND_EVERY: Duration = Duration::from_mins(2);
const NUMBERS_AT_ONCE: NonZeroU32 = NonZeroU32::new(6).expect("6 is not zero");
const NUMBER_EVERY: Duration = Duration::from_mins(10);

/// Sign-ups for the newsletter from one address, which send mails to whoever is named: six at once, then one in five minutes.
const SIGN_UPS_AT_ONCE: NonZeroU32 = NonZeroU32::new(6).expect("6 is not zero");
const SIGN_UP_EVERY: Duration = Duration::from_mins(5);

/// One bucket per address for reads, one for forms, one for discount codes, one for looking for orders, one for signing up for the newsletter; and
/// one per order looked for.
#[derive(Debug)]
pub struct Limits {
    reads: DefaultKeyedRateLimiter<IpAddr>,
    forms: DefaultKeyedRateLimiter<IpAddr>,
    codes: DefaultKeyedRateLimiter<IpAddr>,
    finds: DefaultKeyedRateLimiter<IpAddr>,
    sign_ups: DefaultKeyedRateLimiter<IpAddr>,
    numbers: DefaultKeyedRateLimiter<OrderNumber>,
}

impl Limits {
    pub fn new() -> Self {
        let limiter = |a_second, at_once| RateLimiter::keyed(Quota::per_second(a_second).allow_burst(at_once));
        let every = |period| Quota::with_period(period).expect("minutes are not zero");
        let codes = Quota::with_period(CODES_EVERY).expect("six seconds are not zero").allow_burst(CODES_AT_ONCE);
        Self {
            reads: limiter(READS_A_SECOND, READS_AT_ONCE),
            forms: limiter(FORMS_A_SECOND, FORMS_AT_ONCE),
            codes: RateLimiter::keyed(codes),
            finds: RateLimiter::keyed(every(FIND_EVERY).allow_burst(FINDS_AT_ONCE)),
            sign_ups: RateLimiter::keyed(every(SIGN_UP_EVERY).allow_burst(SIGN_UPS_AT_ONCE)),
            numbers: RateLimiter::keyed(every(NUMBER_EVERY).allow_burst(NUMBERS_AT_ONCE)),
        }
    }

    /// Counts a request. Refused: how many seconds to wait, at least one.
    pub fn check(&self, client: IpAddr, method: &Method) -> Result<(), u64> {
        let limiter = if method.is_safe() { &self.reads } else { &self.forms };
        limiter.check_key(&bucket(client)).map_err(|not_until| not_until.wait_time_from(limiter.clock().now()).as_secs() + 1)
    }

    /// Counts a discount code that was typed. Refused: how many seconds to wait, at least one.
    pub fn check_code(&self, client: IpAddr) -> Result<(), u64> {
        self.codes.check_key(&bucket(client)).map_err(|not_until| not_until.wait_time_from(self.codes.clock().now()).as_secs() + 1)
    }

    /// Counts a question for an order, right or wrong. Refused: how many seconds to wait, at least one.
    pub fn check_find(&self, client: IpAddr, number: OrderNumber) -> Result<(), u64> {
        let (finds, numbers) = (&self.finds, &self.numbers);
        finds.check_key(&bucket(client)).map_err(|not_until| not_until.wait_time_from(finds.clock().now()).as_secs() + 1)?;
        numbers.check_key(&number).map_err(|not_until| not_until.wait_time_from(numbers.clock().now()).as_secs() + 1)
    }

    /// Counts a sign-up for the newsletter. Refused: how many seconds to wait, at least one.
    pub fn check_newsletter(&self, client: IpAddr) -> Result<(), u64> {
        self.sign_ups.check_key(&bucket(client)).map_err(|not_until| not_until.wait_time_from(self.sign_ups.clock().now()).as_secs() + 1)
    }

    /// Forgets addresses that have been quiet, so that memory follows traffic.
    pub fn forget_quiet(&self) {
        for limiter in [&self.reads, &self.forms, &self.codes, &self.finds, &self.sign_ups] {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
        self.numbers.retain_recent();
        self.numbers.shrink_to_fit();
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}

/// Whoever has one IPv6 address has a whole /64 of them.
pub fn bucket(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        address @ IpAddr::V4(_) => address,
    }
}

/// The client's address: the peer's, or where the peer is trusted, the last address in X-Forwarded-For that is not. What stands
/// further left there may be made up.
pub fn client(config: &Config, peer: SocketAddr, headers: &HeaderMap) -> IpAddr {
    let mut client = peer.ip().to_canonical();
    if !config.trusts(client) {
        return client;
    }
    let forwarded = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    for hop in forwarded.collect::<Vec<_>>().into_iter().rev() {
        let Ok(address) = hop.trim().parse::<IpAddr>() else { break };
        client = address.to_canonical();
        if !config.trusts(client) {
            break;
        }
    }
    client
}

/// Whether the client sits on this machine or is a trusted proxy itself: who may read the metrics.
pub fn is_inside(config: &Config, peer: SocketAddr, headers: &HeaderMap) -> bool {
    let client = client(config, peer, headers);
    let is_forwarded = headers.contains_key("x-forwarded-for") || headers.contains_key("forwarded");
    config.trusts(client) || (client.is_loopback() && !is_forwarded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Options;

    fn config(trusted: &str) -> anyhow::Result<Config> {
        Config::checked(Options { trusted_proxies: Some(trusted.to_owned()), ..Options::default() }, Options::default())
    }

    fn headers(forwarded: &str) -> anyhow::Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        if !forwarded.is_empty() {
            headers.insert("x-forwarded-for", forwarded.parse()?);
        }
        Ok(headers)
    }

    #[test]
    fn only_trusted_proxies_are_believed() -> anyhow::Result<()> {
        for (trusted, peer, forwarded, expected) in [
            ("", "1.2.3.4:9", "9.9.9.9", "1.2.3.4"),
            ("10.0.0.0/8", "10.0.0.1:9", "9.9.9.9", "9.9.9.9"),
            ("10.0.0.0/8", "10.0.0.1:9", "6.6.6.6, 9.9.9.9, 10.0.0.2", "9.9.9.9"),
            ("10.0.0.0/8", "10.0.0.1:9", "6.6.6.6, nonsense", "10.0.0.1"),
            ("10.0.0.0/8", "10.0.0.1:9", "", "10.0.0.1"),
            ("10.0.0.0/8", "[::ffff:10.0.0.1]:9", "2001:db8::1", "2001:db8::1"),
        ] {
            let client = client(&config(trusted)?, peer.parse()?, &headers(forwarded)?);
            assert_eq!(client, expected.parse::<IpAddr>()?, "{trusted} {peer} {forwarded}");
        }
        Ok(())
    }

    #[test]
    fn metrics_are_for_this_machine_and_trusted_proxies() -> anyhow::Result<()> {
        for (trusted, peer, forwarded, inside) in [
            ("", "127.0.0.1:9", "", true),
            ("", "[::1]:9", "", true),
            ("", "127.0.0.1:9", "9.9.9.9", false),
            ("", "8.8.8.8:9", "", false),
            ("127.0.0.1", "127.0.0.1:9", "9.9.9.9", false),
            ("10.0.0.0/8", "10.0.0.7:9", "", true),
        ] {
            assert_eq!(is_inside(&config(trusted)?, peer.parse()?, &headers(forwarded)?), inside, "{trusted} {peer} {forwarded}");
        }
        Ok(())
    }

    #[test]
    fn an_address_that_asks_too_much_waits_and_others_do_not() {
        let limits = Limits::new();
        let (greedy, other): (IpAddr, IpAddr) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        let taken = (0..100).filter(|_| limits.check(greedy, &Method::POST).is_ok()).count();
        assert!((60..=62).contains(&taken), "{taken}");
        assert!(limits.check(greedy, &Method::POST).is_err_and(|seconds| seconds >= 1));
        assert!(limits.check(greedy, &Method::GET).is_ok() && limits.check(other, &Method::POST).is_ok());
        let codes = (0..100).filter(|_| limits.check_code(greedy).is_ok()).count();
        assert_eq!(codes, 20);
        assert!(limits.check_code(greedy).is_err_and(|seconds| (1..=6).contains(&seconds)) && limits.check_code(other).is_ok());
        let sign_ups = (0..100).filter(|_| limits.check_newsletter(greedy).is_ok()).count();
        assert_eq!(sign_ups, 6);
        assert!(limits.check_newsletter(greedy).is_err_and(|seconds| (200..=301).contains(&seconds)) && limits.check_newsletter(other).is_ok());
        let number = OrderNumber::from_random([1; 5]);
        let found = (0..20).filter(|last| limits.check_find([192, 0, 2, *last].into(), number).is_ok()).count();
        assert_eq!(found, 6, "one number from many addresses");
        let found = (0..20).filter(|byte| limits.check_find(greedy, OrderNumber::from_random([100 + *byte; 5])).is_ok()).count();
        assert_eq!(found, 9, "many numbers from one address, which asked once above");
        let neighbours = ["2001:db8::1", "2001:db8::2"].map(|text| text.parse::<IpAddr>().map(bucket));
        assert_eq!(neighbours[0], neighbours[1]);
    }
}
