//! The order core against a running shop, a running test provider and a real database: SQLite, or PostgreSQL where
//! `TEST_DATABASE_URL_PG` names one.

mod afterwards;
mod buckets;
mod coupons;
mod crowd;
mod disputes;
pub mod house;
mod invoices;
mod keys;
mod lapsing;
mod paying;
mod placing;
mod process;
mod replay;
mod sourcing;
mod storefront;
pub mod stripe_orders;
