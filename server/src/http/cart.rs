//! The cart's page and its forms. A form that cannot be carried out answers with the cart as it is, the right status and one sentence.

use crate::{
    Shop,
    http::{
        Failure, Fields, InLocale, Visitor,
        basket::{self, Basket},
        coupon::{self, Standing},
        forms::see_other,
        render,
        ways::Ways,
    },
    users::{Carts, Known, Visit, carts},
};
use app::{
    i18n::{coupon as coupon_messages, filled, follow, shop as shop_messages, till},
    pages::Fault,
    ports::View,
    private::{
        Notice,
        cart::{CartData, page},
        coupon::Rejected,
    },
    routes::{Address, Route},
};
use axum::{
    Router,
    extract::{Path, RawQuery, State},
    response::{Html, IntoResponse as _, Response},
    routing::{get, post},
};
use domain::{
    MutationId, ProductId, VariantId,
    cart::{Cart, CartError, Change, Changed, Quantity},
    catalog::ProductDocument,
    delivery::Place,
    live::Availability,
    offer::offer,
};
use http::{HeaderMap, HeaderValue, header};

/// The cookie with the badge's number: for showing only.
const COUNT_COOKIE: &str = "cart_count";

pub fn routes() -> Router<Shop> {
    Router::new().route("/{locale}/cart", get(show)).route("/{locale}/cart/lines", post(add)).route("/{locale}/cart/lines/{variant}", post(change))
}

async fn show(State(shop): State<Shop>, InLocale(locale): InLocale, visitor: Visitor, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    let view = render::view(&shop, locale).await?;
    let visit = visit(&shop, &visitor).await?;
    let notice = said(&shop, &view, &visit, query.as_deref().unwrap_or("")).await?;
    respond(&shop, &visitor, &view, visit, notice, 200).await
}

