//! "Order again": what an earlier order had goes into the cart, as far as it can be bought here and now.

use crate::{
    Shop,
    http::{
        Failure, Fields, InLocale, Visitor, cart,
        forms::see_other,
        link,
        order::{order_url, unknown},
        render,
    },
    users::Known,
};
use app::routes::{Address, Route};
use axum::{
    Router,
    extract::{Path, State},
    response::Response,
    routing::post,
};
use domain::{
    MutationId, ProductId, VariantId,
    cart::{Change, Quantity},
    live::Availability,
    offer::offer,
};
use std::fmt::Write as _;
use uuid::Uuid;

/// Products that the cart's page names as missing; an address stays short.
const NAMED_MAX: usize = 10;

pub fn routes() -> Router<Shop> {
    Router::new().route("/{locale}/orders/{secret}/again", post(again))
}

async fn again(
    State(shop): State<Shop>,
    InLocale(locale): InLocale,
    Path((_, secret)): Path<(String, String)>,
    visitor: Visitor,
    fields: Fields,
) -> Result<Response, Failure> {
    let view = render::view(&shop, locale).await?;
    let Some(order) = shop.orders.find_by_secret(&secret).await? else { return unknown(&shop, &visitor, &view, &secret).await };
    if link::is_closed(&shop, &visitor, &order) {
        return Ok(see_other(&order_url(&view, &secret)));
    }
    let wish = fields.get("mutation").parse().unwrap_or_else(|_| MutationId(shop.clock.id()));
    let lines: Vec<(ProductId, VariantId, Quantity)> =
        order.body.quote.lines.iter().map(|line| (line.product, line.variant, line.quantity)).collect();
    let products: Vec<ProductId> = lines.iter().map(|(product, ..)| *product).collect();
    let live = shop.storefront.live(&products).await?;
    let mut cart = cart::visit(&shop, &visitor).await?.cart();
    let mut known = cart::known(&shop, &visitor);
    let (mut added, mut missing) = (0_usize, Vec::new());
    for (place, (product, variant, quantity)) in (0_u128..).zip(lines) {
        let here = live.iter().find(|item| item.product == product && item.published).and_then(|item| item.variant(view.market.code, variant));
        let left = here.filter(|here| offer(&here.windows, view.now).is_some()).map_or(0, |here| match here.availability {
            Availability::SoldOut => 0,
            Availability::Low { left } => left,
            Availability::InStock | Availability::BackOrder => Quantity::MAX.get(),
        });
        let Some(pieces) = Quantity::new(quantity.get().min(left)) else {
            missing.push(product);
            continue;
        };
        // One wish a line: a form that is sent twice adds once.
        let wish = MutationId(Uuid::from_u128(wish.0.as_u128() ^ place));
        let change = Change::Add { product, variant, quantity: pieces };
        match cart::carts(&shop).change(known, wish, change).await? {
            Ok((changed, _)) => {
                added += 1;
                known = Some(Known { id: changed.id, seen: known.filter(|known| known.id == changed.id).and_then(|known| known.seen) });
                cart = Some(changed);
                if pieces != quantity {
                    missing.push(product);
                }
            }
            // The cart, or this line of it, is full.
            Err(_) => missing.push(product),
        }
    }
    missing.dedup();
    let said = if added == 0 { "none" } else { "again" };
    let mut url = format!("{}?said={said}", Address::new(locale, Route::Cart).url());
    for product in missing.iter().take(NAMED_MAX) {
        let _ = write!(url, "&missing={product}");
    }
    let mut response = see_other(&url);
    if cart.is_some() {
        cart::remember(&shop, &mut response, cart.as_ref());
    }
    Ok(response)
}
