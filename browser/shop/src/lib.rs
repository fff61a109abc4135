//! The shopper's Wasm module: it references `app` so that its islands are linked in, and wakes them.

use app as _;
use wasm_bindgen::prelude::wasm_bindgen;

/// Called once by the page's loader before islands are woken one by one.
#[wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
