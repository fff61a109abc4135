//! An order as a message: what it says from `app::mail`, around it the headers of RFC 5322.

use crate::orders::{LineText, OrderView, Orders, Personal};
use anyhow::Context as _;
use app::{
    mail::{Kind, MailData, MailLine, Parcel, render},
    ports::{Storefront, View},
    routes::{Address, Route},
};
use domain::{
    EventId, OrderId,
    money::Money,
    offer::Instant,
    order::{ReturnState, Status},
};
use edge_pages::pages::bare_market;
use lettre::{
    Message,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{HeaderName, HeaderValue},
    },
};
use std::{
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

/// A mail, or why there cannot be one.
pub enum Letter {
    Ready(Box<Message>),
    Impossible(&'static str),
}

/// Writes a mail of an order: `what` is the order, the kind, and what of the order it is about.
pub async fn compose(
    orders: &Orders,
    storefront: &dyn Storefront,
    from: &Mailbox,
    id: EventId,
    what: (OrderId, Kind, &str),
    now: Instant,
) -> anyhow::Result<Letter> {
    let (order, kind, about) = what;
    let Some(order) = orders.by_id(order).await? else { return Ok(Letter::Impossible("the order is gone")) };
    let Some(personal) = order.personal.clone() else { return Ok(Letter::Impossible("the customer was erased")) };
    let Ok(to) = personal.contact.email.as_str().parse() else { return Ok(Letter::Impossible("no mail can be sent to this address")) };
    let document = storefront.shop(order.locale.text_language()).await.map_err(anyhow::Error::new)?;
    let market = document.markets.iter().find(|market| market.code == order.market).cloned().unwrap_or_else(|| bare_market(order.locale));
    let view = View { locale: order.locale, market: Arc::new(market), now, origin: orders.origin.clone(), shop: document, cards: Arc::default() };
    let rendered = render(&view, &data(&view, &order, personal, kind, about));
    let date = UNIX_EPOCH + Duration::from_micros(u64::try_from(now).context("a time before 1970")?);
    let alternative = MultiPart::alternative()
        .boundary(format!("=_{}", id.0.simple()))
        .singlepart(SinglePart::plain(rendered.text))
        .singlepart(SinglePart::html(rendered.html));
    let message = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(rendered.subject)
        .date(date)
        .message_id(Some(format!("<{id}@{}>", from.email.domain())))
        // RFC 3834, 5: no holiday note answers this.
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Content-Language"), order.locale.bcp47()))
        .multipart(alternative)
        .context("writing a mail")?;
    Ok(Letter::Ready(Box::new(message)))
}

fn data(view: &View, order: &OrderView, personal: Personal, kind: Kind, about: &str) -> MailData {
    let (body, ledgers) = (&order.body, &order.ledgers);
    let shipment = ledgers.fulfilments.iter().find(|fulfilment| fulfilment.id.to_string() == about);
    let back = ledgers.returns.iter().find(|back| back.id.to_string() == about).map(|back| &back.state);
    let refund = ledgers.refunds.iter().find(|refund| refund.id.to_string() == about);
    let lines = match (kind, shipment, back) {
        (Kind::Shipped | Kind::Delivered, Some(shipment), _) => {
            shipment.portions.iter().filter_map(|portion| pieces(order, portion.line, portion.quantity)).collect()
        }
        (Kind::Returned, _, Some(ReturnState::Received { receipts, .. })) => {
            receipts.iter().filter_map(|receipt| pieces(order, receipt.line, receipt.quantity)).collect()
        }
        // What the money is for: pieces that were cancelled or came back. Goodwill is for none.
        (Kind::Refunded, ..) => {
            let cancelled = ledgers.cancellations.iter().find(|known| refund.is_some_and(|refund| known.refund == Some(refund.id)));
            let mut lines: Vec<_> =
                cancelled.iter().flat_map(|known| &known.portions).filter_map(|portion| pieces(order, portion.line, portion.quantity)).collect();
            let back = ledgers
                .returns
                .iter()
                .filter_map(|back| if let ReturnState::Received { receipts, refund, .. } = &back.state { Some((receipts, refund)) } else { None });
            let back = back.filter(|(_, known)| refund.is_some_and(|refund| **known == Some(refund.id)));
            lines.extend(
                back.flat_map(|(receipts, _)| receipts)
                    .filter(|receipt| !receipt.exchanged)
                    .filter_map(|receipt| pieces(order, receipt.line, receipt.quantity)),
            );
            lines
        }
        _ => {
            let whole = body.quote.lines.iter().zip(&body.texts);
            whole.map(|(priced, text)| line(text, priced.quantity.get(), Some(priced.total))).collect()
        }
    };
    let sent: u32 = shipment.map_or(0, |shipment| shipment.portions.iter().map(|portion| portion.quantity).sum());
    let ordered: u32 =
        ledgers.lines.iter().filter(|line| line.replaces.is_none()).map(|line| line.quantity - ledgers.tally(line.line).cancelled).sum();
    let parcels = shipment.and_then(|shipment| shipment.state.shipment()).map(|shipment| shipment.parcels.as_slice()).unwrap_or_default();
    MailData {
        kind,
        number: order.number.to_string(),
        link: format!("{}{}", view.origin, Address::new(view.locale, Route::Order { secret: order.secret.clone() }).url()),
        name: personal.delivery.name.full.clone(),
        lines,
        quote: body.quote.clone(),
        amount: refund.map_or(order.total, |refund| refund.amount),
        method: body.method.name(view.text()).to_owned(),
        promise: body.promise,
        delivery: personal.delivery,
        billing: personal.billing,
        parcels: parcels.iter().map(|parcel| Parcel { carrier: parcel.carrier.clone(), tracking: parcel.tracking.clone() }).collect(),
        is_part: shipment.is_some() && sent < ordered,
        replaced: order.status == Status::Withdrawn,
    }
}

/// Some pieces of a line. What replaces something that came back is not in the frozen body: it has the title of what it replaces.
fn pieces(order: &OrderView, number: u32, quantity: u32) -> Option<MailLine> {
    let known = order.ledgers.lines.iter().find(|line| line.line == number)?;
    let mut texts = order.body.quote.lines.iter().zip(&order.body.texts);
    if let Some((_, text)) = texts.clone().find(|(priced, _)| priced.variant == known.variant) {
        return Some(line(text, quantity, None));
    }
    let (_, text) = texts.find(|(priced, _)| priced.product == known.product)?;
    Some(MailLine { options: Vec::new(), ..line(text, quantity, None) })
}

fn line(text: &LineText, quantity: u32, total: Option<Money>) -> MailLine {
    MailLine { title: text.title.clone(), options: text.options.clone(), quantity, total }
}
