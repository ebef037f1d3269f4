//! What a link did, for who watches it.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counts {
    ($($(#[$about:meta])* $name:ident,)*) => {
        /// Counters that only grow.
        #[derive(Debug, Default)]
        pub struct Counts {
            $($(#[$about])* pub(crate) $name: AtomicU64,)*
        }

        impl Counts {
            /// The counters' values, in the order of their declaration.
            #[must_use]
            pub fn values(&self) -> Vec<u64> {
                vec![$(self.$name.load(Ordering::Relaxed)),*]
            }
        }
    };
}

counts! {
    /// Batches taken in.
    batches,
    /// Calls of scripts in them.
    calls,
    /// Calls that had no reply in time.
    timeouts,
    /// Connections made.
    connected,
    /// Connections lost, or given up.
    lost,
    /// Calls that carried a script which Redis did not have.
    loaded,
    /// Calls sent again because the Cluster had their keys elsewhere.
    redirected,
    /// Calls sent again because Redis could not carry them out then.
    repeated,
}

/// Adds to one of them.
pub(crate) fn add(counter: &AtomicU64, by: usize) {
    counter.fetch_add(by as u64, Ordering::Relaxed);
}
