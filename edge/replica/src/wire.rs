//! What an edge asks its origin for, and in which words. Both ends are deployed apart: fields are added, never renamed.

use crate::{Key, keys};
use app::ports::ListingQuery;
use domain::locale::Locale;
use serde::{Deserialize, Serialize};

/// Where items of the read model are asked for: POST, answered with [`ItemsAnswer`].
pub const ITEMS_PATH: &str = "/_edge/items";
/// Where a list is asked for: POST, answered with `Found<(ListingPage, Facets)>`.
pub const LISTS_PATH: &str = "/_edge/lists";
/// Most items in one question: as many as in one batch of DynamoDB.
pub const KEYS_MAX: usize = 100;

/// Items by their keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemsQuestion {
    pub keys: Vec<Key>,
}

impl ItemsQuestion {
    /// Whether it asks for items of the read model only: carts and accounts stand in the same table.
    pub fn is_public(&self) -> bool {
        self.keys.len() <= KEYS_MAX && self.keys.iter().all(|(pk, _)| keys::is_public(pk))
    }
}

/// Partition key, sort key and body of what was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemsAnswer {
    pub items: Vec<(String, String, String)>,
}

/// A list as a page in this locale wants it; its shelf is named by key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListQuestion {
    pub locale: Locale,
    pub query: ListingQuery,
}
