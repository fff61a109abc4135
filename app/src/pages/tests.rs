//! Pages as visitors and machines read them, over a small catalogue in memory.

use super::{
    memory::{Memory, live, view},
    *,
};
use crate::{
    document::{Assets, document},
    holes::{HoleValues, fill_page},
    ports::View,
};
use domain::catalog::ShopDocument;
use leptos::{prelude::*, reactive::owner::Owner};
use std::{
    collections::BTreeMap,
    future::Future,
    sync::Arc,
    task::{Context, Poll, Waker},
};

/// Nothing in memory ever waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nothing here waits"),
    }
}

fn open(url: &str) -> Outcome {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let address = Address::parse(path, query).expect("an address");
    now(load(&address, &view(address.locale), &Memory)).expect("readable")
}

/// The status and the text that a visitor gets.
fn get(url: &str) -> (u16, String) {
    let Outcome::Page(page) = open(url) else { panic!("{url} redirects") };
    let (status, locale) = (page.status, url[1..6].parse().expect("a locale"));
    let view = view(locale);
    let html = Owner::new_root(Some(Arc::new(hydration_context::SsrSharedContext::new_islands())))
        .with(|| document(page.head, page.body, &view, &Assets { script: "/assets/shop.js".into(), ..Assets::default() }).to_html());
    let live = [live()];
    let values = HoleValues { locale, market: &view.market, now: 1, live: &live, nonce: "abc", mutation_id: "m-1", cart_count: 2, standard: None };
    (status, fill_page(&html, &values))
}

/// The attributes' and texts' order in a page is what its reader meets.
fn assert_in_order(html: &str, pieces: &[&str]) {
    let mut rest = html;
    for piece in pieces {
        let Some((_, after)) = rest.split_once(piece) else { panic!("{piece} is not there, or too early, in {html}") };
        rest = after;
    }
}

#[test]
fn a_product_can_be_chosen_and_added_without_script() {
    let (status, html) = get("/en-us/p/ribbed-beanie?colour=forest");
    assert_eq!(status, 200);
    assert!(html.starts_with("<!DOCTYPE html><html lang=\"en-US\" dir=\"ltr\"><head>"), "{}", &html[..80]);
    assert_in_order(
        &html,
        &[
            "<h1>Ribbed &lt;/script&gt; beanie</h1>",
            "<s><span class=\"vh\">Was </span>$38</s>",
            "method=\"post\" action=\"/en-us/cart/lines\"",
            "name=\"mutation\" value=\"m-1\"",
            "name=\"colour\" value=\"forest\"",
            "checked",
            "name=\"quantity\" value=\"1\"",
            ">Add to cart</button>",
            "2 left",
            ", free from $75",
            "30 days to return",
        ],
    );
    assert!(html.contains("<button class=\"button wide\" disabled>Sold out</button>"), "the sold-out variant says so");
    // The chosen colour's picture comes first.
    assert_in_order(&html, &["class=\"gallery\"", "forest-front", "fetchpriority=\"high\"", "oat-front"]);
    assert!(html.contains("Beanie in &lt;forest&gt;"));
}

#[test]
fn machines_read_prices_through_the_same_holes() {
    let (_, html) = get("/en-us/p/ribbed-beanie");
    let json = html.split("application/ld+json\" nonce=\"abc\">").nth(1).and_then(|rest| rest.split("</script>").next()).expect("JSON-LD");
    let group: serde_json::Value = serde_json::from_str(json).expect("JSON");
    assert_eq!(group["@type"], "ProductGroup");
    assert_eq!(group["name"], "Ribbed </script> beanie");
    assert_eq!(group["hasVariant"][2]["offers"]["price"], "30.00");
    assert_eq!(group["hasVariant"][1]["offers"]["availability"], "https://schema.org/OutOfStock");
    assert_eq!(group["hasVariant"][2]["offers"]["url"], "https://shop.example/en-us/p/ribbed-beanie?colour=forest&size=m");
}

#[test]
fn the_switch_keeps_the_page_and_its_own_slug() {
    let (_, html) = get("/en-us/p/ribbed-beanie?colour=oat");
    // Machines are told the same page that the canonical address names.
    assert!(html.contains("hreflang=\"de-DE\" href=\"https://shop.example/de-de/p/rippmuetze\""), "{html}");
    assert!(html.contains("<link rel=\"canonical\" href=\"https://shop.example/en-us/p/ribbed-beanie\">"));
    assert!(html.contains("hreflang=\"x-default\""));
    assert!(html.contains("<a href=\"/locale/de-de/p/rippmuetze?colour=oat\" rel=\"nofollow\" hreflang=\"de-DE\" lang=\"de-DE\""));
}

