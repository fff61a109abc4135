//! Every URL of the shop is a value: one parser for edge, origin and links, and one printer. Nothing else spells a path.

mod action;

pub use action::Action;

use domain::{
    locale::{Language, Locale},
    search::{FILTER_VALUES_MAX, Filter, Sort, is_slug},
};
use std::{borrow::Cow, collections::BTreeMap, fmt::Write as _};

/// A page's address: in which locale, and which page.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    pub locale: Locale,
    pub route: Route,
}

/// Which page.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    Home,
    /// `/c/{slug}`
    Category {
        slug: String,
        query: ListQuery,
    },
    /// `/t/{slug}`
    Tag {
        slug: String,
        query: ListQuery,
    },
    /// `/all`
    All {
        query: ListQuery,
    },
    /// `/p/{slug}?colour=…&size=…`
    Product {
        slug: String,
        selection: BTreeMap<String, String>,
    },
    /// `/search?q=`
    Search {
        text: String,
        query: ListQuery,
    },
    Cart,
    Checkout,
    /// `/orders/{secret}`
    Order {
        secret: String,
    },
    /// `/orders/{secret}/invoices/{number}`, and the same as a PDF: `….pdf`
    Invoice {
        secret: String,
        number: String,
        pdf: bool,
    },
    /// `/orders/find`: the way back to an order without its link.
    FindOrder,
    /// `/pages/{slug}`: promo pages.
    Page {
        slug: String,
    },
    /// `/help/{slug}`: policies and service.
    Help {
        slug: String,
    },
}

/// How a list is narrowed, ordered and turned.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListQuery {
    pub filter: Filter,
    pub sort: Sort,
    /// From 1.
    pub page: u32,
}

impl Default for ListQuery {
    fn default() -> Self {
        Self { filter: Filter::default(), sort: Sort::default(), page: 1 }
    }
}

impl ListQuery {
    /// Whether this is a page of the list as the shop orders it, which is kept ready-made.
    pub fn is_default_order(&self) -> bool {
        self.filter.is_empty() && self.sort == Sort::default()
    }

    /// The same list, turned to another page.
    #[must_use]
    pub fn with_page(&self, page: u32) -> Self {
        Self { page, ..self.clone() }
    }

    /// The same list with another filter, from its first page.
    #[must_use]
    pub fn with_filter(&self, filter: Filter) -> Self {
        Self { filter, page: 1, ..self.clone() }
    }
}

/// Who may render a page, and for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The same for everybody: a cached template with holes, rendered anywhere.
    Public,
    /// The same for everybody, but needs search or SQL: rendered at the origin, kept for up to a minute.
    PublicFromOrigin,
    /// One visitor's own: never stored.
    Private,
}

/// The longest path and query that can be an address.
const URL_BYTES_MAX: usize = 4096;
/// The longest search text, in characters.
pub const SEARCH_CHARS_MAX: usize = 120;
/// Most options that a product may have.
const OPTIONS_MAX: usize = 3;
/// The last page that anybody turns to.
const PAGE_MAX: u32 = 10_000;

impl Address {
    pub const fn new(locale: Locale, route: Route) -> Self {
        Self { locale, route }
    }

