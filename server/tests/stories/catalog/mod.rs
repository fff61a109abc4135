//! Stories of the catalogue, told to real stores.

mod import;
mod import_rows;
mod import_stock;
mod outbox;
mod readmodel;
mod stores;
mod table;
mod two_servers;
