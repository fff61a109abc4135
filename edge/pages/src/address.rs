//! Which page a path and a query mean. One page has one address: other spellings of it are sent there.

use app::routes::{Address, Class as RouteClass, Route};
use edge_core::Class;

/// What a path and a query lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    Here(Address),
    /// The same page has another form of address: trailing slash, capitals, other escapes.
    There(String),
    /// Escapes that are no text.
    Broken,
    Nowhere,
}

/// Reads a path and a query, both as they were sent.
pub fn find(path: &str, query: &str) -> Found {
    if !is_utf8(path) || !is_utf8(query) {
        return Found::Broken;
    }
    let is_lower = !path.bytes().any(|byte| byte.is_ascii_uppercase() || byte == b'%');
    let lower = |path: &str| Address::parse(&path.to_ascii_lowercase(), query);
    // A secret is the one part of a path where capitals matter. Printed before it is lowered, a path has no needless escapes.
    let address = match Address::parse(path, query) {
        Some(address) if is_lower || matches!(address.route, Route::Order { .. }) => Some(address),
        Some(address) => lower(&address.path()).or(Some(address)),
        None => lower(path),
    };
    match address {
        None => Found::Nowhere,
        Some(address) if address.path() == path => Found::Here(address),
        Some(address) => Found::There(with_query(&address.path(), query)),
    }
}

/// Who may render a page, as the edge's rules call it.
pub fn class(address: &Address) -> Class {
    match address.class() {
        RouteClass::Public => Class::Public,
        RouteClass::PublicFromOrigin => Class::PublicFromOrigin,
        RouteClass::Private => Class::Private,
    }
}

/// A path with the query that came with it.
pub fn with_query(path: &str, query: &str) -> String {
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// Whether the escapes in a path or query are whole and decode to UTF-8.
fn is_utf8(text: &str) -> bool {
    let bytes = text.as_bytes();
    let whole = bytes
        .iter()
        .enumerate()
        .all(|(at, byte)| *byte != b'%' || bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)));
    whole && percent_encoding::percent_decode_str(text).decode_utf8().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_page_has_one_address() {
        assert!(matches!(find("/en-us/p/lamp", "utm_source=x"), Found::Here(_)));
        for spelling in ["/en-us/p/lamp/", "/EN-us/P/lamp", "/en-us/p/l%61mp"] {
            assert_eq!(find(spelling, "a=b"), Found::There("/en-us/p/lamp?a=b".to_owned()), "{spelling}");
        }
        for broken in ["/en-us/p/%ff", "/en-us/p/%4", "/en-us/%zz"] {
            assert_eq!(find(broken, ""), Found::Broken, "{broken}");
        }
        for nowhere in ["/xx-yy/p/lamp", "/", "//en-us", "/en-us/../cart", "/en-us/p/a/b"] {
            assert_eq!(find(nowhere, ""), Found::Nowhere, "{nowhere}");
        }
    }
}
