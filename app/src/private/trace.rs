//! What became of each promotion: the words for how one came to its amount, why another one did not apply, and what is missing for it.

use super::{country_name, order::long_day, percent, sums};
use crate::{
    i18n::{filled, money, promotion},
    ports::View,
};
use domain::{
    discount::Off,
    pricing::Quote,
    promotion::{Audience, How, Outcome, Refusal, Traced},
};
use leptos::prelude::*;

/// Hints in a cart: the first few, in the promotions' own order.
const HINTS_MAX: usize = 2;

/// How a promotion came to its amount.
pub fn how(how: &How, view: &View) -> String {
    let (messages, locale) = (promotion(view.locale), view.locale);
    let off = |off: Off| match off {
        Off::Percent(millionths) => percent(millionths, locale),
        Off::Amount(amount) => money(amount, locale),
    };
    match *how {
        How::Percent { millionths, base } => filled(messages.how_percent, &[("rate", &percent(millionths, locale)), ("base", &money(base, locale))]),
        How::Amount { amount } => filled(messages.how_amount, &[("amount", &money(amount, locale))]),
        How::FreeDelivery => messages.how_delivery.to_owned(),
        How::FixedPrice { price, pieces } => filled(messages.how_fixed, &[("price", &money(price, locale)), ("count", &pieces.to_string())]),
        How::BuyGet { buy, get, millionths, groups } => {
            let template = if millionths == 1_000_000 { messages.how_free } else { messages.how_less };
            let (size, get, groups) = ((buy + get).to_string(), get.to_string(), groups.to_string());
            filled(template, &[("size", &size), ("get", &get), ("groups", &groups), ("rate", &percent(millionths, locale))])
        }
        How::PieceTier { pieces, from, off: taken } => {
            filled(messages.how_pieces, &[("off", &off(taken)), ("from", &from.to_string()), ("count", &pieces.to_string())])
        }
        How::ValueTier { value, from, off: taken } => {
            filled(messages.how_value, &[("off", &off(taken)), ("from", &money(from, locale)), ("value", &money(value, locale))])
        }
    }
}

/// Why a promotion, or a code, did not apply.
pub fn reason(refusal: &Refusal, view: &View) -> String {
    let (messages, locale) = (promotion(view.locale), view.locale);
    match refusal {
        Refusal::Unknown | Refusal::NothingApplies => messages.nothing.to_owned(),
        Refusal::NotYet { from } => filled(messages.not_yet, &[("date", &long_day(*from, view))]),
        Refusal::Over => messages.over.to_owned(),
        Refusal::UsedUp => messages.used_up.to_owned(),
        Refusal::UsedByCustomer => messages.used_by_you.to_owned(),
        Refusal::BelowMinimum { missing } => filled(messages.below_minimum, &[("amount", &money(*missing, locale))]),
        Refusal::TooFewPieces { missing } => messages.too_few.text(locale, (*missing).into()),
        Refusal::OtherMarket => filled(messages.elsewhere, &[("country", country_name(view.market.code, locale))]),
        Refusal::ForOthers { audience, is_known } => {
            let whom = match audience {
                Audience::FirstOrder => messages.for_first,
                Audience::Returning => messages.for_returning,
                Audience::Everyone | Audience::Segment(_) => messages.for_some,
            };
            if *is_known { whom.to_owned() } else { filled(messages.known_by_email, &[("whom", whom)]) }
        }
        Refusal::Beaten { by } => filled(messages.beaten, &[("title", by)]),
        Refusal::NotCombinable { with } => filled(messages.not_combinable, &[("title", with)]),
    }
}

/// A promotion's title, with its code.
pub fn name(traced: &Traced) -> String {
    if traced.code.is_empty() { traced.title.clone() } else { format!("{} ({})", traced.title, traced.code) }
}

/// What did not apply, as far as shoppers may read it.
pub(super) fn left(quote: &Quote, view: &View) -> Option<AnyView> {
    let rows: Vec<_> = quote
        .trace
        .iter()
        .filter(|traced| traced.is_for_shoppers())
        .filter_map(|traced| Some(view! { <li><b>{name(traced)}</b><br/>{reason(traced.refusal()?, view)}</li> }))
        .collect();
    (!rows.is_empty()).then(|| view! { <p>{promotion(view.locale).not_applied}</p><ul>{rows}</ul> }.into_any())
}

/// What is missing for a promotion that part of the cart counts for already.
pub(super) fn hints(quote: &Quote, view: &View) -> AnyView {
    let messages = promotion(view.locale);
    let hint = |traced: &Traced| match traced.refusal()? {
        Refusal::BelowMinimum { missing } => {
            Some(filled(messages.more_value, &[("amount", &money(*missing, view.locale)), ("title", &traced.title)]))
        }
        Refusal::TooFewPieces { missing } => Some(messages.more_pieces.with(view.locale, (*missing).into(), &[("title", &traced.title)])),
        _ => None,
    };
    // A code has a sentence of its own.
    let public = quote.trace.iter().filter(|traced| traced.code.is_empty() && traced.is_for_shoppers());
    public.filter_map(hint).take(HINTS_MAX).map(|hint| view! { <p class="why">{hint}</p> }).collect_view().into_any()
}

/// The whole trace, as operators read it: what applied in which order and to which lines, and why each other candidate did not. `title` names a
/// line by its variant.
pub fn whole(quote: &Quote, title: impl Fn(domain::VariantId) -> String, view: &View) -> Option<AnyView> {
    let row = |traced: &Traced| {
        let (why, amount) = match &traced.outcome {
            Outcome::Applied { amount, how: came, lines } => {
                let lines = lines.iter().map(|change| format!("{}: {}", title(change.variant), sums::off(change.amount, view)));
                ([how(came, view)].into_iter().chain(lines).collect::<Vec<_>>().join(" · "), sums::off(*amount, view))
            }
            Outcome::Left(refusal) => (reason(refusal, view), "–".to_owned()),
        };
        let hidden = traced.hidden.then_some(" (hidden)");
        view! { <tr><th scope="row">{name(traced)}{hidden}<small>{why}</small></th><td class="n">{amount}</td></tr> }
    };
    (!quote.trace.is_empty()).then(|| quote.trace.iter().map(row).collect_view().into_any())
}
