//! Numbers of JSON, as JavaScript has them.

/// Powers of ten that are exact.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// Integers up to here are exact, and so is one rounding of their product or quotient with a power above.
const EXACT: u64 = 1 << 53;

/// Digits that fit a `u64`, whatever they are.
const DIGITS: usize = 19;

/// The number of a token if that is an integer in `i32`, and not negative zero, which no `i32` can tell.
#[inline]
pub(super) fn int(token: &[u8]) -> Option<i32> {
    let (negative, digits) = match token {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 10 {
        return None;
    }
    let mut value = 0_i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    if negative && value == 0 {
        return None;
    }
    i32::try_from(if negative { -value } else { value }).ok()
}

/// The number of a token as JavaScript's `Number` reads it: the nearest double, or infinity.
#[inline]
pub(super) fn double(token: &[u8]) -> Option<f64> {
    short_decimal(token).or_else(|| std::str::from_utf8(token).ok()?.parse().ok())
}

/// The number of a decimal without exponent and with few digits: one exact integer, one exact power of ten and one
/// rounding of their quotient.
#[inline]
fn short_decimal(token: &[u8]) -> Option<f64> {
    let (negative, digits) = match token {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > DIGITS {
        return None;
    }
    let mut value = 0_u64;
    let mut point = None;
    for (at, byte) in digits.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            value = value * 10 + u64::from(digit);
        } else if *byte == b'.' && point.is_none() && at > 0 {
            point = Some(at);
        } else {
            return None;
        }
    }
    let decimals = point.map_or(0, |at| digits.len() - at - 1);
    if value > EXACT || point.is_some() && decimals == 0 {
        return None;
    }
    let value = value as f64 / POWERS[decimals];
    Some(if negative { -value } else { value })
}
