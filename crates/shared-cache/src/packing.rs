//! Compressed bytes: a zstd frame, and behind it the length of what is in it as a `u32`.

use std::cell::RefCell;

use zstd::bulk::{Compressor, Decompressor};

/// The fastest, which is as fast as memory for texts that repeat themselves.
const LEVEL: i32 = 1;
const LENGTH: usize = 4;

thread_local! {
    // Making them takes longer than most values do. None where there is no memory for them.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = RefCell::new(Compressor::new(LEVEL).ok());
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = RefCell::new(Decompressor::new().ok());
}

/// The bytes compressed, if that makes them fewer.
pub(crate) fn pack(bytes: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(bytes.len()).ok()?;
    let mut packed = COMPRESSOR.with_borrow_mut(|compressor| compressor.as_mut()?.compress(bytes).ok())?;
    packed.extend(length.to_le_bytes());
    (packed.len() < bytes.len()).then_some(packed)
}

/// The bytes that were compressed to these, if they were. Takes no more memory than `length` says.
pub(crate) fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let (length, frame) = (length(packed)?, &packed[..packed.len() - LENGTH]);
    let bytes = DECOMPRESSOR.with_borrow_mut(|decompressor| decompressor.as_mut()?.decompress(frame, length).ok())?;
    (bytes.len() == length).then_some(bytes)
}

/// How many bytes are said to have been compressed.
pub(crate) fn length(packed: &[u8]) -> Option<usize> {
    packed.last_chunk::<LENGTH>().map(|length| u32::from_le_bytes(*length) as usize)
}

#[cfg(all(test, not(miri)))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_does_not_become_fewer_stays() {
        assert_eq!(pack(b""), None);
        assert_eq!(pack(b"short"), None);
        assert!(pack(&[7; 1000]).is_some_and(|packed| packed.len() < 50));
    }

    #[test]
    fn a_frame_that_says_less_than_it_has_takes_no_more_memory_than_it_says() {
        let mut packed = pack(&vec![0; 100 << 20]).expect("zeros are few");
        assert!(packed.len() < 100 << 10);
        let place = packed.len() - LENGTH;
        packed[place..].copy_from_slice(&1_000_u32.to_le_bytes());
        assert_eq!(unpack(&packed), None);
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_out_again(part in proptest::collection::vec(any::<u8>(), 1..50), times in 1..100_usize) {
            let bytes = part.repeat(times);
            if let Some(packed) = pack(&bytes) {
                prop_assert!(packed.len() < bytes.len());
                prop_assert_eq!(unpack(&packed), Some(bytes));
            }
        }

        #[test]
        fn any_bytes_are_refused_or_as_long_as_they_say(packed in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Some(bytes) = unpack(&packed) {
                prop_assert_eq!(Some(bytes.len()), length(&packed));
            }
        }

        #[test]
        fn damage_does_no_harm(at in 0..60_usize, bit in 0..8_u32) {
            let mut packed = pack(&b"text that repeats itself, ".repeat(10)).expect("it does");
            let at = at % packed.len();
            packed[at] ^= 1_u8 << bit;
            if let Some(bytes) = unpack(&packed) {
                prop_assert_eq!(Some(bytes.len()), length(&packed));
            }
        }
    }
}
