//! The headers of a page that depend on how it was made. What is said about security is the host's business.

use crate::plan::Class;

/// How the template was come by, as told in `x-template`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Hit,
    Stale,
    Miss,
}

impl Source {
    /// The header's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Stale => "stale",
            Self::Miss => "miss",
        }
    }
}

/// Headers for a page. A filled page carries a nonce, a badge and prices of this very moment, so nobody in between may keep it; a
/// browser may keep a public one for its back button, which `no-store` would forbid. Whoever compresses adds to `vary`.
pub const fn page_headers(class: Class, status: u16) -> &'static [(&'static str, &'static str)] {
    match (class, status) {
        (Class::Public | Class::PublicFromOrigin, 200) => &[("cache-control", "private, no-cache"), ("vary", "cookie"), ("x-store", "public")],
        _ => &[("cache-control", "no-store"), ("vary", "cookie")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_good_public_pages_may_be_stored() {
        let may_be_stored = |class, status| page_headers(class, status).iter().any(|(name, _)| *name == "x-store");
        assert!(may_be_stored(Class::Public, 200) && may_be_stored(Class::PublicFromOrigin, 200));
        for (class, status) in [(Class::Private, 200), (Class::Public, 404), (Class::Public, 500), (Class::PublicFromOrigin, 410)] {
            assert!(!may_be_stored(class, status));
            assert!(page_headers(class, status).contains(&("cache-control", "no-store")));
        }
    }
}
