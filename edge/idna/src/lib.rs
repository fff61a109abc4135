//! What the crate `idna` asks Unicode. On servers ICU4X answers; in Wasm modules, which talk to the hosts of their own configuration alone,
//! 80 kB of tables are left out: a host's name is ASCII there (`xn--…` for others), and any other name is an error. It stands in the place
//! of the crate that `idna` names, because that one is chosen for all targets alike.

#[cfg(target_family = "wasm")]
mod ascii;
#[cfg(not(target_family = "wasm"))]
mod icu;

#[cfg(target_family = "wasm")]
pub use ascii::*;
#[cfg(not(target_family = "wasm"))]
pub use icu::*;
