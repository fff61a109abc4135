//! What the shop *is*: its rules, for every target. No async, clock, randomness, float, SQL, HTTP or Leptos lives here:
//! time and ids are arguments, and a refusal is an enum that says why.
//!
//! # Glossary
//! *Market*: where we sell, with one currency, price list and tax mode. *Locale*: a language and a country, as in the URL.
//! *Offer*: the one displayed price. *Availability*: a promise to show, never to sell by. *Hold*: stock kept for an order
//! until it is paid or lapses. *Promotion*: a rule that lowers a total; *coupon*: one that a typed *code* unlocks. *Live item*: what may change on a
//! cached page. *Hole*: the place in a page that it fills.

#![deny(clippy::float_arithmetic)]

#[macro_use]
mod ids;
pub mod account;
pub mod address;
pub mod booking;
pub mod cart;
pub mod catalog;
pub mod coupon;
pub mod delivery;
pub mod discount;
pub mod dispute;
pub mod event;
pub mod holidays;
pub mod invoice;
pub mod live;
pub mod locale;
pub mod market;
pub mod money;
pub mod newsletter;
pub mod offer;
pub mod order;
pub mod page;
pub mod payment;
pub mod postcode;
pub mod pricing;
pub mod promotion;
pub mod refund;
pub mod region;
pub mod search;
pub mod sourcing;
pub mod staff;
pub mod stock;
pub mod tax;

pub use ids::{
    CancellationId, CartId, CouponId, EventId, FulfilmentId, HoldId, MutationId, OrderId, PaymentId, ProductId, PromotionId, RefundId, ReturnId,
    StaffId, SubscriptionId, VariantId,
};
