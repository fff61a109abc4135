//! Stories of the catalogue, told to real stores: one program, so that it is linked once.

mod import;
mod import_rows;
mod import_stock;
mod readmodel;
mod stores;
mod table;
