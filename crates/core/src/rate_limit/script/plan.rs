//! Which calls of the script a batch of checks needs.

use super::Keyspace;
use crate::rate_limit::decide::{amount_of, extra_of};
use crate::rate_limit::keys;
use crate::rate_limit::operation::Check;

/// Redis keys that one call has at most: enough that its fixed cost is small, few enough that Redis is busy with it
/// for less than half a millisecond.
pub const MAX_KEYS: usize = 96;

/// Which checks may share a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// Any: all keys are on one node.
    One,
    /// Those whose keys have one hash tag, and so are in one slot of a Cluster.
    Slot,
}

/// One call of the script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptCall {
    /// Names of Redis keys, of which there is at least one.
    pub keys: Vec<Vec<u8>>,
    /// ASCII.
    pub args: Vec<Vec<u8>>,
    /// Which checks the rows of the reply are for, in their order.
    pub checks: Vec<u32>,
}

impl Keyspace {
    /// The calls for `checks`. Carried out in their order, or with [`Grouping::Slot`] in any order among different
    /// tags, they come to what the checks come to one after another.
    #[must_use]
    pub fn plan(&self, checks: &[Check<'_>], grouping: Grouping) -> Vec<ScriptCall> {
        let mut order: Vec<u32> = (0..checks.len() as u32).collect();
        if grouping == Grouping::Slot {
            order.sort_by_cached_key(|index| keys::bucket(checks[*index as usize].key));
        }
        let most = (MAX_KEYS / self.limits.len()).max(1);
        let apart = |one: &u32, other: &u32| {
            grouping == Grouping::Slot
                && keys::bucket(checks[*one as usize].key) != keys::bucket(checks[*other as usize].key)
        };
        let groups = order.chunk_by(|one, other| !apart(one, other)).flat_map(|group| group.chunks(most));
        groups.map(|group| self.call(checks, group)).collect()
    }

    fn call(&self, checks: &[Check<'_>], group: &[u32]) -> ScriptCall {
        let of = |index: &u32| &checks[*index as usize];
        let keys = group.iter().flat_map(|index| self.names(of(index).key)).collect();
        let asked = |check: &Check<'_>| (check.op, check.amount, check.extra);
        let is_uniform = group.iter().all(|index| asked(of(index)) == asked(of(&group[0])));
        let mut args = self.header.clone();
        for index in if is_uniform { &group[..1] } else { group } {
            let check = of(index);
            let numbers = [i64::from(check.op as u8), amount_of(check.op, check.amount), extra_of(check.extra)];
            args.extend(numbers.map(|number| number.to_string().into_bytes()));
        }
        ScriptCall { keys, args, checks: group.to_vec() }
    }
}
