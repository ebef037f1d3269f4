//! One entry in a snapshot.

use crate::shard::Record;
use crate::value::Value;

fn write_text(to: &mut Vec<u8>, text: &[u16]) {
    to.extend((text.len() as u32).to_le_bytes());
    to.extend(text.iter().flat_map(|unit| unit.to_le_bytes()));
}

/// Writes everything of a record but the bytes of its value.
pub(super) fn write_head(to: &mut Vec<u8>, key: &[u16], remaining: f64, tags: &[Vec<u16>], value: &Value) {
    to.extend(remaining.to_le_bytes());
    write_text(to, key);
    to.extend((tags.len() as u32).to_le_bytes());
    tags.iter().for_each(|tag| write_text(to, tag));
    to.extend([value.kind, u8::from(value.is_packed)]);
}

fn take<const N: usize>(from: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = from.split_first_chunk()?;
    *from = rest;
    Some(*taken)
}

fn take_text(from: &mut &[u8]) -> Option<Vec<u16>> {
    let length = u32::from_le_bytes(take(from)?) as usize;
    let (text, rest) = from.split_at_checked(length.checked_mul(2)?)?;
    *from = rest;
    Some(text.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect())
}

/// The record in `bytes`; `None` if they are none.
pub(super) fn read(bytes: &[u8]) -> Option<Record> {
    let mut from = bytes;
    let remaining = f64::from_le_bytes(take(&mut from)?);
    if remaining.is_nan() || remaining < 0.0 {
        return None;
    }
    let key = take_text(&mut from)?;
    let count = u32::from_le_bytes(take(&mut from)?);
    let mut tags = Vec::new();
    for _ in 0..count {
        tags.push(take_text(&mut from)?);
    }
    let (kind, is_packed) = match take(&mut from)? {
        [kind, 0] => (kind, false),
        [kind, 1] => (kind, true),
        _ => return None,
    };
    Some(Record { key, value: Value { kind, is_packed, bytes: from.to_vec().into() }, remaining, tags })
}