#[test]
fn a_filtered_shelf_shows_and_links_the_colour() {
    let (status, html) = get("/en-us/c/wear?o.colour=forest&max=40");
    assert_eq!(status, 200);
    assert!(html.contains("href=\"/en-us/p/ribbed-beanie?colour=forest\""), "{html}");
    assert!(html.contains("wear/rib-beanie/forest-front-480.avif 480w"));
    assert!(html.contains("<meta name=\"robots\" content=\"noindex\">"));
    assert!(html.contains("<link rel=\"canonical\" href=\"https://shop.example/en-us/c/wear\">"));
    assert_in_order(
        &html,
        &[
            "1 product",
            "class=\"chips\"",
            "href=\"/en-us/c/wear?max=40\"",
            "FOREST",
            "href=\"/en-us/c/wear?o.colour=forest\"",
            "Up to $40",
            "$30</span>",
        ],
    );
}

#[test]
fn shelves_have_pages_with_addresses() {
    let (_, html) = get("/en-us/c/wear?page=2");
    assert_in_order(
        &html,
        &[
            "rel=\"prev\" href=\"/en-us/c/wear\"",
            "aria-current=\"page\">Wear</a>",
            "25 products",
            "<a rel=\"prev\" href=\"/en-us/c/wear\">",
            "aria-label=\"Page 2 of 2\" aria-current=\"page\"",
        ],
    );
    assert_eq!(get("/en-us/c/wear?page=3").0, 404);
}

#[test]
fn empty_lists_say_so_and_lead_on() {
    assert_in_order(&get("/en-us/all").1, &["No products", "The shelves are still empty.", "class=\"button\""]);
    assert_in_order(&get("/en-us/search?q=nothing").1, &["Nothing found for “nothing”", "href=\"/en-us/c/wear\""]);
    assert_in_order(&get("/en-us/search?q=%3Cb%3E").1, &["value=\"&lt;b&gt;\"", "1 result for “&lt;b&gt;”"]);
}

#[test]
fn what_is_not_there_has_its_status_and_a_way_on() {
    for (url, status, words) in [
        ("/en-us/p/nothing", 404, "This page is not here"),
        ("/de-de/p/gone", 410, "Das führen wir nicht mehr"),
        ("/fr-fr/c/rien", 404, "Cette page n’existe pas"),
    ] {
        let (got, html) = get(url);
        assert_eq!(got, status);
        assert_in_order(&html, &["noindex", "class=\"fault\"", words, "class=\"button\""]);
    }
    let Outcome::Redirect { to, permanent } = open("/en-us/p/old-beanie?size=m") else { panic!("an old slug redirects") };
    assert_eq!((to.as_str(), permanent), ("/en-us/p/ribbed-beanie?size=m", true));
}

#[test]
fn a_failed_read_is_no_page() {
    let address = Address::parse("/en-us/p/lost", "").expect("an address");
    assert!(now(load(&address, &view(address.locale), &Memory)).is_err());
}

#[test]
fn every_page_says_what_it_is_in_every_locale() {
    for locale in Locale::OFFERED.into_iter().chain([Locale::PSEUDO, Locale::PSEUDO_RTL]) {
        for path in ["", "/c/wear", "/p/ribbed-beanie", "/search", "/help/returns"] {
            let (status, html) = get(&format!("/{locale}{path}"));
            assert_eq!(status, 200, "/{locale}{path}");
            let direction = if locale == Locale::PSEUDO_RTL { "rtl" } else { "ltr" };
            assert!(html.contains(&format!("<html lang=\"{}\" dir=\"{direction}\">", locale.bcp47())));
            assert_eq!(html.matches("<h1").count(), 1, "/{locale}{path}");
            assert_eq!(html.matches("<main id=\"main\"").count(), 1);
            assert!(html.contains("<b>2<span class=\"vh\">"), "the badge counts");
            assert!(!html.contains(['\u{e000}', '\u{e001}', '\u{e002}']), "every hole is filled");
            assert!(!html.contains(" style=\""), "the content security policy blocks style attributes");
        }
    }
}

#[test]
fn selections_are_kept_apart_from_what_is_typed() {
    let selection: BTreeMap<_, _> = [("colour".to_owned(), "oat".to_owned())].into();
    assert_eq!(Address::new(Locale::DEFAULT, Route::Product { slug: "a b".into(), selection }).url(), "/en-us/p/a%20b?colour=oat");
}

