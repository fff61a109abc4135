//! An edge's whole decision: a request in, an answer or "let the origin do it" out. Adapters only carry it: what passes never enters here.

use crate::{
    Log,
    address::{Found, class, find, with_query},
    pages::{Pages, Served},
    rendered::{Live, Moment, Rendered, Reply},
};
use app::{
    pages::{Fault, error_page},
    routes::{Address, Route},
};
use domain::locale::Locale;
use edge_core::{
    Class, Plan,
    headers::{Source, security_headers},
    plan::{Host, plan},
    visitor,
};
use std::sync::Arc;

/// What an edge looks at of a request. Everything else about it is the origin's affair.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    pub method: &'a str,
    pub path: &'a str,
    /// Without its question mark; empty where there is none.
    pub query: &'a str,
    pub cookies: Option<&'a str>,
    pub languages: Option<&'a str>,
    /// Where the host says that the request comes from: ISO 3166-1, two letters.
    pub country: Option<&'a str>,
}

/// What to do with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Let an origin answer. If none can, [`Edge::without_origin`] says what is sent.
    Pass,
    Answer(Answer),
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// How long somebody should wait before trying again what could not be reached, in seconds.
const RETRY_S: &str = "30";

/// The edge of one host.
#[derive(Clone, Debug)]
pub struct Edge {
    pages: Arc<Pages>,
}

impl Edge {
    pub fn new(pages: Arc<Pages>) -> Self {
        Self { pages }
    }

    /// Decides about a request, and renders what an edge renders.
    pub async fn answer(&self, request: Request<'_>) -> Verdict {
        if !matches!(request.method, "GET" | "HEAD") {
            return Verdict::Pass;
        }
        if request.path == "/" {
            let home = Address::new(suggested(request), Route::Home).url();
            return Verdict::Answer(leading(303, &with_query(&home, request.query), "no-store", self.is_https()));
        }
        let address = match find(request.path, request.query) {
            Found::Here(address) => address,
            Found::There(to) => return Verdict::Answer(moved(&to, true, self.is_https())),
            // What is no page of ours may still be something of the origin's, which also says 400 and 404.
            Found::Broken | Found::Nowhere => return Verdict::Pass,
        };
        let class = class(&address);
        let Plan::Cached(freshness) = plan(class, Host::Edge) else { return Verdict::Pass };
        match self.pages.serve(&address, class, freshness, request.cookies).await {
            // The origin sees more than a replica, and nobody is told that something is missing because a replica lags.
            Ok(Served::Page(reply)) if reply.status != 200 => Verdict::Pass,
            Ok(Served::Page(reply)) => Verdict::Answer(self.page(reply, request)),
            Ok(Served::Elsewhere { to, permanent }) => Verdict::Answer(moved(&to, permanent, self.is_https())),
            Err(error) => {
                self.pages.machine.log(Log::Unmade { reason: &error.to_string() });
                Verdict::Pass
            }
        }
    }

    /// What is said when no origin can be reached: that what belongs to the visitor is kept, and how to go on. Always 503.
    pub async fn without_origin(&self, request: Request<'_>) -> Answer {
        let found = find(request.path, request.query);
        let locale = match &found {
            Found::Here(address) => address.locale,
            _ => first_part(request.path).unwrap_or_else(|| suggested(request)),
        };
        let view = self.pages.view_at_any_rate(locale).await;
        let fault = fault(request.method, &found);
        let Ok(page) = Rendered::new(&self.pages.assets, &view, error_page(&view, fault, "")) else {
            return Answer { status: 503, headers: vec![("cache-control".to_owned(), "no-store".to_owned())], body: String::new() };
        };
        let cart_count = visitor::cart_count(request.cookies);
        let moment = Moment { class: Class::Private, source: Source::Miss, shop: &view.shop, live: &Live::none(), cart_count };
        let mut answer = self.page(page.respond(&self.pages, moment), request);
        answer.headers.push(("retry-after".to_owned(), RETRY_S.to_owned()));
        answer
    }

    fn page(&self, reply: Reply, request: Request<'_>) -> Answer {
        let mut headers = vec![("content-type".to_owned(), "text/html; charset=utf-8".to_owned())];
        headers.extend(reply.headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        if let Some(source) = reply.source {
            headers.push(("x-template".to_owned(), source.as_str().to_owned()));
        }
        headers.extend(secured(self.is_https(), Some(&reply.nonce)));
        let mut body = String::new();
        if request.method != "HEAD" {
            body.reserve(reply.frames.iter().map(bytes::Bytes::len).sum());
            // Frames are pieces of text, cut between characters.
            reply.frames.iter().filter_map(|frame| std::str::from_utf8(frame).ok()).for_each(|frame| body.push_str(frame));
        }
        Answer { status: reply.status, headers, body }
    }

    fn is_https(&self) -> bool {
        self.pages.url.starts_with("https://")
    }
}

/// What is said when what an answer needs cannot be read now: of a page that is everybody's, that it is not there; of all the rest, that the cart
/// is kept.
pub fn fault(method: &str, found: &Found) -> Fault {
    let is_public = matches!(found, Found::Here(address) if class(address) != Class::Private) && matches!(method, "GET" | "HEAD");
    if is_public { Fault::Unavailable } else { Fault::OutOfReach }
}

fn suggested(request: Request<'_>) -> Locale {
    visitor::suggested_locale(request.cookies, request.languages, request.country)
}

fn first_part(path: &str) -> Option<Locale> {
    path.strip_prefix('/')?.split('/').next()?.parse().ok()
}

fn secured(is_https: bool, nonce: Option<&str>) -> impl Iterator<Item = (String, String)> {
    // A page that an edge renders has no form that leads to a payment provider.
    security_headers(is_https, nonce, None).into_iter().map(|(name, value)| (name.to_owned(), value.into_owned()))
}

fn moved(to: &str, permanent: bool, is_https: bool) -> Answer {
    // A permanent redirect without a limit would outlive our change of mind.
    leading(if permanent { 301 } else { 302 }, to, "private, max-age=60", is_https)
}

fn leading(status: u16, to: &str, cache_control: &str, is_https: bool) -> Answer {
    // Addresses are printed with escapes; a query that came as it is must not break out of its header.
    if to.bytes().any(|byte| byte.is_ascii_control() || !byte.is_ascii()) {
        return leading(status, to.split('?').next().filter(|path| path.is_ascii()).unwrap_or("/"), cache_control, is_https);
    }
    let mut headers = vec![("location".to_owned(), to.to_owned()), ("cache-control".to_owned(), cache_control.to_owned())];
    headers.extend(secured(is_https, None));
    Answer { status, headers, body: String::new() }
}
