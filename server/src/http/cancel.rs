//! "Cancel" on the page of an order: the whole of it before it is paid, pieces that nobody has begun to pack afterwards.

use crate::{
    Shop,
    http::{
        Failure, Fields, InLocale, Visitor,
        forms::see_other,
        link,
        order::{is_odd, order_url, respond, unknown},
        render,
    },
    orders::{ChangeError, OrderView, story::Actor},
};
use anyhow::Context as _;
use app::{
    i18n::{follow, till},
    private::{
        Notice,
        cancel::{Cancel, Piece, Undone},
    },
};
use axum::{
    Router,
    extract::{Path, State},
    response::Response,
    routing::post,
};
use domain::{
    CancellationId, RefundId,
    money::Money,
    offer::Instant,
    order::{By, CancelReason, Cancelling, CannotCancel, CannotEnd, CannotRefund, FulfilmentState, NoSuchPieces, Order, Pieces, Portion},
    payment::PaymentState,
};
use uuid::Uuid;

pub fn routes() -> Router<Shop> {
    Router::new().route("/{locale}/orders/{secret}/cancel", post(cancel))
}

async fn cancel(
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
    if is_odd(&order) {
        return Box::pin(respond(&shop, &visitor, view, &secret, Some(Notice::bad(till(locale).text_odd)), 409)).await;
    }
    let id = fields.get("mutation").parse().unwrap_or_else(|_| CancellationId(shop.clock.id()));
    let messages = follow(locale);
    // A form from before the payment names no lines: it wishes nothing that its page did not show.
    let portions = if order.ledgers.pieces == Pieces::Sold { Some(portions(&order, &fields)) } else { None };
    let (text, status) = match shop.orders.cancel(order.id, id, portions.as_deref(), CancelReason::ChangedMind, Actor::Shopper).await {
        Ok(_) => return Ok(see_other(&format!("{}?said=cancelled", order_url(&view, &secret)))),
        Err(ChangeError::Cancel(CannotCancel::Pieces(NoSuchPieces::None))) => (messages.cancel_none, 422),
        Err(ChangeError::Cancel(CannotCancel::Refund(CannotRefund::Disputed))) => (messages.cancel_disputed, 409),
        Err(ChangeError::Cancel(CannotCancel::ChargedBack)) => (messages.cancel_charged_back, 409),
        Err(ChangeError::Cancel(CannotCancel::Pieces(_) | CannotCancel::NothingOpen)) => (messages.cancel_too_late, 409),
        // Money is under way, or the provider does not say that none can come any more.
        Err(ChangeError::End(CannotEnd::PaymentLive)) => {
            let known = shop.orders.ledgers(order.id).await?.context("an order that was just there")?;
            if is_pending(&known) { (till(locale).text_pending, 409) } else { (till(locale).err_provider, 503) }
        }
        // Paid or over meanwhile: the page says so by itself.
        Err(ChangeError::Cancel(CannotCancel::NotPaid) | ChangeError::End(_)) => return Ok(see_other(&order_url(&view, &secret))),
        Err(ChangeError::OtherWords) => (till(locale).said_bad_form, 422),
        Err(ChangeError::Failed(error)) => return Err(error.into()),
        Err(error) => return Err(anyhow::Error::new(error).into()),
    };
    Box::pin(respond(&shop, &visitor, view, &secret, Some(Notice::bad(text)), status)).await
}

/// The chosen pieces. What is no number counts as none; more than there are is refused by the order.
fn portions(order: &OrderView, fields: &Fields) -> Vec<Portion> {
    let chosen = |line: u32| fields.get(&format!("line-{line}")).trim().parse::<u32>().ok().filter(|quantity| *quantity > 0);
    order.ledgers.lines.iter().filter_map(|line| Some(Portion { line: line.line, quantity: chosen(line.line)? })).collect()
}

/// Whether money is under way that nobody can call back.
fn is_pending(order: &Order) -> bool {
    order.payments.iter().any(|payment| payment.state == PaymentState::Pending)
}

/// What the page offers to cancel.
pub fn possible(order: &OrderView, now: Instant) -> Cancel {
    let known = &order.ledgers;
    match known.can_cancel(By::Shopper) {
        Ok(()) if known.pieces == Pieces::Sold => {
            let open = known.open_portions();
            let refund = RefundId(Uuid::nil());
            let all = Cancelling { id: CancellationId(Uuid::nil()), refund, portions: None, by: By::Shopper, reason: CancelReason::ChangedMind };
            let Ok((after, _)) = known.clone().cancel(all, now) else { return Cancel::Over };
            let back = after.refunds.iter().find(|due| due.id == refund).map_or(Money::zero(known.total.currency), |due| due.amount);
            Cancel::Pieces { open: named(order, &open), back }
        }
        // It ends by itself when the money does not come, or when somebody has looked into what came.
        Ok(()) if is_pending(known) || is_odd(order) => Cancel::Over,
        Ok(()) => Cancel::Whole,
        Err(CannotCancel::Refund(CannotRefund::Disputed)) => Cancel::Disputed,
        Err(CannotCancel::ChargedBack) => Cancel::ChargedBack,
        Err(_) if known.fulfilments.iter().any(|parcel| matches!(parcel.state, FulfilmentState::Packing { .. })) => Cancel::Packed,
        Err(_) => Cancel::Over,
    }
}

/// What was cancelled already, and what goes back.
pub fn undone(order: &OrderView) -> Undone {
    let known = &order.ledgers;
    let portions: Vec<Portion> = known
        .lines
        .iter()
        .map(|line| Portion { line: line.line, quantity: known.tally(line.line).cancelled })
        .filter(|portion| portion.quantity > 0)
        .collect();
    Undone { pieces: named(order, &portions), refunds: known.refunds.iter().map(|refund| (refund.amount, refund.state)).collect() }
}

/// Pieces with the title of what they are.
pub fn named(order: &OrderView, portions: &[Portion]) -> Vec<Piece> {
    portions.iter().filter_map(|portion| Some(Piece { line: portion.line, title: title(order, portion.line)?, quantity: portion.quantity })).collect()
}

/// What a line is, in the order's own words. What replaces something that came back is not among them: it is called as the catalogue does, or
/// as what it replaces.
pub fn title(order: &OrderView, line: u32) -> Option<String> {
    let line = order.ledgers.lines.iter().find(|known| known.line == line)?;
    let mut texts = order.body.quote.lines.iter().zip(&order.body.texts);
    if let Some((_, text)) = texts.clone().find(|(priced, _)| priced.variant == line.variant) {
        return Some([vec![text.title.clone()], text.options.clone()].concat().join(", "));
    }
    let (_, text) = texts.find(|(priced, _)| priced.product == line.product)?;
    let options = order.exchanged.get(&line.variant).map(|text| text.options.clone()).unwrap_or_default();
    Some([vec![text.title.clone()], options].concat().join(", "))
}
