//! The edge in a Lambda@Edge function on Node: what `edge-pages` answers is answered here; for all the rest `answer` says `undefined`, and
//! the handler passes the request to its origin. Loaded by edge.mjs.
#![cfg_attr(not(test), deny(clippy::panic, clippy::expect_used, clippy::unreachable))]

mod instance;

use edge_pages::{Request, Verdict, edge::Answer};
use instance::Instance;
use js_sys::{Array, Object, Reflect};
use wasm_bindgen::prelude::*;

/// From which country CloudFront sees the visitor come, if the distribution is told to add it.
const COUNTRY: &str = "cloudfront-viewer-country";

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

/// Takes the configuration, with credentials. Again with other credentials: what is cached stays.
#[wasm_bindgen]
pub fn configure(json: &str) -> Result<(), JsError> {
    instance::configure(json).map_err(|error| JsError::new(&format!("the configuration: {error}")))
}

/// `undefined`, or `{ status, headers: [[name, value]], body }`. `headers` are pairs, names in lower case.
#[wasm_bindgen]
pub async fn answer(method: String, path: String, query: String, headers: Array) -> Result<JsValue, JsError> {
    let headers = Headers::read(&headers);
    match configured()?.edge.answer(headers.request(&method, &path, &query)).await {
        Verdict::Answer(answer) => Ok(object(&answer)),
        Verdict::Pass => Ok(JsValue::UNDEFINED),
    }
}

/// What is sent when no origin can be reached; the same form as `answer`'s.
#[wasm_bindgen(js_name = withoutOrigin)]
pub async fn without_origin(method: String, path: String, query: String, headers: Array) -> Result<JsValue, JsError> {
    let headers = Headers::read(&headers);
    Ok(object(&configured()?.edge.without_origin(headers.request(&method, &path, &query)).await))
}

fn configured() -> Result<Instance, JsError> {
    instance::get().ok_or_else(|| JsError::new("`configure` comes first"))
}

/// The headers that an edge looks at.
#[derive(Default)]
struct Headers {
    cookies: Option<String>,
    languages: Option<String>,
    country: Option<String>,
}

impl Headers {
    fn read(pairs: &Array) -> Self {
        let mut headers = Self::default();
        for pair in pairs.iter() {
            let pair = Array::from(&pair);
            let (Some(name), Some(value)) = (pair.get(0).as_string(), pair.get(1).as_string()) else { continue };
            match name.as_str() {
                // HTTP/2 lets a browser send each cookie by itself (RFC 9113, 8.2.3).
                "cookie" => headers.cookies = Some(headers.cookies.map_or(value.clone(), |known| format!("{known}; {value}"))),
                "accept-language" => headers.languages = Some(value),
                COUNTRY => headers.country = Some(value),
                _ => {}
            }
        }
        headers
    }

    fn request<'a>(&'a self, method: &'a str, path: &'a str, query: &'a str) -> Request<'a> {
        let (cookies, languages, country) = (self.cookies.as_deref(), self.languages.as_deref(), self.country.as_deref());
        Request { method, path, query, cookies, languages, country }
    }
}

fn object(answer: &Answer) -> JsValue {
    let headers: Array = answer.headers.iter().map(|(name, value)| Array::of2(&name.into(), &value.into())).collect();
    let object = Object::new();
    for (name, value) in [("status", answer.status.into()), ("headers", headers.into()), ("body", answer.body.as_str().into())] {
        // Setting a field of a plain object cannot fail.
        let _set = Reflect::set(&object, &name.into(), &value);
    }
    object.into()
}
