//! The bytes of a value.

use std::ops::Deref;
use std::sync::Arc;

use crate::size;

/// To copy so few is as fast as to count who shares them, and the counts would take 16 bytes more for each value.
const COPIED: usize = 256;

/// Bytes that a reader takes along: few are copied, and more are shared with the cache, so that nobody copies them under a lock.
#[derive(Clone, Debug)]
pub(crate) enum Bytes {
    Copied(Box<[u8]>),
    /// In a box of their own, since all pointers together are to be no larger than those of a box.
    Shared(Arc<Box<[u8]>>),
}

impl Bytes {
    /// What they take in memory.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Copied(bytes) => size::allocation(bytes.len()),
            Self::Shared(bytes) => {
                size::allocation(bytes.len()) + size::allocation(size::COUNTS + size_of::<Box<[u8]>>())
            }
        }
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        let bytes = bytes.into_boxed_slice();
        if bytes.len() <= COPIED { Self::Copied(bytes) } else { Self::Shared(Arc::new(bytes)) }
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Copied(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Bytes {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_two_words() {
        assert_eq!(size_of::<Bytes>(), 16);
    }

    #[test]
    fn many_are_shared_and_few_are_copied() {
        for length in [1, COPIED, COPIED + 1] {
            let bytes = Bytes::from(vec![7; length]);
            let other = bytes.clone();
            assert_eq!((other.len(), &other), (length, &bytes));
            assert_eq!(std::ptr::eq(&*bytes, &*other), length > COPIED, "{length} bytes");
        }
    }
}
