//! Passing a request to an origin: what is left out of it, when the next origin is asked, and what may be sent twice.

/// Headers that a visitor may not send through. What proxies say about a visitor is written by the edge alone, so that nobody can pass for
/// another address or country; the rest belong to one connection (RFC 9110, 7.6.1).
pub const DROPPED: &[&str] = &[
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-forwarded-prefix",
    "x-original-host",
    "x-original-url",
    "x-rewrite-url",
    "x-http-method-override",
    "x-real-ip",
    "true-client-ip",
    "client-ip",
    COUNTRY,
    "cf-ipcountry",
    "cloudfront-viewer-country",
    "host",
    "connection",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
];

/// Says to the origin, and to nobody else, from which country the visitor seems to come.
pub const COUNTRY: &str = "x-visitor-country";

/// The largest body that is kept until its answer is there, in bytes: no form of ours is larger, the origin refuses those.
pub const KEPT_BYTES_MAX: u64 = 64 * 1024;

/// For how long an origin that failed is asked last, in microseconds. Short: it is how long a healed origin waits.
pub const REST_US: i64 = 5_000_000;

/// How long a page may take to begin while there is another origin to ask, in milliseconds.
const PATIENCE_MS: u64 = 8_000;
/// The same for what acts: a checkout waits for the payment provider, for up to 15 s.
const ACTING_PATIENCE_MS: u64 = 20_000;

/// How long an answer may take to begin, in milliseconds; `None`: as long as it takes, because nobody else may be asked.
pub fn patience_ms(method: &str, is_last: bool, names_a_key: impl FnOnce() -> bool) -> Option<u64> {
    match (is_last, is_safe(method)) {
        (true, _) => None,
        (false, true) => Some(PATIENCE_MS),
        (false, false) => names_a_key().then_some(ACTING_PATIENCE_MS),
    }
}

/// What went wrong at an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing reached it.
    Unsent,
    /// It may have acted on the request.
    Unknown,
}

/// Whether an answer means that another origin should be asked. 502 to 504 come from the origin or a proxy before it. Workers tell by
/// 52x and 530 that the origin could not be reached: refused, timed out, no route, no handshake, bad certificate, no such name
/// (<https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/>).
pub const fn trouble(status: u16) -> Option<Trouble> {
    match status {
        521 | 522 | 523 | 525 | 526 | 530 => Some(Trouble::Unsent),
        502..=504 | 520 | 524 => Some(Trouble::Unknown),
        _ => None,
    }
}

/// Whether an answer can be the shop's own. These can not: what stands between us and it says by them that it cannot be reached.
pub const fn is_the_shops(status: u16) -> bool {
    !matches!(status, 502 | 504 | 520..=530)
}

/// Whether the next origin may be asked the same. What only reads may always be read again. What acts may be sent again if nothing arrived,
/// or if it names a key, under which the origins together do it once.
pub fn may_repeat(method: &str, trouble: Trouble, names_a_key: impl FnOnce() -> bool) -> bool {
    is_safe(method) || trouble == Trouble::Unsent || names_a_key()
}

/// Methods that change nothing (RFC 9110, 9.2.1).
pub fn is_safe(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS")
}

/// Which origins rest. Nothing in it comes from a visitor.
#[derive(Clone, Debug, Default)]
pub struct Rests(Vec<Option<i64>>);

impl Rests {
    /// Places in the list of origins, in the order in which they are asked: those that failed lately last. After its rest an origin is
    /// tried with what only reads; what acts comes back to it when it has answered again.
    pub fn order(&self, origins: usize, is_safe: bool, now_us: i64) -> Vec<usize> {
        let rests = |place: &usize| self.until(*place).is_some_and(|until| !is_safe || now_us < until);
        let (tired, fit): (Vec<usize>, Vec<usize>) = (0..origins).partition(rests);
        [fit, tired].concat()
    }

