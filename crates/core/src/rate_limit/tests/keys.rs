//! Names of keys in Redis.

use proptest::prelude::*;

use super::{ALL, limit};
use crate::rate_limit::keys::bucket;
use crate::rate_limit::script::Keyspace;
use crate::rate_limit::{Algorithm, LimitError, wtf8};

fn keyspace(count: usize) -> Keyspace {
    let limits: Vec<_> = (0..count).map(|_| limit(Algorithm::FixedWindow, 1, 1_000)).collect();
    Keyspace::new(b"rl:", &limits, 0).expect("the limits are in their range")
}

fn names(keyspace: &Keyspace, key: &[u8]) -> Vec<String> {
    keyspace.names(key).into_iter().map(|name| String::from_utf8(name).expect("names are UTF-8")).collect()
}

fn encoded(units: &[u16]) -> Vec<u8> {
    let mut bytes = Vec::new();
    wtf8(units, &mut bytes);
    bytes
}

#[test]
fn the_bucket_is_the_checksum_that_redis_uses() {
    // The check value of CRC-16/XMODEM.
    assert_eq!(bucket(b"123456789"), 0x31c3_u16 as u8);
}

#[test]
fn names_begin_with_a_hash_tag_and_end_with_the_key() {
    assert_eq!(names(&keyspace(2), b"123456789"), ["rl:{195}f:123456789", "rl:{195}f1:123456789"]);
}

#[test]
fn what_is_long_or_no_text_or_looks_like_a_digest_is_a_digest() {
    let keyspace = keyspace(1);
    let is_digest = |key: &[u8]| {
        let name = names(&keyspace, key).remove(0);
        let (_, tail) = name.split_once("f:").expect("the mark is there");
        tail.len() == 65 && tail.starts_with('#')
    };
    assert!(is_digest(&[b'k'; 201]) && !is_digest(&[b'k'; 200]));
    assert!(is_digest(&encoded(&[0xd800])) && is_digest(b"#") && !is_digest(b"k#"));
}

#[test]
fn each_state_has_its_letter() {
    let mut letters: Vec<String> = Vec::new();
    for algorithm in ALL {
        let keyspace = Keyspace::new(b"", &[limit(algorithm, 1, 1_000)], 0).expect("the limit is in its range");
        letters.push(names(&keyspace, b"k").remove(0));
    }
    // Token buckets and GCRA are one.
    letters.dedup();
    assert_eq!(letters.len(), 5);
}

#[test]
fn a_prefix_does_not_undo_hash_tags() {
    let limits = [limit(Algorithm::FixedWindow, 1, 1_000)];
    assert!(matches!(Keyspace::new(b"a{}b", &limits, 0), Err(LimitError::Prefix)));
    assert!(Keyspace::new(b"a{tag}b", &limits, 0).is_ok());
}

proptest! {
    #[test]
    fn different_texts_have_different_names(
        one in proptest::collection::vec(prop_oneof![any::<u16>(), 0xd7ff_u16..0xe001, 0x21_u16..0x80], 0..5),
        other in proptest::collection::vec(prop_oneof![any::<u16>(), 0xd7ff_u16..0xe001, 0x21_u16..0x80], 0..5),
    ) {
        let keyspace = keyspace(1);
        prop_assert_eq!(one == other, names(&keyspace, &encoded(&one)) == names(&keyspace, &encoded(&other)));
    }

    #[test]
    fn text_is_encoded_as_everywhere(text in ".*") {
        prop_assert_eq!(encoded(&text.encode_utf16().collect::<Vec<_>>()), text.as_bytes());
    }
}
