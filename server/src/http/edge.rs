//! What an edge asks its origin for: items of the read model while its replica does not answer, and computed lists. Only whoever knows the
//! edge's key is answered: live items also tell prices that are not yet announced.

use crate::{
    Shop,
    http::{errors::Failure, render},
};
use app::{pages::Fault, ports::Found};
use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse as _, Response},
    routing::post,
};
use edge_replica::wire::{ITEMS_PATH, ItemsAnswer, ItemsQuestion, LISTS_PATH, ListQuestion};
use http::{HeaderMap, header};
use subtle::ConstantTimeEq as _;

pub fn routes() -> Router<Shop> {
    Router::new().route(ITEMS_PATH, post(items)).route(LISTS_PATH, post(lists))
}

/// Whether only edges ask at this path.
pub fn is_question(path: &str) -> bool {
    [ITEMS_PATH, LISTS_PATH].contains(&path)
}

/// Without a key of the edge's there is no edge, and nothing here.
pub fn knows_key(shop: &Shop, headers: &HeaderMap) -> Result<(), Failure> {
    let key = shop.config.edge_key.as_deref().ok_or(Fault::NotFound)?;
    let named = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    if named.is_some_and(|named| bool::from(named.as_bytes().ct_eq(key.as_bytes()))) { Ok(()) } else { Err(Fault::Forbidden.into()) }
}

async fn items(State(shop): State<Shop>, headers: HeaderMap, Json(question): Json<ItemsQuestion>) -> Result<Response, Failure> {
    knows_key(&shop, &headers)?;
    if !question.is_public() {
        return Err(Fault::Forbidden.into());
    }
    let items = shop.table.bodies(&question.keys).await.map_err(|error| Failure::Unavailable(format!("{error:#}")))?;
    let items = items.into_iter().map(|((pk, sk), body)| (pk, sk, body)).collect();
    Ok(Json(ItemsAnswer { items }).into_response())
}

async fn lists(State(shop): State<Shop>, headers: HeaderMap, Json(question): Json<ListQuestion>) -> Result<Response, Failure> {
    knows_key(&shop, &headers)?;
    let view = render::view(&shop, question.locale).await?;
    Ok(Json(shop.index.query(&view, &question.query).map_or(Found::Missing, Found::Here)).into_response())
}
