//! Finding an order again by its number and the email address that it was placed with.

use super::Notice;
use crate::{
    i18n::{filled, follow, shop, till},
    pages::{Head, Page},
    ports::View,
    routes::{Action, Address, Route},
};
use domain::account::Email;
use leptos::prelude::*;

/// What the page shows.
#[derive(Clone, Debug, Default)]
pub struct FindData {
    pub number: String,
    pub email: String,
    pub postcode: String,
    /// Sentences by the fields' names.
    pub faults: Vec<(&'static str, String)>,
    pub notice: Option<Notice>,
    /// 200, or what a refused form deserves.
    pub status: u16,
}

/// Characters that a number may be typed with, spaces and hyphens among them.
const NUMBER_CHARS_MAX: usize = 30;
const POSTCODE_CHARS_MAX: usize = 20;

/// The page with its form.
pub fn page(view: &View, data: FindData) -> Page {
    let address = Address::new(view.locale, Route::FindOrder);
    let status = data.status;
    let view = view.clone();
    let mut page = Page::new(Head::private(shop(view.locale).find_order, &address), Vec::new(), move || body(&view, &data));
    page.status = status;
    page
}

fn body(view: &View, data: &FindData) -> AnyView {
    let (messages, common) = (follow(view.locale), till(view.locale));
    let action = Action::FindOrder.url(view.locale);
    let field = |name: &'static str,
                 label: String,
                 value: &str,
                 hint: Option<&'static str>,
                 (kind, autocomplete, max): (&'static str, &'static str, usize)| {
        let fault = data.faults.iter().find(|(field, _)| *field == name).map(|(_, text)| text.clone());
        let wrong = fault.is_some();
        let described =
            [wrong.then(|| format!("{name}-error")), hint.map(|_| format!("{name}-hint"))].into_iter().flatten().collect::<Vec<_>>().join(" ");
        view! {
            <div class=if wrong { "field wrong" } else { "field" }>
                <label for=name>{label}</label>
                <input
                    id=name
                    name=name
                    type=kind
                    autocomplete=autocomplete
                    maxlength=max.to_string()
                    value=value.to_owned()
                    required={name != "postcode"}
                    aria-invalid=wrong.then_some("true")
                    aria-describedby=(!described.is_empty()).then_some(described)
                />
                {fault.map(|text| view! { <p class="error" id=format!("{name}-error")>{text}</p> })}
                {hint.map(|text| view! { <p class="hint" id=format!("{name}-hint")>{text}</p> })}
            </div>
        }
    };
    let postcode = filled(common.optional, &[("field", common.postcode)]);
    view! {
        <main id="main">
            <article class="prose">
                <h1>{shop(view.locale).find_order}</h1>
                {data.notice.clone().map(Notice::show)}
                <p class="lede">{messages.find_text}</p>
                <form method="post" action=action novalidate class="fieldrow">
                    {field("number", messages.find_number.to_owned(), &data.number, Some(messages.find_number_hint), ("text", "off", NUMBER_CHARS_MAX))}
                    {field("email", common.email.to_owned(), &data.email, None, ("email", "email", Email::BYTES_MAX))}
                    {field("postcode", postcode, &data.postcode, Some(messages.find_postcode_hint), ("text", "postal-code", POSTCODE_CHARS_MAX))}
                    <div class="field"><button class="button wide">{messages.find_submit}</button></div>
                </form>
            </article>
        </main>
    }
    .into_any()
}
