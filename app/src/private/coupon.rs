//! A discount code in cart and checkout: the field for it, the sentence where it gives nothing, and the button that takes it out.

use super::{country_name, order::long_day, trace};
use crate::{
    i18n::{coupon, filled, money, till},
    ports::View,
    routes::Action,
};
use domain::{coupon::Code, promotion::Refusal};
use leptos::prelude::*;

/// The cart's code as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// As it was typed.
    pub code: String,
    /// Why it gives nothing now; it stays in the cart, which may change.
    pub refused: Option<Refusal>,
}

/// What was typed into the field and not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    pub typed: String,
    pub text: String,
}

/// How a code is taken out on a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// Not at all: the order stands.
    Never,
    /// By a form of its own.
    Form,
    /// By the checkout's form, so that nothing that was typed there is lost.
    Checkout,
}

/// The id of the checkout's form.
pub const CHECKOUT_FORM: &str = "checkout";

/// What a refusal says to the shopper.
pub fn sentence(refusal: &Refusal, code: &str, view: &View) -> String {
    let messages = coupon(view.locale);
    let with = |template, name, value: &str| filled(template, &[("code", code), (name, value)]);
    match refusal {
        Refusal::Unknown => with(messages.unknown, "", ""),
        Refusal::NotYet { from } => with(messages.not_yet, "date", &long_day(*from, view)),
        Refusal::Over => with(messages.over, "", ""),
        Refusal::UsedUp => with(messages.used_up, "", ""),
        Refusal::UsedByCustomer => with(messages.used_by_you, "", ""),
        Refusal::BelowMinimum { missing } => with(messages.below_minimum, "amount", &money(*missing, view.locale)),
        Refusal::OtherMarket => with(messages.elsewhere, "country", country_name(view.market.code, view.locale)),
        Refusal::NothingApplies => with(messages.nothing, "", ""),
        // Titles have quotation marks around them; a code stands before the sentence.
        Refusal::TooFewPieces { .. } | Refusal::ForOthers { .. } | Refusal::Beaten { .. } | Refusal::NotCombinable { .. } => {
            format!("{code}: {}", trace::reason(refusal, view))
        }
    }
}

/// The button that takes a code out.
pub(super) fn remove(code: &str, removal: Removal, view: &View) -> Option<AnyView> {
    let name = filled(coupon(view.locale).remove_of, &[("code", code)]);
    let word = till(view.locale).remove;
    match removal {
        Removal::Never => None,
        Removal::Form => {
            let action = Action::Coupon.url(view.locale);
            Some(
                view! {
                    <form class="off" method="post" action=action>
                        <button class="link" name="intent" value="remove" aria-label=name>{word}</button>
                    </form>
                }
                .into_any(),
            )
        }
        Removal::Checkout => {
            Some(view! { <button class="link" form=CHECKOUT_FORM name="intent" value="coupon-remove" aria-label=name>{word}</button> }.into_any())
        }
    }
}

/// A code that is kept and gives nothing now: why, and the way to be rid of it. One that gives something stands among the sums.
pub(super) fn refused(kept: Option<&Kept>, removal: Removal, view: &View) -> Option<AnyView> {
    let kept = kept?;
    let text = sentence(kept.refused.as_ref()?, &kept.code, view);
    Some(view! { <div class="coupon"><p class="error">{text}</p>{remove(&kept.code, removal, view)}</div> }.into_any())
}

/// The field, in a fold that opens by itself where something was wrong.
pub(super) fn field(rejected: Option<&Rejected>, view: &View) -> AnyView {
    let messages = coupon(view.locale);
    let wrong = rejected.is_some();
    let typed = rejected.map(|rejected| rejected.typed.clone()).unwrap_or_default();
    let error = rejected.map(|rejected| view! { <p class="error" id="code-error" role="alert">{rejected.text.clone()}</p> });
    view! {
        <details class="fold coupon" open=wrong>
            <summary>{messages.field}</summary>
            <form method="post" action=Action::Coupon.url(view.locale)>
                <div class=if wrong { "field wrong" } else { "field" }>
                    <label class="vh" for="code">{messages.field}</label>
                    <input
                        id="code"
                        name="code"
                        type="text"
                        value=typed
                        autocomplete="off"
                        autocapitalize="characters"
                        spellcheck="false"
                        maxlength=Code::TYPED_CHARS_MAX.to_string()
                        required
                        autofocus=wrong
                        aria-invalid=wrong.then_some("true")
                        aria-describedby=wrong.then_some("code-error")
                    />
                    {error}
                </div>
                <button class="button quiet small">{messages.apply}</button>
            </form>
        </details>
    }
    .into_any()
}
