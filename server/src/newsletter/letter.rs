//! A mail about the list as a message: to whom it goes is opened from the list when it is sent, what it says is `app::mail`'s business.

use super::Newsletter;
use crate::{
    mail::{Envelope, Letter as Message, sealed},
    params,
};
use app::{
    mail::newsletter::render,
    ports::{Storefront, View},
};
use domain::{EventId, SubscriptionId, locale::Locale, newsletter::Letter, offer::Instant};
use edge_pages::pages::bare_market;
use lettre::message::Mailbox;
use std::sync::Arc;

/// Writes a mail of the list.
pub async fn compose(
    newsletter: &Newsletter,
    storefront: &dyn Storefront,
    from: &Mailbox,
    id: EventId,
    (subscription, letter): (SubscriptionId, Letter),
    now: Instant,
) -> anyhow::Result<Message> {
    const ROW: &str = "SELECT id, subject, state, wrapped_key, sealed_email, locale FROM newsletter_subscriptions WHERE id = $1";
    let Some(row) = newsletter.db.first(ROW, params![subscription]).await? else { return Ok(Message::Impossible("the address was forgotten")) };
    if letter == Letter::Confirm && row.text("state")? == "subscribed" {
        return Ok(Message::Impossible("it was confirmed meanwhile"));
    }
    let Ok(to) = newsletter.email(&row)?.as_str().parse() else { return Ok(Message::Impossible("no mail can be sent to this address")) };
    let locale: Locale = row.parse("locale")?;
    let document = storefront.shop(locale.text_language()).await.map_err(anyhow::Error::new)?;
    let market = document.market(locale).cloned().unwrap_or_else(|| bare_market(locale));
    let view = View { locale, market: Arc::new(market), now, origin: newsletter.origin.clone(), shop: document, cards: Arc::default() };
    let (link, headers) = match letter {
        Letter::Confirm => (newsletter.confirm_url(locale, subscription), Vec::new()),
        Letter::Already => {
            let url = newsletter.leave_url(locale, &row.text("subject")?);
            // RFC 8058, 3.1: mail programs offer a button that posts there.
            let headers = vec![("List-Unsubscribe", format!("<{url}>")), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned())];
            (url, headers)
        }
    };
    let rendered = render(&view, letter, &link);
    sealed(Envelope { id, from, to, locale, now, headers }, rendered).map(|message| Message::Ready(Box::new(message)))
}
