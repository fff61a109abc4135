//! The one place that turns what went wrong into a status and a page. Handlers refuse with a [`Refusal`] or fail with a [`Failure`];
//! the page is drawn by the gate, which knows the visitor's locale and the request's reference.

use crate::{
    Shop,
    http::{render, visitor::Visitor},
    sql::Conflict as _,
};
use app::{
    pages::{Fault, error_page},
    ports::ReadError,
};
use aws_sdk_dynamodb::error::ConnectorError;
use axum::response::{IntoResponse, Response};
use domain::locale::Locale;
use http::{HeaderValue, StatusCode, header};

/// "No", with the page that says so. Travels as an extension of an empty response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub fault: Fault,
    /// For `Retry-After`.
    pub retry_after_s: Option<u64>,
}

/// A request that could not be answered because something is broken, or that was refused.
#[derive(Debug)]
pub enum Failure {
    Refused(Refusal),
    /// The read model or a store does not answer, or a row was fought over until the tries ran out: it is worth trying again.
    Unavailable(String),
    /// What carts, orders and prices are decided by cannot be reached from here; another server may reach it.
    OutOfReach(String),
    /// A bug, or a state that should not be.
    Broken(anyhow::Error),
}

impl Refusal {
    pub const fn new(fault: Fault) -> Self {
        Self { fault, retry_after_s: None }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::new(fault)
    }
}
impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Refused(fault.into())
    }
}
impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Self::Unavailable(error.to_string())
    }
}
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        if error.is_conflict() {
            Self::Unavailable(format!("{error:#}"))
        } else if is_out_of_reach(&error) {
            Self::OutOfReach(format!("{error:#}"))
        } else {
            Self::Broken(error)
        }
    }
}
impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::from(anyhow::Error::from(error))
    }
}

/// Whether the database, or the table of the carts, cannot be reached now, or is being stopped: nothing was done, and another server may reach it.
fn is_out_of_reach(error: &anyhow::Error) -> bool {
    // `SdkError` is of another type for each operation; what it says of a request without an answer is the same.
    let is_unanswered = |cause: &(dyn std::error::Error + 'static)| cause.is::<ConnectorError>() || cause.to_string() == "request has timed out";
    error.chain().any(is_unanswered)
        || error.chain().filter_map(|cause| cause.downcast_ref::<sqlx::Error>()).any(|error| match error {
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => true,
            // PostgreSQL, appendix A: class 08 connection exception, 57P01 to 57P03 being stopped or not yet started.
            sqlx::Error::Database(error) => error.code().is_some_and(|code| code.starts_with("08") || matches!(&*code, "57P01" | "57P02" | "57P03")),
            _ => false,
        })
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = status(self.fault).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(refusal) => refusal.into_response(),
            Self::Unavailable(reason) => {
                tracing::error!(reason, "a store does not answer");
                Refusal { fault: Fault::Unavailable, retry_after_s: Some(5) }.into_response()
            }
            Self::OutOfReach(reason) => {
                tracing::error!(reason, "what carts and orders are decided by cannot be reached");
                Refusal { fault: Fault::OutOfReach, retry_after_s: Some(5) }.into_response()
            }
            Self::Broken(error) => {
                tracing::error!(error = format!("{error:#}"), "a request failed");
                Refusal::new(Fault::Server).into_response()
            }
        }
    }
}

fn status(fault: Fault) -> StatusCode {
    StatusCode::from_u16(fault.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// What a bare answer of the router's own stands for: a wrong method, a body that was too large.
pub fn of_status(status: StatusCode) -> Option<Refusal> {
    Some(Refusal::new(match status {
        StatusCode::FORBIDDEN => Fault::Forbidden,
        StatusCode::NOT_FOUND => Fault::NotFound,
        StatusCode::CONFLICT => Fault::Conflict,
        StatusCode::GONE => Fault::Gone,
        StatusCode::PAYLOAD_TOO_LARGE => Fault::TooLarge,
        StatusCode::TOO_MANY_REQUESTS => Fault::TooManyRequests,
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => Fault::Unavailable,
        other if other.is_client_error() => Fault::BadRequest,
        other if other.is_server_error() => Fault::Server,
        _ => return None,
    }))
}

/// The page for a refusal. It needs no store: what all pages share is taken from the last good read.
pub async fn page(shop: &Shop, visitor: &Visitor, locale: Locale, refusal: Refusal, reference: &str) -> Response {
    let view = render::view_at_any_rate(shop, locale).await;
    // Only what is nobody's fault but ours needs a number to quote.
    let reference = if refusal.fault.status() >= 500 { reference } else { "" };
    let mut response = render::without_live(shop, visitor, &view, error_page(&view, refusal.fault, reference));
    if let Some(seconds) = refusal.retry_after_s {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
