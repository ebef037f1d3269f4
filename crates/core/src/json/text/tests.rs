//! Conversions against those of the standard library, for any text and any pieces.

use proptest::prelude::*;

use super::{Units, Utf8Sanitizer, Utf16Decoder, narrow};

/// WTF-8 by its definition.
fn wtf8(units: &[u16]) -> Vec<u8> {
    let mut out = Vec::new();
    for char in char::decode_utf16(units.iter().copied()) {
        match char {
            Ok(char) => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(error) => {
                let [high, low] = error.unpaired_surrogate().to_be_bytes();
                out.extend_from_slice(&[0xed, 0x80 | (high & 0x0f) << 2 | low >> 6, 0x80 | low & 0x3f]);
            }
        }
    }
    out
}

fn decode(units: &[u16], piece: usize) -> Vec<u8> {
    let (mut decoder, mut out) = (Utf16Decoder::default(), Vec::new());
    for piece in units.chunks(piece) {
        decoder.decode(piece, &mut out);
    }
    decoder.finish(&mut out);
    out
}

fn sanitize(bytes: &[u8], piece: usize) -> Vec<u8> {
    let (mut sanitizer, mut out) = (Utf8Sanitizer::default(), Vec::new());
    for piece in bytes.chunks(piece) {
        out.extend_from_slice(&sanitizer.sanitize(piece));
    }
    out.extend_from_slice(sanitizer.finish());
    out
}

fn unit() -> impl Strategy<Value = u16> {
    prop_oneof![8 => 0u16..0x80, 2 => 0x80u16..0x800, 2 => 0x800u16.., 2 => 0xd7fau16..0xe006]
}

fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![
        4 => 0u8..0x80, 3 => 0x80u8..0xc0, 2 => 0xc0u8..,
        1 => prop::sample::select(vec![0xe0, 0xed, 0xef, 0xf0, 0xf4, 0x9f, 0xa0, 0x8f, 0x90]),
    ]
}

proptest! {
    #[test]
    fn utf16_becomes_wtf8_and_back(units in prop::collection::vec(unit(), 0..200), piece in 1usize..80) {
        let text = decode(&units, piece);
        prop_assert_eq!(&text, &wtf8(&units));
        let back = match narrow(&text) {
            Units::Latin1(bytes) => bytes.iter().map(|&byte| u16::from(byte)).collect(),
            Units::Utf16(wide) => {
                prop_assert!(units.iter().any(|&unit| unit > 0xff));
                wide
            }
        };
        prop_assert_eq!(back, units);
    }

    #[test]
    fn latin1_stays_narrow(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let units: Vec<u16> = bytes.iter().map(|&byte| u16::from(byte)).collect();
        prop_assert_eq!(narrow(&decode(&units, 7)), Units::Latin1(bytes));
    }

    #[test]
    fn bytes_become_what_from_utf8_lossy_makes_of_them(
        bytes in prop::collection::vec(byte(), 0..60), piece in 1usize..70,
    ) {
        prop_assert_eq!(sanitize(&bytes, piece), String::from_utf8_lossy(&bytes).into_owned().into_bytes());
    }

    #[test]
    fn any_bytes_can_be_narrowed(bytes in prop::collection::vec(byte(), 0..60)) {
        if let (Ok(text), units) = (std::str::from_utf8(&bytes), narrow(&bytes)) {
            let wide = match units {
                Units::Latin1(bytes) => bytes.iter().map(|&byte| u16::from(byte)).collect(),
                Units::Utf16(wide) => wide,
            };
            prop_assert_eq!(wide, text.encode_utf16().collect::<Vec<_>>());
        }
    }
}

#[test]
fn surrogates_in_bytes_are_three_replacements() {
    assert_eq!(sanitize(b"\xed\xa0\x80", 2), "\u{fffd}\u{fffd}\u{fffd}".as_bytes());
}

#[test]
fn valid_bytes_are_not_copied() {
    let mut sanitizer = Utf8Sanitizer::default();
    assert!(matches!(sanitizer.sanitize(b"abc\xc3"), std::borrow::Cow::Borrowed(b"abc")));
    assert_eq!(&*sanitizer.sanitize(b"\xa9"), "\u{e9}".as_bytes());
}
