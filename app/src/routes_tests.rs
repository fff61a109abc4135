//! Addresses print and read back, and nonsense is no address.

use super::*;

fn read(url: &str) -> Option<Address> {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    Address::parse(path, query)
}

#[test]
fn canonical_urls_round_trip() {
    for url in [
        "/en-us",
        "/de-de/c/taschen-reisen",
        "/en-us/c/wear?o.colour=oat&o.colour=sage&min=20&max=99.50&stock=1&sort=price-asc&page=2",
        "/ja-jp/t/new?max=5000",
        "/fr-ca/all?page=3",
        "/en-gb/p/canvas-tote?colour=olive&size=m",
        "/ja-jp/p/%E5%B8%86%E5%B8%83",
        "/ko-kr/search?q=%EA%B0%80%EB%B0%A9",
        "/en-us/search",
        "/en-us/cart",
        "/en-us/checkout",
        "/en-us/orders/0123456789abcdefABCDEF_-",
        "/en-us/orders/0123456789abcdefABCDEF_-/invoices/DE-C-2026-R1-000042",
        "/en-us/orders/0123456789abcdefABCDEF_-/invoices/DE-2026-000042.pdf",
        "/en-us/orders/find",
        "/en-ca/pages/travel",
        "/en-xa/help/delivery",
        "/ar-xb",
    ] {
        let address = read(url).unwrap_or_else(|| panic!("{url} is an address"));
        assert_eq!(address.url(), url);
        assert_eq!(read(&address.url()), Some(address));
    }
}

#[test]
fn one_page_has_one_address() {
    for (typed, canonical) in [
        ("/en-us/", "/en-us"),
        ("/en-us/c/wear/?utm_source=mail&page=1&sort=featured&min=&max=", "/en-us/c/wear"),
        ("/en-us/c/wear?o.colour=sage&o.colour=oat&page=0", "/en-us/c/wear?o.colour=oat&o.colour=sage"),
        ("/en-us/search?q=++red%20+bag+", "/en-us/search?q=red%20bag"),
        ("/en-us/p/tote?size=m&utm_campaign=x&colour=olive", "/en-us/p/tote?colour=olive&size=m"),
    ] {
        assert_eq!(read(typed).map(|address| address.url()).as_deref(), Some(canonical), "{typed}");
    }
}

#[test]
fn nonsense_is_no_address() {
    for url in [
        "",
        "/",
        "en-us",
        "/xx-yy",
        "/en-us/c",
        "/en-us/c/",
        "/en-us/c/a/b",
        "/en-us/c/%FF",
        "/en-us/c/%2F",
        "/en-us/c/<b>",
        "/en-us/orders/short",
        "/en-us/admin",
    ] {
        assert_eq!(read(url), None, "{url}");
    }
    assert_eq!(read(&format!("/en-us/search?q={}", "a".repeat(5000))), None);
}

#[test]
fn the_class_says_who_renders() {
    for (url, class) in [
        ("/en-us/c/wear?page=2", Class::Public),
        ("/en-us/c/wear?sort=newest", Class::PublicFromOrigin),
        ("/en-us/t/new?stock=1", Class::PublicFromOrigin),
        ("/en-us/search?q=a", Class::PublicFromOrigin),
        ("/en-us/p/tote?colour=navy", Class::Public),
        ("/en-us/cart", Class::Private),
        ("/en-us/orders/0123456789abcdef", Class::Private),
    ] {
        assert_eq!(read(url).map(|address| address.class()), Some(class), "{url}");
    }
}

#[test]
fn another_market_forgets_price_limits() {
    let address = read("/en-us/c/wear?o.colour=oat&max=50").expect("an address");
    let japan = "ja-jp".parse().expect("a locale");
    assert_eq!(address.with_locale(japan).url(), "/ja-jp/c/wear?o.colour=oat");
}
