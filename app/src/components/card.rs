//! A product on a shelf: its picture, its name, its price, its colours.

use super::picture::{Need, decoration, placeholder, sizes};
use crate::{
    i18n::shop,
    ports::View,
    routes::{Address, Route},
};
use domain::{
    ProductId,
    catalog::{Card, CardColour},
    live::Hole,
    locale::Locale,
};
use leptos::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Cards as they were drawn last. Most of a list's page is cards, and the same ones stand on many: a card is drawn anew when it looks
/// otherwise. Nothing of a visitor's is in a card, for prices and stock are holes.
#[derive(Debug, Default)]
pub struct Cards(Mutex<HashMap<Drawing, Drawn>>);

/// In which way a product's card is drawn.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Drawing {
    product: ProductId,
    locale: Locale,
    /// The place of the chosen colour.
    colour: Option<usize>,
    need: Need,
}

#[derive(Debug)]
struct Drawn {
    card: Card,
    html: Arc<str>,
}

impl Cards {
    /// About 4 kB each. When there are more, all are drawn anew.
    const MAX: usize = 2_000;

    fn html(&self, drawing: Drawing, card: &Card, draw: impl FnOnce() -> AnyView) -> Arc<str> {
        if let Some(known) = self.known().get(&drawing).filter(|known| known.card == *card) {
            return Arc::clone(&known.html);
        }
        let html: Arc<str> = draw().to_html().into();
        let mut known = self.known();
        if known.len() >= Self::MAX {
            known.clear();
        }
        known.insert(drawing, Drawn { card: card.clone(), html: Arc::clone(&html) });
        html
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Drawing, Drawn>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Products in a mosaic. `colours`: what was filtered by, so that each card shows and links that colour.
pub fn grid(cards: &[Card], view: &View, colours: Option<&BTreeSet<String>>, first: Need) -> AnyView {
    let mut html = String::with_capacity(cards.len() * 2_048);
    for (index, card) in cards.iter().enumerate() {
        let need = match (first, index) {
            (Need::First, 0) => Need::First,
            (Need::First, 1..4) => Need::Soon,
            _ => Need::Later,
        };
        let wanted = |colour: &CardColour| {
            card.selected.as_ref() == Some(&colour.value.slug) || colours.is_some_and(|wanted| wanted.contains(&colour.value.slug))
        };
        let colour = card.colours.iter().position(wanted);
        let drawing = Drawing { product: card.id, locale: view.locale, colour, need };
        html.push_str(&view.cards.html(drawing, card, || draw(card, view.locale, colour, need)));
    }
    view! { <ul class="grid" inner_html=html></ul> }.into_any()
}

fn draw(card: &Card, locale: Locale, colour: Option<usize>, need: Need) -> AnyView {
    let messages = shop(locale);
    let chosen = colour.and_then(|at| card.colours.get(at));
    let picture = chosen.and_then(|colour| colour.picture.as_ref()).or(card.picture.as_ref());
    let selection: BTreeMap<_, _> = chosen.map(|colour| ("colour".to_owned(), colour.value.slug.clone())).into_iter().collect();
    let href = Address::new(locale, Route::Product { slug: card.slug.clone(), selection }).url();
    let picture = match picture {
        Some(picture) => decoration(picture, sizes::GRID, need, locale),
        None => placeholder(String::new(), locale),
    };
    let meta = (!card.colours.is_empty()).then(|| {
        let count = messages.colours.text(locale, card.colours.len() as u64);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::memory;

    #[test]
    fn a_card_is_drawn_anew_when_it_looks_otherwise() {
        let (cards, view) = (Cards::default(), memory::view("en-us".parse().expect("a locale")));
        let html = |card: &Card, colour, need| {
            let drawing = Drawing { product: card.id, locale: view.locale, colour, need };
            cards.html(drawing, card, || draw(card, view.locale, colour, need))
        };
        let card = memory::card();
        let first = html(&card, None, Need::Later);
        assert!(Arc::ptr_eq(&first, &html(&card.clone(), None, Need::Later)), "the same card is drawn once");
        let renamed = Card { title: "Another name".to_owned(), ..card.clone() };
        assert!(html(&renamed, None, Need::Later).contains("Another name"));
        assert!(!html(&card, None, Need::Later).contains("Another name"), "and again when it is called as before");
        assert!(html(&card, None, Need::First).contains("fetchpriority") && !html(&card, None, Need::Later).contains("fetchpriority"));
        assert_ne!(html(&card, Some(1), Need::Later), html(&card, None, Need::Later), "another colour is another picture and address");
    }
}
