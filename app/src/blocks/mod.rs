//! Blocks of pages that marketing edits: rendered the same in the page and, later, in the editor's preview.

use crate::{
    components::{
        card::grid,
        picture::{Need, decoration, picture, sizes},
    },
    i18n::{filled, number, shop},
    ports::View,
    routes::{Action, Address, ListQuery, Route},
};
use domain::{
    catalog::{Card, Picture, PictureSource},
    live::Hole,
    page::{Block, Target},
};
use leptos::prelude::*;

/// One block. The first of a page may carry its title and its most urgent picture.
pub fn block(block: &Block, first: bool, view: &View) -> AnyView {
    match block {
        Block::Hero { picture, dark, kicker, heading, text, button, product } => {
            let product = product.as_deref().filter(|card| view.sells(card));
            hero(picture, *dark, [kicker, heading, text], button.as_ref(), product, first, view)
        }
        Block::CategoryTiles { heading } => category_tiles(heading, first, view),
        Block::ProductGrid { heading, cards, limit, more } => product_grid(heading, &sold(cards, *limit, view), more.as_ref(), view),
        Block::ImageText { picture, category, heading, text, picture_left, target } => {
            image_text(picture, category, [heading, text], *picture_left, target.as_ref(), view)
        }
        Block::RichText { heading, paragraphs } => view! {
            <section class="reading">
                <h2>{heading.clone()}</h2>
                <div>{paragraphs.iter().map(|text| view! { <p>{text.clone()}</p> }).collect_view()}</div>
            </section>
        }
        .into_any(),
        Block::Banner { text, target } => view! { <a class="banner" href=href(target, view)>{text.clone()}</a> }.into_any(),
        Block::Quote { text, attribution } => view! {
            <figure class="statement">
                <blockquote>{text.clone()}</blockquote>
                {(!attribution.is_empty()).then(|| view! { <figcaption>{attribution.clone()}</figcaption> })}
            </figure>
        }
        .into_any(),
        Block::Newsletter { page, heading, text, label, button, consent, consent_name } => {
            let route = if page == "home" { Route::Home } else { Route::Page { slug: page.clone() } };
            view! {
                <section class="letter">
                    <div>
                        <h2>{heading.clone()}</h2>
                        <p>{text.clone()}</p>
                    </div>
                    <form method="post" action=Action::Newsletter.url(view.locale)>
                        <input type="hidden" name="consent" value=consent_name.clone()/>
                        <input type="hidden" name="source" value=Address::new(view.locale, route).url()/>
                        <label>{label.clone()}<input name="email" type="email" autocomplete="email" required/></label>
                        <button class="button">{button.clone()}</button>
                        <p class="hint">{consent.clone()}</p>
                    </form>
                </section>
            }
            .into_any()
        }
    }
}

/// The cards that a block shows.
pub fn cards_of(block: &Block) -> &[Card] {
    match block {
        Block::ProductGrid { cards, .. } => cards,
        Block::Hero { product: Some(card), .. } => std::slice::from_ref(card),
        _ => &[],
    }
}

/// Whether a block has anything to show in this market.
pub fn is_bare(block: &Block, view: &View) -> bool {
    match block {
        Block::ProductGrid { cards, .. } => !cards.iter().any(|card| view.sells(card)),
        Block::CategoryTiles { .. } => view.shop.categories_in(view.market.code).next().is_none(),
        _ => false,
    }
}

fn sold(cards: &[Card], limit: usize, view: &View) -> Vec<Card> {
    cards.iter().filter(|card| view.sells(card)).take(limit).cloned().collect()
}

fn href(target: &Target, view: &View) -> String {
    let query = ListQuery::default();
    let route = match target.clone() {
        Target::Category(slug) => Route::Category { slug, query },
        Target::Tag(slug) => Route::Tag { slug, query },
        Target::Product(slug) => Route::Product { slug, selection: std::collections::BTreeMap::new() },
        Target::Page(slug) => Route::Page { slug },
    };
    Address::new(view.locale, route).url()
}

