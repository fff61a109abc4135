//! `nextgen`: the shop in one binary.

fn main() {}
