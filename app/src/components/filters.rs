//! How a list is narrowed and ordered: one plain GET form, and a chip for each choice that takes it back.

use super::card::hex;
use crate::{
    i18n::{Shop, filled, number, price, shop},
    ports::{Facets, View},
    routes::{Address, ListQuery, Route},
};
use domain::{money::Money, search::Sort};
use leptos::prelude::*;

/// The form. Without facets (they could not be read) it still sorts and shows what was chosen.
pub fn filters(address: &Address, facets: Option<&Facets>, total: u32, view: &View) -> AnyView {
    let messages = shop(view.locale);
    let list = address.list().cloned().unwrap_or_default();
    let search = if let Route::Search { text, .. } = &address.route { Some(text.clone()) } else { None };
    let ranked = search.is_some();
    let show = messages.show_products.text(view.locale, total.into());
    let sorts = Sort::ALL.into_iter().map(|sort| {
        view! { <option value=sort.key() selected=sort == list.sort>{sort_name(sort, ranked, messages)}</option> }
    });
    view! {
        <form class="filters" method="get" action=address.path() aria-label=messages.filter>
            {search.map(|text| view! { <input type="hidden" name="q" value=text/> })}
            {facets.map(|facets| panels(facets, &list, &show, view))}
            <div class="end">
                <span class="count">{count(total, view)}</span>
                <label>{messages.sort}" "<select name="sort">{sorts.collect_view()}</select></label>
                <button class="button small quiet">{messages.apply}</button>
            </div>
        </form>
    }
    .into_any()
}

/// "8 products", "1 product", "No products".
pub fn count(total: u32, view: &View) -> String {
    let messages = shop(view.locale);
    if total == 0 { messages.no_products.to_owned() } else { messages.product_count.text(view.locale, total.into()) }
}

fn panels(facets: &Facets, list: &ListQuery, show: &str, view: &View) -> AnyView {
    let messages = shop(view.locale);
    let button = || view! { <button class="button small">{show.to_owned()}</button> };
    let options = facets.options.iter().filter(|option| !option.values.is_empty()).map(|option| {
        let chosen = list.filter.options.get(&option.slug);
        let values = option.values.iter().map(|(value, count)| {
            let dot = hex(value.hex.as_deref()).map(|fill| {
                view! { <svg class="dots" viewBox="0 0 11 11" width="11" height="11" aria-hidden="true"><circle cx="5.5" cy="5.5" r="5.5" fill=fill.to_owned()></circle></svg> }
            });
            view! {
                <li>
                    <label class="check">
                        <input type="checkbox" name=format!("o.{}", option.slug) value=value.slug.clone() checked=chosen.is_some_and(|chosen| chosen.contains(&value.slug))/>
                        <span>{dot}{value.name.clone()}</span>
                        <small>{number((*count).into(), view.locale)}</small>
                    </label>
                </li>
            }
        });
        let name = option.name.clone();
        view! { <details><summary>{option.name.clone()}</summary><div class="panel"><ul aria-label=name>{values.collect_view()}</ul>{button()}</div></details> }
    });
    // What the products cost stands on their cards alone: a range printed here would be a second, older price.
    let prices = (facets.by_price || list.filter.price_min.is_some() || list.filter.price_max.is_some()).then(|| {
        let pairs = list.filter.to_pairs(view.market.currency.minor_digits());
        let typed = |key: &str| pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
        view! {
            <details>
                <summary>{messages.price}</summary>
                <div class="panel">
                    <div class="range">
                        <div class="field">
                            <label for="price-min">{messages.price_min}</label>
                            <input id="price-min" name="min" inputmode="decimal" autocomplete="off" value=typed("min")/>
                        </div>
                        <div class="field">
                            <label for="price-max">{messages.price_max}</label>
                            <input id="price-max" name="max" inputmode="decimal" autocomplete="off" value=typed("max")/>
                        </div>
                    </div>
                    {button()}
                </div>
            </details>
        }
    });
    view! {
        {options.collect_view()}
        {prices}
        <details>
            <summary>{messages.availability}</summary>
            <div class="panel">
                <label class="check">
                    <input type="checkbox" name="stock" value="1" checked=list.filter.in_stock/>
                    <span>{messages.in_stock_only}</span>
                    <small>{number(facets.in_stock.into(), view.locale)}</small>
                </label>
                {button()}
            </div>
        </details>
    }
    .into_any()
}

/// A link for each choice, to the same list without it.
pub fn chips(address: &Address, facets: Option<&Facets>, view: &View) -> Option<AnyView> {
    let list = address.list().filter(|list| !list.filter.is_empty())?;
    let messages = shop(view.locale);
    let money = |minor| price(Money::new(minor, view.market.currency), view.locale);
    let mut chips = Vec::new();
    let mut chip = |name: String, change: &dyn Fn(&mut domain::search::Filter)| {
        let mut filter = list.filter.clone();
        change(&mut filter);
        chips.push((name, address.with_list(list.with_filter(filter)).url()));
    };
    for (option, values) in &list.filter.options {
        let facet = facets.and_then(|facets| facets.options.iter().find(|facet| facet.slug == *option));
        for value in values {
            let name = facet
                .and_then(|facet| facet.values.iter().find(|(known, _)| known.slug == *value))
                .map_or_else(|| value.clone(), |(known, _)| known.name.clone());
            chip(name, &|filter| {
                if let Some(values) = filter.options.get_mut(option) {
                    values.remove(value);
                    if values.is_empty() {
                        filter.options.remove(option);
                    }
                }
            });
        }
    }
    if let Some(low) = list.filter.price_min {
        chip(filled(messages.price_over, &[("price", &money(low))]), &|filter| filter.price_min = None);
    }
    if let Some(high) = list.filter.price_max {
        chip(filled(messages.price_under, &[("price", &money(high))]), &|filter| filter.price_max = None);
    }
    if list.filter.in_stock {
        chip(messages.in_stock_only.to_owned(), &|filter| filter.in_stock = false);
    }
    let items = chips.into_iter().map(|(name, href)| {
        let words = filled(messages.remove_filter, &[("filter", &name)]);
        view! { <li><a href=href aria-label=words>{name}" "<span aria-hidden="true">"×"</span></a></li> }
    });
    let clear = address.with_list(list.with_filter(domain::search::Filter::default())).url();
    Some(
        view! {
            <ul class="chips" aria-label=messages.chosen_filters>
                {items.collect_view()}
                <li><a class="clear" href=clear>{messages.clear_all}</a></li>
            </ul>
        }
        .into_any(),
    )
}

const fn sort_name(sort: Sort, ranked: bool, messages: &Shop) -> &'static str {
    match sort {
        Sort::Featured if ranked => messages.sort_best_match,
        Sort::Featured => messages.sort_featured,
        Sort::Newest => messages.sort_newest,
        Sort::PriceAscending => messages.sort_price_asc,
        Sort::PriceDescending => messages.sort_price_desc,
    }
}
