//! One real order in each market, placed as shoppers place them.

use super::fill_orders::Pattern;
use crate::{
    Shop,
    catalog::shelves,
    orders::{LineText, OrderRequest, Personal, PlaceOrderError, RequestedLine},
    params, tariffs,
};
use anyhow::{Context as _, bail};
use domain::{
    CartId,
    account::{Contact, Email, PersonName},
    address::Address,
    cart::Quantity,
    market::Market,
    money::Money,
};

/// Variants that are tried until one can be bought.
const TRIES: i64 = 50;

/// The patterns, and where the shop's pieces lie.
pub async fn place(shop: &Shop) -> anyhow::Result<(Vec<Pattern>, Vec<String>)> {
    let (mut patterns, mut locations) = (Vec::new(), Vec::new());
    for market in shelves::markets(&shop.db, shop.clock.now()).await? {
        locations.extend(market.locations.iter().cloned());
        patterns.push(one(shop, &market).await.with_context(|| format!("an order in {}", market.code))?);
    }
    locations.sort();
    locations.dedup();
    Ok((patterns, locations))
}

async fn one(shop: &Shop, market: &Market) -> anyhow::Result<Pattern> {
    let country = *market.countries.first().context("a market has a country")?;
    let region = match country.code() {
        "US" => Some("CA"),
        "CA" => Some("ON"),
        "JP" => Some("13"),
        _ => None,
    };
    let personal = Personal {
        contact: Contact { email: Email::parse("pattern@example.com")?, phone: None },
        delivery: Address {
            country,
            name: PersonName { full: "Pattern".to_owned(), kana: None },
            company: None,
            line1: "1 Main Street".to_owned(),
            line2: None,
            city: "Town".to_owned(),
            region: region.map(str::to_owned),
            postcode: Some("10115".to_owned()),
        },
        billing: None,
    };
    let locale = domain::locale::Locale::OFFERED.into_iter().find(|locale| locale.to_string().ends_with(&country.code().to_lowercase()));
    let locale = locale.context("a locale of the market")?;
    let rows = shop
        .db
        .all(
            "SELECT v.id, v.product_id FROM prices p JOIN variants v ON v.id = p.variant_id WHERE p.price_list = $1 AND v.active = 1 LIMIT $2",
            params![&market.price_list, TRIES],
        )
        .await?;
    let methods = tariffs::methods(&shop.db, market.code, shop.clock.now()).await?;
    let method = methods.first().context("a delivery method")?.code.clone();
    let mut refusal = None;
    for row in &rows {
        let text = LineText { title: "Pattern".to_owned(), ..LineText::default() };
        let line = RequestedLine { product: row.parse("product_id")?, variant: row.parse("id")?, quantity: Quantity::new(1).context("one")?, text };
        let mut request = OrderRequest {
            key: shop.clock.id().to_string(),
            cart: CartId(shop.clock.id()),
            cart_version: 1,
            market: market.clone(),
            locale,
            lines: vec![line],
            personal: personal.clone(),
            method: method.clone(),
            coupon: None,
            confirmed_total: Money::zero(market.currency),
        };
        // The first answer says what it costs.
        let mut answer = shop.orders.place(request.clone()).await;
        if let Err(PlaceOrderError::PriceChanged(quote)) = &answer {
            request.confirmed_total = quote.total;
            request.key = shop.clock.id().to_string();
            answer = shop.orders.place(request).await;
        }
        match answer {
            Ok(placed) => {
                let found = shop.orders.find_by_secret(&placed.secret).await?.context("an order that was just placed")?;
                let personal = found.personal.context("nobody was erased")?;
                return Ok(Pattern { market: market.code, locale: locale.to_string(), body: found.body, personal });
            }
            Err(error) => refusal = Some(error),
        }
    }
    match refusal {
        Some(error) => Err(error.into()),
        None => bail!("nothing is sold there"),
    }
}
