//! What happens at the till: guests buy in every market, and nothing that is typed or tampered with breaks anything.

mod bad_input;
mod buying;
mod cancelling;
mod coupon_command;
mod coupons;
mod disputed;
mod finding;
mod full_cart;
mod house;
mod invoiced;
mod mails;
mod meanwhile;
mod odd_amount;
mod parcels;
mod promised;
mod replaced;
mod returns_told;
mod sending_back;
mod sold_out_exchange;
mod taxed;
mod told_by_mail;
mod too_late;
mod two_tabs;
mod webhooks;
mod writer_gone;
