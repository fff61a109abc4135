//! Templates kept between requests: fresh, stale while one request renders anew, stale when rendering fails. Bounded by number
//! and size. Generic over what is kept, so that hosts may keep more beside the template.

use domain::offer::Instant;
use std::{collections::HashMap, hash::Hash, sync::Arc};

/// What a template is kept under, and nothing of a visitor. Versions are not in it: whoever keeps a template compares them with what is
/// published now, so that the old one is still there when no new one can be made.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Path and canonical query; the path begins with the locale.
    pub url: Box<str>,
    /// Which version of an experiment's page; 0 where there is no experiment.
    pub bucket: u8,
}

/// How long a template is good for. Microseconds from when it was put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// Used as it is.
    pub fresh_us: i64,
    /// Used once more while somebody renders anew.
    pub stale_us: i64,
    /// Used when rendering fails.
    pub error_us: i64,
}

impl Freshness {
    /// Public pages: what changes by the second is in holes, so texts may be some seconds old, and on error a day.
    pub const PUBLIC: Self = Self { fresh_us: 2_000_000, stale_us: 60_000_000, error_us: 86_400_000_000 };
    /// Computed lists: at most a minute old, unless they cannot be computed.
    pub const COMPUTED: Self = Self { fresh_us: 10_000_000, stale_us: 60_000_000, error_us: 3_600_000_000 };
    /// The same at an edge, which holds the list itself for up to 20 s more.
    pub const ASKED_FOR: Self = Self { stale_us: 40_000_000, ..Self::COMPUTED };
}

/// What the cache has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup<T> {
    Fresh(Arc<T>),
    /// To be sent now. With `revalidate` the caller must render anew afterwards and say how it went.
    Stale {
        value: Arc<T>,
        revalidate: bool,
    },
    /// To be rendered first. If that fails, `fallback` is better than an error.
    Miss {
        fallback: Option<Arc<T>>,
    },
}

/// Bounded; when it is full, what was used longest ago goes.
#[derive(Debug)]
pub struct TemplateCache<T, K = Key> {
    entries: HashMap<K, Entry<T>>,
    entries_max: usize,
    size_bytes: usize,
    size_bytes_max: usize,
    /// Grows with every use.
    uses: u64,
}

#[derive(Debug)]
struct Entry<T> {
    value: Arc<T>,
    size_bytes: usize,
    at: Instant,
    freshness: Freshness,
    used: u64,
    /// Until when somebody else's rendering is waited for; a lost one is not waited for forever.
    revalidating_until: Option<Instant>,
}

/// A rendering that has not been reported by then is lost.
const REVALIDATION_US: i64 = 10_000_000;
/// How long a failed rendering is not tried again.
const PAUSE_US: i64 = 1_000_000;

impl<T, K: Eq + Hash + Clone> TemplateCache<T, K> {
    /// An empty cache.
    pub fn new(entries_max: usize, size_bytes_max: usize) -> Self {
        Self { entries: HashMap::new(), entries_max, size_bytes: 0, size_bytes_max, uses: 0 }
    }

    /// What there is for `key` at `now`. At most one caller at a time is told to revalidate an entry.
    pub fn look(&mut self, key: &K, now: Instant) -> Lookup<T> {
        self.uses += 1;
        let Some(entry) = self.entries.get_mut(key) else { return Lookup::Miss { fallback: None } };
        entry.used = self.uses;
        // A clock that was set back makes entries young, not immortal.
        let age = now.saturating_sub(entry.at).max(0);
        let value = Arc::clone(&entry.value);
        if age < entry.freshness.fresh_us {
            Lookup::Fresh(value)
        } else if age < entry.freshness.stale_us {
            let revalidate = self.claim(key, now);
            Lookup::Stale { value, revalidate }
        } else {
            Lookup::Miss { fallback: (age < entry.freshness.error_us).then_some(value) }
        }
    }

    /// Keeps a rendered page. Nothing derived from a visitor may be in it.
    pub fn put(&mut self, key: K, value: Arc<T>, size_bytes: usize, freshness: Freshness, now: Instant) {
        if size_bytes > self.size_bytes_max {
            self.remove(&key);
            return;
        }
        self.uses += 1;
        let entry = Entry { value, size_bytes, at: now, freshness, used: self.uses, revalidating_until: None };
        self.size_bytes += size_bytes;
        if let Some(old) = self.entries.insert(key, entry) {
            self.size_bytes -= old.size_bytes;
        }
        self.make_room();
    }

    /// Whether the caller is the one to render an entry anew that turned out to be outdated; whoever else sees it meanwhile is not.
    pub fn claim(&mut self, key: &K, now: Instant) -> bool {
        let Some(entry) = self.entries.get_mut(key) else { return true };
        let is_free = entry.revalidating_until.is_none_or(|until| until <= now);
        if is_free {
            entry.revalidating_until = Some(now.saturating_add(REVALIDATION_US));
        }
        is_free
    }

