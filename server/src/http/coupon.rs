//! The form for a discount code, and what a cart's code gives whenever the cart is priced. A code that is not taken changes nothing.

use crate::{
    Shop,
    coupons::{self, Customer, Found},
    http::{
        Failure, Fields, InLocale, Visitor,
        basket::Basket,
        cart::{cart_url, carts, remember, respond_with, visit},
        forms::see_other,
        limits, render,
        ways::Ways,
    },
    orders,
    promotions::customers,
};
use app::{
    i18n::{self, filled},
    ports::View,
    private::{
        Notice,
        coupon::{Kept, Rejected, sentence},
    },
};
use axum::{
    Router,
    extract::{ConnectInfo, State},
    response::Response,
    routing::post,
};
use domain::{
    account::{Email, clean},
    address::Destination,
    cart::Cart,
    coupon::Code,
    delivery::{Method, Place},
    money::Money,
    pricing::Quote,
    promotion::{Candidate, Refusal},
};
use http::{HeaderMap, HeaderValue, header};
use std::net::SocketAddr;

pub fn routes() -> Router<Shop> {
    Router::new().route("/{locale}/cart/coupon", post(change))
}

/// Takes a code, or takes it out with `intent=remove`.
async fn change(
    State(shop): State<Shop>,
    InLocale(locale): InLocale,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    visitor: Visitor,
    fields: Fields,
) -> Result<Response, Failure> {
    let view = render::view(&shop, locale).await?;
    let messages = i18n::coupon(locale);
    let visit = visit(&shop, &visitor).await?;
    let Some(cart) = visit.clone().cart().filter(|cart| !cart.is_empty()) else { return Ok(see_other(&cart_url(&view))) };
    if fields.get("intent") == "remove" {
        return put(&shop, &view, &cart, None, "coupon-removed").await;
    }
    let typed: String = clean(fields.get("code")).chars().take(Code::TYPED_CHARS_MAX).collect();
    let limited = shop.config.rate_limits.then(|| shop.limits.check_code(limits::client(&shop.config, peer, &headers))).and_then(Result::err);
    let (status, text) = if typed.is_empty() {
        (422, messages.missing.to_owned())
    } else if limited.is_some() {
        (429, messages.too_many.to_owned())
    } else {
        match tried(&shop, &view, &cart, fields.get("code")).await? {
            Ok(code) => return put(&shop, &view, &cart, Some(&code), "coupon").await,
            Err(refusal) => (422, sentence(&refusal, &typed, &view)),
        }
    };
    let mut response = respond_with(&shop, &visitor, &view, visit, None, Some(Rejected { typed, text }), status).await?;
    if let Some(seconds) = limited {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(response)
}

async fn put(shop: &Shop, view: &View, cart: &Cart, code: Option<&Code>, said: &str) -> Result<Response, Failure> {
    let cart = carts(shop).set_coupon(cart.id, code).await?;
    let mut response = see_other(&format!("{}?said={said}", cart_url(view)));
    remember(shop, &mut response, cart.as_ref());
    Ok(response)
}

/// The code that was typed, if it gives something for this cart.
async fn tried(shop: &Shop, view: &View, cart: &Cart, text: &str) -> Result<Result<Code, Refusal>, Failure> {
    let Ok(code) = text.parse::<Code>() else { return Ok(Err(Refusal::Unknown)) };
    let mut basket = Basket::read(shop, view, cart).await?;
    let ways = Ways::read(shop, view, &basket, Place::somewhere(view.market.code)).await?;
    let typed = Cart { coupon: Some(code.clone()), ..cart.clone() };
    let (_, standing) = quote(shop, view, &typed, &mut basket, ways.first(), None, None).await?;
    Ok(standing.and_then(|standing| standing.refused).map_or(Ok(code), Err))
}

/// What a cart comes to now, and how its code stands: to show. The order's own transaction decides. Without an email nobody knows whether this
/// customer has used the code before.
pub async fn quote(
    shop: &Shop,
    view: &View,
    cart: &Cart,
    basket: &mut Basket,
    delivery: Option<&Method>,
    place: Option<&Destination>,
    email: Option<&Email>,
) -> Result<(Quote, Option<Standing>), Failure> {
    let known = match email {
        Some(email) => Some(customers::find(&shop.db, &orders::subject(&shop.keys, email)).await?),
        None => None,
    };
    let Some(code) = cart.coupon.clone() else { return Ok((basket.quote(shop, view, None, known.as_ref(), delivery, place).await?, None)) };
    let customer = email.map(|email| Customer::new(&shop.keys, email));
    let found = coupons::find(&shop.db, &code, cart.id, customer.as_ref()).await?;
    let unlocked = found.as_ref().map(|Found { coupon, usage }| Candidate::coupon(coupon, &code, *usage, view.text()));
    let quote = basket.quote(shop, view, unlocked, known.as_ref(), delivery, place).await?;
    let refused = if found.is_none() { Some(Refusal::Unknown) } else { quote.code_refusal().cloned() };
    Ok((quote, Some(Standing { code, refused })))
}

/// A cart's code, and why it gives nothing now.
#[derive(Debug)]
pub struct Standing {
    code: Code,
    refused: Option<Refusal>,
}

impl Standing {
    /// The code, where it gives something.
    pub fn granted(&self) -> Option<Code> {
        self.refused.is_none().then(|| self.code.clone())
    }

    /// What is said where the total is another one than the shopper saw: with the reason, where the code gives nothing any more.
    pub fn new_total(this: Option<&Self>, total: Money, is_first: bool, view: &View) -> Notice {
        let text = filled(i18n::till(view.locale).err_total, &[("amount", &i18n::money(total, view.locale))]);
        let refused = this.and_then(|this| this.refused.as_ref().map(|refusal| sentence(refusal, this.code.as_str(), view)));
        match refused {
            Some(refused) => Notice::bad(format!("{refused} {text}")),
            // Tax that only the address could tell is nobody's mistake.
            None if is_first => Notice::good(text),
            None => Notice::bad(text),
        }
    }

    /// As pages show it.
    pub fn kept(&self) -> Kept {
        Kept { code: self.code.to_string(), refused: self.refused.clone() }
    }
}
