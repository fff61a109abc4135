//! What happens at the till: guests buy in every market, and nothing that is typed or tampered with breaks anything.

#[path = "../support/mod.rs"]
mod support;

mod bad_input;
mod buying;
mod coupon_command;
mod coupons;
mod finding;
mod house;
mod mails;
