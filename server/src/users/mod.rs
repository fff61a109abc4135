//! What belongs to one visitor and lives in the table of the visitor's region: carts and drafts of checkouts. Accounts and addresses will live here too.

pub mod carts;
mod drafts;
mod settle;

pub use carts::{Carts, Known, Visit};
pub use drafts::Drafts;
pub use settle::CartSettler;
