//! A picture in the sizes that exist, with its own size so that nothing shifts, or a placeholder where there is none to show.

use crate::{i18n::shop, routes::media};
use domain::{
    catalog::{Picture, PictureSource},
    locale::Locale,
};
use leptos::prelude::*;
use std::fmt::Write as _;

/// How urgently a picture is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Need {
    /// The largest thing that is seen first: at most one a page.
    First,
    /// Likely seen without scrolling.
    Soon,
    /// When it comes near.
    Later,
}

/// How wide a picture is shown, by place (the breakpoints of the style sheets).
pub mod sizes {
    pub const GRID: &str = "(min-width: 70rem) 25vw, (min-width: 44rem) 33vw, 50vw";
    pub const FIELDS: &str = "(min-width: 44rem) 33vw, 50vw";
    pub const GALLERY: &str = "(min-width: 54rem) 62vw, 88vw";
    pub const GALLERY_HALF: &str = "(min-width: 54rem) 31vw, 88vw";
    pub const HERO: &str = "(min-width: 54rem) 74vw, 100vw";
    pub const SPLIT: &str = "(min-width: 54rem) 62vw, 100vw";
    pub const SMALL: &str = "88px";
}

/// A picture with its own alternative text.
pub fn picture(picture: &Picture, sizes: &'static str, need: Need, locale: Locale) -> AnyView {
    image(picture, picture.alt.clone(), sizes, need, locale)
}

/// A picture beside words that say the same: no alternative text.
pub fn decoration(picture: &Picture, sizes: &'static str, need: Need, locale: Locale) -> AnyView {
    image(picture, String::new(), sizes, need, locale)
}

/// Stands where there is no picture.
pub fn placeholder(alt: String, locale: Locale) -> AnyView {
    if alt.is_empty() {
        return view! { <span class="placeholder" aria-hidden="true"><span>{shop(locale).picture_missing}</span></span> }.into_any();
    }
    view! { <span class="placeholder" role="img" aria-label=alt><span>{shop(locale).picture_missing}</span></span> }.into_any()
}

/// The address of the size nearest to `width_px`, for machines and for Open Graph.
pub fn address(picture: &Picture, width_px: u32) -> Option<String> {
    match &picture.source {
        PictureSource::Sized { path, widths } => {
            let width = widths.iter().copied().filter(|width| *width >= width_px).min().or_else(|| widths.iter().copied().max())?;
            Some(media(&format!("{path}-{width}.webp")))
        }
        PictureSource::File { path } => Some(media(path)),
        PictureSource::Remote { .. } => None,
    }
}

fn image(picture: &Picture, alt: String, sizes: &'static str, need: Need, locale: Locale) -> AnyView {
    let priority = (need == Need::First).then_some("high");
    let loading = (need == Need::Later).then_some("lazy");
    let (width, height) = (picture.width.to_string(), picture.height.to_string());
    match &picture.source {
        PictureSource::Sized { path, widths } => {
            let set = |format: &str| {
                widths.iter().fold(String::with_capacity(widths.len() * 64), |mut set, size| {
                    let _ = write!(set, "{}{} {size}w", if set.is_empty() { "" } else { ", " }, media(&format!("{path}-{size}.{format}")));
                    set
                })
            };
            let src = address(picture, 800);
            view! {
                <picture>
                    <source r#type="image/avif" srcset=set("avif") sizes=sizes/>
                    <img src=src srcset=set("webp") sizes=sizes alt=alt width=width height=height loading=loading fetchpriority=priority decoding="async"/>
                </picture>
            }
            .into_any()
        }
        PictureSource::File { path } => {
            view! { <img src=media(path) alt=alt width=width height=height loading=loading fetchpriority=priority decoding="async"/> }.into_any()
        }
        PictureSource::Remote { .. } => placeholder(alt, locale),
    }
}
