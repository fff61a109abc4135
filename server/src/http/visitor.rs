//! What a request says about who sent it: cookies, languages, the locale in its path. Nothing of it is kept.

use crate::http::errors::Refusal;
use app::pages::Fault;
use axum::extract::FromRequestParts;
use domain::locale::Locale;
use edge_core::{pass::COUNTRY, visitor};
use http::{HeaderMap, Uri, header, request::Parts};
use std::convert::Infallible;

/// A visitor's cookies and languages.
#[derive(Clone, Debug, Default)]
pub struct Visitor {
    cookies: Option<String>,
    languages: Option<String>,
    /// Where an edge sees the visitor come from. Whoever makes it up is only shown another language.
    country: Option<String>,
    /// Where the cart is known, the cookie no longer counts.
    cart_count: Option<u32>,
}

/// The locale that a page's path begins with. Another path is not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InLocale(pub Locale);

/// As CloudFront says it to an origin that answers for the edge. It only suggests a language.
const CLOUDFRONT: &str = "cloudfront-viewer-country";

impl Visitor {
    pub fn of(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let (cookies, languages) = (text(header::COOKIE.as_str()), text(header::ACCEPT_LANGUAGE.as_str()));
        Self { cookies, languages, country: text(COUNTRY).or_else(|| text(CLOUDFRONT)), cart_count: None }
    }

    /// All cookies, as they were sent.
    pub fn cookies(&self) -> Option<&str> {
        self.cookies.as_deref()
    }

    /// A cookie's value.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        visitor::cookie(self.cookies.as_deref()?, name)
    }

    /// The number on the cart's badge.
    pub fn cart_count(&self) -> u32 {
        self.cart_count.unwrap_or_else(|| visitor::cart_count(self.cookies.as_deref()))
    }

    /// The same visitor, with the number that this request made true.
    #[must_use]
    pub fn with_cart_count(&self, pieces: u32) -> Self {
        Self { cart_count: Some(pieces), ..self.clone() }
    }

    /// The locale to suggest where the address names none.
    pub fn suggested_locale(&self) -> Locale {
        visitor::suggested_locale(self.cookies.as_deref(), self.languages.as_deref(), self.country.as_deref())
    }

    /// The locale of the address, or the one to suggest.
    pub fn locale_for(&self, uri: &Uri) -> Locale {
        locale_in(uri).unwrap_or_else(|| self.suggested_locale())
    }
}

pub fn locale_in(uri: &Uri) -> Option<Locale> {
    uri.path().strip_prefix('/')?.split('/').next()?.parse().ok()
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for InLocale {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        locale_in(&parts.uri).map(Self).ok_or(Refusal::new(Fault::NotFound))
    }
}
