//! The form for a discount code, and what a cart's code gives whenever the cart is priced. A code that is not taken changes nothing.

use crate::{
    Shop,
    coupons::{self, Customer},
    http::{
        Failure, Fields, InLocale, Visitor,
        basket::Basket,
        cart::{cart_url, carts, remember, respond_with, visit},
        forms::see_other,
        limits, render,
    },
    tariffs,
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
    cart::Cart,
    coupon::{Code, Refusal, Trial},
    delivery::Method,
    discount::Discount,
    money::Money,
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
            Err(refusal) => (422, sentence(refusal, &typed, &view)),
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
    let basket = Basket::read(shop, view, cart).await?;
    let method = tariffs::methods(&shop.db, view.market.code, view.now).await?.into_iter().next();
    Ok(grant(shop, view, cart, &basket, method.as_ref(), None, &code).await?.map(|_| code))
}

/// What a code gives a cart now: to show. The order's own transaction decides.
async fn grant(
    shop: &Shop,
    view: &View,
    cart: &Cart,
    basket: &Basket,
    delivery: Option<&Method>,
    email: Option<&Email>,
    code: &Code,
) -> Result<Result<Discount, Refusal>, Failure> {
    let customer = email.map(|email| Customer::new(&shop.keys, email));
    let Some(found) = coupons::find(&shop.db, code, cart.id, customer.as_ref()).await? else { return Ok(Err(Refusal::Unknown)) };
    let wanted = basket.wanted();
    let trial = Trial { market: &view.market, language: view.text(), wanted: &wanted, delivery, usage: found.usage, now: view.now };
    Ok(found.coupon.grant(code, &trial))
}

/// A cart's code, with what it gives now or why nothing.
#[derive(Debug)]
pub struct Standing {
    code: Code,
    outcome: Result<Discount, Refusal>,
}

impl Standing {
    /// `None`: the cart has no code. Without an email nobody knows whether this customer has used it before.
    pub async fn of(
        shop: &Shop,
        view: &View,
        cart: &Cart,
        basket: &Basket,
        delivery: Option<&Method>,
        email: Option<&Email>,
    ) -> Result<Option<Self>, Failure> {
        let Some(code) = cart.coupon.clone() else { return Ok(None) };
        let outcome = grant(shop, view, cart, basket, delivery, email, &code).await?;
        Ok(Some(Self { code, outcome }))
    }

    /// What it takes off: one discount, or none.
    pub fn discounts(&self) -> &[Discount] {
        self.outcome.as_ref().map_or(&[], std::slice::from_ref)
    }

    /// The code, where it gives something.
    pub fn granted(&self) -> Option<Code> {
        self.outcome.is_ok().then(|| self.code.clone())
    }

    /// What is said where the total is another one than the shopper saw: with the reason, where the code gives nothing any more.
    pub fn new_total(this: Option<&Self>, total: Money, is_first: bool, view: &View) -> Notice {
        let text = filled(i18n::till(view.locale).err_total, &[("amount", &i18n::money(total, view.locale))]);
        let refused = this.and_then(|this| this.outcome.as_ref().err().map(|refusal| sentence(*refusal, this.code.as_str(), view)));
        match refused {
            Some(refused) => Notice::bad(format!("{refused} {text}")),
            // Tax that only the address could tell is nobody's mistake.
            None if is_first => Notice::good(text),
            None => Notice::bad(text),
        }
    }

    /// As pages show it.
    pub fn kept(&self) -> Kept {
        Kept { code: self.code.to_string(), refused: self.outcome.as_ref().err().copied() }
    }
}
