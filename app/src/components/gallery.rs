//! A product's pictures: all colours, the chosen one's first; a mosaic on wide screens, a row to push on phones.

use super::{
    choice::radio_id,
    picture::{Need, picture, placeholder, sizes},
};
use crate::{i18n::shop, islands::Gallery, ports::View};
use domain::catalog::{Picture, ProductDocument};
use leptos::prelude::*;

pub fn gallery(product: &ProductDocument, chosen: usize, view: &View) -> AnyView {
    let colour = product.options.iter().position(|option| option.slug == "colour");
    let place = |picture: &Picture| {
        let value = picture.value.as_deref()?;
        let option = colour?;
        product.options[option].values.iter().position(|known| known.slug == value).map(|value| (option, value))
    };
    let current = colour.and_then(|option| product.variants.get(chosen)?.values.get(option)).cloned();
    let mut pictures: Vec<&Picture> = product.pictures.iter().collect();
    pictures.sort_by_key(|picture| picture.value.is_none() || picture.value != current);
    let mut led = Vec::new();
    let items: Vec<AnyView> = pictures
        .iter()
        .enumerate()
        .map(|(index, shown)| {
            // The first picture of each colour leads when that colour is chosen.
            let class = place(shown).map(|place| {
                let leads = !led.contains(&place);
                led.push(place);
                let place = radio_id(place.0, place.1).replace('o', "");
                if leads { format!("c{place} l{place}") } else { format!("c{place}") }
            });
            let (need, sizes) = if index == 0 { (Need::First, sizes::GALLERY) } else { (Need::Later, sizes::GALLERY_HALF) };
            view! { <li class=class>{picture(shown, sizes, need, view.locale)}</li> }.into_any()
        })
        .collect();
    let items = if items.is_empty() { vec![view! { <li>{placeholder(product.title.clone(), view.locale)}</li> }.into_any()] } else { items };
    // A row that is pushed sideways has to be reached by keys.
    let row = view! { <ul class="gallery" tabindex="0" aria-label=shop(view.locale).pictures>{items}</ul> }.into_any();
    view! { <Gallery>{row}</Gallery> }.into_any()
}
