//! An order's link: the question for the postcode that an old one asks, and the form that replaces it.

use crate::{
    Shop,
    http::{
        Failure, Fields, InLocale, Visitor,
        forms::see_other,
        order::{order_url, unknown},
        render,
    },
    orders::{
        OrderView,
        links::{Checked, Way},
        story::Actor,
    },
};
use app::{i18n::follow, ports::View, private::gate};
use axum::{
    Router,
    extract::{Path, State},
    response::Response,
    routing::post,
};
use http::{HeaderValue, header};

/// The cookie of whoever told an order's postcode.
const COOKIE: &str = "order_pass";
/// How long the postcode is not asked again: a day.
const KEPT_S: i64 = 86_400;
/// What the signature in the cookie is for.
const PURPOSE: &str = "order pass";

pub fn routes() -> Router<Shop> {
    Router::new().route("/{locale}/orders/{secret}/open", post(open)).route("/{locale}/orders/{secret}/renew", post(renew))
}

/// Takes the postcode.
async fn open(
    State(shop): State<Shop>,
    InLocale(locale): InLocale,
    Path((_, secret)): Path<(String, String)>,
    visitor: Visitor,
    fields: Fields,
) -> Result<Response, Failure> {
    let view = render::view(&shop, locale).await?;
    let Some(order) = shop.orders.find_by_secret(&secret).await? else { return unknown(&shop, &visitor, &view, &secret).await };
    if !is_closed(&shop, &visitor, &order) {
        return Ok(see_other(&order_url(&view, &secret)));
    }
    match shop.orders.check_postcode(&order, fields.get("postcode"), Way::Link).await? {
        Checked::Right => {
            let mut response = see_other(&order_url(&view, &secret));
            pass(&shop, &mut response, &order);
            Ok(response)
        }
        Checked::Wrong => render::private(&shop, &visitor, &view, gate::page(&view, &secret, Some(follow(locale).gate_wrong), false, 422)).await,
        Checked::Locked => render::private(&shop, &visitor, &view, gate::page(&view, &secret, None, true, 429)).await,
    }
}

/// Replaces the link and leads to the order by the new one.
async fn renew(
    State(shop): State<Shop>,
    InLocale(locale): InLocale,
    Path((_, secret)): Path<(String, String)>,
    visitor: Visitor,
    _: Fields,
) -> Result<Response, Failure> {
    let view = render::view(&shop, locale).await?;
    let Some(order) = shop.orders.find_by_secret(&secret).await? else { return unknown(&shop, &visitor, &view, &secret).await };
    if is_closed(&shop, &visitor, &order) {
        return Ok(see_other(&order_url(&view, &secret)));
    }
    let secret = shop.orders.renew_link(order.id, &Actor::Shopper).await?;
    Ok(see_other(&format!("{}?said=renewed", order_url(&view, &secret))))
}

/// Whether the postcode has to be told before anything of an order is shown or changed.
pub fn is_closed(shop: &Shop, visitor: &Visitor, order: &OrderView) -> bool {
    let told = || {
        let (order_and_link, until) = shop.keys.verify(PURPOSE, visitor.cookie(COOKIE)?)?.rsplit_once(':')?;
        (order_and_link == passed(order) && shop.clock.now() / 1_000_000 < until.parse::<i64>().ok()?).then_some(())
    };
    shop.orders.asks_for_postcode(order) && told().is_none()
}

/// The page that asks for it.
pub async fn ask(shop: &Shop, visitor: &Visitor, view: &View, secret: &str) -> Result<Response, Failure> {
    render::private(shop, visitor, view, gate::page(view, secret, None, false, 200)).await
}

/// Remembers that this visitor told an order's postcode: for this order, this link and a day.
pub fn pass(shop: &Shop, response: &mut Response, order: &OrderView) {
    let until = shop.clock.now() / 1_000_000 + KEPT_S;
    let signed = shop.keys.sign(PURPOSE, &format!("{}:{until}", passed(order)));
    let secure = if shop.config.is_https() { "; Secure" } else { "" };
    if let Ok(cookie) = HeaderValue::from_str(&format!("{COOKIE}={signed}; Path=/; Max-Age={KEPT_S}; HttpOnly; SameSite=Lax{secure}")) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// An order and its present link.
fn passed(order: &OrderView) -> String {
    format!("{}:{}", order.id, order.link_made_at)
}
