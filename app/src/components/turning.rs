//! The pages of a list, each with an address.

use crate::{
    i18n::{filled, number, shop},
    ports::View,
    routes::Address,
};
use leptos::prelude::*;

/// How many pages stand beside the current one.
const NEIGHBOURS: u32 = 2;

/// Links to other pages of the list at `address`; nothing where there is one page.
pub fn turning(address: &Address, page: u32, pages: u32, view: &View) -> Option<AnyView> {
    if pages < 2 {
        return None;
    }
    let messages = shop(view.locale);
    let (previous, next) = neighbours(address, page, pages);
    let shown = (1..=pages).filter(|one| *one == 1 || *one == pages || one.abs_diff(page) <= NEIGHBOURS);
    let mut before = 0;
    let items = shown.map(|one| {
        let gap = (one > before + 1).then(|| view! { <li aria-hidden="true">"…"</li> });
        before = one;
        let words = filled(messages.page_of, &[("page", &number(one.into(), view.locale)), ("pages", &number(pages.into(), view.locale))]);
        let current = (one == page).then_some("page");
        view! { {gap}<li><a href=at(address, one) aria-label=words aria-current=current>{number(one.into(), view.locale)}</a></li> }
    });
    Some(
        view! {
            <nav class="pages" aria-label=messages.pages>
                {previous.map(|href| view! { <a rel="prev" href=href>{messages.previous}</a> })}
                <ol>{items.collect_view()}</ol>
                {next.map(|href| view! { <a rel="next" href=href>{messages.next}</a> })}
            </nav>
        }
        .into_any(),
    )
}

/// Addresses of the pages before and after.
pub fn neighbours(address: &Address, page: u32, pages: u32) -> (Option<String>, Option<String>) {
    ((page > 1).then(|| at(address, page - 1)), (page < pages).then(|| at(address, page + 1)))
}

fn at(address: &Address, page: u32) -> String {
    address.list().map_or_else(|| address.url(), |list| address.with_list(list.with_page(page)).url())
}
