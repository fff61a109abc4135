//! Policies and service: headings, paragraphs and a table of facts.

use super::{Fault, Head, Outcome, Page, error_page, same_address};
use crate::{
    components::{crumbs, crumbs::crumbs, json_ld},
    i18n::shop,
    ports::{Found, Help, ReadError, Storefront, View},
    routes::{Address, Route},
};
use leptos::prelude::*;
use std::sync::Arc;

pub async fn load(address: &Address, slug: &str, view: &View, storefront: &dyn Storefront) -> Result<Outcome, ReadError> {
    Ok(match storefront.help(view.text(), &view.market, slug).await? {
        Found::Here(help) => Outcome::Page(page(address, help, view)),
        Found::Moved(slug) => Outcome::Redirect { to: Address::new(view.locale, Route::Help { slug }).url(), permanent: true },
        Found::Gone => Outcome::Page(error_page(view, Fault::Gone, "")),
        Found::Missing => Outcome::Page(error_page(view, Fault::NotFound, "")),
    })
}

fn page(address: &Address, help: Arc<Help>, view: &View) -> Page {
    let head = Head {
        title: if help.seo_title.is_empty() { help.title.clone() } else { help.seo_title.clone() },
        description: help.seo_description.clone(),
        canonical: address.url(),
        alternates: same_address(address),
        languages: same_address(address),
        json_ld: vec![json_ld(&crumbs::json(&[(help.title.clone(), address.url())], view))],
        ..Head::default()
    };
    let view = view.clone();
    Page::new(head, Vec::new(), move || {
        let sections = help.sections.iter().map(|(heading, paragraphs)| {
            let paragraphs = paragraphs.iter().map(|text| view! { <p>{text.clone()}</p> });
            view! { <section><h2>{heading.clone()}</h2>{paragraphs.collect_view()}</section> }
        });
        let facts = (!help.facts.is_empty()).then(|| {
            let rows = help.facts.iter().map(|(label, value)| view! { <tr><th scope="row">{label.clone()}</th><td>{value.clone()}</td></tr> });
            view! { <table class="facts"><caption class="vh">{shop(view.locale).details}</caption><tbody>{rows.collect_view()}</tbody></table> }
        });
        view! {
            <main id="main">
                {crumbs(vec![(help.title.clone(), None)], &view)}
                <article class="prose">
                    <h1>{help.title.clone()}</h1>
                    {help.intro.clone().map(|intro| view! { <p class="lede">{intro}</p> })}
                    {facts}
                    {sections.collect_view()}
                </article>
            </main>
        }
        .into_any()
    })
}
