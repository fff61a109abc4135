//! The amounts of a quote, one below the other, and the fold that explains them.

use super::{
    coupon::{Removal, remove},
    percent, region_name, tax_name, told, trace, weight,
};
use crate::{
    i18n::{coupon, date, filled, money, till},
    ports::View,
};
use domain::{
    delivery,
    money::Money,
    offer::Instant,
    pricing::{Entry, Label, Parcel, Quote, Why},
    promotion::Outcome,
    tax::Rounding,
};
use leptos::prelude::*;

/// The sums as a list; `arrives` stands beside the delivery, and `removal` beside a code.
pub fn sums(quote: &Quote, arrives: Option<String>, removal: Removal, view: &View) -> AnyView {
    let messages = till(view.locale);
    let rows = quote.entries.iter().filter(|entry| !entry.included).map(|entry| {
        let note = match (&entry.label, &entry.why) {
            // The last day on which it holds: a window ends before its last instant.
            (Label::Reductions, Why::Reduced { until: Some(until), .. }) => Some(filled(messages.until, &[("date", &day(*until - 1, view))])),
            (Label::Delivery, _) => delivery_note(entry, arrives.clone(), view),
            (Label::Discount { code, .. }, _) if !code.is_empty() => Some(code.clone()),
            (Label::Tax { .. }, Why::TaxOnTop { estimated: true, .. }) => Some(messages.estimated.to_owned()),
            _ => None,
        };
        let class = matches!(entry.label, Label::Reductions | Label::Discount { .. }).then_some("now");
        let off = match &entry.label {
            Label::Discount { code, .. } if !code.is_empty() => remove(code, removal, view),
            _ => None,
        };
        view! { <dt><bdi>{label(entry, view)}</bdi>{note.map(|note| view! { " "<span class="why">{note}</span> })}{off}</dt><dd class=class><bdi>{amount(entry, view)}</bdi></dd> }
    });
    let waiting = (!quote.tax_known).then(|| view! { <dt>{messages.tax}</dt><dd><span class="why">{messages.tax_from_address}</span></dd> });
    let included = quote.entries.iter().filter(|entry| entry.included).map(|entry| {
        let text = told(&label(entry, view), &money(entry.amount, view.locale), view.locale);
        view! { <small>{text}</small> }
    });
    let name = if quote.tax_known { messages.total } else { messages.total_before_tax };
    view! {
        <dl class="sums">
            {rows.collect_view()}
            {waiting}
            <dt class="total">{name}{included.collect_view()}</dt>
            <dd class="total"><bdi>{money(quote.total, view.locale)}</bdi></dd>
        </dl>
    }
    .into_any()
}

/// Where a delivery goes, if not home, and when it arrives.
fn delivery_note(entry: &Entry, arrives: Option<String>, view: &View) -> Option<String> {
    let zone = entry.parcel.as_ref().and_then(|parcel| Some(parcel.zone.as_ref()?.name(view.text()).to_owned()));
    let said: Vec<_> = zone.into_iter().chain(arrives).collect();
    (!said.is_empty()).then(|| said.join(" · "))
}

/// Every amount with its reason.
pub fn explanation(quote: &Quote, view: &View) -> AnyView {
    let messages = till(view.locale);
    let rows = quote.entries.iter().map(|entry| {
        let name = told(&label(entry, view), &amount(entry, view), view.locale);
        view! { <li><b>{name}</b><br/>{because(entry, quote, view)}</li> }
    });
    view! {
        <details class="fold">
            <summary>{messages.how_total}</summary>
            <ul>{rows.collect_view()}</ul>
            {trace::left(quote, view)}
        </details>
    }
    .into_any()
}

pub fn label(entry: &Entry, view: &View) -> String {
    let messages = till(view.locale);
    match &entry.label {
        Label::Subtotal => messages.subtotal.to_owned(),
        Label::Reductions => messages.reductions.to_owned(),
        Label::Delivery => messages.delivery.to_owned(),
        Label::Discount { title, .. } => title.clone(),
        Label::Tax { name, region, millionths } => {
            let (tax, rate) = (tax_name(name, view.locale), percent(*millionths, view.locale));
            let region = region_name(view.market.code, region, view.locale);
            let template = match (entry.included, region.is_empty()) {
                (true, _) => messages.tax_included,
                (false, true) => messages.tax_on_top,
                (false, false) => messages.tax_region,
            };
            filled(template, &[("tax", tax), ("rate", &rate), ("region", &region)])
        }
    }
}

