//! The edge on Cloudflare Workers: what `edge-pages` answers is answered here, all the rest passes to an origin as a stream. Thin: what
//! is decided, others decide.
#![cfg_attr(not(test), deny(clippy::panic, clippy::expect_used, clippy::unreachable))]

mod isolate;
mod pass;
mod settings;

use edge_core::pass::path_and_query;
use edge_pages::{Request as Asked, Verdict, edge::Answer};
use worker::{
    Context, Env, Result, event,
    wasm_bindgen::{self, prelude::wasm_bindgen},
    web_sys::{Headers, Request, Response, ResponseInit},
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
async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
    isolate::within(context, answer(request, env)).await
}

async fn answer(request: Request, env: Env) -> Result<Response> {
    let isolate = isolate::of(&env, pass::continent(&request).as_deref())?;
    let (method, url, headers, country) = (request.method(), request.url(), request.headers(), pass::country(&request));
    let (cookies, languages) = (headers.get("cookie")?, headers.get("accept-language")?);
    let target = path_and_query(&url);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let asked = Asked { method: &method, path, query, cookies: cookies.as_deref(), languages: languages.as_deref(), country: country.as_deref() };
    match isolate.edge.answer(asked).await {
        Verdict::Answer(answer) => whole(answer),
        Verdict::Pass => match pass::pass(&isolate.origins, &request).await? {
            Some(answer) => Ok(answer),
            None => whole(isolate.edge.without_origin(asked).await),
        },
    }
}

/// An answer of the edge's own. The host compresses it as the visitor likes it.
fn whole(answer: Answer) -> Result<Response> {
    let headers = Headers::new()?;
    for (name, value) in &answer.headers {
        headers.append(name, value)?;
    }
    let init = ResponseInit::new();
    init.set_status(answer.status);
    init.set_headers(&headers);
    let body = (!answer.body.is_empty()).then_some(answer.body.as_str());
    Ok(Response::new_with_opt_str_and_init(body, &init)?)
}
