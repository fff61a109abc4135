//! That no acknowledged order is ever lost: backups, restores and the comparison with the payment provider's ledger, with real processes.
//! On SQLite, or on PostgreSQL where `TEST_DATABASE_URL_PG` names one.

#[path = "../support/mod.rs"]
mod support;

mod backup;
mod books;
mod buyer;
mod clerk;
mod crash;
mod drill;
mod load;
mod rebuilding;
mod world;
