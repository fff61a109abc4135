//! "Return items": the form, the look over what it will do, announcing it, and calling it off again.

use crate::{
    Shop,
    http::{
        Failure, Fields, InLocale, Visitor,
        cancel::{named, title},
        exchange::{self, Others},
        forms::see_other,
        link,
        order::{in_its_market, order_url, respond, unknown},
        render,
    },
    orders::{ChangeError, OrderView, story::Actor},
};
use app::{
    i18n::{filled, follow, give_back, number, till},
    ports::View,
    private::{
        Notice,
        cancel::Piece,
        give_back::{Announced, Can, FormData, Returnable, Returns, ReviewData, Reviewed, State as Told, Window, form_page, review_page},
    },
};
use axum::{
    Router,
    extract::{Path, RawQuery, State},
    response::Response,
    routing::{get, post},
};
use domain::{
    ReturnId,
    offer::Instant,
    order::{By, CannotRefund, CannotReturn, Line, Portion, Resolution, Return, ReturnItem, ReturnReason, ReturnState, return_days},
    refund::RefundState,
};
use std::collections::BTreeMap;

pub fn routes() -> Router<Shop> {
    Router::new().route("/{locale}/orders/{secret}/return", get(choose).post(announce)).route("/{locale}/orders/{secret}/keep", post(keep))
}

/// Why a form is shown once more.
struct Fault {
    text: String,
    /// The field that it is about.
    field: Option<String>,
    status: u16,
}

impl Fault {
    fn of(text: impl Into<String>, field: Option<String>) -> Self {
        Self { text: text.into(), field, status: 422 }
    }
}

