//! Pages for what did not work: a statement in large type, one sentence of help and one way on.

use super::{Head, Page, same_address};
use crate::{
    i18n::{Shop, filled, shop},
    ports::View,
    routes::{Address, Route},
};
use leptos::prelude::*;

/// What did not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    BadRequest,
    Forbidden,
    NotFound,
    Conflict,
    Gone,
    TooLarge,
    TooManyRequests,
    Server,
    /// Something that the shop needs does not answer just now.
    Unavailable,
    /// What belongs to a visitor is kept where nobody answers just now; what everybody may see is there.
    OutOfReach,
}

impl Fault {
    pub const ALL: [Self; 10] = [
        Self::BadRequest,
        Self::Forbidden,
        Self::NotFound,
        Self::Conflict,
        Self::Gone,
        Self::TooLarge,
        Self::TooManyRequests,
        Self::Server,
        Self::Unavailable,
        Self::OutOfReach,
    ];

    /// The HTTP status.
    pub const fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::Gone => 410,
            Self::TooLarge => 413,
            Self::TooManyRequests => 429,
            Self::Server => 500,
            Self::Unavailable | Self::OutOfReach => 503,
        }
    }

    const fn words(self, messages: &Shop) -> (&'static str, &'static str) {
        match self {
            Self::BadRequest => (messages.bad_request, messages.bad_request_help),
            Self::Forbidden => (messages.forbidden, messages.forbidden_help),
            Self::NotFound => (messages.not_found, messages.not_found_help),
            Self::Conflict => (messages.conflict, messages.conflict_help),
            Self::Gone => (messages.gone, messages.gone_help),
            Self::TooLarge => (messages.too_large, messages.too_large_help),
            Self::TooManyRequests => (messages.too_many, messages.too_many_help),
            Self::Server | Self::Unavailable => (messages.server_error, messages.server_error_help),
            Self::OutOfReach => (messages.out_of_reach, messages.out_of_reach_help),
        }
    }
}

/// The page for a fault. `reference` is what a shopper may quote; empty where there is none.
pub fn error_page(view: &View, fault: Fault, reference: &str) -> Page {
    let messages = shop(view.locale);
    let (title, help) = fault.words(messages);
    let home = Address::new(view.locale, Route::Home);
    let (way, words) = match fault {
        Fault::Conflict => (Address::new(view.locale, Route::Cart).url(), messages.back_to_cart),
        Fault::Gone => (Address::new(view.locale, Route::All { query: crate::routes::ListQuery::default() }).url(), messages.all_products),
        _ => (home.url(), messages.back_home),
    };
    let reference = (!reference.is_empty()).then(|| filled(messages.reference, &[("reference", reference)]));
    let head = Head { title: title.to_owned(), noindex: true, alternates: same_address(&home), ..Head::default() };
    let mut page = Page::new(head, Vec::new(), move || {
        view! {
            <main id="main">
                <section class="fault">
                    <p class="code">{fault.status().to_string()}</p>
                    <h1>{title}</h1>
                    <p>{help}</p>
                    <a class="button" href=way>{words}</a>
                    {reference.map(|reference| view! { <p class="reference">{reference}</p> })}
                </section>
            </main>
        }
        .into_any()
    });
    page.status = fault.status();
    page
}
