//! Posts the form without leaving the page, says what happened and renews the badge; on any trouble the form is sent as if there
//! were no script. The dearest of the three: `fetch` with its promises, `FormData`, `DOMParser`.

use leptos::{ev::MouseEvent, prelude::*};

/// Wraps quantity and buttons inside the form. A press of Enter arrives as a click on the form's button too.
#[island]
pub fn AddToCart(children: Children) -> impl IntoView {
    view! {
        <div class="add" on:click=clicked>{children()}</div>
        <p class="added" role="status"></p>
    }
}

#[cfg(not(feature = "hydrate"))]
fn clicked(_: MouseEvent) {}

#[cfg(feature = "hydrate")]
fn clicked(event: MouseEvent) {
    use wasm_bindgen::JsCast as _;
    let Some(target) = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok()) else { return };
    let Ok(Some(button)) = target.closest("button:not([type=button])") else { return };
    let Ok(Some(form)) = button.closest("form") else { return };
    let (Ok(button), Ok(form)) = (button.dyn_into::<web_sys::HtmlElement>(), form.dyn_into::<web_sys::HtmlFormElement>()) else { return };
    // The browser says what is missing.
    if !form.check_validity() || button.has_attribute("aria-busy") {
        if button.has_attribute("aria-busy") {
            event.prevent_default();
        }
        return;
    }
    event.prevent_default();
    let _ = button.set_attribute("aria-busy", "true");
    leptos::task::spawn_local(async move {
        let done = client::send(&form).await.is_some();
        let _ = button.remove_attribute("aria-busy");
        if !done {
            let _ = form.submit();
        }
    });
}

#[cfg(feature = "hydrate")]
mod client {
    use wasm_bindgen::{JsCast as _, JsValue, prelude::wasm_bindgen};
    use wasm_bindgen_futures::JsFuture;
    use web_sys::{DomParser, FormData, HtmlFormElement, RequestInit, Response, SupportedType, UrlSearchParams};

    #[wasm_bindgen]
    extern "C" {
        /// Not there outside secure contexts.
        #[wasm_bindgen(catch, js_namespace = crypto, js_name = randomUUID)]
        fn random_uuid() -> Result<String, JsValue>;
    }

    /// `None`: nothing is known to have happened, or the answer was no fragment; the plain form finds out.
    pub async fn send(form: &HtmlFormElement) -> Option<()> {
        let window = web_sys::window()?;
        let document = window.document()?;
        let body = UrlSearchParams::new_with_str_sequence_sequence(&FormData::new_with_form(form).ok()?.into()).ok()?;
        let init = RequestInit::new();
        init.set_method("POST");
        init.set_body(&body);
        let headers = web_sys::Headers::new().ok()?;
        headers.set("x-fragment", "1").ok()?;
        init.set_headers(&headers);
        let response: Response = JsFuture::from(window.fetch_with_str_and_init(&form.action(), &init)).await.ok()?.dyn_into().ok()?;
        if response.status() != 200 || response.redirected() {
            return None;
        }
        let text = JsFuture::from(response.text().ok()?).await.ok()?.as_string()?;
        let fragment = DomParser::new().ok()?.parse_from_string(&text, SupportedType::TextHtml).ok()?;
        let badge = fragment.query_selector("b").ok()??;
        let said = fragment.query_selector("[role=status]").ok()??.text_content()?;
        document.query_selector(".bag b").ok()??.replace_with_with_node_1(&badge).ok()?;
        document.query_selector(".added").ok()??.set_text_content(Some(&said));
        // The next press is a new wish.
        if let (Ok(fresh), Ok(Some(input))) = (random_uuid(), form.query_selector("[name=mutation]")) {
            let _ = input.set_attribute("value", &fresh);
        }
        Some(())
    }
}
