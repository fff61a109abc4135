//! What pages may ask, and of whom. A page that takes only a [`Storefront`] is public and cacheable by construction; one that
//! takes what belongs to a visitor is private.

pub mod storefront;

pub use storefront::{Facets, Found, Help, ListingQuery, ReadError, Storefront, View};
