//! A choice by one unit: what the nodes of the radix tree and those of the paths without parameters end with.
//!
//! ```text
//! t[b]       smallest unit that there is a choice for; 0 without any
//! t[b+1]     R >= 0: R entries follow, for the units from t[b] on; 0 where there is none
//!            -C < 0: C pairs follow, a unit and its entry, by ascending unit
//! ```

/// The widest range of units that is a jump table whatever its holes.
const DENSE: usize = 64;
/// Above that, a jump table has room for at most this many units an entry.
const SPARSE: usize = 8;

/// Writes a choice by `units`, which ascend, and returns the places of their entries.
pub(super) fn write(units: &[u16], table: &mut Vec<i32>) -> Vec<usize> {
    let (Some(first), Some(last)) = (units.first(), units.last()) else {
        table.extend([0, 0]);
        return Vec::new();
    };
    let range = usize::from(last - first) + 1;
    table.push(i32::from(*first));
    if is_wasteful(range, units.len()) {
        table.push(-(units.len() as i32));
        let start = table.len();
        table.extend(units.iter().flat_map(|unit| [i32::from(*unit), 0]));
        (0..units.len()).map(|index| start + 2 * index + 1).collect()
    } else {
        table.push(range as i32);
        let start = table.len();
        table.resize(start + range, 0);
        units.iter().map(|unit| start + usize::from(unit - first)).collect()
    }
}

fn is_wasteful(range: usize, count: usize) -> bool {
    range > DENSE && range > SPARSE * count
}

/// The entry for `unit`, as lib/router/branch.ts finds it; 0 where there is none.
#[cfg(any(test, fuzzing))]
pub(super) fn find(table: &[i32], branch: usize, unit: u16) -> i32 {
    let (least, range, entries) = (table[branch], table[branch + 1], &table[branch + 2..]);
    if range < 0 {
        let pairs = entries[..2 * range.unsigned_abs() as usize].as_chunks::<2>().0;
        let found = pairs.binary_search_by_key(&i32::from(unit), |pair| pair[0]);
        return found.map_or(0, |index| pairs[index][1]);
    }
    let index = i32::from(unit) - least;
    if (0..range).contains(&index) { entries[index as usize] } else { 0 }
}

/// Checks a choice, and returns the places of its entries and where it ends.
///
/// # Panics
/// If it does not hold.
#[cfg(any(test, fuzzing))]
pub(super) fn validate(table: &[i32], branch: usize) -> (Vec<usize>, usize) {
    let (least, range, entries) = (table[branch], table[branch + 1], branch + 2);
    let size = range.unsigned_abs() as usize;
    if range < 0 {
        let pairs = table[entries..entries + 2 * size].as_chunks::<2>().0;
        assert!(pairs.is_sorted_by(|left, right| left[0] < right[0]), "pairs are sorted");
        assert_eq!(pairs[0][0], least, "the least unit is the first");
        let width = (pairs[size - 1][0] - least + 1) as usize;
        assert!(is_wasteful(width, size), "a jump table would have been wasteful");
        return ((0..size).map(|index| entries + 2 * index + 1).collect(), entries + 2 * size);
    }
    let places: Vec<usize> = (entries..entries + size).filter(|place| table[*place] != 0).collect();
    assert!(!is_wasteful(size, places.len()), "a jump table is not wasteful");
    if size > 0 {
        assert!(table[entries] != 0 && table[entries + size - 1] != 0, "a jump table has no margins");
    }
    (places, entries + size)
}
