//! What an edge decides, without any I/O: templates with holes, freshness, keys, headers. Used by the origin too. The time is an
//! argument, and nothing that is kept here comes from a visitor.
#![cfg_attr(not(test), deny(clippy::panic, clippy::expect_used, clippy::unreachable))]

pub mod cache;
pub mod headers;
pub mod pass;
pub mod plan;
pub mod template;
pub mod visitor;

pub use cache::{Freshness, Key, Lookup, TemplateCache};
pub use plan::{Class, Plan, plan};
pub use template::{Malformed, Part, Template, Values};
