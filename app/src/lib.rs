//! What the shop *looks like*: every page, once, for origin, edge and browser.

pub mod routes;

pub mod islands;

#[cfg(feature = "ssr")]
mod blocks;
#[cfg(feature = "ssr")]
pub mod components;
#[cfg(feature = "ssr")]
pub mod document;
#[cfg(feature = "ssr")]
pub mod holes;
#[cfg(feature = "ssr")]
pub mod i18n;
#[cfg(feature = "origin")]
pub mod invoice;
#[cfg(feature = "origin")]
pub mod mail;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub mod ports;
#[cfg(feature = "origin")]
pub mod private;
#[cfg(feature = "origin")]
pub mod staff;
