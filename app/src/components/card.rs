//! A product on a shelf: its picture, its name, its price, its colours.

use super::picture::{Need, decoration, placeholder, sizes};
use crate::{
    i18n::shop,
    ports::View,
    routes::{Address, Route},
};
use domain::{
    catalog::{Card, CardColour},
    live::Hole,
};
use leptos::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Products in a mosaic. `colours`: what was filtered by, so that each card shows and links that colour.
pub fn grid(cards: &[Card], view: &View, colours: Option<&BTreeSet<String>>, first: Need) -> AnyView {
    let cards = cards.iter().enumerate().map(|(index, one)| {
        let need = match (first, index) {
            (Need::First, 0) => Need::First,
            (Need::First, 1..4) => Need::Soon,
            _ => Need::Later,
        };
        card(one, view, colours, need)
    });
    view! { <ul class="grid">{cards.collect_view()}</ul> }.into_any()
}

fn card(card: &Card, view: &View, colours: Option<&BTreeSet<String>>, need: Need) -> AnyView {
    let messages = shop(view.locale);
    let wanted = |colour: &&CardColour| {
        card.selected.as_ref() == Some(&colour.value.slug) || colours.is_some_and(|wanted| wanted.contains(&colour.value.slug))
    };
    let chosen = card.colours.iter().find(wanted);
    let picture = chosen.and_then(|colour| colour.picture.as_ref()).or(card.picture.as_ref());
    let selection: BTreeMap<_, _> = chosen.map(|colour| ("colour".to_owned(), colour.value.slug.clone())).into_iter().collect();
    let href = Address::new(view.locale, Route::Product { slug: card.slug.clone(), selection }).url();
    let picture = match picture {
        Some(picture) => decoration(picture, sizes::GRID, need, view.locale),
        None => placeholder(String::new(), view.locale),
    };
    let meta = (!card.colours.is_empty()).then(|| {
        let count = messages.colours.text(view.locale, card.colours.len() as u64);
        view! { <p class="meta">{dots(&card.colours)}{count}</p> }
    });
    view! {
        <li class="product" data-tone=card.category.clone()>
            <div class="picture">
                {picture}
                {Hole::CardFlag(card.id).mark()}
                {card.is_new.then(|| view! { <span class="flag new">{messages.new}</span> })}
            </div>
            <div class="words">
                <h3><a href=href>{card.title.clone()}</a></h3>
                <p class="price">{Hole::CardPrice(card.id).mark()}</p>
                {meta}
            </div>
        </li>
    }
    .into_any()
}

/// The colours as dots; colours without a known tone are counted, not drawn.
fn dots(colours: &[CardColour]) -> Option<AnyView> {
    let known: Vec<&str> = colours.iter().filter_map(|colour| hex(colour.value.hex.as_deref())).collect();
    if known.is_empty() {
        return None;
    }
    let width = known.len() * 16 - 5;
    let circles = known.into_iter().enumerate().map(|(index, fill)| {
        let x = format!("{}.5", 5 + index * 16);
        view! { <circle cx=x cy="5.5" r="5.5" fill=fill.to_owned()></circle> }
    });
    Some(
        view! {
            <svg class="dots" viewBox=format!("0 0 {width} 11") width=width.to_string() height="11" aria-hidden="true">{circles.collect_view()}</svg>
        }
        .into_any(),
    )
}

/// A colour that really is one: what an import typed may be anything.
pub fn hex(text: Option<&str>) -> Option<&str> {
    text.filter(|text| text.len() == 7 && text.starts_with('#') && text.bytes().skip(1).all(|byte| byte.is_ascii_hexdigit()))
}
