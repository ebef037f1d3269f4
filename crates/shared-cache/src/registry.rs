//! The caches of this process, by name.

use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
#[cfg(not(loom))]
use std::sync::LazyLock;
use std::sync::{Arc, PoisonError};

use crate::cache::SharedCache;
use crate::flight::Flight;
use crate::options::{InvalidOptions, Options};
use crate::sync::{Mutex, MutexGuard};

struct Open {
    cache: Arc<SharedCache>,
    handles: usize,
}

#[cfg(not(loom))]
static CACHES: LazyLock<Mutex<HashMap<Box<[u16]>, Open>>> = LazyLock::new(Mutex::default);
#[cfg(loom)]
loom::lazy_static! {
    static ref CACHES: Mutex<HashMap<Box<[u16]>, Open>> = Mutex::new(HashMap::new());
}

/// A panic cannot leave the map half changed: each change is one call.
fn caches() -> MutexGuard<'static, HashMap<Box<[u16]>, Open>> {
    CACHES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why a cache was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// No cache can have these options.
    Invalid(InvalidOptions),
    /// A cache of this name is open with other options.
    Conflict {
        /// The name of an option that differs.
        option: &'static str,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(invalid) => invalid.fmt(to),
            Self::Conflict { option } => write!(to, "the cache is open with another {option}"),
        }
    }
}

impl std::error::Error for OpenError {}

/// One of those who have a cache open. The last one that is dropped frees what is stored, even while loads are under way.
pub struct Handle {
    name: Box<[u16]>,
    cache: Arc<SharedCache>,
}

/// Opens the cache of a name, which is any text; who opens it first makes it.
///
/// # Errors
///
/// If no cache can have the options, or the one that is open has others.
pub fn open(name: &[u16], options: Options) -> Result<Handle, OpenError> {
    let mut caches = caches();
    if let Some(open) = caches.get_mut(name) {
        if let Some(option) = open.cache.options().difference(&options) {
            return Err(OpenError::Conflict { option });
        }
        open.handles += 1;
        return Ok(Handle { name: name.into(), cache: Arc::clone(&open.cache) });
    }
    let cache = Arc::new(SharedCache::new(options).map_err(OpenError::Invalid)?);
    caches.insert(name.into(), Open { cache: Arc::clone(&cache), handles: 1 });
    Ok(Handle { name: name.into(), cache })
}

impl Handle {
    /// Begins to load a key, or joins who does.
    #[must_use]
    pub fn begin(&self, key: &[u16]) -> Flight {
        Flight::begin(&self.cache, key)
    }
}

impl Deref for Handle {
    type Target = SharedCache;

    fn deref(&self) -> &SharedCache {
        &self.cache
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let last = {
            let mut caches = caches();
            let Some(open) = caches.get_mut(&self.name) else { return };
            open.handles -= 1;
            if open.handles == 0 { caches.remove(&self.name) } else { None }
        };
        // Whoever still loads a key holds the cache, but nothing that is in it. Freeing it keeps nobody from opening another.
        if let Some(Open { cache, .. }) = last {
            cache.clear();
        }
    }
}
