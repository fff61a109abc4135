//! The checkout's draft: what was typed, beside the cart, without what belongs to one showing of the form.

use crate::{Shop, http::Fields, users::Drafts};
use domain::cart::Cart;
use std::collections::BTreeMap;

/// Keeps what was typed.
pub async fn keep(shop: &Shop, cart: &Cart, typed: &BTreeMap<String, String>) -> anyhow::Result<()> {
    let own = |(name, _): &(&String, &String)| !matches!(name.as_str(), "intent" | "mutation" | "cart_version" | "seen_total");
    let typed = typed.iter().filter(own).map(|(name, value)| (name.clone(), value.clone())).collect();
    drafts(shop).put(cart.id, &typed).await
}

/// What was typed before. A draft that cannot be read is no reason to refuse a checkout.
pub async fn read(shop: &Shop, cart: &Cart) -> Fields {
    let typed = drafts(shop).get(cart.id).await.unwrap_or_else(|error| {
        tracing::warn!(error = format!("{error:#}"), "a draft was left aside");
        None
    });
    typed.unwrap_or_default().into_iter().collect()
}

fn drafts(shop: &Shop) -> Drafts {
    Drafts::new(shop.table.clone(), shop.clock.clone(), shop.keys.clone())
}
