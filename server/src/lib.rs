//! The origin as a library: [`build`] is the only place where things are wired, for `main` and for tests alike.

pub mod catalog;
pub mod clock;
pub mod config;
pub mod dynamo;
pub mod events;
pub mod http;
pub mod keys;
pub mod orders;
pub mod payments;
pub mod readmodel;
pub mod search;
pub mod sql;
pub mod users;
