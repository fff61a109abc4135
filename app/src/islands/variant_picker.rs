//! Keeps the address in step with what is chosen, so that a reload, a shared link or the language switch finds it again, and turns the
//! pictures to the chosen colour. Price, availability and pictures themselves follow by CSS, without any code. What it imports beside the
//! shared runtime: `URL`, `URLSearchParams`, `history`.

use leptos::{ev::Event, prelude::*};

/// Wraps the fieldsets of options.
#[island]
pub fn VariantPicker(children: Children) -> impl IntoView {
    view! { <div class="options" on:change=chosen>{children()}</div> }
}

#[cfg(feature = "hydrate")]
fn chosen(event: Event) {
    // Nothing depends on it: where the browser refuses, the page stays as it is.
    let _ = keep(&event);
}

#[cfg(feature = "hydrate")]
fn keep(event: &Event) -> Option<()> {
    use wasm_bindgen::{JsCast as _, JsValue};
    let input: web_sys::HtmlInputElement = event.target()?.dyn_into().ok()?;
    let window = web_sys::window()?;
    let document = window.document()?;
    let url = web_sys::Url::new(&window.location().href().ok()?).ok()?;
    url.search_params().set(&input.name(), &input.value());
    // The first choice also names the others that are chosen: the address is whole.
    let checked = document.query_selector_all(".item input[type=radio]:checked").ok()?;
    for index in 0..checked.length() {
        let other: web_sys::HtmlInputElement = checked.get(index)?.dyn_into().ok()?;
        url.search_params().set(&other.name(), &other.value());
    }
    window.history().ok()?.replace_state_with_url(&JsValue::NULL, "", Some(&url.href())).ok()?;
    let links = document.query_selector_all("a[hreflang]").ok()?;
    for index in 0..links.length() {
        let link: web_sys::Element = links.get(index)?.dyn_into().ok()?;
        let path = link.get_attribute("href")?;
        let path = path.split('?').next().unwrap_or_default();
        link.set_attribute("href", &(path.to_owned() + &url.search())).ok()?;
    }
    if let Some(row) = document.query_selector(".gallery").ok()? {
        row.set_scroll_left(0);
    }
    Some(())
}

#[cfg(not(feature = "hydrate"))]
fn chosen(_: Event) {}
