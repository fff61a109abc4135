//! The end of every page: what we are, where to look, who we are in law, and the locales once more.

use super::masthead::switch;
use crate::{
    document::SHOP_NAME,
    i18n::shop,
    pages::Head,
    ports::View,
    routes::{Address, ListQuery, Route},
};
use leptos::prelude::*;

/// Help pages that belong into the fine print, by slug.
const FINE_PRINT: [&str; 4] = ["imprint", "privacy", "cookies", "accessibility"];

pub fn footer(head: &Head, view: &View) -> AnyView {
    let messages = shop(view.locale);
    let url = |route| Address::new(view.locale, route).url();
    let help = |fine: bool| {
        let pages = view.shop.help.iter().filter(move |(slug, _)| FINE_PRINT.contains(&slug.as_str()) == fine);
        pages.map(|(slug, title)| (url(Route::Help { slug: slug.clone() }), title.clone())).collect::<Vec<_>>()
    };
    let shelves = view.shop.categories_in(view.market.code).map(|shelf| {
        let href = url(Route::Category { slug: shelf.slug.clone(), query: ListQuery::default() });
        view! { <li><a href=href>{shelf.title.clone()}</a></li> }
    });
    view! {
        <footer class="foot">
            <div>
                <p class="big">{messages.footer_line}</p>
            </div>
            <div>
                <h2>{messages.shop}</h2>
                <ul>
                    {shelves.collect_view()}
                    <li><a href=url(Route::All { query: ListQuery::default() })>{messages.all_products}</a></li>
                </ul>
            </div>
            <div>
                <h2>{messages.help}</h2>
                <ul>
                    <li><a href=url(Route::FindOrder) rel="nofollow">{messages.find_order}</a></li>
                    {help(false).into_iter().map(|(href, title)| view! { <li><a href=href>{title}</a></li> }).collect_view()}
                </ul>
            </div>
            <div>
                <h2>{messages.country_language}</h2>
                {switch(head, view)}
            </div>
            <p class="fine">
                <span>{format!("© {SHOP_NAME}")}</span>
                {help(true).into_iter().map(|(href, title)| view! { <a href=href>{title}</a> }).collect_view()}
            </p>
        </footer>
    }
    .into_any()
}
