//! The first page: what needs somebody.

use super::{desk, query_fields, send};
use crate::{Shop, http::Failure, orders::lists::COUNTED_MAX, staff::Staff};
use app::{
    private::Notice,
    staff::{
        Route,
        home::{self, Task},
        orders::WAITS,
        route::OrderList,
    },
};
use axum::{
    Router,
    extract::{RawQuery, State},
    response::Response,
    routing::get,
};

pub fn routes() -> Router<Shop> {
    Router::new().route("/ops", get(show))
}

async fn show(State(shop): State<Shop>, staff: Staff, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    let notice = (query_fields(query.as_deref()).get("said") == "password").then(|| Notice::good("The new password is saved."));
    let mut tasks = Vec::with_capacity(WAITS.len());
    for (waits, title, help) in WAITS {
        let n = shop.orders.count_waiting(waits, None).await?;
        let to = Route::Orders { list: OrderList { waits: waits.to_owned(), ..OrderList::default() } };
        tasks.push(Task { count: n.min(COUNTED_MAX), or_more: n > COUNTED_MAX, title, help, to });
    }
    send(&shop, home::page(&desk(&shop, &staff), tasks, notice))
}
