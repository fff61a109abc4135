//! The operators' order pages over HTTP: found by every key, each action with its refusal, sent twice, by each role; and that no list reads
//! all orders.

#[path = "../orders/house.rs"]
#[expect(dead_code, reason = "what these tests leave unused the order core's own use")]
mod house;
#[path = "../support/mod.rs"]
mod support;

mod bulk;
mod desk;
mod finding;
mod money;
mod personal;
mod plans;
mod returning;
mod shipping;