/// The form; with `step=review` what it will do.
async fn choose(
    State(shop): State<Shop>,
    InLocale(locale): InLocale,
    Path((_, secret)): Path<(String, String)>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let mut view = render::view(&shop, locale).await?;
    let Some(mut order) = shop.orders.find_by_secret(&secret).await? else { return unknown(&shop, &visitor, &view, &secret).await };
    if link::is_closed(&shop, &visitor, &order) {
        return Ok(see_other(&order_url(&view, &secret)));
    }
    in_its_market(&mut view, &order);
    order.exchanged = exchange::wanted(&shop, &order).await?;
    let fields = Fields::read(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    let others = exchange::others(&shop, &order).await?;
    let mut fault = None;
    if fields.get("step") == "review" {
        match items(&view, &order, &others, &fields) {
            Ok(items) => return render::private(&shop, &visitor, &view, review_page(&view, review(&order, &others, items, &fields))).await,
            Err(known) => fault = Some(known),
        }
    }
    again(&shop, &visitor, &view, &order, &others, &fields, fault).await
}

/// Announces what was looked over. The same form again announces nothing more.
async fn announce(
    State(shop): State<Shop>,
    InLocale(locale): InLocale,
    Path((_, secret)): Path<(String, String)>,
    visitor: Visitor,
    fields: Fields,
) -> Result<Response, Failure> {
    let mut view = render::view(&shop, locale).await?;
    let Some(mut order) = shop.orders.find_by_secret(&secret).await? else { return unknown(&shop, &visitor, &view, &secret).await };
    if link::is_closed(&shop, &visitor, &order) {
        return Ok(see_other(&order_url(&view, &secret)));
    }
    in_its_market(&mut view, &order);
    order.exchanged = exchange::wanted(&shop, &order).await?;
    let done = format!("{}?said=return", order_url(&view, &secret));
    let id = fields.get("mutation").parse().unwrap_or_else(|_| ReturnId(shop.clock.id()));
    let others = exchange::others(&shop, &order).await?;
    // A page from before that was filled in once more is no repetition.
    let other_words = || Fault { status: 422, ..Fault::of(till(locale).said_bad_form, None) };
    if let Some(known) = order.ledgers.returns.iter().find(|known| known.id == id) {
        return if is_same(known, &fields) {
            Ok(see_other(&done))
        } else {
            again(&shop, &visitor, &view, &order, &others, &fields, Some(other_words())).await
        };
    }
    let items = match items(&view, &order, &others, &fields) {
        Ok(items) => items,
        Err(fault) => return again(&shop, &visitor, &view, &order, &others, &fields, Some(fault)).await,
    };
    match shop.orders.request_return(order.id, id, &items, Actor::Shopper).await {
        Ok(_) => Ok(see_other(&done)),
        Err(ChangeError::OtherWords) => again(&shop, &visitor, &view, &order, &others, &fields, Some(other_words())).await,
        // Announced in another tab meanwhile, or the time ran out: what is left is read anew.
        Err(ChangeError::Return(_)) => {
            let Some(order) = shop.orders.find_by_secret(&secret).await? else { return unknown(&shop, &visitor, &view, &secret).await };
            let fault = Fault { status: 409, ..Fault::of(give_back(locale).err_changed, None) };
            again(&shop, &visitor, &view, &order, &others, &fields, Some(fault)).await
        }
        Err(ChangeError::Failed(error)) => Err(error.into()),
        Err(error) => Err(anyhow::Error::new(error).into()),
    }
}

/// Calls an announced return off.
async fn keep(
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
    let done = format!("{}?said=kept", order_url(&view, &secret));
    let named = |back: &&Return| back.id.to_string() == fields.get("return");
    let refused = || Some(Notice::bad(give_back(locale).err_keep));
    match order.ledgers.returns.iter().find(named) {
        Some(back) if matches!(back.state, ReturnState::Cancelled { .. }) => Ok(see_other(&done)),
        Some(back) if back.can_be_called_off() => match shop.orders.cancel_return(order.id, back.id, Actor::Shopper).await {
            Ok(_) => Ok(see_other(&done)),
            Err(ChangeError::Return(_)) => Box::pin(respond(&shop, &visitor, view, &secret, refused(), 409)).await,
            Err(ChangeError::Failed(error)) => Err(error.into()),
            Err(error) => Err(anyhow::Error::new(error).into()),
        },
        _ => Box::pin(respond(&shop, &visitor, view, &secret, refused(), 409)).await,
    }
}

/// Lines and pieces that a form names, without a look at the order.
fn chosen(fields: &Fields) -> impl Iterator<Item = (u32, u32)> {
    let pair = |name: &str, value: &str| Some((name.strip_prefix("line-")?.parse().ok()?, value.trim().parse().ok()?));
    fields.iter().filter_map(move |(name, value)| pair(name, value)).filter(|(_, quantity)| *quantity > 0)
}

/// Whether a form says again what was announced: pieces, reasons and wishes.
fn is_same(known: &Return, fields: &Fields) -> bool {
    let says = |item: &ReturnItem| {
        let wish = fields.get(&format!("for-{}", item.line));
        let is_wish = match item.resolution {
            Resolution::Refund => matches!(wish, "" | "refund"),
            Resolution::Exchange { variant, .. } => wish == variant.to_string(),
        };
        is_wish && fields.get(&format!("reason-{}", item.line)) == item.reason.code()
    };
    known.items.iter().map(|item| (item.line, item.quantity)).eq(chosen(fields)) && known.items.iter().all(says)
}

/// Reads the form. What is refused comes back as a sentence that says what to do.
fn items(view: &View, order: &OrderView, others: &Others, fields: &Fields) -> Result<Vec<ReturnItem>, Fault> {
    let messages = give_back(view.locale);
    if let Some(fault) = closed(view, order) {
        return Err(fault);
    }
    let known = &order.ledgers;
    let wanted = fields.iter().filter_map(|(name, value)| Some((name.strip_prefix("line-")?, value.trim())));
    let mut items = Vec::new();
    for (line, quantity) in wanted.filter(|(_, quantity)| !matches!(*quantity, "" | "0")) {
        let found = line.parse::<u32>().ok().filter(|line| known.lines.iter().any(|known| known.line == *line));
        let Some(line) = found else { return Err(Fault::of(messages.err_unknown, None)) };
        if items.iter().any(|item: &ReturnItem| item.line == line) {
            return Err(Fault::of(messages.err_unknown, None));
        }
        let product = title(order, line).unwrap_or_default();
        let left = known.tally(line).returnable();
        let Some(quantity) = quantity.parse::<u32>().ok().filter(|quantity| *quantity <= left) else {
            let text = filled(messages.err_too_many, &[("product", &product), ("count", &number(left.into(), view.locale))]);
            return Err(Fault::of(text, Some(format!("line-{line}"))));
        };
        let field = format!("reason-{line}");
        let Some(reason) = ReturnReason::from_code(fields.get(&field)) else {
            return Err(Fault::of(filled(messages.err_reason, &[("product", &product)]), Some(field)));
        };
        let resolution = resolution(view, others, fields, (line, &product, quantity))?;
        items.push(ReturnItem { line, quantity, reason, resolution });
    }
    if items.is_empty() { Err(Fault::of(messages.err_none, None)) } else { Ok(items) }
}

/// What the shopper wants for `quantity` pieces of a line.
fn resolution(view: &View, others: &Others, fields: &Fields, (line, product, quantity): (u32, &str, u32)) -> Result<Resolution, Fault> {
    let messages = give_back(view.locale);
    let field = format!("for-{line}");
    let wish = fields.get(&field);
    if matches!(wish, "" | "refund") {
        return Ok(Resolution::Refund);
    }
    let Some(other) = others.of(line).iter().find(|other| other.variant.to_string() == wish) else {
        return Err(Fault::of(messages.err_unknown, Some(field)));
    };
    let refuse = |template| Err(Fault::of(filled(template, &[("product", product), ("variant", &other.name)]), Some(field.clone())));
    if !other.same_price {
        return refuse(messages.err_price);
    }
    if other.left < quantity {
        return refuse(messages.err_sold_out);
    }
    Ok(Resolution::Exchange { product: other.product, variant: other.variant })
}

/// Why nothing can go back at all.
fn closed(view: &View, order: &OrderView) -> Option<Fault> {
    let messages = give_back(view.locale);
    let text = match can(order, view.now) {
        Can::Yes(_) => return None,
        Can::Over(at) => filled(messages.over, &[("date", &app::private::order::long_day(at, view))]),
        Can::Disputed => messages.disputed.to_owned(),
        Can::ChargedBack => follow(view.locale).cancel_charged_back.to_owned(),
        Can::Nothing => messages.nothing.to_owned(),
    };
    Some(Fault { status: 409, ..Fault::of(text, None) })
}

/// The form with what was typed.
async fn again(
    shop: &Shop,
    visitor: &Visitor,
    view: &View,
    order: &OrderView,
    others: &Others,
    fields: &Fields,
    fault: Option<Fault>,
) -> Result<Response, Failure> {
    let (can, fault) = (can(order, view.now), closed(view, order).or(fault));
    let returnable = order.ledgers.lines.iter().map(|line| Portion { line: line.line, quantity: order.ledgers.tally(line.line).returnable() });
    let portions: Vec<Portion> = returnable.filter(|portion| portion.quantity > 0).collect();
    let line = |piece: Piece| {
        let exchanges = others.of(piece.line).iter().filter(|other| other.same_price && other.left > 0);
        Returnable { exchanges: exchanges.map(|other| (other.variant, other.name.clone())).collect(), piece }
    };
    let (lines, window) = match can {
        Can::Yes(window) => (named(order, &portions).into_iter().map(line).collect(), Some(window)),
        Can::Over(_) | Can::Disputed | Can::ChargedBack | Can::Nothing => (Vec::new(), None),
    };
    let data = FormData {
        secret: order.secret.clone(),
        lines,
        window,
        wrong: fault.as_ref().and_then(|fault| fault.field.clone()),
        status: fault.as_ref().map_or(200, |fault| fault.status),
        notice: fault.map(|fault| Notice::bad(fault.text)),
        typed: fields.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<BTreeMap<_, _>>(),
    };
    render::private(shop, visitor, view, form_page(view, data)).await
}

fn review(order: &OrderView, others: &Others, items: Vec<ReturnItem>, fields: &Fields) -> ReviewData {
    let known = &order.ledgers;
    let exchange = |item: &ReturnItem| match item.resolution {
        Resolution::Refund => None,
        Resolution::Exchange { variant, .. } => others.of(item.line).iter().find(|other| other.variant == variant).map(|other| other.name.clone()),
    };
    let reviewed = |item: &ReturnItem| {
        let piece = named(order, &[Portion { line: item.line, quantity: item.quantity }]).pop()?;
        Some(Reviewed { piece, reason: item.reason, exchange: exchange(item) })
    };
    let chosen = |name: &str| items.iter().any(|item| name.rsplit_once('-').is_some_and(|(_, line)| line == item.line.to_string()));
    ReviewData {
        secret: order.secret.clone(),
        number: order.number.to_string(),
        amount: known.return_value(&items),
        label: known.label_due(&items),
        window: window(order),
        fields: fields.iter().filter(|(name, _)| chosen(name)).map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        items: items.iter().filter_map(reviewed).collect(),
    }
}

fn window(order: &OrderView) -> Window {
    order.ledgers.returnable_until().map_or(Window::Open { days: return_days(order.market) }, Window::Until)
}

fn can(order: &OrderView, now: Instant) -> Can {
    match order.ledgers.can_return(By::Shopper, now) {
        Ok(()) => Can::Yes(window(order)),
        Err(CannotReturn::TooLate { since }) => Can::Over(since),
        Err(CannotReturn::Refund(CannotRefund::Disputed)) => Can::Disputed,
        Err(CannotReturn::ChargedBack) => Can::ChargedBack,
        Err(_) => Can::Nothing,
    }
}

/// What the order's page says about returns.
pub fn told(order: &OrderView, now: Instant) -> Returns {
    let known = &order.ledgers;
    let announced = known.returns.iter().map(|back| {
        let pieces: Vec<Portion> = back.items.iter().map(|item| Portion { line: item.line, quantity: item.quantity }).collect();
        let state = match &back.state {
            ReturnState::Requested => Told::Announced { at: back.requested_at },
            ReturnState::Received { at, refund, receipts, .. } => {
                let is_done = |state: RefundState| matches!(state, RefundState::Issued | RefundState::SettledOutside);
                let due = known.refunds.iter().find(|known| Some(known.id) == *refund);
                let sent_for_it = known.lines.iter().filter(|line| line.replaces == Some(back.id));
                let kept = |line: &Line| line.quantity.saturating_sub(known.tally(line.line).cancelled);
                let sent_for_it = sent_for_it.map(|line| Portion { line: line.line, quantity: kept(line) }).filter(|portion| portion.quantity > 0);
                let sent_for_it: Vec<Portion> = sent_for_it.collect();
                let wished = |line: u32| back.items.iter().any(|item| item.line == line && item.resolution != Resolution::Refund);
                Told::Received {
                    at: *at,
                    exchanged: named(order, &sent_for_it),
                    unsent: receipts.iter().any(|receipt| wished(receipt.line) && !receipt.exchanged),
                    refund: due.map(|due| (due.amount, is_done(due.state))),
                }
            }
            ReturnState::Refused { at, why } => Told::Refused { at: *at, why: why.clone() },
            ReturnState::Cancelled { at } => Told::CalledOff { at: *at },
        };
        Announced { id: back.id, pieces: named(order, &pieces), state, can_be_called_off: back.can_be_called_off() }
    });
    Returns { can: can(order, now), announced: announced.collect() }
}
