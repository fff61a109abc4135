//! Public pages: any address, answered by `edge-pages`.

use crate::{
    Shop,
    http::{
        errors::{Failure, Refusal},
        forms::see_other,
        render,
        visitor::Visitor,
    },
};
use app::{
    document::Assets,
    pages::Fault,
    routes::{Address, CHOICE, Route},
};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use domain::locale::Locale;
use edge_core::{
    Plan,
    headers::Source,
    plan::{Host, plan},
    visitor::LOCALE_COOKIE,
};
use edge_pages::{
    Served, Trouble,
    address::{Found, class, find, with_query},
    pages::Room,
};
use http::{HeaderMap, HeaderValue, Method as Verb, StatusCode, Uri, header};
use metrics::Counter;
use std::{path::Path, sync::LazyLock};

/// Templates kept, and their size. A page of 24 products is about 60 kB.
pub const ROOM: Room = Room { templates_max: 4_000, bytes_max: 128 * 1024 * 1024 };
/// How long a chosen locale is remembered, in seconds: a year, as the page on cookies says.
const CHOICE_KEPT_S: u32 = 31_536_000;

/// Reads what the build left beside the binary; without it pages work, unstyled.
pub fn assets(site: &Path) -> Assets {
    std::fs::read_to_string(site.join("manifest.json")).ok().and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_else(|| {
        tracing::warn!(site = %site.display(), "there is no manifest.json of built assets: run `cargo xtask build`");
        Assets::default()
    })
}

/// `/` answers 303 by cookie, then by Accept-Language. Never cached.
pub async fn root(visitor: Visitor, uri: Uri) -> Response {
    let home = Address::new(visitor.suggested_locale(), Route::Home).url();
    see_other(&with_query(&home, uri.query().unwrap_or_default()))
}

/// The locale switch: leads to the page, and remembers its locale for `/`. A page of another site cannot choose for a visitor.
pub async fn choose(State(shop): State<Shop>, uri: Uri, headers: HeaderMap) -> Result<Response, Failure> {
    let path = uri.path().strip_prefix(CHOICE).unwrap_or_default();
    let address = Address::parse(path, uri.query().unwrap_or_default()).ok_or(Fault::NotFound)?;
    let mut response = see_other(&address.url());
    let ours = headers.get("sec-fetch-site").is_none_or(|site| matches!(site.as_bytes(), b"same-origin" | b"none"));
    if ours && Locale::OFFERED.contains(&address.locale) {
        let secure = if shop.config.is_https() { "; Secure" } else { "" };
        let cookie = format!("{LOCALE_COOKIE}={}; Path=/; Max-Age={CHOICE_KEPT_S}; HttpOnly; SameSite=Lax{secure}", address.locale);
        response.headers_mut().extend(HeaderValue::from_str(&cookie).ok().map(|cookie| (header::SET_COOKIE, cookie)));
    }
    Ok(response)
}

/// Any address that no other route answers.
pub async fn page(State(shop): State<Shop>, verb: Verb, uri: Uri, visitor: Visitor) -> Result<Response, Failure> {
    let address = match find(uri.path(), uri.query().unwrap_or_default()) {
        Found::Here(address) => address,
        Found::There(to) => return Ok(moved(&to, true)),
        Found::Broken => return Err(Fault::BadRequest.into()),
        Found::Nowhere => return Err(Fault::NotFound.into()),
    };
    if verb != Verb::GET && verb != Verb::HEAD {
        return Ok((StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response());
    }
    let class = class(&address);
    // Private pages have routes of their own.
    let Plan::Cached(freshness) = plan(class, Host::Origin) else { return Err(Fault::NotFound.into()) };
    match shop.pages.serve(&address, class, freshness, visitor.cookies()).await {
        Ok(Served::Page(reply)) => {
            if let Some(source) = reply.source {
                count(source);
            }
            Ok(render::response(reply))
        }
        Ok(Served::Elsewhere { to, permanent }) => Ok(moved(&to, permanent)),
        Err(Trouble::Unread(error)) => Err(error.into()),
        Err(Trouble::Malformed(error)) => Err(Failure::Broken(error.into())),
    }
}

fn count(source: Source) {
    static COUNTERS: LazyLock<[Counter; 3]> =
        LazyLock::new(|| [Source::Hit, Source::Stale, Source::Miss].map(|source| metrics::counter!("pages_total", "template" => source.as_str())));
    COUNTERS[source as usize].increment(1);
}

fn moved(to: &str, permanent: bool) -> Response {
    let status = if permanent { StatusCode::MOVED_PERMANENTLY } else { StatusCode::FOUND };
    match HeaderValue::from_str(to) {
        // A permanent redirect without a limit would outlive our change of mind.
        Ok(location) => {
            (status, [(header::LOCATION, location), (header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=60"))]).into_response()
        }
        Err(_) => Refusal::new(Fault::NotFound).into_response(),
    }
}
