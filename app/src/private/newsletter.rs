//! The newsletter's steps: the form by itself, what was mailed, the question before a link does anything, and what came of it. Each is a
//! statement, a sentence and a way on.

use super::Notice;
use crate::{
    i18n::{newsletter, shop, till},
    pages::{Head, Page},
    ports::View,
    routes::{Action, Address, Route, encoded},
};
use domain::{account::Email, locale::Locale};
use leptos::prelude::*;

/// The name of the text beside the form on this page, for a form that came without one: a proof says which text was read. Change it with
/// the messages `consent`.
const CONSENT: &str = "form-1";

/// What the form shows.
#[derive(Clone, Debug, Default)]
pub struct SignUp {
    pub email: String,
    /// Which text the visitor read beside the form; empty: this page's.
    pub consent: String,
    /// The page on which the form was found; empty: this one.
    pub source: String,
    /// What is wrong with the address.
    pub fault: Option<String>,
    pub notice: Option<Notice>,
    /// 200, or what a refused form deserves.
    pub status: u16,
}

/// What there is to say when a step is done, or cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// The same whether or not a mail was sent.
    Sent,
    Subscribed,
    Left,
    /// A link is too old, was replaced or never was one.
    Gone,
}

/// Where the link of a confirmation mail leads, and where its page's form is sent.
pub fn confirm_url(locale: Locale, token: &str) -> String {
    format!("{}/confirm/{}", Action::Newsletter.url(locale), encoded(token))
}

/// Where an address leaves the list: the page, its form, and what RFC 8058 posts.
pub fn leave_url(locale: Locale, token: &str) -> String {
    format!("{}/unsubscribe/{}", Action::Newsletter.url(locale), encoded(token))
}

/// The form by itself: where a block's form goes when the address could not be one.
pub fn sign_up(view: &View, data: SignUp) -> Page {
    let status = data.status;
    let title = newsletter(view.locale).title;
    page(view, title, status, move |view| {
        let (messages, common) = (newsletter(view.locale), till(view.locale));
        let action = Action::Newsletter.url(view.locale);
        let consent = if data.consent.is_empty() { CONSENT.to_owned() } else { data.consent };
        let source = if data.source.is_empty() { action.clone() } else { data.source };
        let wrong = data.fault.is_some();
        view! {
            <main id="main">
                <article class="prose">
                    <h1>{messages.title}</h1>
                    {data.notice.map(Notice::show)}
                    <p class="lede">{messages.lede}</p>
                    <form method="post" action=action novalidate class="fieldrow">
                        <input type="hidden" name="consent" value=consent/>
                        <input type="hidden" name="source" value=source/>
                        <div class=if wrong { "field wrong" } else { "field" }>
                            <label for="email">{common.email}</label>
                            <input
                                id="email"
                                name="email"
                                type="email"
                                autocomplete="email"
                                maxlength=Email::BYTES_MAX.to_string()
                                value=data.email
                                required
                                aria-invalid=wrong.then_some("true")
                                aria-describedby=if wrong { "email-error consent" } else { "consent" }
                            />
                            {data.fault.map(|text| view! { <p class="error" id="email-error">{text}</p> })}
                            <p class="hint" id="consent">{messages.consent}</p>
                        </div>
                        <div class="field"><button class="button wide">{messages.submit}</button></div>
                    </form>
                </article>
            </main>
        }
        .into_any()
    })
}

/// What came of a step.
pub fn said(view: &View, said: Said) -> Page {
    let messages = newsletter(view.locale);
    let home = (Address::new(view.locale, Route::Home).url(), shop(view.locale).back_home);
    let (title, text, status, (way, words)) = match said {
        Said::Sent => (messages.sent_title, messages.sent_text, 200, home),
        Said::Subscribed => (messages.subscribed_title, messages.subscribed_text, 200, home),
        Said::Left => (messages.left_title, messages.left_text, 200, home),
        Said::Gone => (messages.gone_title, messages.gone_text, 404, (Action::Newsletter.url(view.locale), messages.title)),
    };
    page(view, title, status, move |_| statement(title, text, view! { <a class="button" href=way>{words}</a> }.into_any()))
}

/// Asks whether the subscription is meant: a link that is only opened confirms nothing, since programs that check mails open links, too.
pub fn confirm(view: &View, token: &str) -> Page {
    let messages = newsletter(view.locale);
    question(view, messages.confirm_title, messages.confirm_text, messages.confirm_submit, confirm_url(view.locale, token))
}

/// Asks whether leaving is meant, for the same reason.
pub fn leave(view: &View, token: &str) -> Page {
    let messages = newsletter(view.locale);
    question(view, messages.leave_title, messages.leave_text, messages.leave_submit, leave_url(view.locale, token))
}

fn question(view: &View, title: &'static str, text: &'static str, submit: &'static str, action: String) -> Page {
    page(view, title, 200, move |_| {
        statement(title, text, view! { <form method="post" action=action><button class="button">{submit}</button></form> }.into_any())
    })
}

fn statement(title: &'static str, text: &'static str, way: AnyView) -> AnyView {
    view! {
        <main id="main">
            <section class="fault">
                <h1>{title}</h1>
                <p>{text}</p>
                {way}
            </section>
        </main>
    }
    .into_any()
}

/// A page of one visitor: not for search engines, and links in the switch lead to the start, for a link in a mail has one language.
fn page(view: &View, title: &'static str, status: u16, body: impl FnOnce(&View) -> AnyView + Send + 'static) -> Page {
    let head = Head { title: title.to_owned(), noindex: true, ..Head::default() };
    let view = view.clone();
    let mut page = Page::new(head, Vec::new(), move || body(&view));
    page.status = status;
    page
}
