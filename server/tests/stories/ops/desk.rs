//! A shop with paid orders, and people at the operator pages.

use crate::{
    orders::house::{self, House, PAYS},
    support::{Answer, Visitor},
};
use anyhow::{Context as _, ensure};
use domain::{OrderId, account::Phone, order::Order, staff::Role};
use server::{catalog::shelves, orders::Placed, params};

/// The SKU of the first variant.
pub const SKU: &str = "BELT-TAN-90";
pub const PHONE: &str = "+49 30 1234567";

/// A shop with 50 pieces in Rotterdam and 50 in Leipzig.
pub async fn open() -> anyhow::Result<House> {
    let house = house::open(50, 50).await?;
    let (market, variant, now) = (house.request(1).market, house.item.variant, house.shop.clock.now());
    house
        .shop
        .shop
        .db
        .transact::<_, anyhow::Error>(|tx| {
            let market = market.clone();
            Box::pin(async move {
                shelves::add_market(tx, &market, 0, now - 1).await?;
                tx.execute("UPDATE variants SET sku = $2 WHERE id = $1", params![variant, SKU]).await?;
                Ok(())
            })
        })
        .await?;
    Ok(house)
}

/// A paid order of `quantity` pieces.
pub async fn paid(house: &House, quantity: u32) -> anyhow::Result<Placed> {
    pays(house, quantity, PAYS).await
}

/// The same, paid with another card.
pub async fn pays(house: &House, quantity: u32, card: &str) -> anyhow::Result<Placed> {
    let mut request = house.request(quantity);
    request.personal.contact.phone = Some(Phone::parse(PHONE)?);
    let placed = house.orders.place(request).await?;
    house.type_card(placed.redirect_url.as_deref().context("a payment page")?, card).await?;
    house.until(&placed, "paid").await?;
    Ok(placed)
}

/// Puts the provider's clock forward.
pub async fn advance(house: &House, seconds: u64) -> anyhow::Result<()> {
    let faults = format!("{}/_faults/advance", house.provider);
    let answer = house.http.post(faults).json(&serde_json::json!({ "seconds": seconds })).send().await?;
    ensure!(answer.status() == 204, "{}", answer.text().await?);
    Ok(())
}

/// Somebody of that role, signed in.
pub async fn signed_in(house: &House, role: Role) -> anyhow::Result<Visitor> {
    house.shop.signed_in(role).await
}

pub fn page(placed: &Placed) -> String {
    format!("/ops/orders/{}", placed.number)
}

/// The key that the forms of an order's page carry now.
pub async fn key(visitor: &Visitor, placed: &Placed) -> anyhow::Result<String> {
    let answer = visitor.get(&page(placed)).await?;
    answer.field("id").map(str::to_owned).with_context(|| format!("the page has no forms: {}", words(&answer.body)))
}

/// Loads the page and sends one of its forms.
pub async fn act(visitor: &Visitor, placed: &Placed, act: &str, fields: &[(&str, &str)]) -> anyhow::Result<Answer> {
    let key = key(visitor, placed).await?;
    let mut all = vec![("id", key.as_str())];
    all.extend_from_slice(fields);
    visitor.post(&format!("{}/{act}", page(placed)), &all).await
}

/// Whether a form was carried out.
pub fn done(answer: &Answer, act: &str) -> anyhow::Result<()> {
    ensure!(answer.location().is_some_and(|to| to.ends_with(&format!("?said={act}"))), "{}: {}", answer.status, words(&answer.body));
    Ok(())
}

/// Whether a form was refused with a sentence that contains `words`.
pub fn refused(answer: &Answer, wanted: &str) -> anyhow::Result<()> {
    ensure!(answer.status == 422 && answer.body.contains(wanted), "{}, not {wanted:?}: {}", answer.status, words(&answer.body));
    Ok(())
}

pub async fn id(house: &House, placed: &Placed) -> anyhow::Result<OrderId> {
    house.orders.numbered(placed.number).await?.context("an order")
}

pub async fn ledgers(house: &House, placed: &Placed) -> anyhow::Result<Order> {
    house.orders.ledgers(id(house, placed).await?).await?.context("an order")
}

/// What staff did to orders, oldest first.
pub async fn log(house: &House) -> anyhow::Result<Vec<String>> {
    let rows = house.shop.shop.db.all("SELECT action FROM audit_log WHERE subject LIKE 'order:%' ORDER BY id", params![]).await?;
    rows.iter().map(|row| row.text("action")).collect()
}

/// A page without its markup.
pub fn words(html: &str) -> String {
    let main = html.split_once("<main").map_or(html, |(_, main)| main);
    let text: String = main.split('<').filter_map(|part| part.split_once('>').map(|(_, text)| format!("{text} "))).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
