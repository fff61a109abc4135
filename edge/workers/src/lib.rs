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
    match pass::pass(&settings, &request).await? {
        Some(answer) => Ok(answer),
        None => unreachable_shop(),
    }
}

/// No origin answers.
fn unreachable_shop() -> Result<web_sys::Response> {
    let headers = web_sys::Headers::new()?;
    headers.set("content-type", "text/plain; charset=utf-8")?;
    headers.set("cache-control", "no-store")?;
    headers.set("retry-after", "10")?;
    let init = web_sys::ResponseInit::new();
    init.set_status(503);
    init.set_headers(&headers);
    let words = "The shop cannot be reached right now. Your cart is kept. Please try again in a minute.\n";
    Ok(web_sys::Response::new_with_opt_str_and_init(Some(words), &init)?)
}
