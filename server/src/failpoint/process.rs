//! `nextgen` with its failpoints, for crash tests. It is never shipped.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::command::run()
}
