//! What belongs to one visitor and lives in the table of the visitor's region: carts. Accounts and addresses will live here too.

pub mod carts;
mod settle;

pub use carts::{Carts, Visit};
pub use settle::CartSettler;