    /// Reads a path and a query (without its question mark). `None`: there is no such page. Unknown query keys are left out.
    pub fn parse(path: &str, query: &str) -> Option<Self> {
        if path.len() + query.len() > URL_BYTES_MAX {
            return None;
        }
        let mut parts = path.strip_prefix('/')?.split('/');
        let locale: Locale = parts.next()?.parse().ok()?;
        let rest: Vec<Cow<'_, str>> = parts.map(|part| decoded(part, false)).collect::<Option<_>>()?;
        let rest: Vec<&str> = rest.iter().map(AsRef::as_ref).collect();
        let rest = if let [head @ .., ""] = rest.as_slice() { head } else { rest.as_slice() };
        let pairs = pairs(query);
        let list = || list_query(&pairs, locale);
        let route = match rest {
            [] => Route::Home,
            ["all"] => Route::All { query: list() },
            ["search"] => Route::Search { text: search_text(&pairs), query: list() },
            ["cart"] => Route::Cart,
            ["checkout"] => Route::Checkout,
            ["c", slug] if is_slug(slug) => Route::Category { slug: (*slug).to_owned(), query: list() },
            ["t", slug] if is_slug(slug) => Route::Tag { slug: (*slug).to_owned(), query: list() },
            ["p", slug] if is_slug(slug) => Route::Product { slug: (*slug).to_owned(), selection: selection(&pairs) },
            ["pages", slug] if is_slug(slug) => Route::Page { slug: (*slug).to_owned() },
            ["help", slug] if is_slug(slug) => Route::Help { slug: (*slug).to_owned() },
            ["orders", "find"] => Route::FindOrder,
            ["orders", secret, "invoices", name] if is_secret(secret) => {
                let (number, pdf) = name.strip_suffix(".pdf").map_or((*name, false), |number| (number, true));
                is_number(number).then(|| Route::Invoice { secret: (*secret).to_owned(), number: number.to_owned(), pdf })?
            }
            ["orders", secret] if is_secret(secret) => Route::Order { secret: (*secret).to_owned() },
            _ => return None,
        };
        Some(Self { locale, route })
    }

    /// The path with its canonical query: the same page has one address.
    pub fn url(&self) -> String {
        let locale = self.locale;
        let mut query = Vec::new();
        let mut url = match &self.route {
            Route::Home => format!("/{locale}"),
            Route::Category { slug, .. } => format!("/{locale}/c/{}", encoded(slug)),
            Route::Tag { slug, .. } => format!("/{locale}/t/{}", encoded(slug)),
            Route::All { .. } => format!("/{locale}/all"),
            Route::Product { slug, selection } => {
                query.extend(selection.iter().map(|(option, value)| (option.clone(), value.clone())));
                format!("/{locale}/p/{}", encoded(slug))
            }
            Route::Search { text, .. } => {
                if !text.is_empty() {
                    query.push(("q".to_owned(), text.clone()));
                }
                format!("/{locale}/search")
            }
            Route::Cart => format!("/{locale}/cart"),
            Route::Checkout => format!("/{locale}/checkout"),
            Route::Order { secret } => format!("/{locale}/orders/{}", encoded(secret)),
            Route::Invoice { secret, number, pdf } => {
                format!("/{locale}/orders/{}/invoices/{}{}", encoded(secret), encoded(number), if *pdf { ".pdf" } else { "" })
            }
            Route::FindOrder => format!("/{locale}/orders/find"),
            Route::Page { slug } => format!("/{locale}/pages/{}", encoded(slug)),
            Route::Help { slug } => format!("/{locale}/help/{}", encoded(slug)),
        };
        if let Some(list) = self.list() {
            query.extend(list.filter.to_pairs(minor_digits(locale)));
            if list.sort != Sort::default() {
                query.push(("sort".to_owned(), list.sort.key().to_owned()));
            }
            if list.page > 1 {
                query.push(("page".to_owned(), list.page.to_string()));
            }
        }
        for (index, (key, value)) in query.iter().enumerate() {
            url.push(if index == 0 { '?' } else { '&' });
            url.push_str(&encoded(key));
            url.push('=');
            url.push_str(&encoded(value));
        }
        url
    }

    /// The path alone, where a GET form of this page goes.
    pub fn path(&self) -> String {
        let url = self.url();
        url.split_once('?').map_or(url.clone(), |(path, _)| path.to_owned())
    }

    pub fn class(&self) -> Class {
        match &self.route {
            Route::Cart | Route::Checkout | Route::Order { .. } | Route::Invoice { .. } | Route::FindOrder => Class::Private,
            Route::Search { .. } => Class::PublicFromOrigin,
            _ if self.list().is_some_and(|list| !list.is_default_order()) => Class::PublicFromOrigin,
            _ => Class::Public,
        }
    }

    /// The list's query, if this page is a list.
    pub const fn list(&self) -> Option<&ListQuery> {
        match &self.route {
            Route::Category { query, .. } | Route::Tag { query, .. } | Route::All { query } | Route::Search { query, .. } => Some(query),
            _ => None,
        }
    }

