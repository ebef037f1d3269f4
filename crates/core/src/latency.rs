//! How long something took, in cells whose width grows with their value, so that a percentile is off by at most 1/32.

/// Cells to a power of two.
const SUB_BITS: u32 = 4;
const SUB_CELLS: usize = 1 << SUB_BITS;
/// The longest latency with a cell of its own: 2^30 us, some 18 minutes.
const TOP_BITS: u32 = 30;
const CELLS: usize = (TOP_BITS - SUB_BITS + 1) as usize * SUB_CELLS;
const MICROSECONDS: f64 = 1000.0;

/// Latencies in milliseconds.
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    /// Empty until the first latency: most slices of a quiet breaker stay so.
    cells: Vec<u32>,
    count: u64,
    sum: f64,
    min: f64,
    max: f64,
}

impl Latencies {
    /// Adds one; what is negative counts as 0.
    pub fn record(&mut self, ms: f64) {
        let ms = ms.max(0.0);
        if self.cells.is_empty() {
            self.cells.resize(CELLS, 0);
            (self.min, self.max) = (ms, ms);
        }
        let cell = &mut self.cells[cell_of(ms)];
        *cell = cell.saturating_add(1);
        self.count += 1;
        self.sum += ms;
        (self.min, self.max) = (self.min.min(ms), self.max.max(ms));
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        if other.cells.is_empty() {
            return;
        }
        if self.cells.is_empty() {
            self.clone_from(other);
            return;
        }
        for (cell, more) in self.cells.iter_mut().zip(&other.cells) {
            *cell = cell.saturating_add(*more);
        }
        self.count += other.count;
        self.sum += other.sum;
        (self.min, self.max) = (self.min.min(other.min), self.max.max(other.max));
    }

    /// 0 where there is none.
    #[must_use]
    pub fn mean(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum / self.count as f64 }
    }

    /// What a share of the latencies, 0 to 1, does not exceed; the shortest and the longest exactly, 0 where there is none.
    #[must_use]
    pub fn percentile(&self, share: f64) -> f64 {
        let rank = (share * self.count as f64).ceil() as u64;
        if rank == 0 {
            return self.min;
        }
        if rank >= self.count {
            return self.max;
        }
        let mut seen = 0;
        let found = self.cells.iter().position(|&cell| {
            seen += u64::from(cell);
            seen >= rank
        });
        found.map_or(self.max, |cell| middle_of(cell).clamp(self.min, self.max))
    }
}

fn cell_of(ms: f64) -> usize {
    let value = ((ms * MICROSECONDS) as u64).min((1 << TOP_BITS) - 1);
    let Some(top) = value.checked_ilog2().filter(|&top| top > SUB_BITS) else { return value as usize };
    let shift = top - SUB_BITS;
    ((shift as usize) << SUB_BITS) + (value >> shift) as usize
}

/// The middle of a cell in milliseconds.
fn middle_of(cell: usize) -> f64 {
    let shift = (cell >> SUB_BITS).saturating_sub(1);
    let start = ((cell - (shift << SUB_BITS)) as u64) << shift;
    (start as f64 + (1_u64 << shift) as f64 / 2.0) / MICROSECONDS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{CELLS, Latencies, cell_of, middle_of};

    proptest! {
        #[test]
        fn a_cell_is_near_its_values(us in 0_u64..1 << 30) {
            let ms = us as f64 / 1000.0;
            let cell = cell_of(ms);
            prop_assert!(cell < CELLS);
            prop_assert!((middle_of(cell) - ms).abs() <= (ms / 32.0).max(0.001) + 1e-9);
        }

        #[test]
        fn percentiles_are_those_of_the_sorted_list(mut all in proptest::collection::vec(0.0..100_000.0_f64, 1..200)) {
            let mut latencies = [Latencies::default(), Latencies::default()];
            for (index, &ms) in all.iter().enumerate() {
                latencies[index % 2].record(ms);
            }
            let [mut merged, other] = latencies;
            merged.merge(&other);
            all.sort_by(f64::total_cmp);
            for share in [0.0, 0.25, 0.5, 0.9, 0.99, 1.0] {
                let exact = all[((share * all.len() as f64).ceil() as usize).max(1) - 1];
                let told = merged.percentile(share);
                prop_assert!((told - exact).abs() <= exact / 32.0 + 0.0011, "{share}: {told} for {exact}");
            }
            let mean = all.iter().sum::<f64>() / all.len() as f64;
            prop_assert!((merged.mean() - mean).abs() <= mean * 1e-9);
        }
    }

    #[test]
    fn what_is_too_long_shares_the_last_cell() {
        assert_eq!(cell_of(1e12), CELLS - 1);
        assert_eq!(cell_of(f64::INFINITY), CELLS - 1);
        let mut latencies = Latencies::default();
        latencies.record(1e9);
        assert_eq!(latencies.percentile(0.5), 1e9);
    }
}