    /// That origin failed.
    pub fn begin(&mut self, place: usize, now_us: i64) {
        if self.0.len() <= place {
            self.0.resize(place + 1, None);
        }
        self.0[place] = Some(now_us.saturating_add(REST_US));
    }

    /// That origin answered.
    pub fn end(&mut self, place: usize) {
        if let Some(rest) = self.0.get_mut(place) {
            *rest = None;
        }
    }

    fn until(&self, place: usize) -> Option<i64> {
        self.0.get(place).copied().flatten()
    }
}

/// The path and query of an absolute address, exactly as they stand in it. An address without either is `/`.
pub fn path_and_query(url: &str) -> &str {
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    let rest = url.get(after_scheme..).unwrap_or_default();
    let target = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/");
    target.split('#').next().unwrap_or(target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_acts_is_sent_again_only_when_that_does_nothing_twice() {
        for (method, trouble, key, again) in [
            ("GET", Trouble::Unknown, false, true),
            ("HEAD", Trouble::Unsent, false, true),
            ("POST", Trouble::Unsent, false, true),
            ("POST", Trouble::Unknown, false, false),
            ("POST", Trouble::Unknown, true, true),
            ("DELETE", Trouble::Unknown, false, false),
            ("get", Trouble::Unknown, false, false),
        ] {
            assert_eq!(may_repeat(method, trouble, || key), again, "{method} {trouble:?} {key}");
        }
        for (status, expected) in
            [(200, None), (429, None), (500, None), (503, Some(Trouble::Unknown)), (504, Some(Trouble::Unknown)), (521, Some(Trouble::Unsent))]
        {
            assert_eq!(trouble(status), expected, "{status}");
        }
        assert!([200, 404, 500, 503].into_iter().all(is_the_shops) && ![502, 504, 521, 530].into_iter().any(is_the_shops));
    }

    #[test]
    fn an_answer_is_waited_for_as_long_as_nobody_else_may_be_asked() {
        for (method, is_last, key, patience) in [
            ("GET", false, false, Some(PATIENCE_MS)),
            ("GET", true, false, None),
            ("POST", false, true, Some(ACTING_PATIENCE_MS)),
            ("POST", false, false, None),
            ("POST", true, true, None),
        ] {
            assert_eq!(patience_ms(method, is_last, || key), patience, "{method} {is_last} {key}");
        }
    }

    #[test]
    fn an_origin_that_failed_is_asked_last_for_a_while() {
        let mut rests = Rests::default();
        assert_eq!(rests.order(2, true, 0), [0, 1]);
        rests.begin(0, 0);
        assert_eq!(rests.order(3, true, REST_US - 1), [1, 2, 0]);
        assert_eq!(rests.order(3, true, REST_US), [0, 1, 2], "a page may try it again");
        assert_eq!(rests.order(3, false, REST_US), [1, 2, 0], "an order may not");
        rests.end(0);
        assert_eq!(rests.order(3, false, 0), [0, 1, 2]);
        rests.begin(2, REST_US);
        assert_eq!(rests.order(1, true, REST_US), [0], "fewer origins than before");
    }

    #[test]
    fn paths_stay_as_they_are() {
        for (url, path) in [
            ("https://shop.example/en-us/p/lamp?colour=red#top", "/en-us/p/lamp?colour=red"),
            ("http://127.0.0.1:3000", "/"),
            ("http://127.0.0.1:3000/a%2Fb//c?", "/a%2Fb//c?"),
            ("", "/"),
        ] {
            assert_eq!(path_and_query(url), path);
        }
    }

    proptest! {
        #[test]
        fn every_origin_is_asked_once(failed in prop::collection::vec(0_usize..5, 0..9), safe in any::<bool>(), now in any::<i64>()) {
            let mut rests = Rests::default();
            for place in failed {
                rests.begin(place, now);
            }
            let mut order = rests.order(5, safe, now);
            order.sort_unstable();
            prop_assert_eq!(order, [0, 1, 2, 3, 4]);
        }
    }
}
