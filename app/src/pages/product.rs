//! A product: its pictures, what can be chosen, what it costs today, and what goes with it.

use super::{Fault, Head, Kind, Outcome, Page, error_page};
use crate::{
    components::{
        buy::buy,
        card::grid,
        choice::{self, chosen},
        crumbs, gallery, json_ld,
        picture::{self, Need},
    },
    i18n::shop,
    ports::{Found, ReadError, Storefront, View},
    routes::{Address, ListQuery, Route},
};
use domain::{
    catalog::{Card, ProductDocument, Variant},
    live::Hole,
    locale::Locale,
};
use leptos::prelude::*;
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// Products shown below as going with it: one row.
const GOES_WITH_MAX: usize = 4;
/// Pictures named to machines.
const JSON_PICTURES_MAX: usize = 6;

pub async fn load(
    address: &Address,
    slug: &str,
    selection: &BTreeMap<String, String>,
    view: &View,
    storefront: &dyn Storefront,
) -> Result<Outcome, ReadError> {
    let product = match storefront.product(view.text(), slug).await? {
        Found::Here(product) => product,
        Found::Moved(slug) => {
            let to = Address::new(view.locale, Route::Product { slug, selection: selection.clone() });
            return Ok(Outcome::Redirect { to: to.url(), permanent: true });
        }
        Found::Gone => return Ok(Outcome::Page(error_page(view, Fault::Gone, ""))),
        Found::Missing => return Ok(Outcome::Page(error_page(view, Fault::NotFound, ""))),
    };
    // Only what chooses something makes a page of its own: whatever else a query says leads to the page without it.
    let known = known(&product, selection);
    if known != *selection {
        let to = Address::new(view.locale, Route::Product { slug: slug.to_owned(), selection: known });
        return Ok(Outcome::Redirect { to: to.url(), permanent: false });
    }
    // What goes with it may be missing.
    let goes_with =
        if product.goes_with.is_empty() { Vec::new() } else { storefront.cards(view.text(), &product.goes_with).await.unwrap_or_default() };
    let goes_with = goes_with.into_iter().filter(|card| view.sells(card)).take(GOES_WITH_MAX).collect();
    Ok(Outcome::Page(page(address, product, goes_with, view)))
}

/// What of a selection names one of the product's options and one of its values.
fn known(product: &ProductDocument, selection: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let is_known = |option: &String, value: &String| {
        product.options.iter().any(|known| known.slug == *option && known.values.iter().any(|known| known.slug == *value))
    };
    selection.iter().filter(|(option, value)| is_known(option, value)).map(|(option, value)| (option.clone(), value.clone())).collect()
}

fn page(address: &Address, product: Arc<ProductDocument>, goes_with: Vec<Card>, view: &View) -> Page {
    let selection = if let Route::Product { selection, .. } = &address.route { selection.clone() } else { BTreeMap::new() };
    let chosen = chosen(&product, &selection);
    let shelf = product.category.as_ref().map(|(key, title)| {
        let slug = view.shop.categories.iter().find(|shelf| shelf.key == *key).map_or(key, |shelf| &shelf.slug).clone();
        (title.clone(), Address::new(view.locale, Route::Category { slug, query: ListQuery::default() }).url())
    });
    let head = head(&product, &selection, shelf.as_ref(), view);
    let products = std::iter::once(product.id).chain(goes_with.iter().map(|card| card.id)).collect();
    let view = view.clone();
    Page::new(head, products, move || {
        let crumbs = crumbs::crumbs(shelf.into_iter().map(|(title, url)| (title, Some(url))).collect(), &view);
        let tone = product.category.as_ref().map(|(key, _)| key.clone());
        let goes_with = (!goes_with.is_empty()).then(|| {
            view! {
                <section class="section">
                    <div class="section-head"><h2>{shop(view.locale).goes_with}</h2></div>
                    {grid(&goes_with, &view, None, Need::Later)}
                </section>
            }
        });
        view! {
            <main id="main">
                <section class="item" data-tone=tone>
                    {gallery::gallery(&product, chosen, &view)}
                    {buy(&product, chosen, crumbs, &view)}
                </section>
                {goes_with}
            </main>
        }
        .into_any()
    })
}