    /// A revalidation failed: what there is stays, and nobody tries again for a moment.
    pub fn failed(&mut self, key: &K, now: Instant) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.revalidating_until = Some(now.saturating_add(PAUSE_US));
        }
    }

    /// The page is gone or no longer public.
    pub fn remove(&mut self, key: &K) {
        if let Some(old) = self.entries.remove(key) {
            self.size_bytes -= old.size_bytes;
        }
    }

    /// How many pages are kept, and their size.
    pub fn usage(&self) -> (usize, usize) {
        (self.entries.len(), self.size_bytes)
    }

    /// Drops an eighth at once, so that a full cache is not sorted on every request.
    fn make_room(&mut self) {
        if self.entries.len() <= self.entries_max && self.size_bytes <= self.size_bytes_max {
            return;
        }
        let mut by_use: Vec<(u64, K)> = self.entries.iter().map(|(key, entry)| (entry.used, key.clone())).collect();
        by_use.sort_unstable_by_key(|(used, _)| *used);
        let (entries_goal, size_goal) = (self.entries_max - self.entries_max / 8, self.size_bytes_max - self.size_bytes_max / 8);
        for (_, key) in by_use {
            if self.entries.len() <= entries_goal && self.size_bytes <= size_goal {
                break;
            }
            self.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: i64 = 1_000_000;
    const FRESHNESS: Freshness = Freshness { fresh_us: 2 * SECOND, stale_us: 10 * SECOND, error_us: 100 * SECOND };

    fn key(url: &str) -> Key {
        Key { url: url.into(), bucket: 0 }
    }

    #[test]
    fn a_page_is_fresh_then_stale_then_only_good_on_error_then_gone() {
        let mut cache = TemplateCache::new(10, 1_000);
        assert_eq!(cache.look(&key("/"), 0), Lookup::Miss { fallback: None });
        cache.put(key("/"), Arc::new("page"), 4, FRESHNESS, 0);
        assert_eq!(cache.look(&key("/"), 2 * SECOND - 1), Lookup::Fresh(Arc::new("page")));
        assert_eq!(cache.look(&key("/"), 2 * SECOND), Lookup::Stale { value: Arc::new("page"), revalidate: true });
        assert_eq!(cache.look(&key("/"), 10 * SECOND), Lookup::Miss { fallback: Some(Arc::new("page")) });
        assert_eq!(cache.look(&key("/"), 100 * SECOND), Lookup::Miss { fallback: None });
    }

    #[test]
    fn one_revalidation_at_a_time_and_a_lost_one_is_not_waited_for() {
        let mut cache = TemplateCache::new(10, 1_000);
        let patient = Freshness { stale_us: 60 * SECOND, ..FRESHNESS };
        cache.put(key("/"), Arc::new(1), 1, patient, 0);
        let revalidates = |cache: &mut TemplateCache<i32>, now| matches!(cache.look(&key("/"), now), Lookup::Stale { revalidate: true, .. });
        assert!(revalidates(&mut cache, 3 * SECOND));
        assert!(!revalidates(&mut cache, 4 * SECOND));
        assert!(revalidates(&mut cache, 13 * SECOND), "the first was lost");
        cache.failed(&key("/"), 14 * SECOND);
        assert!(!revalidates(&mut cache, 14 * SECOND), "a failure pauses");
        assert!(revalidates(&mut cache, 15 * SECOND));
        assert!(!cache.claim(&key("/"), 15 * SECOND), "it is being rendered already");
        assert!(cache.claim(&key("/another"), 15 * SECOND), "nobody waits for what is not kept");
        cache.put(key("/"), Arc::new(2), 1, patient, 16 * SECOND);
        assert_eq!(cache.look(&key("/"), 17 * SECOND), Lookup::Fresh(Arc::new(2)));
    }

    #[test]
    fn buckets_and_addresses_tell_pages_apart() {
        let mut cache = TemplateCache::new(10, 1_000);
        cache.put(key("/a"), Arc::new(1), 1, FRESHNESS, 0);
        assert_eq!(cache.look(&Key { bucket: 1, ..key("/a") }, 0), Lookup::Miss { fallback: None });
        cache.remove(&key("/a"));
        assert_eq!((cache.look(&key("/a"), 0), cache.usage()), (Lookup::Miss { fallback: None }, (0, 0)));
    }

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let mut cache = TemplateCache::new(8, 1_000);
        for url in ["/1", "/2", "/3", "/4", "/5", "/6", "/7", "/8"] {
            cache.put(key(url), Arc::new(()), 1, FRESHNESS, 0);
        }
        cache.look(&key("/1"), 0);
        cache.put(key("/9"), Arc::new(()), 1, FRESHNESS, 0);
        assert!(matches!(cache.look(&key("/1"), 0), Lookup::Fresh(_)));
        assert!(matches!(cache.look(&key("/2"), 0), Lookup::Miss { .. }));
        assert!(matches!(cache.look(&key("/9"), 0), Lookup::Fresh(_)));
    }

    proptest! {
        #[test]
        fn bounds_hold_and_sizes_add_up(puts in prop::collection::vec((0_u8..30, 0_usize..60, any::<bool>()), 0..200)) {
            let mut cache = TemplateCache::new(16, 200);
            for (now, (name, size, remove)) in (0_i64..).zip(puts) {
                if remove { cache.remove(&name) } else { cache.put(name, Arc::new(name), size, FRESHNESS, now) }
                let (entries, bytes) = cache.usage();
                prop_assert!(entries <= 16 && bytes <= 200);
                prop_assert_eq!(bytes, cache.entries.values().map(|entry| entry.size_bytes).sum::<usize>());
            }
        }
    }
}
