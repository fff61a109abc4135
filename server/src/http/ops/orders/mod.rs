//! Lists of orders, one order, and sending many: reading for the pages, and their forms.

mod act;
mod list;
mod order;
mod read;
mod refusals;
mod ship;
mod told;
mod typed;

use crate::Shop;
use axum::Router;

pub fn routes() -> Router<Shop> {
    Router::new().merge(list::routes()).merge(ship::routes()).merge(order::routes()).merge(crate::http::invoice::staff_routes())
}
