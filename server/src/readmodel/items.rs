//! What the storefront reads at the origin: items through the SDK, lists from the index.

use crate::{dynamo::Table, search::Index};
use app::ports::{Facets, Found, ListingQuery, ReadError, View};
use async_trait::async_trait;
use domain::catalog::ListingPage;
use edge_replica::{Items, Key, Lists};
use std::{sync::Arc, time::Duration};

/// How long a page waits for the table before it says that it cannot be shown.
const READ_MS_MAX: u64 = 2_000;

#[async_trait]
impl Items for Table {
    async fn get(&self, keys: &[Key]) -> Result<Vec<(Key, String)>, ReadError> {
        match tokio::time::timeout(Duration::from_millis(READ_MS_MAX), self.bodies(keys)).await {
            Ok(Ok(items)) => Ok(items),
            Ok(Err(error)) => Err(ReadError(format!("{error:#}"))),
            Err(_) => Err(ReadError(format!("no answer within {READ_MS_MAX} ms"))),
        }
    }
}

/// Lists are computed by the index of this process.
pub struct Computed(pub Arc<Index>);

#[async_trait]
impl Lists for Computed {
    async fn query(&self, view: &View, query: &ListingQuery) -> Result<Found<(ListingPage, Facets)>, ReadError> {
        Ok(self.0.query(view, query).map_or(Found::Missing, Found::Here))
    }
}
