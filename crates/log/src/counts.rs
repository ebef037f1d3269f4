//! What a log did so far.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Counters from the beginning on, of all handles.
        #[derive(Debug, Default)]
        pub struct Counts {
            $($(#[$doc])* pub $name: AtomicU64,)*
        }

        impl Counts {
            /// How many there are.
            pub const LEN: usize = [$(stringify!($name)),*].len();

            /// In the order of the fields.
            #[must_use]
            pub fn values(&self) -> [u64; Self::LEN] {
                [$(self.$name.load(Ordering::Relaxed)),*]
            }
        }
    };
}

counts! {
    /// Lines that were taken in.
    accepted,
    /// Lines that are in the file.
    written,
    /// Of these, the bytes.
    bytes,
    /// Lines dropped since there was no room.
    dropped_full,
    /// Lines dropped since they are longer than all the room there is.
    dropped_oversized,
    /// Lines dropped since they came after the end.
    dropped_closed,
    /// Lines that were given up with the last handle, as the file could not be written.
    dropped_lost,
    /// Appends to the file.
    writes,
    /// Appends that failed.
    failures,
    /// Rotations.
    rotations,
    /// Lines that a process which is no more had left in its journal, and that are in the file now.
    recovered,
    /// Microseconds that appends took.
    write_time,
}

/// Adds to a counter.
pub(crate) fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}
