//! An order's invoice and credit notes: a page to print and a PDF, for whoever has the order's link, and for staff who may see people.

use crate::{
    Shop,
    http::{
        Failure, InLocale, Visitor, link,
        order::{order_url, unknown},
        render,
    },
    invoices::{self, Document, pdf},
    staff::Staff,
};
use app::{
    document::Assets,
    invoice::{Paper, html, paper},
    pages::Fault,
    routes::{Address, Route, is_number},
    staff,
};
use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    response::{IntoResponse as _, Response},
    routing::get,
};
use domain::{OrderId, order::OrderNumber, staff::Right};
use http::{HeaderValue, header};

pub fn routes() -> Router<Shop> {
    Router::new().route("/{locale}/orders/{secret}/invoices/{name}", get(show))
}

/// The same for staff, within the operator pages.
pub fn staff_routes() -> Router<Shop> {
    Router::new().route("/ops/orders/{number}/invoices/{name}", get(show_staff))
}

async fn show(
    State(shop): State<Shop>,
    InLocale(locale): InLocale,
    Path((_, secret, name)): Path<(String, String, String)>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let view = render::view(&shop, locale).await?;
    let Some(order) = shop.orders.find_by_secret(&secret).await? else { return unknown(&shop, &visitor, &view, &secret).await };
    if link::is_closed(&shop, &visitor, &order) {
        return link::ask(&shop, &visitor, &view, &secret).await;
    }
    let (number, is_pdf) = named(&name)?;
    let paper = read(&shop, order.id, number).await?;
    let to = Address::new(locale, Route::Invoice { secret: secret.clone(), number: number.to_owned(), pdf: true }).url();
    Ok(send(&shop.pages.assets, &paper, is_pdf, &to, &order_url(&view, &secret)))
}

async fn show_staff(State(shop): State<Shop>, staff: Staff, Path((order, name)): Path<(String, String)>) -> Result<Response, Failure> {
    staff.require(Right::ServeCustomers)?;
    let order: OrderNumber = order.parse().map_err(|_| Fault::NotFound)?;
    let id = shop.orders.numbered(order).await?.ok_or(Fault::NotFound)?;
    let (number, is_pdf) = named(&name)?;
    let paper = read(&shop, id, number).await?;
    let to = staff::Route::Invoice { order: order.to_string(), number: number.to_owned(), pdf: true }.url();
    Ok(send(&shop.pages.assets, &paper, is_pdf, &to, &staff::Route::Order { number: order.to_string() }.url()))
}

/// The number in `DE-2026-000042` or `DE-2026-000042.pdf`.
fn named(name: &str) -> Result<(&str, bool), Fault> {
    let (number, is_pdf) = name.strip_suffix(".pdf").map_or((name, false), |number| (number, true));
    if is_number(number) { Ok((number, is_pdf)) } else { Err(Fault::NotFound) }
}

async fn read(shop: &Shop, order: OrderId, number: &str) -> Result<Paper, Failure> {
    let Document { invoice, buyer } = invoices::find(&shop.db, &shop.keys, order, number).await?.ok_or(Fault::NotFound)?;
    Ok(paper(&invoice, buyer.as_ref()))
}

/// What the page may load: its style, fonts and icon. It has no script and no form.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Private and never stored, as the order's page.
fn send(assets: &Assets, paper: &Paper, is_pdf: bool, pdf_url: &str, back: &str) -> Response {
    let (kind, body) = if is_pdf {
        ("application/pdf", Body::from(pdf::write(paper)))
    } else {
        ("text/html; charset=utf-8", Body::from(html::document(paper, assets, pdf_url, back)))
    };
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if !is_pdf {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    }
    if is_pdf && let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"{}.pdf\"", paper.number)) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    response
}
