//! The hot cache: items as they were read a moment ago. Live values are held 200 ms (a page holds them 100 ms more), documents a
//! second; where the projector is in the same process, it puts in what it wrote.

use cached::{Cached as _, LruTtlCache};
use domain::{ProductId, live::LiveItem};
use std::{
    any::Any,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::keys;
use domain::locale::TextLanguage;

/// How old a live value may be: part of the promise that a change is seen within a second.
const LIVE_MS: u64 = 200;
const DOCUMENT_MS: u64 = 1_000;
/// How many entries are held, so that neither a large catalogue nor made-up addresses can fill the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HotRoom {
    /// Live values of products, about 2 kB each.
    pub live_max: usize,
    /// Documents, up to 20 kB each.
    pub documents_max: usize,
}

impl HotRoom {
    /// For a server.
    pub const SERVER: Self = Self { live_max: 50_000, documents_max: 8_192 };
    /// For an instance at an edge, which has 128 MB for everything.
    pub const EDGE: Self = Self { live_max: 4_096, documents_max: 512 };
}

type Key = (String, String);
/// A document of any kind, or that there is none.
type Document = Option<Arc<dyn Any + Send + Sync>>;

/// What was read a moment ago.
pub struct Hot {
    live: Mutex<LruTtlCache<ProductId, Arc<LiveItem>>>,
    documents: Mutex<LruTtlCache<Key, Document>>,
}

impl Hot {
    pub fn new(room: HotRoom) -> Self {
        Self {
            live: Mutex::new(LruTtlCache::new(room.live_max, Duration::from_millis(LIVE_MS))),
            documents: Mutex::new(LruTtlCache::new(room.documents_max, Duration::from_millis(DOCUMENT_MS))),
        }
    }

    fn documents(&self) -> MutexGuard<'_, LruTtlCache<Key, Document>> {
        self.documents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lives(&self) -> MutexGuard<'_, LruTtlCache<ProductId, Arc<LiveItem>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn live(&self, product: ProductId) -> Option<Arc<LiveItem>> {
        self.lives().cache_get(&product).cloned()
    }

    /// Keeps live values unless newer ones are there.
    pub fn put_live(&self, live: Arc<LiveItem>) {
        let mut lives = self.lives();
        if lives.cache_get(&live.product).is_none_or(|known| known.version <= live.version) {
            lives.cache_set(live.product, live);
        }
    }

    /// `None`: not known. `Some(None)`: known to be missing.
    pub fn document<T: Send + Sync + 'static>(&self, key: &Key) -> Option<Option<Arc<T>>> {
        let known = self.documents().cache_get(key).cloned()?;
        match known {
            None => Some(None),
            Some(document) => document.downcast().ok().map(Some),
        }
    }

    pub fn put_document<T: Send + Sync + 'static>(&self, key: Key, document: Option<Arc<T>>) {
        self.documents().cache_set(key, document.map(|document| document as Arc<dyn Any + Send + Sync>));
    }

    pub fn forget(&self, pk: &str, sk: &str) {
        let _was = self.documents().cache_remove(&(pk.to_owned(), sk.to_owned()));
    }

    pub fn forget_product(&self, product: ProductId, slugs: &[String]) {
        for language in TextLanguage::ALL {
            self.forget(&keys::product(product), &keys::document(language));
        }
        for slug in slugs {
            self.forget(&keys::slug(slug), keys::ONLY);
        }
    }

    pub fn forget_documents(&self) {
        self.documents().cache_clear();
    }

    pub fn clear(&self) {
        self.forget_documents();
        self.lives().cache_clear();
    }
}
