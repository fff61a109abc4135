//! Who answers a request for a page, and from what.

use crate::cache::Freshness;

/// Who may render a page, and for whom. The app's routes say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The same for everybody, rendered anywhere.
    Public,
    /// The same for everybody, from what only the origin can compute.
    PublicFromOrigin,
    /// One visitor's own.
    Private,
}

/// Where this code runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    Edge,
    Origin,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Take the template from the cache or render it into the cache, and fill its holes.
    Cached(Freshness),
    /// Render for this visitor alone and keep nothing.
    Render,
    /// Let the origin answer.
    Pass,
}

/// The plan for a GET or HEAD of a page; every other method passes to the origin.
pub const fn plan(class: Class, host: Host) -> Plan {
    match (class, host) {
        (Class::Public, _) => Plan::Cached(Freshness::PUBLIC),
        (Class::PublicFromOrigin, Host::Origin) => Plan::Cached(Freshness::COMPUTED),
        (Class::PublicFromOrigin, Host::Edge) => Plan::Cached(Freshness::ASKED_FOR),
        (Class::Private, Host::Origin) => Plan::Render,
        (Class::Private, Host::Edge) => Plan::Pass,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_private_is_kept_anywhere() {
        assert_eq!(plan(Class::Private, Host::Origin), Plan::Render);
        assert_eq!(plan(Class::Private, Host::Edge), Plan::Pass);
        assert!(matches!(plan(Class::Public, Host::Edge), Plan::Cached(_)));
        for host in [Host::Origin, Host::Edge] {
            let Plan::Cached(freshness) = plan(Class::PublicFromOrigin, host) else { unreachable!("computed lists are kept") };
            assert!(freshness.stale_us <= 60_000_000, "at most a minute old");
        }
    }
}