/// The picture is the page; words stand in its empty part.
fn hero(
    picture: &Picture,
    dark: bool,
    [kicker, heading, text]: [&String; 3],
    button: Option<&(String, Target)>,
    product: Option<&Card>,
    first: bool,
    view: &View,
) -> AnyView {
    let need = if first { Need::First } else { Need::Later };
    let class = if dark { "button on-dark" } else { "button" };
    let heading = if first { view! { <h1>{heading.clone()}</h1> }.into_any() } else { view! { <h2>{heading.clone()}</h2> }.into_any() };
    view! {
        <section class="hero" data-scene=scene(picture) data-dark=dark.then_some("")>
            {self::picture(picture, sizes::HERO, need, view.locale)}
            <div class="words">
                {(!kicker.is_empty()).then(|| view! { <p class="kicker">{kicker.clone()}</p> })}
                {heading}
                <p>{text.clone()}</p>
                {button.map(|(words, target)| view! { <a class=class href=href(target, view)>{words.clone()}</a> })}
            </div>
            {product.map(|card| {
                let href = href(&Target::Product(card.slug.clone()), view);
                view! { <p class="caption"><a href=href>{card.title.clone()}</a><span class="price">{Hole::CardPrice(card.id).mark()}</span></p> }
            })}
        </section>
    }
    .into_any()
}

/// A hero's scene by its picture's name: `heroes/hero-travel` is `travel`. The style sheet knows each scene's background.
fn scene(picture: &Picture) -> Option<String> {
    let PictureSource::Sized { path, .. } = &picture.source else { return None };
    path.rsplit('/').next().and_then(|name| name.strip_prefix("hero-")).map(str::to_owned)
}

fn category_tiles(heading: &str, first: bool, view: &View) -> AnyView {
    let tiles = view.shop.categories_in(view.market.code).enumerate().map(|(index, shelf)| {
        let href = Address::new(view.locale, Route::Category { slug: shelf.slug.clone(), query: ListQuery::default() }).url();
        let need = if first && index == 0 { Need::First } else { Need::Later };
        view! {
            <a href=href data-tone=shelf.key.clone()>
                {shelf.tile.as_ref().map(|tile| decoration(tile, sizes::FIELDS, need, view.locale))}
                <span>{shelf.title.clone()}" "<small>{number(shelf.count_in(view.market.code).into(), view.locale)}<span class="vh">" "{shop(view.locale).products}</span></small></span>
            </a>
        }
    });
    view! { <nav class="fields" aria-label=heading.to_owned()>{tiles.collect_view()}</nav> }.into_any()
}

fn product_grid(heading: &str, cards: &[Card], more: Option<&Target>, view: &View) -> AnyView {
    let (href, words) = match more {
        Some(target) => (href(target, view), shop(view.locale).see_all.to_owned()),
        None => (
            Address::new(view.locale, Route::All { query: ListQuery::default() }).url(),
            filled(shop(view.locale).all_of, &[("count", &number(view.shop.products_in(view.market.code).into(), view.locale))]),
        ),
    };
    view! {
        <section class="section">
            <div class="section-head">
                <h2>{heading.to_owned()}</h2>
                <a href=href>{words}</a>
            </div>
            {grid(cards, view, None, Need::Later)}
        </section>
    }
    .into_any()
}

/// A picture beside a text on the picture's own backdrop.
fn image_text(picture: &Picture, category: &str, [heading, text]: [&String; 2], picture_left: bool, target: Option<&Target>, view: &View) -> AnyView {
    let class = if picture_left { "split" } else { "split flip" };
    let heading = match target {
        Some(target) => view! { <a href=href(target, view)>{heading.clone()}</a> }.into_any(),
        None => heading.clone().into_any(),
    };
    view! {
        <section class=class data-tone=category.to_owned()>
            {self::picture(picture, sizes::SPLIT, Need::Later, view.locale)}
            <div class="words">
                <h2>{heading}</h2>
                <p>{text.clone()}</p>
            </div>
        </section>
    }
    .into_any()
}
