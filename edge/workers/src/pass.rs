//! Passing to an origin. Bodies stay JavaScript streams and never enter Wasm memory; a form is the exception that proves useful: up to
//! 64 kB are kept (by JavaScript) until the answer is there, because a stream could not be sent to a second origin; JavaScript also looks
//! whether they name a key under which they may be sent again.

use crate::isolate::now_us;
use edge_core::pass::{COUNTRY, DROPPED, KEPT_BYTES_MAX, Rests, Trouble, is_safe, is_the_shops, may_repeat, path_and_query, patience_ms, trouble};
use std::{cell::RefCell, time::Duration};
use worker::{
    AbortController, Delay, Error, Result, console_error,
    js_sys::{self, JsString, Reflect, RegExp, futures::JsFuture},
    wasm_bindgen::{JsCast as _, JsValue},
    web_sys::{Headers, Request, RequestInit, RequestRedirect, Response, WorkerGlobalScope},
};

thread_local! {
    static RESTS: RefCell<Rests> = RefCell::default();
}

/// A body as it can be sent.
enum Load {
    None,
    /// Kept, and sent as often as need be; whether it is a form with a mutation id.
    Kept {
        body: JsValue,
        has_mutation: bool,
    },
    /// Sent once.
    Stream(JsValue),
}

/// The answer of the first origin that has a good one, or else the last bad one of a shop; `None` if no shop answered at all.
pub async fn pass(origins: &[String], request: &Request) -> Result<Option<Response>> {
    let method = request.method();
    let headers = cleaned(request)?;
    let load = load(request, &method).await?;
    let url = request.url();
    let order = RESTS.with(|rests| rests.borrow().order(origins.len(), is_safe(&method), now_us()));
    let mut best = None;
    for (turn, place) in order.iter().enumerate() {
        let is_last = turn + 1 == order.len();
        let origin = &origins[*place];
        let target = [origin.as_str(), path_and_query(&url)].concat();
        let names_a_key = || names_a_key(&headers, &load);
        let patience = patience_ms(&method, is_last || matches!(load, Load::Stream(_)), names_a_key);
        let problem = match send(&target, &method, &headers, &load, patience).await {
            Ok(answer) => {
                let problem = trouble(answer.status());
                if is_the_shops(answer.status()) {
                    best = Some(answer);
                }
                problem
            }
            Err(error) => {
                console_error!("{origin}: {error}");
                // workerd tells "Network connection lost" whether or not anything was sent; Cloudflare answers 52x.
                Some(Trouble::Unknown)
            }
        };
        let Some(problem) = problem else {
            RESTS.with(|rests| rests.borrow_mut().end(*place));
            break;
        };
        RESTS.with(|rests| rests.borrow_mut().begin(*place, now_us()));
        if matches!(load, Load::Stream(_)) || !may_repeat(&method, problem, names_a_key) {
            break;
        }
    }
    Ok(best)
}

/// What the visitor sent, without what only an edge may say, and with what this one says.
fn cleaned(request: &Request) -> Result<Headers> {
    let given = request.headers();
    let headers = Headers::new_with_headers(&given)?;
    for name in DROPPED {
        headers.delete(name)?;
    }
    if cf(request, "clientAcceptEncoding").is_some_and(|accepted| accepted.is_empty()) {
        // In the visitor's place Cloudflare asks for brotli; local workerd hands that to somebody who did not.
        headers.set("accept-encoding", "identity")?;
    }
    if let Some(address) = given.get("cf-connecting-ip")? {
        headers.set("x-forwarded-for", &address)?;
    }
    if let Some(country) = country(request) {
        headers.set(COUNTRY, &country)?;
    }
    Ok(headers)
}

/// The country that Cloudflare sees a request come from, ISO 3166-1 alpha-2 in capitals (T1 for Tor, XX for unknown).
pub fn country(request: &Request) -> Option<String> {
    cf(request, "country")
}

/// The continent that Cloudflare sees a request come from, in two letters.
pub fn continent(request: &Request) -> Option<String> {
    cf(request, "continent")
}

/// A text that Cloudflare says about a request.
fn cf(request: &Request, name: &str) -> Option<String> {
    let cf = Reflect::get(request, &"cf".into()).ok().filter(JsValue::is_object)?;
    Reflect::get(&cf, &name.into()).ok()?.as_string()
}

async fn load(request: &Request, method: &str) -> Result<Load> {
    let Some(body) = request.body() else { return Ok(Load::None) };
    if matches!(method, "GET" | "HEAD") {
        return Ok(Load::None);
    }
    let length = request.headers().get("content-length")?.and_then(|length| length.parse::<u64>().ok());
    if length.is_some_and(|length| length <= KEPT_BYTES_MAX) {
        let body = JsFuture::from(request.array_buffer()?).await?;
        let has_mutation = is_form(&request.headers()) && has_mutation(&body).await?;
        Ok(Load::Kept { body, has_mutation })
    } else {
        Ok(Load::Stream(body.into()))
    }
}

async fn send(target: &str, method: &str, headers: &Headers, load: &Load, patience_ms: Option<u64>) -> Result<Response> {
    let init = RequestInit::new();
    init.set_method(method);
    init.set_headers(headers);
    // A redirect is the visitor's to follow.
    init.set_redirect(RequestRedirect::Manual);
    if let Load::Kept { body, .. } | Load::Stream(body) = load {
        init.set_body(body);
    }
    let controller = AbortController::default();
    if patience_ms.is_some() {
        init.set_signal(Some(&controller.signal()));
    }
    let scope: WorkerGlobalScope = js_sys::global().unchecked_into();
    let answer = JsFuture::from(scope.fetch_with_request(&Request::new_with_str_and_init(target, &init)?));
    let Some(patience_ms) = patience_ms else { return Ok(answer.await?.dyn_into()?) };
    // Dropped when the answer begins: from there the body may take its time.
    let begun = first_of(answer, Delay::from(Duration::from_millis(patience_ms))).await;
    let Some(answer) = begun else {
        controller.abort();
        return Err(Error::RustError(format!("no answer in {patience_ms} ms")));
    };
    Ok(answer?.dyn_into()?)
}

fn names_a_key(headers: &Headers, load: &Load) -> bool {
    headers.has("idempotency-key").unwrap_or(false) || matches!(load, Load::Kept { has_mutation: true, .. })
}

fn is_form(headers: &Headers) -> bool {
    headers.get("content-type").ok().flatten().is_none_or(|kind| kind.starts_with("application/x-www-form-urlencoded"))
}

/// Whether a form has a field `mutation` that is not empty. It is not copied into Wasm: people type addresses into forms.
async fn has_mutation(body: &JsValue) -> Result<bool> {
    let copy = Response::new_with_opt_buffer_source(Some(body.unchecked_ref()))?;
    let text: JsString = JsFuture::from(copy.text()?).await?.unchecked_into();
    Ok(text.search(&RegExp::new("(^|&)mutation=[^&]", "")) >= 0)
}

/// The work's outcome, or `None` if the timer was first.
async fn first_of<T>(work: impl Future<Output = T>, timer: impl Future<Output = ()>) -> Option<T> {
    let (mut work, mut timer) = (std::pin::pin!(work), std::pin::pin!(timer));
    std::future::poll_fn(|context| {
        if let std::task::Poll::Ready(outcome) = work.as_mut().poll(context) {
            return std::task::Poll::Ready(Some(outcome));
        }
        timer.as_mut().poll(context).map(|()| None)
    })
    .await
}
