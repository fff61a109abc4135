//! Search: a form, and what it found.

use super::{Fault, Head, Outcome, Page, error_page, same_address};
use crate::{
    components::{
        card::grid,
        filters::{chips, filters},
        picture::Need,
        turning::turning,
    },
    i18n::{filled, shop},
    ports::{Facets, Found, ListingQuery, ReadError, Storefront, View},
    routes::{Address, ListQuery, Route, SEARCH_CHARS_MAX},
};
use domain::catalog::ListingPage;
use leptos::prelude::*;

pub async fn load(address: &Address, text: &str, list: &ListQuery, view: &View, storefront: &dyn Storefront) -> Result<Outcome, ReadError> {
    if text.is_empty() {
        return Ok(Outcome::Page(page(address, text, None, view)));
    }
    let query = ListingQuery { shelf: None, text: Some(text.to_owned()), filter: list.filter.clone(), sort: list.sort, page: list.page };
    Ok(match storefront.query(view, &query).await? {
        Found::Here(found) => Outcome::Page(page(address, text, Some(found), view)),
        _ => Outcome::Page(error_page(view, Fault::NotFound, "")),
    })
}

fn page(address: &Address, text: &str, found: Option<(ListingPage, Facets)>, view: &View) -> Page {
    let messages = shop(view.locale);
    let title = if text.is_empty() { messages.search.to_owned() } else { format!("{}: {text}", messages.search) };
    let head = Head { title, canonical: address.url(), noindex: true, alternates: same_address(address), ..Head::default() };
    let products = found.iter().flat_map(|(listing, _)| listing.cards.iter().map(|card| card.id)).collect();
    let good_until = found.as_ref().and_then(|(listing, _)| listing.good_until);
    let (view, address, text) = (view.clone(), address.clone(), text.to_owned());
    let page = Page::new(head, products, move || {
        let results = found.map(|(listing, facets)| results(&address, &text, &listing, &facets, &view));
        let bare = results.is_none();
        view! {
            <main id="main">
                <div class="shelf-head"><h1>{messages.search}</h1></div>
                <form class="searchbox" role="search" method="get" action=address.path()>
                    <label for="q">{messages.search_label}</label>
                    <input id="q" type="search" name="q" value=text.clone() maxlength=SEARCH_CHARS_MAX.to_string() autocomplete="off" enterkeyhint="search"/>
                    <button class="button">{messages.search_submit}</button>
                </form>
                {results}
                {bare.then(|| shelves(&view))}
            </main>
        }
        .into_any()
    });
    Page { good_until, ..page }
}

fn results(address: &Address, text: &str, listing: &ListingPage, facets: &Facets, view: &View) -> AnyView {
    let messages = shop(view.locale);
    let list = address.list().cloned().unwrap_or_default();
    if listing.cards.is_empty() && list.filter.is_empty() {
        return view! {
            <div class="empty" role="status">
                <h2 class="big">{filled(messages.search_none, &[("query", text)])}</h2>
                <p>{messages.search_hint}</p>
            </div>
            {shelves(view)}
        }
        .into_any();
    }
    let heading = messages.search_results.with(view.locale, listing.total.into(), &[("query", text)]);
    let cards = if listing.cards.is_empty() {
        let clear = address.with_list(ListQuery::default()).url();
        view! {
            <div class="empty">
                <p class="big">{messages.empty_filter}</p>
                <p>{messages.empty_filter_hint}</p>
                <a class="button" href=clear>{messages.clear_all}</a>
            </div>
        }
        .into_any()
    } else {
        grid(&listing.cards, view, list.filter.options.get("colour"), Need::First)
    };
    view! {
        <div class="section-head found"><h2>{heading}</h2></div>
        {filters(address, Some(facets), listing.total, view)}
        {chips(address, Some(facets), view)}
        {cards}
        {turning(address, listing.page, listing.pages, view)}
    }
    .into_any()
}

/// A way on: the categories as a plain list.
fn shelves(view: &View) -> AnyView {
    let items = view.shop.categories_in(view.market.code).map(|shelf| {
        let href = Address::new(view.locale, Route::Category { slug: shelf.slug.clone(), query: ListQuery::default() }).url();
        view! { <li><a href=href>{shelf.title.clone()}</a></li> }
    });
    view! { <div class="ways"><ul>{items.collect_view()}</ul></div> }.into_any()
}