pub fn amount(entry: &Entry, view: &View) -> String {
    if entry.label == Label::Delivery && entry.amount.is_zero() { till(view.locale).free.to_owned() } else { money(entry.amount, view.locale) }
}

/// What is taken off, as a negative amount.
pub fn off(amount: Money, view: &View) -> String {
    money(Money::new(-amount.minor, amount.currency), view.locale)
}

/// Why an entry is what it is: a promotion's by what the trace says of it, where there is one.
pub fn because(entry: &Entry, quote: &Quote, view: &View) -> String {
    let traced =
        if let Label::Discount { promotion: Some(id), .. } = &entry.label { quote.trace.iter().find(|traced| traced.promotion == *id) } else { None };
    match traced.map(|traced| &traced.outcome) {
        Some(Outcome::Applied { how, .. }) => trace::how(how, view),
        _ => std::iter::once(why(&entry.why, entry, view)).chain(parcel(entry, view)).collect::<Vec<_>>().join(" "),
    }
}

/// What of a parcel made its price another than the method's own.
fn parcel(entry: &Entry, view: &View) -> Vec<String> {
    let messages = till(view.locale);
    let Some(Parcel { zone, heavy }) = &entry.parcel else { return Vec::new() };
    let zone = zone.as_ref().map(|zone| filled(messages.why_zone, &[("zone", zone.name(view.text()))]));
    let heavy = heavy.map(|heavy| {
        let (plus, weight) = (money(heavy.plus, view.locale), weight(heavy.grams, view.locale));
        filled(messages.why_heavy, &[("amount", &plus), ("weight", &weight)])
    });
    zone.into_iter().chain(heavy).collect()
}

fn why(why: &Why, entry: &Entry, view: &View) -> String {
    let (messages, coupons) = (till(view.locale), coupon(view.locale));
    let locale = view.locale;
    let rate = if let Label::Tax { millionths, .. } = entry.label { percent(millionths, locale) } else { String::new() };
    let taxed = |template, base: Money| filled(template, &[("rate", &rate), ("base", &money(base, locale))]);
    let dropped = |rounding| if rounding == Rounding::Down { Some(messages.why_down) } else { None };
    let sentences = match why {
        Why::Lines { pieces, .. } => vec![messages.why_goods.text(locale, (*pieces).into())],
        Why::Reduced { pieces, .. } => vec![messages.why_reduced.text(locale, (*pieces).into())],
        Why::FreeFrom { limit } => vec![filled(messages.why_free_from, &[("limit", &money(*limit, locale))])],
        Why::Charged { free_from: Some(limit) } => vec![filled(messages.why_charged_until, &[("limit", &money(*limit, locale))])],
        Why::Charged { free_from: None } => vec![messages.why_charged.to_owned()],
        Why::Free => vec![messages.why_free.to_owned()],
        Why::PercentOff { millionths, base } => {
            vec![filled(coupons.why_percent, &[("rate", &percent(*millionths, locale)), ("base", &money(*base, locale))])]
        }
        Why::AmountOff { amount } => vec![filled(coupons.why_amount, &[("amount", &money(*amount, locale))])],
        Why::DeliveryOff => vec![coupons.why_delivery.to_owned()],
        Why::TaxOnTop { base, rounding, estimated } => {
            let mut sentences = vec![taxed(messages.why_tax_top, *base)];
            sentences.extend(dropped(*rounding).map(str::to_owned));
            sentences.extend(estimated.then(|| messages.why_estimated.to_owned()));
            sentences
        }
        Why::TaxIncluded { base, rounding } => {
            let mut sentences = vec![taxed(messages.why_tax_in, *base)];
            sentences.extend(dropped(*rounding).map(str::to_owned));
            sentences
        }
    };
    sentences.join(" ")
}

/// The day of an instant in the market's zone.
pub fn day(at: Instant, view: &View) -> String {
    let zone = delivery::zone(&view.market.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    jiff::Timestamp::from_microsecond(at).map_or_else(|_| String::new(), |at| date(at.to_zoned(zone).date(), view.locale))
}
