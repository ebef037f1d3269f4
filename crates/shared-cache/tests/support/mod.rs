//! What several of these tests need.

/// Numbers in no order, the same for the same seed: Marsaglia's xorshift.
pub struct Xorshift(pub u64);

impl Xorshift {
    /// The next one, below a bound.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }
}
