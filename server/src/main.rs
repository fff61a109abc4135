//! `nextgen`: the shop in one binary. Everything is in the library, which is compiled once for it and for the tests.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::command::run()
}
