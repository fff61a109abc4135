//! The public catalogue read from a replica of the read model: where what stands in the table, in which form, and the Storefront over it.
//! The origin reads through the AWS SDK, an edge over HTTP; what the projector writes is the origin's business.
#![cfg_attr(not(test), deny(clippy::panic, clippy::expect_used, clippy::unreachable))]

pub mod hot;
#[cfg(feature = "http")]
pub mod http;
pub mod keys;
pub mod stored;
pub mod storefront;
pub mod wire;

pub use hot::{Hot, HotRoom};
pub use storefront::{Items, Key, Lists, Replica};
