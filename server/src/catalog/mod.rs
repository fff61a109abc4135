//! Products, prices and stock quantities in SQL: use cases of the catalogue and its imports.

pub mod prices;
pub mod stock;
