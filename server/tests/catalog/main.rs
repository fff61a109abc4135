//! Stories of the catalogue, told to real stores: one program, so that it is linked once.

mod stores;
mod table;
