//! Where a page stands: links for people, a `BreadcrumbList` for machines.

use crate::{
    i18n::shop,
    ports::View,
    routes::{Address, Route},
};
use leptos::prelude::*;
use serde_json::{Value, json};

/// Steps from home to this page; a step without an address is the page itself.
pub fn crumbs(steps: Vec<(String, Option<String>)>, view: &View) -> AnyView {
    let messages = shop(view.locale);
    let home = (messages.home.to_owned(), Some(Address::new(view.locale, Route::Home).url()));
    let items = std::iter::once(home).chain(steps).map(|(name, href)| match href {
        Some(href) => view! { <li><a href=href>{name}</a></li> }.into_any(),
        None => view! { <li aria-current="page">{name}</li> }.into_any(),
    });
    view! { <nav class="crumbs" aria-label=messages.breadcrumb><ol>{items.collect_view()}</ol></nav> }.into_any()
}

/// The same steps for machines; every step with its address.
pub fn json(steps: &[(String, String)], view: &View) -> Value {
    let home = (shop(view.locale).home.to_owned(), Address::new(view.locale, Route::Home).url());
    let items: Vec<Value> = std::iter::once(&home)
        .chain(steps)
        .enumerate()
        .map(|(index, (name, path))| json!({"@type": "ListItem", "position": index + 1, "name": name, "item": format!("{}{path}", view.origin)}))
        .collect();
    json!({"@context": "https://schema.org", "@type": "BreadcrumbList", "itemListElement": items})
}
