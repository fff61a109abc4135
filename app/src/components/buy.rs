//! Beside the pictures: name, price, choices, the button, what we promise, and the folds.

use super::{
    choice::{has_gaps, radio_id},
    picture::{Need, decoration, placeholder, sizes},
};
use crate::{
    i18n::{filled, price, shop},
    islands::{AddToCart, VariantPicker},
    ports::View,
    routes::{Action, Address, Route},
};
use domain::{
    catalog::{ProductDocument, ProductOption},
    live::Hole,
    market::TaxMode,
    money::Money,
};
use leptos::prelude::*;

/// The most pieces that one form asks for; the cart has its own limits.
const QUANTITY_MAX: u32 = domain::cart::Quantity::MAX.get();

pub fn buy(product: &ProductDocument, chosen: usize, crumbs: AnyView, view: &View) -> AnyView {
    let messages = shop(view.locale);
    let tax = match view.market.tax_mode {
        TaxMode::Inclusive => messages.tax_included,
        TaxMode::Exclusive => messages.tax_excluded,
    };
    let options = product.options.iter().enumerate().map(|(index, option)| fieldset(product, index, option, chosen, view)).collect_view().into_any();
    let none = |what: AnyView| (product.variants.len() > 1 && has_gaps(product)).then(|| view! { <span class="v none" hidden>{what}</span> });
    // What stands in an island is built before it: the island only wraps it.
    let add = view! {
        <div class="qty">
            <label class="vh" for="quantity">{messages.quantity}</label>
            <input id="quantity" type="number" name="quantity" value="1" min="1" max=QUANTITY_MAX.to_string() inputmode="numeric" autocomplete="off"/>
        </div>
        {buttons(product, chosen, view)}
        {none(view! { <button type="button" class="button wide" disabled>{messages.add_to_cart}</button> }.into_any())}
    }
    .into_any();
    view! {
        <div class="buy">
            {crumbs}
            <h1>{product.title.clone()}</h1>
            {(!product.summary.is_empty()).then(|| view! { <p class="lede">{product.summary.clone()}</p> })}
            <p class="price" aria-live="polite">
                {each(product, chosen, |id| Hole::Price(id).mark().into_any())}
                {none("–".into_any())}
                {is_sold(product, view).then(|| view! { <small>{tax}</small> })}
            </p>
            <form class="stack" method="post" action=Action::AddLine.url(view.locale)>
                <input type="hidden" name="product" value=product.id.to_string()/>
                <input type="hidden" name="mutation" value=Hole::MutationId.mark()/>
                <VariantPicker>{options}</VariantPicker>
                <AddToCart>{add}</AddToCart>
            </form>
            {promises(product, chosen, view)}
            {folds(product, chosen, view)}
        </div>
    }
    .into_any()
}

/// A piece for every variant, of which the chosen one's shows.
fn each(product: &ProductDocument, chosen: usize, piece: impl Fn(domain::VariantId) -> AnyView) -> AnyView {
    product
        .variants
        .iter()
        .enumerate()
        .map(|(index, variant)| view! { <span class=format!("v v{index}") hidden=index != chosen>{piece(variant.id)}</span> })
        .collect_view()
        .into_any()
}

/// One button a variant: it says what can be done with it.
fn buttons(product: &ProductDocument, chosen: usize, view: &View) -> AnyView {
    let messages = shop(view.locale);
    let escaped = |text: &str| {
        let mut out = String::with_capacity(text.len());
        crate::holes::escape(text, &mut out);
        out
    };
    let buyable = format!("<button class=\"button wide\">{}</button>", escaped(messages.add_to_cart));
    let disabled = |words| format!("<button class=\"button wide\" disabled>{}</button>", escaped(words));
    let (sold_out, not_sold) = (disabled(messages.sold_out), disabled(messages.not_sold_here));
    let button = |(index, variant): (usize, &domain::catalog::Variant)| {
        let html = Hole::IfSold(variant.id).either(&Hole::IfBuyable(variant.id).either(&buyable, &sold_out), &not_sold);
        view! { <span class=format!("v v{index} act") hidden=index != chosen inner_html=html></span> }
    };
    product.variants.iter().enumerate().map(button).collect_view().into_any()
}