/// Adds a product's variant, chosen by its options.
async fn add(
    State(shop): State<Shop>,
    InLocale(locale): InLocale,
    visitor: Visitor,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Failure> {
    let view = render::view(&shop, locale).await?;
    let (wish, chosen) = match wish(&shop, &fields).ok_or_else(|| bad_form(&view)) {
        Ok(wish) => (wish, choose(&shop, &view, &fields).await?),
        Err(refused) => (MutationId(shop.clock.id()), Err(refused)),
    };
    let visit = visit(&shop, &visitor).await?;
    let Chosen { document, change } = match chosen {
        Ok(chosen) => chosen,
        Err(refused) => return respond(&shop, &visitor, &view, visit, Some(Notice::bad(refused.text)), refused.status).await,
    };
    let fresh = visit == Visit::Lost;
    let title = document.title.as_str();
    let (cart, changed) = match carts(&shop).change(known(&shop, &visitor), wish, change).await? {
        Ok(done) => done,
        Err(refusal) => return respond(&shop, &visitor, &view, visit, Some(Notice::bad(refusal_text(refusal, title, &view))), 409).await,
    };
    let said = if changed == Changed::Limited { "limited" } else { "added" };
    let mut response = if headers.contains_key("x-fragment") {
        fragment(&cart, &notice_text(said, title, &view), &view)
    } else {
        let variant = match change {
            Change::Add { variant, .. } | Change::Set { variant, .. } | Change::Remove { variant } => variant,
        };
        let fresh = if fresh { "&fresh=1" } else { "" };
        see_other(&format!("{}?said={said}&line={variant}{fresh}", cart_url(&view)))
    };
    remember(&shop, &mut response, Some(&cart));
    Ok(response)
}

/// Sets a line's quantity; 0 removes it.
async fn change(
    State(shop): State<Shop>,
    InLocale(locale): InLocale,
    Path((_, variant)): Path<(String, String)>,
    visitor: Visitor,
    fields: Fields,
) -> Result<Response, Failure> {
    let variant: VariantId = variant.parse().map_err(|_| Fault::NotFound)?;
    let view = render::view(&shop, locale).await?;
    let visit = visit(&shop, &visitor).await?;
    let Some(cart) = visit.clone().cart() else { return Ok(see_other(&cart_url(&view))) };
    let Some(wish) = wish(&shop, &fields) else {
        let refused = bad_form(&view);
        return respond(&shop, &visitor, &view, visit, Some(Notice::bad(refused.text)), refused.status).await;
    };
    let product = cart.line(variant).map(|line| line.product);
    let (change, said) = match fields.get("quantity").trim() {
        "0" => (Change::Remove { variant }, "removed"),
        text => match quantity(text) {
            Some(quantity) => (Change::Set { variant, quantity }, "updated"),
            None => return respond(&shop, &visitor, &view, visit, Some(Notice::bad(quantity_text(&view))), 422).await,
        },
    };
    match carts(&shop).change(known(&shop, &visitor), wish, change).await? {
        Ok((cart, _)) => {
            let product = product.map(|product| format!("&product={product}")).unwrap_or_default();
            let mut response = see_other(&format!("{}?said={said}&line={variant}{product}", cart_url(&view)));
            remember(&shop, &mut response, Some(&cart));
            Ok(response)
        }
        Err(refusal) => respond(&shop, &visitor, &view, visit, Some(Notice::bad(refusal_text(refusal, "", &view))), 409).await,
    }
}

/// Why a form was not carried out.
struct Refused {
    status: u16,
    text: String,
}

/// What is to be added.
struct Chosen {
    document: std::sync::Arc<ProductDocument>,
    change: Change,
}

async fn choose(shop: &Shop, view: &View, fields: &Fields) -> Result<Result<Chosen, Refused>, Failure> {
    let messages = till(view.locale);
    let refuse = |status, text: String| Ok(Err(Refused { status, text }));
    if fields.optional("product").is_none() {
        return Ok(Err(bad_form(view)));
    }
    let Ok(product) = fields.get("product").trim().parse::<ProductId>() else { return refuse(404, messages.said_unknown.to_owned()) };
    let Some(document) = basket::document(shop, view, product).await? else { return refuse(404, messages.said_unknown.to_owned()) };
    let named = |template| filled(template, &[("product", &document.title)]);
    let quantity = match fields.optional("quantity").map(str::trim) {
        None | Some("") => Quantity::ONE,
        Some(text) => match quantity(text) {
            Some(quantity) => quantity,
            None => return refuse(422, quantity_text(view)),
        },
    };
    let mut values = Vec::with_capacity(document.options.len());
    for option in &document.options {
        match (fields.get(&option.slug), option.values.as_slice()) {
            (chosen, known) if known.iter().any(|value| value.slug == chosen) => values.push(chosen.to_owned()),
            // With one value there is nothing to choose.
            ("", [only]) => values.push(only.slug.clone()),
            _ => return refuse(422, filled(messages.said_choose, &[("product", &document.title), ("option", &option.name)])),
        }
    }
    let Some(variant) = document.variants.iter().find(|variant| variant.values == values).map(|variant| variant.id) else {
        return refuse(422, shop_messages(view.locale).no_combination.to_owned());
    };
    let live = shop.storefront.live(&[product]).await?;
    let here = live.iter().find(|item| item.product == product && item.published).and_then(|item| item.variant(view.market.code, variant));
    match here {
        Some(here) if offer(&here.windows, view.now).is_some() => {
            if here.availability == Availability::SoldOut {
                return refuse(409, named(messages.said_sold_out));
            }
        }
        _ => return refuse(409, named(messages.said_not_sold)),
    }
    let change = Change::Add { product, variant, quantity };
    Ok(Ok(Chosen { document, change }))
}

/// The cart's page as it is now, with cookies that fit it.
async fn respond(shop: &Shop, visitor: &Visitor, view: &View, visit: Visit, notice: Option<Notice>, status: u16) -> Result<Response, Failure> {
    respond_with(shop, visitor, view, visit, notice, None, status).await
}

/// The same, perhaps with a discount code that was not taken.
pub async fn respond_with(
    shop: &Shop,
    visitor: &Visitor,
    view: &View,
    visit: Visit,
    notice: Option<Notice>,
    rejected: Option<Rejected>,
    status: u16,
) -> Result<Response, Failure> {
    let lost = visit == Visit::Lost;
    let notice = notice.or_else(|| lost.then(|| Notice::bad(till(view.locale).said_fresh)));
    let cart = visit.cart();
    let empty = Cart::new(domain::CartId(shop.clock.id()), view.now);
    let shown = cart.as_ref().unwrap_or(&empty);
    let mut basket = Basket::read(shop, view, shown).await?;
    let ways = Ways::read(shop, view, &basket, Place::somewhere(view.market.code)).await?;
    let method = ways.first().cloned();
    // Without goods there is nothing to deliver.
    let charged = method.as_ref().filter(|_| !basket.wanted().is_empty());
    let (quote, standing) = coupon::quote(shop, view, shown, &mut basket, charged, None, None).await?;
    let promise = charged.and_then(|method| ways.promised(method));
    let refusal = ways.none(view);
    let coupon = standing.as_ref().map(Standing::kept);
    let pieces = cart.as_ref().map_or(0, Cart::pieces);
    let page = page(
        view,
        CartData { lines: basket.shown(), quote, method, promise, has_zones: ways.has_zones(), refusal, coupon, rejected, notice, status },
    );
    let mut response = render::private(shop, &visitor.with_cart_count(pieces), view, page).await?;
    if cart.is_some() || lost {
        remember(shop, &mut response, cart.as_ref());
    }
    Ok(response)
}

/// The sentence that a redirect asked for.
async fn said(shop: &Shop, view: &View, visit: &Visit, query: &str) -> Result<Option<Notice>, Failure> {
    let fields = Fields::read(query.as_bytes()).unwrap_or_default();
    let word = fields.get("said");
    let messages = till(view.locale);
    let code = if let Visit::Here(cart) = visit { cart.coupon.as_ref() } else { None };
    match (word, code) {
        ("ordered", _) => return Ok(Some(Notice::good(messages.said_ordered))),
        ("coupon", Some(code)) => {
            return Ok(Some(Notice::good(filled(coupon_messages(view.locale).said_applied, &[("code", code.as_str())]))));
        }
        ("coupon-removed", None) => return Ok(Some(Notice::good(coupon_messages(view.locale).said_removed))),
        _ => {}
    }
    if matches!(word, "again" | "none") {
        return Ok(Some(again(shop, view, word, &fields).await?));
    }
    if !matches!(word, "added" | "limited" | "updated" | "removed") {
        return Ok(None);
    }
    let line = fields.get("line").parse().ok().and_then(|variant| if let Visit::Here(cart) = visit { cart.line(variant) } else { None });
    let product = if word == "removed" { fields.get("product").parse().ok() } else { line.map(|line| line.product) };
    let Some(product) = product else { return Ok(None) };
    let title = basket::document(shop, view, product).await?.map_or_else(|| messages.unknown_product.to_owned(), |document| document.title.clone());
    let mut text = notice_text(word, &title, view);
    if fields.get("fresh") == "1" {
        text = format!("{} {text}", messages.said_fresh);
    }
    Ok(Some(if word == "limited" { Notice::bad(text) } else { Notice::good(text) }))
}

/// What became of an order that was to be repeated.
async fn again(shop: &Shop, view: &View, word: &str, fields: &Fields) -> Result<Notice, Failure> {
    let messages = follow(view.locale);
    let missing = fields.iter().filter(|(name, _)| *name == "missing").filter_map(|(_, product)| product.parse::<ProductId>().ok());
    let mut titles = Vec::new();
    for product in missing.take(Cart::LINES_MAX) {
        let title = basket::document(shop, view, product).await?.map(|document| document.title.clone());
        titles.push(title.unwrap_or_else(|| till(view.locale).unknown_product.to_owned()));
    }
    let named = |template| filled(template, &[("products", &titles.join(", "))]);
    Ok(match (word, titles.is_empty()) {
        ("none", _) => Notice::bad(named(messages.again_none)),
        (_, true) => Notice::good(messages.again_all),
        (_, false) => Notice::bad(named(messages.again_some)),
    })
}

fn notice_text(said: &str, title: &str, view: &View) -> String {
    let messages = till(view.locale);
    let template = match said {
        "limited" => messages.said_limited,
        "updated" => messages.said_updated,
        "removed" => messages.said_removed,
        _ => messages.said_added,
    };
    filled(template, &[("product", title), ("max", &Quantity::MAX.get().to_string())])
}

fn refusal_text(refusal: CartError, title: &str, view: &View) -> String {
    let messages = till(view.locale);
    match refusal {
        CartError::Full => filled(messages.said_cart_full, &[("max", &Cart::LINES_MAX.to_string())]),
        CartError::LineFull => filled(messages.said_line_full, &[("product", title), ("max", &Quantity::MAX.get().to_string())]),
        CartError::NoSuchLine => messages.said_missing_line.to_owned(),
    }
}

fn quantity_text(view: &View) -> String {
    filled(till(view.locale).said_quantity, &[("max", &Quantity::MAX.get().to_string())])
}

fn bad_form(view: &View) -> Refused {
    Refused { status: 400, text: till(view.locale).said_bad_form.to_owned() }
}

/// The badge and a sentence, for the island.
fn fragment(cart: &Cart, said: &str, view: &View) -> Response {
    let mut html = app::holes::cart_badge(cart.pieces(), view.locale);
    html.push_str("<p role=\"status\">");
    app::holes::escape(said, &mut html);
    html.push_str("</p>");
    let mut response = Html(html).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Whole numbers from 1 to the limit, in ASCII or full-width digits.
fn quantity(text: &str) -> Option<Quantity> {
    let text = domain::account::clean_ascii(text);
    if text.len() > 3 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().and_then(Quantity::new)
}

/// The form's id; programs may leave it out and give up the protection against doubling.
fn wish(shop: &Shop, fields: &Fields) -> Option<MutationId> {
    match fields.optional("mutation") {
        None | Some("") => Some(MutationId(shop.clock.id())),
        Some(text) => text.parse().ok(),
    }
}

/// The cart's page.
pub fn cart_url(view: &View) -> String {
    Address::new(view.locale, Route::Cart).url()
}

/// The carts of this shop.
pub fn carts(shop: &Shop) -> Carts {
    Carts::new(shop.table.clone(), shop.clock.clone(), shop.keys.clone())
}

/// The visitor's cart.
pub async fn visit(shop: &Shop, visitor: &Visitor) -> anyhow::Result<Visit> {
    carts(shop).visit(visitor.cookie(carts::COOKIE)).await
}

/// Which cart the visitor has, as far as the cookie goes.
pub fn known(shop: &Shop, visitor: &Visitor) -> Option<Known> {
    visitor.cookie(carts::COOKIE).and_then(|cookie| carts(shop).known(cookie))
}

/// Sets the cookies for a cart; without one, takes them back.
pub fn remember(shop: &Shop, response: &mut Response, cart: Option<&Cart>) {
    let secure = if shop.config.url.starts_with("https:") { "; Secure" } else { "" };
    let (signed, pieces, kept_s) = match cart {
        Some(cart) => (carts(shop).signed(cart), cart.pieces(), carts::KEPT_S),
        None => (String::new(), 0, 0),
    };
    for (name, value) in [(carts::COOKIE, signed), (COUNT_COOKIE, pieces.to_string())] {
        if let Ok(cookie) = HeaderValue::from_str(&format!("{name}={value}; Path=/; Max-Age={kept_s}; HttpOnly; SameSite=Lax{secure}")) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
}
