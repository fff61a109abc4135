//! Home and promo pages: blocks in an order that marketing chose.

use super::{Fault, Head, Outcome, Page, error_page, same_address};
use crate::{
    blocks::{block, cards_of, is_bare},
    components::json_ld,
    document::SHOP_NAME,
    i18n::shop,
    ports::{Found, ReadError, Storefront, View, storefront::ShelfKey},
    routes::{Address, ListQuery, Route},
};
use domain::page::{Block, PageDocument};
use leptos::prelude::*;
use serde_json::json;
use std::sync::Arc;

/// The slug under which home is kept.
const HOME: &str = "home";
/// Products on a home page that nobody has laid out yet.
const HOME_CARDS_MAX: usize = 8;

pub async fn load_home(address: &Address, view: &View, storefront: &dyn Storefront) -> Result<Outcome, ReadError> {
    let document = match storefront.page(view.text(), HOME).await? {
        Found::Here(document) => document,
        _ => Arc::new(bare_home(view, storefront).await),
    };
    let mut page = page(address, document, view);
    page.head.json_ld = vec![json_ld(&json!({
        "@context": "https://schema.org",
        "@graph": [
            {"@type": "Organization", "@id": format!("{}/#shop", view.origin), "name": SHOP_NAME, "url": &*view.origin, "logo": format!("{}/icon-512.png", view.origin)},
            {
                "@type": "WebSite", "name": SHOP_NAME, "url": format!("{}{}", view.origin, address.url()), "inLanguage": view.locale.bcp47(),
                "publisher": {"@id": format!("{}/#shop", view.origin)},
                "potentialAction": {
                    "@type": "SearchAction",
                    "target": format!("{}{}?q={{query}}", view.origin, Address::new(view.locale, Route::Search { text: String::new(), query: ListQuery::default() }).path()),
                    "query-input": "required name=query",
                },
            },
        ],
    }))];
    Ok(Outcome::Page(page))
}

pub async fn load(address: &Address, slug: &str, view: &View, storefront: &dyn Storefront) -> Result<Outcome, ReadError> {
    Ok(match storefront.page(view.text(), slug).await? {
        // Home has an address of its own.
        Found::Here(document) if document.slug == HOME => Outcome::Redirect { to: Address::new(view.locale, Route::Home).url(), permanent: true },
        Found::Here(document) => Outcome::Page(page(address, document, view)),
        Found::Moved(slug) => Outcome::Redirect { to: Address::new(view.locale, Route::Page { slug }).url(), permanent: true },
        Found::Gone => Outcome::Page(error_page(view, Fault::Gone, "")),
        Found::Missing => Outcome::Page(error_page(view, Fault::NotFound, "")),
    })
}

/// A shop without a laid-out home page still shows its shelves and its first products.
async fn bare_home(view: &View, storefront: &dyn Storefront) -> PageDocument {
    let messages = shop(view.locale);
    let cards = match storefront.listing(view.text(), view.market.code, &ShelfKey::All, 1).await {
        Ok(Found::Here(listing)) => listing.cards.iter().take(HOME_CARDS_MAX).cloned().collect(),
        _ => Vec::new(),
    };
    let mut blocks = vec![Block::CategoryTiles { heading: messages.categories.to_owned() }];
    if !cards.is_empty() {
        blocks.push(Block::ProductGrid { heading: messages.products.to_owned(), cards, limit: HOME_CARDS_MAX, more: None });
    }
    PageDocument {
        slug: HOME.to_owned(),
        version: 0,
        language: view.text(),
        seo_title: messages.home_title.to_owned(),
        seo_description: messages.home_description.to_owned(),
        blocks,
    }
}

fn page(address: &Address, document: Arc<PageDocument>, view: &View) -> Page {
    let hero = document.blocks.iter().find_map(|block| if let Block::Hero { picture, .. } = block { Some(picture) } else { None });
    let head = Head {
        title: document.seo_title.clone(),
        description: document.seo_description.clone(),
        canonical: address.url(),
        alternates: same_address(address),
        languages: same_address(address),
        picture: hero.and_then(|hero| Some((crate::components::picture::address(hero, 1200)?, hero.width, hero.height, hero.alt.clone()))),
        ..Head::default()
    };
    let products = document.blocks.iter().flat_map(cards_of).map(|card| card.id).collect();
    let view = view.clone();
    Page::new(head, products, move || {
        let shown: Vec<&Block> = document.blocks.iter().filter(|block| !is_bare(block, &view)).collect();
        if shown.is_empty() {
            return nothing_yet(&view);
        }
        let titled = matches!(shown.first(), Some(Block::Hero { .. }));
        let title = (!titled).then(|| view! { <h1 class="vh">{document.seo_title.clone()}</h1> });
        let blocks = shown.iter().enumerate().map(|(index, one)| block(one, index == 0, &view));
        view! { <main id="main">{title}{blocks.collect_view()}</main> }.into_any()
    })
}

/// The start of a shop that has nothing to sell here yet: a statement, a sentence, a way on.
fn nothing_yet(view: &View) -> AnyView {
    let messages = shop(view.locale);
    let help = view.shop.help.iter().find(|(slug, _)| slug == "contact").or(view.shop.help.first());
    let way = help.map(|(slug, title)| (Address::new(view.locale, Route::Help { slug: slug.clone() }).url(), title.clone()));
    view! {
        <main id="main">
            <section class="fault">
                <h1>{messages.empty_shop}</h1>
                <p>{messages.empty_shop_hint}</p>
                {way.map(|(href, title)| view! { <a class="button" href=href>{title}</a> })}
            </section>
        </main>
    }
    .into_any()
}
