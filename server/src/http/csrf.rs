//! Who may send forms: pages of this shop, and programs that are no browser's page. Browsers name the page's origin; the public
//! origin comes from the configuration, never from the Host header.

use http::{HeaderMap, Method, header};
use url::{Host, Url};

/// Whether a request that changes something may have been sent by another site's page.
pub fn is_foreign(public: &str, method: &Method, headers: &HeaderMap) -> bool {
    if method.is_safe() {
        return false;
    }
    // Fetch Metadata: browsers set it, pages cannot.
    let site = headers.get("sec-fetch-site").map(|value| value.to_str().unwrap_or("cross-site"));
    if matches!(site, Some(site) if !matches!(site, "same-origin" | "none")) {
        return true;
    }
    match headers.get(header::ORIGIN) {
        // A browser sends it with every POST: whoever leaves it out is no page.
        None => false,
        Some(origin) => !origin.to_str().is_ok_and(|origin| origin == public || is_same_loopback(public, origin)),
    }
}

/// A shop on this machine may be opened as localhost or by number.
fn is_same_loopback(public: &str, origin: &str) -> bool {
    let loopback = |text: &str| {
        let url = Url::parse(text).ok()?;
        let here = match url.host()? {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        here.then(|| (url.scheme().to_owned(), url.port_or_known_default()))
    };
    matches!((loopback(public), loopback(origin)), (Some(a), Some(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_pages_are_refused_and_programs_are_not() -> anyhow::Result<()> {
        let public = "https://shop.example";
        for (method, origin, site, foreign) in [
            (Method::POST, Some("https://shop.example"), Some("same-origin"), false),
            (Method::POST, Some("https://shop.example"), None, false),
            (Method::POST, None, None, false),
            (Method::POST, None, Some("none"), false),
            (Method::POST, Some("https://evil.example"), None, true),
            (Method::POST, Some("http://shop.example"), None, true),
            (Method::POST, Some("https://shop.example.evil.example"), None, true),
            (Method::POST, Some("https://shop.example:444"), None, true),
            (Method::POST, Some("null"), None, true),
            (Method::POST, Some("https://shop.example"), Some("cross-site"), true),
            (Method::POST, None, Some("same-site"), true),
            (Method::DELETE, Some("https://evil.example"), None, true),
            (Method::GET, Some("https://evil.example"), Some("cross-site"), false),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in [("origin", origin), ("sec-fetch-site", site)] {
                if let Some(value) = value {
                    headers.insert(name, value.parse()?);
                }
            }
            assert_eq!(is_foreign(public, &method, &headers), foreign, "{method} {origin:?} {site:?}");
        }
        Ok(())
    }

    #[test]
    fn a_shop_on_this_machine_has_two_names() -> anyhow::Result<()> {
        for (origin, foreign) in
            [("http://localhost:3000", false), ("http://[::1]:3000", false), ("http://localhost:3001", true), ("http://10.0.0.1:3000", true)]
        {
            let mut headers = HeaderMap::new();
            headers.insert(header::ORIGIN, origin.parse()?);
            assert_eq!(is_foreign("http://127.0.0.1:3000", &Method::POST, &headers), foreign, "{origin}");
        }
        Ok(())
    }
}
