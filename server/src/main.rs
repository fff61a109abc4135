//! `nextgen`: the shop in one binary. Everything is in the library, which is compiled once for it and for the tests.

use std::process::ExitCode;

/// Rendering a page allocates thousands of small strings on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    server::command::run()
}
