//! Addresses of the operations, and what is offered to whom.

use super::*;
use crate::document::Assets;
use domain::{VariantId, staff::Role};

fn desk(role: Role) -> Desk {
    Desk { person: Person { email: "ada@example.com".to_owned(), roles: [role].into_iter().collect() }, now: 0, mutation: "m".to_owned() }
}

fn html(build: impl FnOnce() -> Sheet) -> String {
    Owner::new_root(None)
        .with(|| document(build(), &Assets { css: "/assets/shop.css".into(), staff_css: "/assets/staff.css".into(), ..Assets::default() }).to_html())
}

#[test]
fn only_what_a_role_may_is_offered() {
    let audit = Route::Audit { older_than: None }.url();
    assert!(html(|| home::page(&desk(Role::Admin), Vec::new(), None)).contains(&format!("href=\"{audit}\"")));
    assert!(!html(|| home::page(&desk(Role::Warehouse), Vec::new(), None)).contains(&audit));
}

#[test]
fn a_page_is_kept_from_search_engines_and_needs_no_script() {
    let html = html(|| home::page(&desk(Role::Admin), Vec::new(), None));
    assert!(html.contains("noindex") && html.contains("/assets/staff.css") && html.contains("Nothing needs you"));
    assert!(!html.contains("<script") && !html.contains("style=\""), "{html}");
}

#[test]
fn signing_in_leads_to_our_own_pages_only() {
    for (path, good) in [
        ("/ops", true),
        ("/ops/audit?older_than=x", true),
        ("/ops?x", true),
        ("/opsy", false),
        ("//evil.example", false),
        ("https://evil.example/ops", false),
        ("/ops/\\evil", false),
        ("/ops/a b", false),
        ("/ops/sign-out", false),
        ("", false),
    ] {
        assert_eq!(route::is_next(path), good, "{path}");
    }
}

#[test]
fn instants_are_written_to_the_second() {
    assert_eq!(moment(1_795_435_200_000_000), "23 Nov 2026, 12:00:00 UTC");
}

#[test]
fn journeys_know_every_page() {
    let journeys = include_str!("../../../end2end/routes.mjs");
    let none = || None::<String>;
    let first = Route::Home;
    let mut next = Some(first);
    while let Some(route) = next {
        // A page of one thing is opened from its list; a file is no page.
        let is_opened =
            matches!(route, Route::Variant { .. } | Route::Order { .. } | Route::Invoice { .. } | Route::TableRow { .. } | Route::TableEdit { .. });
        if !is_opened && !matches!(route, Route::TableCsv { .. } | Route::CouponCodes { .. }) {
            assert!(journeys.contains(&format!("\"{}\"", route.url())), "end2end/routes.mjs lacks {route:?}");
        }
        next = match route {
            Route::Home => Some(Route::SignIn { next: none() }),
            Route::SignIn { .. } => Some(Route::Password),
            Route::Password => Some(Route::Audit { older_than: none() }),
            Route::Audit { .. } => Some(Route::Stock { wanted: "t".to_owned(), after: none() }),
            Route::Stock { .. } => Some(Route::Variant { variant: VariantId(uuid::Uuid::nil()), older_than: none() }),
            Route::Variant { .. } => Some(Route::Orders { list: route::OrderList::default() }),
            Route::Orders { .. } => Some(Route::Order { number: "NG-2222-2222".to_owned() }),
            Route::Order { .. } => Some(Route::Invoice { order: "NG-2222-2222".to_owned(), number: "DE-2026-000001".to_owned(), pdf: false }),
            Route::Invoice { .. } => Some(Route::Ship { after: none() }),
            Route::Ship { .. } => Some(Route::Tables),
            Route::Tables => Some(Route::Table { table: tables::Table::Promotions, wanted: String::new(), after: none() }),
            Route::Table { table, .. } => Some(Route::TableCsv { table, wanted: String::new() }),
            Route::TableCsv { table, .. } => Some(Route::TableRow { table, key: "k".to_owned() }),
            Route::TableRow { table, .. } => Some(Route::TableNew { table, like: None }),
            Route::TableNew { table, .. } => Some(Route::TableFile { table }),
            Route::TableFile { table } => Some(Route::TableHistory { table, older_than: none() }),
            Route::TableHistory { .. } => Some(Route::TableEdit { edit: "e".to_owned() }),
            Route::TableEdit { .. } => Some(Route::CouponCodes { key: "k".to_owned() }),
            Route::CouponCodes { .. } => None,
        };
    }
}
