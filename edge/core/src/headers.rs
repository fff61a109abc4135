//! The headers of a page: what depends on how it was made, and what keeps it to itself: what it may load, where its forms go, who may
//! frame it.

use crate::plan::Class;
use std::borrow::Cow;

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

/// What every answer says.
const ALWAYS: [(&str, &str); 4] = [
    ("x-content-type-options", "nosniff"),
    // Secret links must not leak to other sites; same-origin still lets forms name their Origin.
    ("referrer-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"),
    ("cross-origin-opener-policy", "same-origin"),
];
/// Two years. What else lives under the same domain decides for itself.
const STRICT_TRANSPORT: &str = "max-age=63072000";
/// For everything that is no page of ours: a picture that was uploaded can do nothing when it is opened by itself.
const INERT: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";

/// The headers that are about security. `nonce`: of a page's scripts and styles; `None` for what is no page. `provider`: the origin of the
/// payment page, to which a checkout's form is redirected.
pub fn security_headers(is_https: bool, nonce: Option<&str>, provider: Option<&str>) -> Vec<(&'static str, Cow<'static, str>)> {
    let mut headers: Vec<_> = ALWAYS.into_iter().map(|(name, value)| (name, Cow::Borrowed(value))).collect();
    if is_https {
        headers.push(("strict-transport-security", Cow::Borrowed(STRICT_TRANSPORT)));
    }
    let policy = nonce.map_or(Cow::Borrowed(INERT), |nonce| Cow::Owned(page_policy(nonce, is_https, provider)));
    headers.push(("content-security-policy", policy));
    headers
}

/// Scripts run by nonce only; modules that such a script imports inherit it (HTML, "descendant script fetch options").
fn page_policy(nonce: &str, is_https: bool, provider: Option<&str>) -> String {
    let provider = provider.map(|origin| format!(" {origin}")).unwrap_or_default();
    let upgrade = if is_https { "; upgrade-insecure-requests" } else { "" };
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; font-src 'self'; \
         connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'{provider}; base-uri 'none'; frame-ancestors 'none'{upgrade}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_names_its_nonce_and_anything_else_can_do_nothing() {
        let policy = |nonce, provider| {
            let headers = security_headers(false, nonce, provider);
            headers.into_iter().find(|(name, _)| *name == "content-security-policy").map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        assert!(policy(Some("abc"), None).contains("script-src 'nonce-abc'"));
        assert!(policy(Some("abc"), Some("https://pay.example")).contains("form-action 'self' https://pay.example;"));
        assert!(policy(None, None).contains("sandbox"));
        assert!(security_headers(true, None, None).iter().any(|(name, _)| *name == "strict-transport-security"));
    }

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
