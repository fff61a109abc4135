//! Randomness, all of it from the operating system.

use rand::TryRngCore as _;

/// Bytes that nobody can guess.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).expect("the operating system has randomness");
    bytes
}

/// A wait between 1 and `most_ms` milliseconds, so that those who failed together do not come again together.
pub fn jitter(most_ms: u64) -> std::time::Duration {
    std::time::Duration::from_millis(1 + u64::from_le_bytes(bytes()) % most_ms.max(1))
}
