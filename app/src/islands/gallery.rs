//! Arrow keys turn a product's pictures. All three islands with the runtime that they
//! share are 41 kB brotli, glue and loader included; this one is the smallest of them.

use leptos::{ev::KeyboardEvent, prelude::*};

/// Wraps the list of pictures, which scrolls by itself where it is a row.
#[island]
pub fn Gallery(children: Children) -> impl IntoView {
    view! { <div class="pictures" on:keydown=turn>{children()}</div> }
}

#[cfg(feature = "hydrate")]
fn turn(event: KeyboardEvent) {
    use wasm_bindgen::JsCast as _;
    let step = match event.key().as_str() {
        "ArrowRight" => 1,
        "ArrowLeft" => -1,
        _ => return,
    };
    let Some(row) = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok()) else { return };
    // A mosaic does not scroll sideways: its keys keep their meaning.
    if row.scroll_width() <= row.client_width() {
        return;
    }
    if let Some(picture) = row.first_element_child() {
        event.prevent_default();
        row.set_scroll_left(row.scroll_left() + step * picture.client_width());
    }
}

#[cfg(not(feature = "hydrate"))]
fn turn(_: KeyboardEvent) {}
