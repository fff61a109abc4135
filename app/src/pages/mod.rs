//! One file a public page: first what may fail it (404, 410, 301), then what may be missing, then what it looks like.

mod error;
mod help;
mod listing;
mod page;
mod product;
mod search;

use crate::{
    ports::{ReadError, Storefront, View, storefront::ShelfKey},
    routes::{Address, Route},
};
use domain::{ProductId, locale::Locale, offer::Instant};
use leptos::prelude::AnyView;

pub use error::{Fault, error_page};

/// A page that is ready to be rendered. Nothing in it waits: status and headers may be sent.
pub struct Page {
    pub status: u16,
    pub head: Head,
    /// Whose live items its holes need.
    pub products: Vec<ProductId>,
    /// From when on it must be made anew: a price that decided what is on it may be another one then.
    pub good_until: Option<Instant>,
    /// What stands between masthead and footer: the `main` element.
    pub body: Box<dyn FnOnce() -> AnyView + Send>,
}

impl Page {
    /// A page with status 200.
    pub fn new(head: Head, products: Vec<ProductId>, body: impl FnOnce() -> AnyView + Send + 'static) -> Self {
        Self { status: 200, head, products, good_until: None, body: Box::new(body) }
    }
}

/// What an address came to.
#[cfg_attr(target_pointer_width = "64", expect(clippy::large_enum_variant, reason = "one a request, taken apart at once"))]
pub enum Outcome {
    Page(Page),
    Redirect { to: String, permanent: bool },
}

/// What a document says about its page.
#[derive(Clone, Debug, Default)]
pub struct Head {
    pub title: String,
    pub description: String,
    /// The page's own path and query in its canonical form; empty for pages that are not addressed (errors).
    pub canonical: String,
    /// The same page in other locales, for the switch: path and query.
    pub alternates: Vec<(Locale, String)>,
    /// Locales whose market has the page, and its canonical address there: for hreflang.
    pub languages: Vec<(Locale, String)>,
    /// Search engines are to leave it out.
    pub noindex: bool,
    /// `website` or `product`.
    pub kind: Kind,
    /// Path of a picture that stands for the page, with its size and alternative text.
    pub picture: Option<(String, u32, u32, String)>,
    /// JSON-LD texts, ready to be embedded.
    pub json_ld: Vec<String>,
    /// CSS of this page alone, for what depends on its data.
    pub style: String,
    /// Key of the category that the navigation marks, and whether the page is that category itself.
    pub category: Option<(String, bool)>,
    /// Previous and next page of a list.
    pub turn: (Option<String>, Option<String>),
}

/// Open Graph's type of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    #[default]
    Website,
    Product,
}

impl Head {
    /// The head of a page that belongs to one visitor: a title, no indexing, and the switch keeps the page.
    pub fn private(title: impl Into<String>, address: &Address) -> Self {
        Self { title: title.into(), noindex: true, alternates: same_address(address), ..Self::default() }
    }
}

/// The same address in every locale offered.
pub(crate) fn same_address(address: &Address) -> Vec<(Locale, String)> {
    Locale::OFFERED.into_iter().map(|locale| (locale, address.with_locale(locale).url())).collect()
}

/// Reads what a public address needs. What is not there is a page too, with its status; only a failed read is an error, and is
/// never stored.
pub async fn load(address: &Address, view: &View, storefront: &dyn Storefront) -> Result<Outcome, ReadError> {
    match &address.route {
        Route::Home => page::load_home(address, view, storefront).await,
        Route::Category { slug, query } => listing::load(address, ShelfKey::Category(slug.clone()), query, view, storefront).await,
        Route::Tag { slug, query } => listing::load(address, ShelfKey::Tag(slug.clone()), query, view, storefront).await,
        Route::All { query } => listing::load(address, ShelfKey::All, query, view, storefront).await,
        Route::Product { slug, selection } => product::load(address, slug, selection, view, storefront).await,
        Route::Search { text, query } => search::load(address, text, query, view, storefront).await,
        Route::Page { slug } => page::load(address, slug, view, storefront).await,
        Route::Help { slug } => help::load(address, slug, view, storefront).await,
        // A visitor's own pages are made elsewhere, from what belongs to the visitor.
        Route::Cart | Route::Checkout | Route::Order { .. } | Route::Invoice { .. } | Route::FindOrder => {
            Ok(Outcome::Page(error_page(view, Fault::NotFound, "")))
        }
    }
}

#[cfg(test)]
pub(crate) mod memory;
#[cfg(test)]
mod tests;
