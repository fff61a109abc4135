//! Stories of the catalogue, told to real stores: one program, so that it is linked once.

mod import;
mod readmodel;
mod stores;
mod table;
