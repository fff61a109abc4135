//! The top of every page: name, categories, country and language, search, cart; on narrow screens a menu. All of it works without script.

use crate::{
    i18n::{locale_name, shop},
    pages::Head,
    ports::View,
    routes::{Address, ListQuery, Route, chosen},
};
use domain::{live::Hole, locale::Locale};
use leptos::prelude::*;

/// The masthead with the demo notice above it.
pub fn masthead(head: &Head, view: &View) -> AnyView {
    let messages = shop(view.locale);
    let url = |route| Address::new(view.locale, route).url();
    let notice = view.shop.demo.then(|| view! { <aside aria-label=messages.demo><p class="demo">{messages.demo_notice}</p></aside> });
    view! {
        {notice}
        <header class="masthead">
            <a class="wordmark" href=url(Route::Home)>"NextGen"</a>
            <nav aria-label=messages.categories>
                <ul>{categories(head, view)}</ul>
            </nav>
            <div class="tools">
                <details class="where">
                    <summary>
                        <span class="vh">{format!("{}: ", messages.country_language)}</span>
                        {format!("{} / {}", view.market.code, currency_sign(view))}
                    </summary>
                    <div class="panel">{switch(head, view)}</div>
                </details>
                <a href=url(Route::Search { text: String::new(), query: ListQuery::default() })>{messages.search}</a>
                <a class="bag" href=url(Route::Cart)>{messages.cart}{Hole::CartBadge.mark()}</a>
                <details class="menu">
                    <summary>{messages.menu}</summary>
                    <div class="panel">
                        <nav aria-label=messages.menu>
                            <ul>
                                {categories(head, view)}
                                <li><a href=url(Route::All { query: ListQuery::default() })>{messages.all_products}</a></li>
                            </ul>
                        </nav>
                        {switch(head, view)}
                    </div>
                </details>
            </div>
        </header>
    }
    .into_any()
}

/// The navigation's items; the current one says so.
fn categories(head: &Head, view: &View) -> AnyView {
    let current = |key: &str| head.category.as_ref().filter(|(current, _)| current == key).map(|(_, itself)| if *itself { "page" } else { "true" });
    view.shop
        .categories_in(view.market.code)
        .map(|shelf| {
            let href = Address::new(view.locale, Route::Category { slug: shelf.slug.clone(), query: ListQuery::default() }).url();
            view! { <li><a href=href aria-current=current(&shelf.key)>{shelf.title.clone()}</a></li> }
        })
        .collect_view()
        .into_any()
}

/// The same page in every locale offered, each named in its own language. The links lead through the choice, which is remembered:
/// machines find the other languages by their hreflang.
pub fn switch(head: &Head, view: &View) -> AnyView {
    let items = Locale::OFFERED.into_iter().map(|locale| {
        let href = head
            .alternates
            .iter()
            .find(|(other, _)| *other == locale)
            .map_or_else(|| chosen(&Address::new(locale, Route::Home).url()), |(_, path)| chosen(path));
        let tag = locale.bcp47();
        let current = (locale == view.locale).then_some("true");
        view! { <li><a href=href rel="nofollow" hreflang=tag.clone() lang=tag aria-current=current>{locale_name(locale)}</a></li> }
    });
    view! { <ul class="locales" aria-label=shop(view.locale).country_language>{items.collect_view()}</ul> }.into_any()
}

/// The market's currency as a sign: `$`, `€`, `￥`.
fn currency_sign(view: &View) -> String {
    let zero = crate::i18n::price(domain::money::Money::zero(view.market.currency), view.locale);
    zero.chars().filter(|c| !c.is_ascii_digit() && !c.is_whitespace()).collect()
}