#[test]
fn a_market_without_a_price_does_not_sell_it() {
    let (_, html) = get("/en-us/p/ribbed-beanie");
    assert!(!html.contains("hreflang=\"fr-FR\" href") && html.contains("hreflang=\"fr-CA\" href"), "{html}");
    assert!(html.contains("plus sales tax"));
    let (status, html) = get("/fr-fr/p/ribbed-beanie");
    assert_eq!(status, 200);
    assert_in_order(&html, &["noindex", "\"hasVariant\":[{", "Non vendu dans ce pays"]);
    let json = html.split("application/ld+json\" nonce=\"abc\">").nth(1).and_then(|rest| rest.split("</script>").next()).expect("JSON-LD");
    assert!(!json.contains("offers") && !json.contains("price"), "{json}");
    serde_json::from_str::<serde_json::Value>(json).expect("still JSON");
    assert!(!html.contains("hreflang=\"fr-FR\" href=\"https") && !html.contains("class=\"grid\""), "nothing that goes with it is sold either");
    let page_two = get("/en-us/c/wear?page=2").1;
    assert!(
        page_two.contains("hreflang=\"de-DE\" href=\"https://shop.example/de-de/c/wear?page=2\"")
            && !page_two.contains("hreflang=\"fr-FR\" href=\"https")
    );
}

#[test]
fn a_query_that_chooses_nothing_makes_no_page_of_its_own() {
    for (url, to) in [
        ("/en-us/p/ribbed-beanie?foo=bar", "/en-us/p/ribbed-beanie"),
        ("/en-us/p/ribbed-beanie?colour=oat&foo=bar", "/en-us/p/ribbed-beanie?colour=oat"),
        ("/en-us/p/ribbed-beanie?colour=neon&size=m", "/en-us/p/ribbed-beanie?size=m"),
    ] {
        let Outcome::Redirect { to: led, permanent: false } = open(url) else { panic!("{url} is a page") };
        assert_eq!(led, to);
    }
}

#[test]
fn a_promo_page_shows_its_blocks_and_no_price_of_its_own() {
    let (status, html) = get("/en-us/pages/after-dark");
    assert_eq!(status, 200);
    assert_in_order(
        &html,
        &[
            "<title>After dark",
            "<h1>Turn the &lt;day&gt; down</h1>",
            "href=\"/en-us/pages/travel\"",
            "<p class=\"caption\"><a href=\"/en-us/p/ribbed-beanie\">Ribbed beanie</a><span class=\"price\">",
            "$30</span>",
            "<h2>In a dim room</h2>",
            "<p>Two &amp; three.</p>",
            "The hat",
        ],
    );
    assert_eq!(html.matches("class=\"product\"").count(), 1, "as many as the block is made for");
    let (_, html) = get("/fr-fr/pages/after-dark");
    assert!(!html.contains("class=\"caption\"") && !html.contains("class=\"product\""), "what is not sold is not shown");
    assert_eq!(get("/en-us/pages/nothing").0, 404);
}

#[test]
fn an_empty_shop_says_so() {
    let full = view(Locale::DEFAULT);
    let empty = View { shop: Arc::new(ShopDocument { categories: vec![], ..(*full.shop).clone() }), ..full };
    let address = Address::new(Locale::DEFAULT, Route::Home);
    let Ok(Outcome::Page(page)) = now(load(&address, &empty, &Memory)) else { panic!("a page") };
    let html = Owner::new_root(None).with(|| (page.body)().to_html());
    assert_in_order(&html, &["<main id=\"main\">", "<h1>The shelves are still empty.</h1>", "href=\"/en-us/help/returns\""]);
}

/// Every kind of page is walked by axe: a new one does not compile here before it has a number, and fails before it has an entry.
#[test]
fn the_journeys_know_every_kind_of_page() {
    const KINDS: usize = 13;
    const fn kind(route: &Route) -> usize {
        match route {
            Route::Home => 0,
            Route::Category { .. } => 1,
            Route::Tag { .. } => 2,
            Route::All { .. } => 3,
            Route::Product { .. } => 4,
            Route::Search { .. } => 5,
            Route::Cart => 6,
            Route::Checkout => 7,
            Route::Order { .. } => 8,
            Route::Page { .. } => 9,
            Route::Help { .. } => 10,
            Route::FindOrder => 11,
            Route::Invoice { .. } => 12,
        }
    }
    let mut known = [false; KINDS];
    // Addresses stand there as templates: `/${locale}/orders/${secret}`.
    for url in include_str!("../../../end2end/routes.mjs").split('`').skip(1).step_by(2) {
        let url = url.replace("${locale}", "en-us").replace("${secret}", "0123456789abcdef").replace("${number}", "DE-2026-000001");
        let (path, query) = url.split_once('?').unwrap_or((&url, ""));
        let address = Address::parse(path, query).unwrap_or_else(|| panic!("{url} is no address"));
        known[kind(&address.route)] = true;
    }
    let missing: Vec<usize> = known.iter().enumerate().filter(|(_, known)| !**known).map(|(kind, _)| kind).collect();
    assert!(missing.is_empty(), "end2end/routes.mjs has no address of kind {missing:?}");
}
