//! Public pages: any address, from the template cache or rendered now, filled with live values. The origin and every edge answer with
//! this very code, so that their HTML is the same; what a host does with an answer is its own business.
#![cfg_attr(not(test), deny(clippy::panic, clippy::expect_used, clippy::unreachable))]

pub mod address;
pub mod edge;
pub mod machine;
pub mod pages;
pub mod rendered;

pub use edge::{Edge, Request, Verdict};
pub use machine::{Log, Machine};
pub use pages::{Pages, Served, Trouble};
pub use rendered::{Rendered, Reply};
