//! Inert pieces of pages: HTML from data, which never ships to the browser as code.

pub mod footer;
pub mod masthead;
