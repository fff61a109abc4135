//! Events in, documents out: the projector, and the Storefront over the table that it writes.

pub mod documents;
mod elsewhere;
mod items;
mod listings;
pub(crate) mod pages;
mod projector;
pub mod records;

pub use projector::Projector;

use crate::{clock::Clock, dynamo::Table, search::Index, sql::Db};
use edge_replica::{Hot, HotRoom, Replica};
use items::Computed;
use std::sync::Arc;

/// The read model of one process: who writes it, and who reads it.
pub struct ReadModel {
    pub projector: Arc<Projector>,
    pub storefront: Arc<Replica>,
    pub index: Arc<Index>,
}

/// Wires the read model; [`Projector::start`] fills it before the first request.
pub fn open(db: Db, table: Table, clock: Clock) -> anyhow::Result<ReadModel> {
    let (index, hot) = (Arc::new(Index::default()), Arc::new(Hot::new(HotRoom::SERVER)));
    let projector = Arc::new(Projector::new(db, table.clone(), clock, index.clone(), hot.clone())?);
    let storefront = Arc::new(Replica::new(Arc::new(table), Arc::new(Computed(index.clone())), hot));
    Ok(ReadModel { projector, storefront, index })
}
