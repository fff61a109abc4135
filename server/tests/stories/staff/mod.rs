//! The operator pages over HTTP: who is let in and who is not, what each role may do, and that every change is in the log.

mod command_line;
mod house;
mod log;
mod price_tables;
mod signing_in;
mod stock;
mod tables;
