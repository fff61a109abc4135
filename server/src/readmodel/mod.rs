//! Events in, documents out: the projector, and the Storefront over the table that it writes.

pub mod documents;
mod hot;
mod keys;
mod listings;
mod origin;
pub(crate) mod pages;
mod projector;
pub mod records;
mod stored;

pub use hot::Hot;
pub use origin::Origin;
pub use projector::Projector;

use crate::{clock::Clock, dynamo::Table, search::Index, sql::Db};
use std::sync::Arc;

/// The read model of one process: who writes it, and who reads it.
pub struct ReadModel {
    pub projector: Arc<Projector>,
    pub origin: Arc<Origin>,
}

/// Wires the read model; [`Projector::start`] fills it before the first request.
pub fn open(db: Db, table: Table, clock: Clock) -> anyhow::Result<ReadModel> {
    let (index, hot) = (Arc::new(Index::default()), Arc::new(Hot::default()));
    let projector = Arc::new(Projector::new(db, table.clone(), clock, index.clone(), hot.clone())?);
    Ok(ReadModel { projector, origin: Arc::new(Origin::new(table, index, hot)) })
}
