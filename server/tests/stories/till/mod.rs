//! What happens at the till: guests buy in every market, and nothing that is typed or tampered with breaks anything.

mod bad_input;
mod buying;
mod cancelling;
mod coupon_command;
mod coupons;
mod disputed;
mod finding;
mod house;
mod mails;
mod meanwhile;
mod parcels;
mod replaced;
mod sending_back;
mod too_late;
mod two_tabs;
mod writer_gone;
