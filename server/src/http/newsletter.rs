//! Signing up for the newsletter, confirming it, leaving it.
//!
//! Whatever is true of an address, its sign-up is answered the same, at the same instant after the question: nobody learns who is on the list.
//! A GET changes nothing, because programs that check mails open their links. Leaving is a POST that needs neither cookie nor Origin, so that
//! mail programs can do it by themselves (RFC 8058).

use crate::{
    Shop,
    http::{Failure, Fields, InLocale, Visitor, forms::see_other, limits, render},
    newsletter::{Asked, Link},
};
use app::{
    i18n::{filled, follow, newsletter, till},
    private::{
        Notice,
        newsletter::{Said, SignUp, confirm, confirm_url, leave, leave_url, said, sign_up},
    },
    routes::Action,
};
use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, Path, RawQuery, State},
    response::Response,
    routing::get,
};
use domain::{
    account::{Email, EmailError},
    newsletter::{consent, source},
};
use http::{HeaderMap, HeaderValue, header};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};
use tokio::time::Instant;

/// When a sign-up is answered: far longer than it takes.
const ANSWER_AFTER: Duration = Duration::from_millis(400);

type Peer = Option<axum::Extension<ConnectInfo<SocketAddr>>>;

pub fn routes() -> Router<Shop> {
    Router::new()
        .route("/{locale}/newsletter", get(show).post(ask))
        .route("/{locale}/newsletter/confirm/{token}", get(before_confirming).post(confirming))
        .route("/{locale}/newsletter/unsubscribe/{token}", get(before_leaving).post(leaving))
}

async fn show(State(shop): State<Shop>, InLocale(locale): InLocale, visitor: Visitor, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    let view = render::view(&shop, locale).await?;
    let fields = Fields::read(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    let page = if fields.get("said") == "sent" { said(&view, Said::Sent) } else { sign_up(&view, SignUp { status: 200, ..SignUp::default() }) };
    render::private(&shop, &visitor, &view, page).await
}

/// Takes a sign-up.
async fn ask(
    State(shop): State<Shop>,
    InLocale(locale): InLocale,
    peer: Peer,
    headers: HeaderMap,
    visitor: Visitor,
    fields: Fields,
) -> Result<Response, Failure> {
    let asked_at = Instant::now();
    let view = render::view(&shop, locale).await?;
    let mut data = SignUp {
        email: fields.get("email").trim().chars().take(Email::BYTES_MAX).collect(),
        consent: consent(fields.get("consent")),
        source: source(fields.get("source")),
        status: 422,
        ..SignUp::default()
    };
    let email = match Email::parse(fields.get("email")) {
        Ok(email) => email,
        Err(error) => {
            let common = till(locale);
            let required = || filled(common.err_required, &[("field", common.email)]);
            data.fault = Some(if error == EmailError::Missing { required() } else { common.err_email.to_owned() });
            return render::private(&shop, &visitor, &view, sign_up(&view, data)).await;
        }
    };
    let client = client(&shop, peer, &headers);
    if shop.config.rate_limits
        && let Err(wait_s) = shop.limits.check_newsletter(client)
    {
        let wait = follow(locale).find_wait.text(locale, wait_s.div_ceil(60));
        data.notice = Some(Notice::bad(format!("{} {wait}", newsletter(locale).too_often)));
        data.status = 429;
        let mut response = render::private(&shop, &visitor, &view, sign_up(&view, data)).await?;
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait_s));
        return Ok(response);
    }
    let taken = shop.newsletter.ask(&email, Asked { locale, consent: data.consent, source: data.source, client }).await;
    tokio::time::sleep_until(asked_at + ANSWER_AFTER).await;
    taken?;
    Ok(see_other(&format!("{}?said=sent", Action::Newsletter.url(locale))))
}

async fn before_confirming(
    State(shop): State<Shop>,
    InLocale(locale): InLocale,
    Path((_, token)): Path<(String, String)>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let view = render::view(&shop, locale).await?;
    let page = match shop.newsletter.look(&token).await? {
        Link::Asked => confirm(&view, &token),
        Link::Subscribed => said(&view, Said::Subscribed),
        Link::Gone => said(&view, Said::Gone),
    };
    render::private(&shop, &visitor, &view, page).await
}

async fn confirming(
    State(shop): State<Shop>,
    InLocale(locale): InLocale,
    Path((_, token)): Path<(String, String)>,
    peer: Peer,
    headers: HeaderMap,
    visitor: Visitor,
    _: Fields,
) -> Result<Response, Failure> {
    if shop.newsletter.confirm(&token, client(&shop, peer, &headers)).await? == Link::Gone {
        let view = render::view(&shop, locale).await?;
        return render::private(&shop, &visitor, &view, said(&view, Said::Gone)).await;
    }
    Ok(see_other(&confirm_url(locale, &token)))
}

async fn before_leaving(
    State(shop): State<Shop>,
    InLocale(locale): InLocale,
    Path((_, token)): Path<(String, String)>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let view = render::view(&shop, locale).await?;
    let page = match shop.newsletter.look_out(&token).await? {
        Some(true) => leave(&view, &token),
        Some(false) => said(&view, Said::Left),
        None => said(&view, Said::Gone),
    };
    render::private(&shop, &visitor, &view, page).await
}

/// The page's form leads on to what it came to. A mail program sends `List-Unsubscribe=One-Click`, in either encoding of forms, and must not be
/// redirected (RFC 8058, 3.1 and 3.2).
async fn leaving(
    State(shop): State<Shop>,
    InLocale(locale): InLocale,
    Path((_, token)): Path<(String, String)>,
    visitor: Visitor,
    body: Bytes,
) -> Result<Response, Failure> {
    let known = shop.newsletter.leave(&token).await?;
    let is_program = body.windows(ONE_CLICK.len()).any(|part| part == ONE_CLICK);
    if known && !is_program {
        return Ok(see_other(&leave_url(locale, &token)));
    }
    let view = render::view(&shop, locale).await?;
    render::private(&shop, &visitor, &view, said(&view, if known { Said::Left } else { Said::Gone })).await
}

/// The field's name; its value follows after `=`, or after the blank line of a part.
const ONE_CLICK: &[u8] = b"List-Unsubscribe";

fn client(shop: &Shop, peer: Peer, headers: &HeaderMap) -> IpAddr {
    let peer = peer.map_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), |info| info.0.0);
    limits::client(&shop.config, peer, headers)
}