    /// The same list with another query; other pages stay as they are.
    #[must_use]
    pub fn with_list(&self, list: ListQuery) -> Self {
        let mut address = self.clone();
        if let Route::Category { query, .. } | Route::Tag { query, .. } | Route::All { query } | Route::Search { query, .. } = &mut address.route {
            *query = list;
        }
        address
    }

    /// The same page in another locale. Price limits are left behind: they are in the old market's currency.
    #[must_use]
    pub fn with_locale(&self, locale: Locale) -> Self {
        let mut address = Self { locale, ..self.clone() };
        if locale.country != self.locale.country
            && let Route::Category { query, .. } | Route::Tag { query, .. } | Route::All { query } | Route::Search { query, .. } = &mut address.route
        {
            query.filter.price_min = None;
            query.filter.price_max = None;
        }
        address
    }
}

/// A picture's file below the media folder.
pub fn media(path: &str) -> String {
    let mut url = "/media".to_owned();
    for part in path.split('/') {
        url.push('/');
        url.push_str(&encoded(part));
    }
    url
}

/// Where the locale switch leads: to a page's address by way of the answer that remembers the choice.
pub fn chosen(url: &str) -> String {
    format!("{CHOICE}{url}")
}

/// What stands before a page's address in the locale switch.
pub const CHOICE: &str = "/locale";

/// Decimal digits in which prices are typed into a filter. The parser knows the locale only, so this follows the country; every
/// country that a locale may name is listed in [`Locale::OFFERED`].
pub fn minor_digits(locale: Locale) -> u32 {
    match locale.country.code() {
        "JP" | "KR" => 0,
        _ => 2,
    }
}

/// Locales for tests only are never shown to people or machines.
pub const fn is_pseudo(locale: Locale) -> bool {
    matches!(locale.language, Language::Pseudo | Language::PseudoRtl)
}

fn list_query(pairs: &[(String, String)], locale: Locale) -> ListQuery {
    let borrowed = || pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let value = |key: &str| borrowed().find(|(name, _)| *name == key).map(|(_, value)| value);
    ListQuery {
        filter: Filter::from_pairs(borrowed(), minor_digits(locale)),
        sort: value("sort").map_or_else(Sort::default, Sort::parse),
        page: value("page").and_then(|page| page.parse().ok()).filter(|page| (1..=PAGE_MAX).contains(page)).unwrap_or(1),
    }
}

fn search_text(pairs: &[(String, String)]) -> String {
    let text = pairs.iter().find(|(key, _)| key == "q").map_or("", |(_, value)| value.as_str());
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    domain::live::strip_marks(&words.join(" ")).chars().take(SEARCH_CHARS_MAX).collect::<String>().trim_end().to_owned()
}

/// What of a query may choose options. A parameter that only looks like one is found out by the product's page, which knows them.
fn selection(pairs: &[(String, String)]) -> BTreeMap<String, String> {
    let tracking = |key: &str| key.contains('_') || matches!(key, "gclid" | "fbclid" | "ref" | "page" | "sort" | "q");
    pairs.iter().filter(|(key, value)| is_slug(key) && is_slug(value) && !tracking(key)).take(OPTIONS_MAX).cloned().collect()
}

/// Secrets of order links: letters, digits, hyphen and underscore.
fn is_secret(text: &str) -> bool {
    (16..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Numbers of invoices: capitals, digits and hyphens.
pub fn is_number(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-')
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let parts = query.split('&').filter(|part| !part.is_empty()).take(FILTER_VALUES_MAX);
    parts
        .filter_map(|part| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            Some((decoded(key, true)?.into_owned(), decoded(value, true)?.into_owned()))
        })
        .collect()
}

/// Percent-decodes; `None` where the bytes are no UTF-8 (RFC 3986, 2.1).
fn decoded(text: &str, plus_is_space: bool) -> Option<Cow<'_, str>> {
    if !text.contains(['%', '+']) {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high * 16 + low).ok()?
            }
            b'+' if plus_is_space => b' ',
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// Percent-encodes all but unreserved characters (RFC 3986, 2.3).
pub fn encoded(text: &str) -> Cow<'_, str> {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    if text.bytes().all(unreserved) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        if unreserved(byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
#[path = "routes_tests.rs"]
mod tests;
