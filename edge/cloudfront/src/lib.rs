//! The edge in a Lambda@Edge function on Node: what `edge-pages` answers is answered here; for all the rest `answer` says `undefined`, and
//! the handler passes the request to its origin. Loaded by edge.mjs.

use js_sys::Array;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// In edge.mjs: tells every request that waits for this instance.
    #[wasm_bindgen(js_name = edgePanicked)]
    fn panicked(reason: &str);
}

#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|info| panicked(&info.to_string())));
}

/// Takes the configuration, once an instance.
#[wasm_bindgen]
pub fn configure(_json: &str) -> Result<(), JsError> {
    Ok(())
}

/// `undefined`, or `{ status, headers: [[name, value]], body }`. `headers` are pairs, names in lower case.
#[wasm_bindgen]
#[expect(clippy::unused_async, reason = "its answer is a promise to JavaScript")]
pub async fn answer(_method: String, _path: String, _query: String, _headers: Array) -> Result<JsValue, JsError> {
    Ok(JsValue::UNDEFINED)
}
