//! The edge on Cloudflare Workers: what `edge-pages` answers is answered here, all the rest passes to an origin as a stream. Thin: what
//! is decided, others decide.

mod pass;
mod settings;

use worker::{
    Context, Env, Result, event,
    wasm_bindgen::{self, prelude::wasm_bindgen},
    web_sys,
};

#[wasm_bindgen]
extern "C" {
    /// In worker.mjs: tells every request that waits for this instance.
    #[wasm_bindgen(js_name = edgePanicked)]
    fn panicked(reason: &str);
}

#[event(start)]
fn start() {
    std::panic::set_hook(Box::new(|info| panicked(&info.to_string())));
}

#[event(fetch)]
async fn fetch(request: web_sys::Request, env: Env, _context: Context) -> Result<web_sys::Response> {
    let settings = settings::of(&env)?;
    pass::pass(&settings, &request).await
}
