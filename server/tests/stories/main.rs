//! All stories about the server but those of killed processes (`../safety`): one program, so that the server is linked once.
//! On SQLite and an embedded table, or on what `TEST_DATABASE_URL_PG` and `TEST_DYNAMODB_ENDPOINT` name.

#[path = "../support/stripe/mod.rs"]
mod stripe;
#[path = "../support/mod.rs"]
mod support;

mod catalog;
mod http;
mod newsletter;
mod ops;
mod orders;
mod payments;
mod staff;
mod till;
