//! A mail as a message: what it says from `app::mail`, around it the headers of RFC 5322.

use super::tell;
use crate::{http::exchange, orders::Orders};
use anyhow::Context as _;
use app::{
    mail::{Kind, Rendered, render},
    ports::{Storefront, View},
};
use domain::{EventId, OrderId, locale::Locale, offer::Instant};
use edge_pages::pages::bare_market;
use lettre::{
    Address, Message,
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
    let Some(mut order) = orders.by_id(order).await? else { return Ok(Letter::Impossible("the order is gone")) };
    let Some(personal) = order.personal.clone() else { return Ok(Letter::Impossible("the customer was erased")) };
    let Ok(to) = personal.contact.email.as_str().parse() else { return Ok(Letter::Impossible("no mail can be sent to this address")) };
    let document = storefront.shop(order.locale.text_language()).await.map_err(anyhow::Error::new)?;
    let market = document.markets.iter().find(|market| market.code == order.market).cloned().unwrap_or_else(|| bare_market(order.locale));
    let view = View { locale: order.locale, market: Arc::new(market), now, origin: orders.origin.clone(), shop: document, cards: Arc::default() };
    order.exchanged = exchange::wanted_of(storefront, &order).await?;
    let rendered = render(&view, &tell::data(&view, &order, personal, kind, about));
    sealed(Envelope { id, from, to, locale: order.locale, now, headers: Vec::new() }, rendered).map(|message| Letter::Ready(Box::new(message)))
}

/// What stands on a mail, beside what it says.
pub struct Envelope<'a> {
    pub id: EventId,
    pub from: &'a Mailbox,
    pub to: Address,
    pub locale: Locale,
    pub now: Instant,
    /// Names and values of ASCII, without spaces: they stay on one line (RFC 5322, 2.1.1).
    pub headers: Vec<(&'static str, String)>,
}

/// A mail as it leaves.
pub fn sealed(envelope: Envelope, rendered: Rendered) -> anyhow::Result<Message> {
    let Envelope { id, from, to, locale, now, headers } = envelope;
    let date = UNIX_EPOCH + Duration::from_micros(u64::try_from(now).context("a time before 1970")?);
    let alternative = MultiPart::alternative()
        .boundary(format!("=_{}", id.0.simple()))
        .singlepart(SinglePart::plain(rendered.text))
        .singlepart(SinglePart::html(rendered.html));
    let mut builder = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(rendered.subject)
        .date(date)
        .message_id(Some(format!("<{id}@{}>", from.email.domain())))
        // RFC 3834, 5: no holiday note answers this.
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Content-Language"), locale.bcp47()));
    for (name, value) in headers {
        builder = builder.raw_header(HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(name), value.clone(), value));
    }
    builder.multipart(alternative).context("writing a mail")
}