/// A choice: pictures for colours, cells for the rest. What is sold out can still be looked at.
fn fieldset(product: &ProductDocument, index: usize, option: &ProductOption, chosen: usize, view: &View) -> AnyView {
    let current = product.variants.get(chosen).and_then(|variant| variant.values.get(index));
    let names = option.values.iter().enumerate().map(|(place, value)| {
        view! { <span class=format!("n n{index}-{place}") hidden=current != Some(&value.slug)>{value.name.clone()}</span> }
    });
    let colour = option.slug == "colour";
    let cells = option.values.iter().enumerate().map(|(place, value)| {
        let gone = product.variants.iter().enumerate().filter(|(_, variant)| variant.values.get(index) == Some(&value.slug)).fold(String::new(), |mut html, (at, variant)| {
            let mut words = String::new();
            crate::holes::escape(shop(view.locale).sold_out, &mut words);
            html.push_str(&Hole::IfBuyable(variant.id).either("", &format!("<small class=\"vh gone g{at}\">, {words}</small>")));
            html
        });
        let face = if colour {
            let picture = product.pictures.iter().find(|picture| picture.value.as_deref() == Some(&value.slug));
            let picture = match picture {
                Some(picture) => decoration(picture, sizes::SMALL, Need::Later, view.locale),
                None => placeholder(String::new(), view.locale),
            };
            view! { {picture}<small class="vh">{value.name.clone()}</small> }.into_any()
        } else {
            view! { <span>{value.name.clone()}</span> }.into_any()
        };
        view! {
            <label>
                <input type="radio" id=radio_id(index, place) name=option.slug.clone() value=value.slug.clone() checked=current == Some(&value.slug) required autocomplete="off"/>
                {face}
                <small class="says" inner_html=gone></small>
            </label>
        }
    });
    let long = option.values.iter().any(|value| value.name.chars().count() > 9);
    let class = match (colour, long) {
        (true, _) => "swatches",
        (false, true) => "sizes long",
        (false, false) => "sizes",
    };
    view! {
        <fieldset class="option">
            <legend>{option.name.clone()}" "<span>{names.collect_view()}</span></legend>
            <div class=class>{cells.collect_view()}</div>
        </fieldset>
    }
    .into_any()
}

/// What holds for everything: whether it is there, when it comes, how long it may go back.
fn promises(product: &ProductDocument, chosen: usize, view: &View) -> AnyView {
    let messages = shop(view.locale);
    let none = (product.variants.len() > 1 && has_gaps(product)).then(|| view! { <span class="v none" hidden>{messages.no_combination}</span> });
    view! {
        <ul class="promises">
            <li aria-live="polite">{each(product, chosen, |id| Hole::Availability(id).mark().into_any())}{none}</li>
            {is_sold(product, view).then(|| view! { {delivery(product, chosen, view)} {returns(view).map(|text| view! { <li>{text}</li> })} })}
        </ul>
    }
    .into_any()
}

/// Whether the market has a price for any of it: what is not sold here is not promised here.
fn is_sold(product: &ProductDocument, view: &View) -> bool {
    !product.unsold.contains(&view.market.code)
}

fn delivery(product: &ProductDocument, chosen: usize, view: &View) -> AnyView {
    let free = view.shop.promises.get(&view.market.code).and_then(|promises| promises.free_from).map(|minor| {
        let amount = price(Money::new(minor, view.market.currency), view.locale);
        format!(", {}", filled(shop(view.locale).free_from, &[("amount", &amount)]))
    });
    let none = (product.variants.len() > 1 && has_gaps(product)).then(|| view! { <span class="v none" hidden>"–"</span> });
    view! { <li><strong>{each(product, chosen, |id| Hole::DeliveryPromise(id).mark().into_any())}{none}</strong>{free}</li> }.into_any()
}

fn returns(view: &View) -> Option<String> {
    let days = view.shop.promises.get(&view.market.code).map(|promises| promises.return_days).filter(|days| *days > 0)?;
    Some(shop(view.locale).days_to_return.text(view.locale, days.into()))
}

fn folds(product: &ProductDocument, chosen: usize, view: &View) -> AnyView {
    let messages = shop(view.locale);
    let list = |items: &[String]| {
        (!items.is_empty()).then(|| view! { <ul>{items.iter().map(|item| view! { <li>{item.clone()}</li> }).collect_view()}</ul> })
    };
    let help = view.shop.help.iter().filter(|(slug, _)| matches!(slug.as_str(), "delivery" | "returns")).map(|(slug, title)| {
        let href = Address::new(view.locale, Route::Help { slug: slug.clone() }).url();
        view! { <p><a href=href>{title.clone()}</a></p> }
    });
    view! {
        <div class="folds">
            {(!product.description_html.is_empty() || !product.details.is_empty()).then(|| view! {
                <details class="fold" open>
                    <summary>{messages.details}</summary>
                    <div>
                        {(!product.description_html.is_empty()).then(|| view! { <div class="rich" inner_html=product.description_html.clone()></div> })}
                        {list(&product.details)}
                    </div>
                </details>
            })}
            {(!product.materials.is_empty()).then(|| view! {
                <details class="fold"><summary>{messages.materials}</summary><div>{list(&product.materials)}</div></details>
            })}
            <details class="fold">
                <summary>{messages.delivery_returns}</summary>
                <div>
                    <ul>{delivery(product, chosen, view)}{returns(view).map(|text| view! { <li>{text}</li> })}</ul>
                    {help.collect_view()}
                </div>
            </details>
        </div>
    }
    .into_any()
}
