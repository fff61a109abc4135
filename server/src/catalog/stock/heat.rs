//! Which variants many orders want at once, as this process sees it. A tried-again transaction counts again: that is what heat is.

use super::Item;
use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, PoisonError},
};

/// Variants that are counted at once; who comes later in the minute is not.
const VARIANTS_MAX: usize = 10_000;

static TRIES: LazyLock<Mutex<HashMap<Item, u32>>> = LazyLock::new(Mutex::default);

/// An order tries to hold some of it.
pub(super) fn note(item: Item) {
    let mut tries = TRIES.lock().unwrap_or_else(PoisonError::into_inner);
    if tries.len() < VARIANTS_MAX || tries.contains_key(&item) {
        *tries.entry(item).or_default() += 1;
    }
}

/// What was tried at least `least` times since the last [`forget`].
pub(super) fn hot(least: u32) -> Vec<Item> {
    let tries = TRIES.lock().unwrap_or_else(PoisonError::into_inner);
    tries.iter().filter(|(_, tries)| **tries >= least).map(|(item, _)| *item).collect()
}

/// Begins to count anew.
pub(super) fn forget() {
    TRIES.lock().unwrap_or_else(PoisonError::into_inner).clear();
}
