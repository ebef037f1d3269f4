//! Names of keys in Redis.
//!
//! `<prefix>{<bucket>}<letter><index>:<key>`: the bucket, a checksum of the key below 256, is a hash tag, so that all
//! keys of a bucket are on one node of a Cluster and can share a script's call. The letter is the algorithm's: what
//! another one has left behind under the same key is never read. The index, left out where it is 0, is the limit's.

use sha2::{Digest, Sha256};

use super::limit::{Algorithm, Limit};

/// Keys beyond so many bytes are told apart by their digest.
const LONGEST: usize = 200;

/// Begins the name of a digest. A key that begins with it is told apart by its digest too.
const DIGEST_MARK: u8 = b'#';

/// Appends UTF-16 as UTF-8. Surrogates without their other half are encoded as they are, so that different texts stay
/// different.
pub fn wtf8(units: &[u16], to: &mut Vec<u8>) {
    for unit in char::decode_utf16(units.iter().copied()) {
        match unit {
            Ok(char) => to.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(lone) => {
                let unit = lone.unpaired_surrogate();
                to.extend([0xe0 | (unit >> 12) as u8, 0x80 | (unit >> 6 & 0x3f) as u8, 0x80 | (unit & 0x3f) as u8]);
            }
        }
    }
}

/// The hash tag of a key: CRC-16/XMODEM, as Redis itself has it for slots, modulo 256.
pub(super) fn bucket(key: &[u8]) -> u8 {
    key.iter().fold(0_u16, |crc, byte| (crc << 8) ^ CRC[usize::from((crc >> 8) as u8 ^ byte)]) as u8
}

const CRC: [u16; 256] = crc_table();

const fn crc_table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut crc, mut bit) = ((byte as u16) << 8, 0);
        while bit < 8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}

/// The letter under which an algorithm keeps its state.
pub(super) const fn letter(algorithm: Algorithm) -> char {
    match algorithm {
        Algorithm::SlidingWindow => 's',
        Algorithm::SlidingWindowCounter => 'w',
        Algorithm::FixedWindow => 'f',
        // One algorithm, one state.
        Algorithm::TokenBucket | Algorithm::Gcra => 'b',
        Algorithm::Concurrency => 'c',
    }
}

/// What stands between the bucket and the key, for each limit.
pub(super) fn marks(limits: &[Limit]) -> Vec<String> {
    let mark = |(index, limit): (usize, &Limit)| match index {
        0 => format!("}}{}:", letter(limit.algorithm)),
        _ => format!("}}{}{index}:", letter(limit.algorithm)),
    };
    limits.iter().enumerate().map(mark).collect()
}

/// What stands for a key at the end of its name: itself, or a digest of what is too long or no UTF-8.
pub(super) fn tail(key: &[u8]) -> Tail<'_> {
    if key.len() <= LONGEST && key.first() != Some(&DIGEST_MARK) && std::str::from_utf8(key).is_ok() {
        return Tail::Whole(key);
    }
    let mut text = Vec::with_capacity(65);
    text.push(DIGEST_MARK);
    for byte in Sha256::digest(key) {
        text.extend([byte >> 4, byte & 15].map(|digit| b"0123456789abcdef"[usize::from(digit)]));
    }
    Tail::Digest(text)
}

/// A key, or its digest.
pub(super) enum Tail<'a> {
    Whole(&'a [u8]),
    Digest(Vec<u8>),
}

impl Tail<'_> {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Whole(key) => key,
            Self::Digest(text) => text,
        }
    }
}
