//! Named points between two steps at which a test has this process killed, as a power cut would. Only compiled with the feature
//! `failpoints`; the shipped binary has none of them.

#[cfg(feature = "failpoints")]
use std::sync::atomic::{AtomicU32, Ordering};

/// Marks a point; without the feature it is nothing at all.
#[macro_export]
macro_rules! failpoint {
    ($name:literal) => {
        #[cfg(feature = "failpoints")]
        $crate::failpoint::reach(concat!("<failpoint ", $name, ">"));
    };
}

/// The variable that names the point at which to die: `name`, or `name 3` for the third time that it is reached.
#[cfg(feature = "failpoints")]
pub const VARIABLE: &str = "FAILPOINT";

/// Dies here, if this is the point and the time. Nothing is finished, nothing is flushed.
#[cfg(feature = "failpoints")]
pub fn reach(name: &'static str) {
    static REACHED: AtomicU32 = AtomicU32::new(0);
    #[expect(clippy::disallowed_methods, reason = "a test's wish, and no setting of a shop")]
    let Ok(wish) = std::env::var(VARIABLE) else { return };
    let (wanted, time) = wish.split_once(' ').unwrap_or((&wish, "1"));
    let plain = name.trim_start_matches("<failpoint ").trim_end_matches('>');
    if wanted != plain || REACHED.fetch_add(1, Ordering::Relaxed) + 1 < time.parse().unwrap_or(1) {
        return;
    }
    let killed = std::process::Command::new("kill").args(["-s", "KILL", &std::process::id().to_string()]).status();
    panic!("{name}: the process should be gone: {killed:?}");
}
