//! The operators' order pages over HTTP: found by every key, each action with its refusal, sent twice, by each role; and that no list reads
//! all orders.

mod bulk;
mod desk;
mod disputed;
mod finding;
mod mailing;
mod malformed;
mod money;
mod personal;
mod plans;
mod refusals;
mod returning;
mod shipping;
mod waiting;
mod whole_story;