fn head(product: &ProductDocument, selection: &BTreeMap<String, String>, shelf: Option<&(String, String)>, view: &View) -> Head {
    let at = |locale: Locale, selection: &BTreeMap<String, String>| {
        let slug = product.slugs.get(&locale.text_language()).map_or_else(|| product.slug(), String::as_str).to_owned();
        Address::new(locale, Route::Product { slug, selection: selection.clone() }).url()
    };
    let canonical = at(view.locale, &BTreeMap::new());
    let mut steps: Vec<(String, String)> = shelf.cloned().into_iter().collect();
    steps.push((product.title.clone(), canonical.clone()));
    let first = product.pictures.first();
    Head {
        title: if product.seo_title.is_empty() { product.title.clone() } else { product.seo_title.clone() },
        description: if product.seo_description.is_empty() { product.summary.clone() } else { product.seo_description.clone() },
        canonical,
        alternates: Locale::OFFERED.into_iter().map(|locale| (locale, at(locale, selection))).collect(),
        languages: Locale::OFFERED
            .into_iter()
            .filter(|locale| !product.unsold.contains(&view.market_of(*locale)))
            .map(|locale| (locale, at(locale, &BTreeMap::new())))
            .collect(),
        noindex: product.unsold.contains(&view.market.code),
        kind: Kind::Product,
        picture: first.and_then(|first| Some((picture::address(first, 1200)?, first.width, first.height, first.alt.clone()))),
        json_ld: vec![group(product, view), json_ld(&crumbs::json(&steps, view))],
        style: choice::rules(product),
        category: product.category.as_ref().map(|(key, _)| (key.clone(), false)),
        ..Head::default()
    }
}

/// The product for machines, prices and availability through the same holes as for people. What the market has no price for has no offer.
fn group(product: &ProductDocument, view: &View) -> String {
    let at = |selection: BTreeMap<String, String>| {
        let address = Address::new(view.locale, Route::Product { slug: product.slug().to_owned(), selection });
        format!("{}{}", view.origin, address.url())
    };
    let pictures = |wanted: Option<&str>| -> Vec<String> {
        let shown = product.pictures.iter().filter(|picture| wanted.is_none() || picture.value.as_deref() == wanted);
        let addresses = shown.filter_map(|shown| picture::address(shown, 1200)).take(JSON_PICTURES_MAX);
        addresses.map(|path| format!("{}{path}", view.origin)).collect()
    };
    let variant = |variant: &Variant| -> String {
        let chosen: Vec<_> = product.options.iter().zip(&variant.values).collect();
        let names: Vec<&str> = chosen
            .iter()
            .filter_map(|(option, value)| option.values.iter().find(|known| known.slug == **value).map(|known| known.name.as_str()))
            .collect();
        let url = at(chosen.iter().map(|(option, value)| (option.slug.clone(), (*value).clone())).collect());
        let colour = chosen.iter().find(|(option, _)| option.slug == "colour").map(|(_, value)| value.as_str());
        let mut json = json!({
            "@type": "Product",
            "name": std::iter::once(product.title.as_str()).chain(names.iter().copied()).collect::<Vec<_>>().join(", "),
            "image": pictures(colour),
        });
        let offer = json!({
            "@type": "Offer",
            "url": url,
            "price": Hole::PlainPrice(variant.id).mark(),
            "priceCurrency": view.market.currency.code(),
            "availability": Hole::SchemaAvailability(variant.id).mark(),
            "itemCondition": "https://schema.org/NewCondition",
        });
        if !variant.sku.is_empty() {
            json["sku"] = json!(variant.sku);
        }
        for ((option, _), name) in chosen.iter().zip(names) {
            if let Some(property) = property(&option.slug) {
                json[property] = json!(name);
            }
        }
        with(&json, &Hole::IfSold(variant.id).either(&format!(",\"offers\":{}", json_ld(&offer)), ""))
    };
    let varies: Vec<_> =
        product.options.iter().filter_map(|option| property(&option.slug)).map(|name| format!("https://schema.org/{name}")).collect();
    let mut json = json!({
        "@context": "https://schema.org",
        "@type": "ProductGroup",
        "productGroupID": product.id.to_string(),
        "name": product.title,
        "description": product.summary,
        "url": at(BTreeMap::new()),
        "image": pictures(None),
    });
    if !varies.is_empty() {
        json["variesBy"] = json!(varies);
    }
    if !product.vendor.is_empty() {
        json["brand"] = json!({"@type": "Brand", "name": product.vendor});
    }
    let variants: Vec<String> = product.variants.iter().map(variant).collect();
    with(&json, &format!(",\"hasVariant\":[{}]", variants.join(",")))
}

/// A JSON object with more members than it had: `members` begins with a comma, or is nothing.
fn with(object: &Value, members: &str) -> String {
    let text = json_ld(object);
    format!("{}{members}}}", text.strip_suffix('}').unwrap_or(&text))
}

/// Schema.org's property of an option, where it has one.
fn property(option: &str) -> Option<&'static str> {
    match option {
        "colour" => Some("color"),
        "size" => Some("size"),
        "material" => Some("material"),
        _ => None,
    }
}
