//! Products, prices and stock quantities in SQL: use cases of the catalogue and its imports.

pub mod demo;
pub mod help;
pub mod import;
pub mod locations;
pub mod prices;
pub mod product;
pub mod shelves;
pub mod sold;
pub mod stock;
pub mod terms;

pub use demo::first_start;
