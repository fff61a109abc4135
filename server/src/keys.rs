//! The shop's keys: made on first start, readable by the owner only.
