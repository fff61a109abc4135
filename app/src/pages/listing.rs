//! A shelf: a category, a tag or everything, filtered, ordered and turned by its address alone.

use super::{Fault, Head, Outcome, Page, error_page, same_address};
use crate::{
    components::{
        card::grid,
        crumbs::{self, crumbs},
        filters::{chips, count, filters},
        json_ld,
        picture::Need,
        turning::{neighbours, turning},
    },
    document::SHOP_NAME,
    i18n::{filled, number, shop},
    ports::{Facets, Found, ListingQuery, ReadError, Storefront, View, storefront::ShelfKey},
    routes::{Address, ListQuery, Route},
};
use domain::{
    catalog::{CARDS_A_PAGE, ListingPage, Shelf},
    market::MarketCode,
};
use leptos::prelude::*;
use std::sync::Arc;

pub async fn load(address: &Address, shelf: ShelfKey, list: &ListQuery, view: &View, storefront: &dyn Storefront) -> Result<Outcome, ReadError> {
    let query = ListingQuery { shelf: Some(shelf.clone()), text: None, filter: list.filter.clone(), sort: list.sort, page: list.page };
    let found = if list.is_default_order() {
        match storefront.listing(view.text(), view.market.code, &shelf, list.page).await? {
            Found::Here(listing) => {
                // What it can be narrowed by may be missing: the shelf stands without.
                let facets = match storefront.query(view, &query).await {
                    Ok(Found::Here((_, facets))) => Some(facets),
                    _ => None,
                };
                Found::Here((listing, facets))
            }
            Found::Moved(slug) => Found::Moved(slug),
            Found::Gone => Found::Gone,
            Found::Missing => Found::Missing,
        }
    } else {
        match storefront.query(view, &query).await? {
            Found::Here((listing, facets)) => Found::Here((Arc::new(listing), Some(facets))),
            Found::Moved(slug) => Found::Moved(slug),
            Found::Gone => Found::Gone,
            Found::Missing => Found::Missing,
        }
    };
    Ok(match found {
        Found::Here((listing, facets)) => Outcome::Page(page(address, list, listing, facets, view)),
        Found::Moved(slug) => Outcome::Redirect { to: moved(address, slug).url(), permanent: true },
        Found::Gone => Outcome::Page(error_page(view, Fault::Gone, "")),
        Found::Missing => Outcome::Page(error_page(view, Fault::NotFound, "")),
    })
}

fn moved(address: &Address, slug: String) -> Address {
    let mut address = address.clone();
    if let Route::Category { slug: old, .. } | Route::Tag { slug: old, .. } = &mut address.route {
        *old = slug;
    }
    address
}

fn page(address: &Address, list: &ListQuery, listing: Arc<ListingPage>, facets: Option<Facets>, view: &View) -> Page {
    let messages = shop(view.locale);
    let all = matches!(address.route, Route::All { .. });
    let title = if all { messages.all_products.to_owned() } else { listing.shelf.title.clone() };
    let description = if all { messages.all_description.to_owned() } else { listing.shelf.description.clone() };
    let head = head(address, list, &listing, &title, &description, view);
    let products = listing.cards.iter().map(|card| card.id).collect();
    let good_until = listing.good_until;
    let (view, address, list) = (view.clone(), address.clone(), list.clone());
    let page = Page::new(head, products, move || {
        let steps = vec![(title.clone(), None)];
        let cards = if listing.cards.is_empty() {
            empty(&address, &list, &view)
        } else {
            view! {
                <h2 class="vh">{messages.products}</h2>
                {grid(&listing.cards, &view, list.filter.options.get("colour"), Need::First)}
            }
            .into_any()
        };
        view! {
            <main id="main">
                {crumbs(steps, &view)}
                <div class="shelf-head">
                    <h1>{title}</h1>
                    {(!description.is_empty()).then(|| view! { <p>{description}</p> })}
                </div>
                {filters(&address, facets.as_ref(), listing.total, &view)}
                {chips(&address, facets.as_ref(), &view)}
                {cards}
                {turning(&address, listing.page, listing.pages, &view)}
            </main>
        }
        .into_any()
    });
    Page { good_until, ..page }
}

/// No cards: because of the filter, or because the shelf is empty.
fn empty(address: &Address, list: &ListQuery, view: &View) -> AnyView {
    let messages = shop(view.locale);
    let all = Route::All { query: ListQuery::default() };
    let (heading, hint, way, words) = if !list.filter.is_empty() {
        (messages.empty_filter, messages.empty_filter_hint, address.with_list(ListQuery::default()), messages.clear_all)
    } else if matches!(address.route, Route::All { .. }) {
        (messages.empty_shop, messages.empty_shop_hint, Address::new(view.locale, Route::Home), messages.back_home)
    } else {
        (messages.empty_shelf, messages.empty_shelf_hint, Address::new(view.locale, all), messages.all_products)
    };
    let href = way.url();
    view! {
        <div class="empty">
            <h2 class="big">{heading}</h2>
            <p>{hint}</p>
            <a class="button" href=href>{words}</a>
        </div>
    }
    .into_any()
}

fn head(address: &Address, list: &ListQuery, listing: &ListingPage, title: &str, description: &str, view: &View) -> Head {
    let Shelf { key, seo_title, seo_description, tile, .. } = &listing.shelf;
    let mut shown = if seo_title.is_empty() { title.to_owned() } else { seo_title.clone() };
    if listing.page > 1 {
        let page = filled(
            shop(view.locale).page_of,
            &[("page", &number(listing.page.into(), view.locale)), ("pages", &number(listing.pages.into(), view.locale))],
        );
        shown = format!("{shown}, {page}");
    }
    let description = match (seo_description.is_empty(), description.is_empty()) {
        (false, _) => seo_description.clone(),
        (true, false) => description.to_owned(),
        (true, true) => format!("{title}: {}. {SHOP_NAME}", count(listing.total, view)),
    };
    let plain = address.with_list(ListQuery { page: list.page, ..ListQuery::default() });
    let category = matches!(address.route, Route::Category { .. }).then(|| (key.clone(), true));
    let picture = tile.as_ref().and_then(|tile| Some((crate::components::picture::address(tile, 900)?, tile.width, tile.height, tile.alt.clone())));
    Head {
        title: shown,
        description,
        canonical: plain.url(),
        alternates: same_address(address),
        languages: same_address(&plain).into_iter().filter(|(locale, _)| has_page(&listing.shelf, list.page, view.market_of(*locale))).collect(),
        noindex: !list.is_default_order(),
        picture,
        json_ld: vec![json_ld(&crumbs::json(&[(title.to_owned(), plain.with_list(ListQuery::default()).url())], view))],
        category,
        turn: neighbours(address, listing.page, listing.pages),
        ..Head::default()
    }
}

/// Whether a market sells so much of a shelf that it has this page.
fn has_page(shelf: &Shelf, page: u32, market: MarketCode) -> bool {
    (page as usize - 1) * CARDS_A_PAGE < shelf.count_in(market) as usize
}
