//! What string tokens stand for, so that names compare by value however they are written.

use std::borrow::Cow;

/// The string that a token stands for, without its quotes and escapes, as well-formed WTF-8: a high and a low
/// surrogate in a row are one character, whether they came as escapes or not.
pub fn unescape(token: &[u8]) -> Cow<'_, [u8]> {
    let body = &token[1..token.len() - 1];
    let Some(first) = body.iter().position(|byte| *byte == b'\\') else {
        return Cow::Borrowed(body);
    };
    let mut out = Vec::with_capacity(body.len());
    out.extend_from_slice(&body[..first]);
    let mut rest = &body[first..];
    while let [b'\\', kind, tail @ ..] = rest {
        rest = tail;
        match kind {
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => {
                let (digits, tail) = rest.split_at(rest.len().min(4));
                push_unit(&mut out, digits.iter().fold(0, |unit, digit| unit << 4 | hex(*digit)));
                rest = tail;
            }
            other => out.push(*other),
        }
        let plain = rest.iter().position(|byte| *byte == b'\\').unwrap_or(rest.len());
        push_text(&mut out, &rest[..plain]);
        rest = &rest[plain..];
    }
    Cow::Owned(out)
}

/// The well-formed WTF-8 of UTF-16 units.
#[must_use]
pub(super) fn from_units(units: &[u16]) -> Vec<u8> {
    let mut out = Vec::with_capacity(units.len());
    for unit in units {
        if *unit < 0x80 { out.push(*unit as u8) } else { push_unit(&mut out, *unit) }
    }
    out
}

fn hex(digit: u8) -> u16 {
    u16::from(if digit <= b'9' { digit - b'0' } else { (digit | 0x20) - b'a' + 10 })
}

/// The high surrogate that `out` ends in.
fn pending(out: &[u8]) -> Option<u32> {
    match out {
        [.., 0xed, second @ 0xa0..=0xaf, third] => {
            Some(0xd000 | u32::from(second & 0x3f) << 6 | u32::from(third & 0x3f))
        }
        _ => None,
    }
}

fn push_unit(out: &mut Vec<u8>, unit: u16) {
    let unit = u32::from(unit);
    if let (0xdc00..=0xdfff, Some(high)) = (unit, pending(out)) {
        out.truncate(out.len() - 3);
        return push_char(out, 0x1_0000 + ((high - 0xd800) << 10 | (unit - 0xdc00)));
    }
    push_char(out, unit);
}

/// Appends text, of which a low surrogate at its start may complete what is there.
fn push_text(out: &mut Vec<u8>, text: &[u8]) {
    if let [0xed, second @ 0xb0..=0xbf, third, rest @ ..] = text {
        push_unit(out, 0xd000 | u16::from(second & 0x3f) << 6 | u16::from(third & 0x3f));
        return out.extend_from_slice(rest);
    }
    out.extend_from_slice(text);
}

fn push_char(out: &mut Vec<u8>, code: u32) {
    let tail = |shift: u32| 0x80 | (code >> shift & 0x3f) as u8;
    match code {
        0..0x80 => out.push(code as u8),
        0x80..0x800 => out.extend([0xc0 | (code >> 6) as u8, tail(0)]),
        0x800..0x1_0000 => out.extend([0xe0 | (code >> 12) as u8, tail(6), tail(0)]),
        _ => out.extend([0xf0 | (code >> 18) as u8, tail(12), tail(6), tail(0)]),
    }
}
