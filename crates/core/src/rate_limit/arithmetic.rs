//! Division without a rounding error, as `arithmetic.lua` has it for doubles.

/// `a * b / c` rounded down, and the rest. `a` and `b` are not negative, `c` is above 0, and the quotient is below
/// 2^53.
///
/// In Lua also `a` is below 2^49 and `c` at most 2^45: there a product beyond 2^53 is made of smaller ones.
#[inline]
pub(super) fn divide(a: i64, b: i64, c: i64) -> (i64, i64) {
    if let Some(product) = a.checked_mul(b) {
        return (product / c, product % c);
    }
    let (product, c) = (i128::from(a) * i128::from(b), i128::from(c));
    ((product / c) as i64, (product % c) as i64)
}
