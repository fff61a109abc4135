//! The way back to an order without its link: by number, email address and, for those whom our mail does not reach, postcode.
//!
//! Number and address alone are answered by mail, whatever is true: whoever asks learns nothing, and the link goes to whom it belongs.
//! Where the postcode fits as well, the order opens at once, because a guest whose mail is lost, or who mistyped the address, would
//! otherwise have no way back at all. That is safe enough: the number has 40 random bits and stands only in mails to, and parcels for,
//! the shopper, few numbers may be tried from one address and few times each, and few postcodes a day for one order.
//! Without all three the answer is the same, at the same instant after the question.

use crate::{
    Shop,
    http::{Failure, Fields, InLocale, Visitor, forms::see_other, limits, link::pass, order::order_url, render},
    mail::CannotResend,
    orders::links::{Checked, Way},
};
use app::{
    i18n::{filled, follow, till},
    private::{
        Notice,
        find::{FindData, page},
    },
    routes::{Address, Route},
};
use axum::{
    Router,
    extract::{ConnectInfo, RawQuery, State},
    response::Response,
    routing::get,
};
use domain::{
    OrderId,
    account::{Email, EmailError},
    order::OrderNumber,
};
use http::{HeaderMap, HeaderValue, header};
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use tokio::time::Instant;

/// When a question is answered that did not open an order: far longer than looking takes.
const ANSWER_AFTER: Duration = Duration::from_millis(400);

pub fn routes() -> Router<Shop> {
    Router::new().route("/{locale}/orders/find", get(show).post(find))
}

async fn show(State(shop): State<Shop>, InLocale(locale): InLocale, visitor: Visitor, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    let view = render::view(&shop, locale).await?;
    let fields = Fields::read(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    let notice = (fields.get("said") == "sent").then(|| Notice::good(follow(locale).find_sent));
    render::private(&shop, &visitor, &view, page(&view, FindData { notice, status: 200, ..FindData::default() })).await
}

async fn find(
    State(shop): State<Shop>,
    InLocale(locale): InLocale,
    peer: Option<axum::Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    visitor: Visitor,
    fields: Fields,
) -> Result<Response, Failure> {
    let asked = Instant::now();
    let view = render::view(&shop, locale).await?;
    let (messages, common) = (follow(locale), till(locale));
    let typed = |name: &str| fields.get(name).trim().chars().take(Email::BYTES_MAX).collect::<String>();
    let mut data = FindData { number: typed("number"), email: typed("email"), postcode: typed("postcode"), status: 422, ..FindData::default() };
    let number: Result<OrderNumber, _> = domain::account::clean_ascii(&data.number).parse();
    let email = Email::parse(&data.email);
    if number.is_err() {
        let required = filled(common.err_required, &[("field", messages.find_number)]);
        data.faults.push(("number", if data.number.is_empty() { required } else { messages.find_bad_number.to_owned() }));
    }
    if let Err(error) = email {
        let required = filled(common.err_required, &[("field", common.email)]);
        data.faults.push(("email", if error == EmailError::Missing { required } else { common.err_email.to_owned() }));
    }
    let (Ok(number), Ok(email)) = (number, email) else { return render::private(&shop, &visitor, &view, page(&view, data)).await };
    if shop.config.rate_limits {
        let peer = peer.map_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), |info| info.0.0);
        if let Err(wait_s) = shop.limits.check_find(limits::client(&shop.config, peer, &headers), number) {
            let wait = messages.find_wait.text(locale, wait_s.div_ceil(60));
            data.notice = Some(Notice::bad(format!("{} {wait}", messages.find_too_often)));
            data.status = 429;
            let mut response = render::private(&shop, &visitor, &view, page(&view, data)).await?;
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait_s));
            return Ok(response);
        }
    }
    if !data.postcode.is_empty()
        && let Some(order) = shop.orders.find(number, &email).await?
        && let Some(order) = shop.orders.by_id(order).await?
        && shop.orders.check_postcode(&order, &data.postcode, Way::Find).await? == Checked::Right
    {
        let mut response = see_other(&order_url(&view, &order.secret));
        pass(&shop, &mut response, &order);
        return Ok(response);
    }
    // Looking and queueing take their own time, and nobody waits for them.
    tokio::spawn(async move {
        if let Err(error) = mail_link(&shop, number, &email).await {
            tracing::error!(error = format!("{error:#}"), "a link could not be mailed");
        }
    });
    tokio::time::sleep_until(asked + ANSWER_AFTER).await;
    Ok(see_other(&format!("{}?said=sent", Address::new(locale, Route::FindOrder).url())))
}

async fn mail_link(shop: &Shop, number: OrderNumber, email: &Email) -> anyhow::Result<()> {
    let Some(order): Option<OrderId> = shop.orders.find(number, email).await? else { return Ok(()) };
    match shop.orders.mail_link(order).await {
        // Enough of them are on their way.
        Ok(()) | Err(CannotResend::TooMany | CannotResend::NotFound | CannotResend::NothingToTell) => Ok(()),
        Err(CannotResend::Failed(error)) => Err(error),
    }
}
