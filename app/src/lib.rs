//! What the shop *looks like*: every page, once, for origin, edge and browser.

#[cfg(feature = "ssr")]
pub mod ports;
