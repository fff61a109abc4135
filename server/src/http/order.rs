//! An order's page by its secret link, and the form that pays (again).

use crate::{
    Shop,
    http::{Failure, Fields, InLocale, Visitor, cancel, cart, exchange, forms::see_other, give_back, link, render},
    invoices,
    orders::{LineText, OrderView, PayAgainError},
    users::CartSettler,
};
use app::{
    i18n::{follow, give_back as back_words, till},
    pages::Fault,
    ports::View,
    private::{
        Line, Notice, gate,
        order::{OrderData, page},
        parcels::{Parcels, Shipment, Way},
    },
    routes::{Address, Route},
};
use axum::{
    Router,
    extract::{Path, RawQuery, State},
    response::Response,
    routing::{get, post},
};
use domain::{
    cart::Cart,
    order::{Attention, CannotPay, Fulfilment, Pieces, Status},
    payment::PaymentState,
};
use std::{collections::BTreeMap, sync::Arc};

pub fn routes() -> Router<Shop> {
    Router::new().route("/{locale}/orders/{secret}", get(show)).route("/{locale}/orders/{secret}/pay", post(pay))
}

async fn show(
    State(shop): State<Shop>,
    InLocale(locale): InLocale,
    Path((_, secret)): Path<(String, String)>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let view = render::view(&shop, locale).await?;
    let fields = Fields::read(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    let notice = match fields.get("said") {
        "ordered" => Some(Notice::good(till(locale).said_ordered)),
        "cancelled" => Some(Notice::good(follow(locale).said_cancelled)),
        "return" => Some(Notice::good(back_words(locale).said_announced)),
        "kept" => Some(Notice::good(back_words(locale).said_kept)),
        "renewed" => Some(Notice::good(follow(locale).said_renewed)),
        _ => None,
    };
    Box::pin(respond(&shop, &visitor, view, &secret, notice, 200)).await
}

async fn pay(
    State(shop): State<Shop>,
    InLocale(locale): InLocale,
    Path((_, secret)): Path<(String, String)>,
    visitor: Visitor,
    _: Fields,
) -> Result<Response, Failure> {
    let view = render::view(&shop, locale).await?;
    let Some(order) = shop.orders.find_by_secret(&secret).await? else { return unknown(&shop, &visitor, &view, &secret).await };
    if link::is_closed(&shop, &visitor, &order) {
        return Ok(see_other(&order_url(&view, &secret)));
    }
    if is_odd(&order) {
        return Ok(see_other(&order_url(&view, &secret)));
    }
    let messages = till(locale);
    let (text, status) = match shop.orders.pay_again(&secret).await {
        Ok(url) => return Ok(see_other(&url)),
        Err(PayAgainError::NotFound) => return Err(Fault::NotFound.into()),
        Err(PayAgainError::Refused(CannotPay::TooOld)) => (messages.cannot_pay_too_old, 409),
        Err(PayAgainError::Refused(CannotPay::TooManyAttempts)) => (messages.cannot_pay_attempts, 409),
        // Paid, pending, replaced or refunded: the page says so by itself.
        Err(PayAgainError::Refused(_)) => return Ok(see_other(&order_url(&view, &secret))),
        Err(PayAgainError::OutOfStock(_)) => (messages.cannot_pay_stock, 409),
        Err(PayAgainError::ProviderDown) => (messages.err_provider, 503),
        Err(PayAgainError::Failed(error)) => return Err(error.into()),
    };
    Box::pin(respond(&shop, &visitor, view, &secret, Some(Notice::bad(text)), status)).await
}

/// The order's page, with what was just done or refused.
pub async fn respond(shop: &Shop, visitor: &Visitor, mut view: View, secret: &str, notice: Option<Notice>, status: u16) -> Result<Response, Failure> {
    let Some(mut order) = shop.orders.find_by_secret(secret).await? else { return unknown(shop, visitor, &view, secret).await };
    if link::is_closed(shop, visitor, &order) {
        return link::ask(shop, visitor, &view, secret).await;
    }
    in_its_market(&mut view, &order);
    if matches!(order.status, Status::Paid { .. }) {
        // The event does the same a moment later; whoever comes back from paying sees the cart without the paid pieces now.
        CartSettler::new(shop.db.clone(), cart::carts(shop)).settle(order.id).await?;
    }
    order.exchanged = exchange::wanted(shop, &order).await?;
    let invoices = invoices::of_order(&shop.db, order.id).await?.into_iter().map(|known| known.number).collect();
    let cart = cart::visit(shop, visitor).await?.cart();
    let pieces = cart.as_ref().map_or(0, Cart::pieces);
    let mut response =
        render::private(shop, &visitor.with_cart_count(pieces), &view, page(&view, OrderData { invoices, ..data(&view, order, notice, status) }))
            .await?;
    if cart.is_some() {
        cart::remember(shop, &mut response, cart.as_ref());
    }
    Ok(response)
}

/// Amounts, zones and regions are those of the market that sold it, whatever the language.
pub fn in_its_market(view: &mut View, order: &OrderView) {
    if let Some(market) = view.shop.markets.iter().find(|market| market.code == order.market) {
        view.market = Arc::new(market.clone());
    }
}

fn data(view: &View, order: OrderView, notice: Option<Notice>, http_status: u16) -> OrderData {
    let (cancel, undone) = (cancel::possible(&order, view.now), cancel::undone(&order));
    let returns = give_back::told(&order, view.now);
    let (odd, over) = (is_odd(&order), matches!(order.ledgers.pieces, Pieces::Withdrawn | Pieces::Cancelled));
    let is_captured = order.ledgers.payments.iter().any(|payment| matches!(payment.state, PaymentState::Captured { .. }));
    let ordered = order.ledgers.lines.iter().filter(|line| line.replaces.is_none());
    let cancelled: BTreeMap<_, _> = ordered.map(|line| (line.variant, order.ledgers.tally(line.line).cancelled)).collect();
    let cancelled = |variant| cancelled.get(&variant).copied().unwrap_or_default();
    let (parcels, sent_in_exchange) = (parcels(&order), sent_in_exchange(view, &order));
    let body = order.body;
    let lines = body.quote.lines.iter().zip(&body.texts).map(|(priced, text)| Line {
        variant: priced.variant,
        href: product_url(view, text),
        title: text.title.clone(),
        options: text.options.clone(),
        picture: text.picture.clone(),
        quantity: priced.quantity.get(),
        cancelled: cancelled(priced.variant),
        price: Some(priced.clone()),
        problem: None,
    });
    let lines = lines.chain(sent_in_exchange).collect();
    let (contact, delivery, billing) =
        order.personal.map_or((None, None, None), |personal| (Some(personal.contact), Some(personal.delivery), personal.billing));
    OrderData {
        secret: order.secret,
        number: order.number.to_string(),
        placed_at: order.placed_at,
        status: order.status,
        odd,
        over,
        is_captured,
        can_pay: order.can_pay,
        parcels,
        cancel,
        undone,
        returns,
        lines,
        total: order.total,
        method: body.method.title(view.text()),
        promise: body.promised(),
        quote: body.quote,
        contact,
        delivery,
        billing,
        invoices: Vec::new(),
        notice,
        http_status,
    }
}

/// Whether the order waits until somebody has looked into an amount that was not asked for. Neither paying nor cancelling is of use before.
pub fn is_odd(order: &OrderView) -> bool {
    let waits = matches!(order.status, Status::AwaitingPayment { .. } | Status::PaymentFailed { .. } | Status::PaymentPending | Status::Lapsed);
    waits && order.ledgers.attention().contains(&Attention::Amount)
}

fn product_url(view: &View, text: &LineText) -> Option<String> {
    let route = || Route::Product { slug: text.slug.clone(), selection: BTreeMap::new() };
    (!text.slug.is_empty()).then(|| Address::new(view.locale, route()).url())
}

/// What was sent, and how far the rest has come.
fn parcels(order: &OrderView) -> Parcels {
    let known = &order.ledgers;
    let shipment = |sent: &Fulfilment| Shipment { pieces: cancel::named(order, &sent.portions), state: sent.state.clone() };
    Parcels { way: Way::of(known), shipments: known.fulfilments.iter().map(shipment).collect() }
}

/// The lines that replace what came back; what they cost was paid with that.
fn sent_in_exchange(view: &View, order: &OrderView) -> Vec<Line> {
    let frozen = |variant| order.body.quote.lines.iter().zip(&order.body.texts).find(|(priced, _)| priced.variant == variant);
    let lines = order.ledgers.lines.iter().filter(|line| line.replaces.is_some()).filter_map(|line| {
        let text = order.exchanged.get(&line.variant).or_else(|| frozen(line.variant).map(|(_, text)| text));
        let said = follow(view.locale).in_exchange.to_owned();
        Some(Line {
            variant: line.variant,
            href: text.and_then(|text| product_url(view, text)),
            title: text.map_or_else(|| cancel::title(order, line.line), |text| Some(text.title.clone()))?,
            options: text.map(|text| text.options.clone()).unwrap_or_default().into_iter().chain([said]).collect(),
            picture: text.and_then(|text| text.picture.clone()),
            quantity: line.quantity,
            cancelled: order.ledgers.tally(line.line).cancelled,
            price: None,
            problem: None,
        })
    });
    lines.collect()
}

/// What a link that opens nothing leads to.
pub async fn unknown(shop: &Shop, visitor: &Visitor, view: &View, secret: &str) -> Result<Response, Failure> {
    render::private(shop, visitor, view, gate::gone(view, secret)).await
}

/// The order's page.
pub fn order_url(view: &View, secret: &str) -> String {
    Address::new(view.locale, Route::Order { secret: secret.to_owned() }).url()
}
