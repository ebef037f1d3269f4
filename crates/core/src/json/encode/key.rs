//! Member names.

/// The UTF-16 units of a string's token; `None` if it is none.
pub(super) fn units(token: &[u8]) -> Option<Vec<u16>> {
    let mut rest = token.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let mut units = Vec::with_capacity(rest.len());
    while let Some((unit, length)) = first(rest)? {
        match unit {
            0..0x1_0000 => units.push(unit as u16),
            _ => units.extend_from_slice(char::from_u32(unit)?.encode_utf16(&mut [0; 2])),
        }
        rest = &rest[length..];
    }
    Some(units)
}

/// The first code point or surrogate of `text` and how many bytes tell it; an inner `None` at the end.
fn first(text: &[u8]) -> Option<Option<(u32, usize)>> {
    let tail = |at: usize| text.get(at).filter(|byte| **byte & 0xc0 == 0x80).map(|byte| u32::from(byte & 0x3f));
    Some(match text {
        [] => None,
        [b'\\', rest @ ..] => Some(escape(rest)?),
        [byte @ 0..0x80, ..] => Some((u32::from(*byte), 1)),
        [byte @ 0xc2..0xe0, ..] => Some((u32::from(byte & 0x1f) << 6 | tail(1)?, 2)),
        [byte @ 0xe0..0xf0, ..] => Some((u32::from(byte & 0x0f) << 12 | tail(1)? << 6 | tail(2)?, 3)),
        [byte @ 0xf0..0xf5, ..] => Some((u32::from(byte & 0x07) << 18 | tail(1)? << 12 | tail(2)? << 6 | tail(3)?, 4)),
        _ => return None,
    })
}

/// What comes after a backslash, and its length with the backslash.
fn escape(text: &[u8]) -> Option<(u32, usize)> {
    let unit = match *text.first()? {
        byte @ (b'"' | b'\\' | b'/') => byte,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => {
            let digits = std::str::from_utf8(text.get(1..5)?).ok()?;
            return Some((u32::from_str_radix(digits, 16).ok()?, 6));
        }
        _ => return None,
    };
    Some((u32::from(unit), 2))
}

/// Appends the JSON string of `units`, as `JSON.stringify` writes it: a lone surrogate is an escape.
pub(super) fn quote(units: &[u16], out: &mut String) {
    out.push('"');
    for unit in char::decode_utf16(units.iter().copied()) {
        match unit {
            Ok('"') => out.push_str("\\\""),
            Ok('\\') => out.push_str("\\\\"),
            Ok(control @ '\0'..'\x20') => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            Ok(other) => out.push(other),
            Err(lone) => out.push_str(&format!("\\u{:04x}", lone.unpaired_surrogate())),
        }
    }
    out.push('"');
}

/// Whether two of the names are the same.
pub(super) fn has_twins(names: &[Vec<u16>]) -> bool {
    let mut sorted: Vec<_> = names.iter().collect();
    sorted.sort_unstable();
    sorted.windows(2).any(|pair| pair[0] == pair[1])
}
