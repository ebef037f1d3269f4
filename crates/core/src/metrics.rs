//! Figures of many threads, put together.
//!
//! Each member (a thread, or a copy of the facade in one) tells what its counters have grown by, and how its gauges stand. What
//! was counted stays when a member goes; its gauges go with it.

use std::collections::{BTreeMap, HashMap};

/// How figures of one key and several members are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// What is told is how much a counter has grown, and added up for good.
    Count,
    /// A gauge of which each member has a part.
    Sum,
    /// A gauge of which the largest counts.
    Max,
    /// A gauge of which the smallest counts.
    Min,
}

/// Who tells figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Member(u64);

#[derive(Default)]
struct State {
    /// As they were told last.
    gauges: Vec<(String, Merge, f64)>,
    /// Who wait for this one to tell, each in a round of its own.
    askers: Vec<Member>,
    /// Of how many this one waits to tell.
    missing: usize,
}

/// The figures of a process.
#[derive(Default)]
pub struct Store {
    members: BTreeMap<Member, State>,
    counts: HashMap<String, f64>,
    next: u64,
}

impl Store {
    /// Without members.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A new member, of whom nothing is known.
    pub fn join(&mut self) -> Member {
        let member = Member(self.next);
        self.next += 1;
        self.members.insert(member, State::default());
        member
    }

    /// Ends a member. Returns those who wait for nobody any more since it was the last that they waited for.
    pub fn leave(&mut self, member: Member) -> Vec<Member> {
        let Some(state) = self.members.remove(&member) else { return Vec::new() };
        for other in self.members.values_mut() {
            other.askers.retain(|&asker| asker != member);
        }
        self.answer(state.askers)
    }

    /// Takes in what a member tells: all its gauges, and by how much its counters have grown since it told last. Returns those
    /// who wait for nobody any more.
    pub fn publish(&mut self, member: Member, figures: impl IntoIterator<Item = (String, Merge, f64)>) -> Vec<Member> {
        let Some(state) = self.members.get_mut(&member) else { return Vec::new() };
        state.gauges.clear();
        for (key, merge, value) in figures {
            if merge == Merge::Count {
                *self.counts.entry(key).or_default() += value;
            } else {
                state.gauges.push((key, merge, value));
            }
        }
        let askers = std::mem::take(&mut state.askers);
        self.answer(askers)
    }

    /// A member wants to hear of all others, who are returned. Those whom it waits for already are not asked again.
    pub fn ask(&mut self, asker: Member) -> Vec<Member> {
        let mut asked = Vec::new();
        for (&member, state) in &mut self.members {
            if member != asker && !state.askers.contains(&asker) {
                state.askers.push(asker);
                asked.push(member);
            }
        }
        if let Some(state) = self.members.get_mut(&asker) {
            state.missing += asked.len();
        }
        asked
    }

    /// Whether somebody waits for a member to tell.
    #[must_use]
    pub fn is_asked(&self, member: Member) -> bool {
        self.members.get(&member).is_some_and(|state| !state.askers.is_empty())
    }

    /// How many have not told yet since a member asked them.
    #[must_use]
    pub fn missing(&self, asker: Member) -> usize {
        self.members.get(&asker).map_or(0, |state| state.missing)
    }

    /// All figures, by their keys in order.
    #[must_use]
    pub fn read(&self) -> BTreeMap<&str, f64> {
        let mut all: BTreeMap<&str, f64> = self.counts.iter().map(|(key, &value)| (key.as_str(), value)).collect();
        for (key, merge, value) in self.members.values().flat_map(|state| &state.gauges) {
            all.entry(key)
                .and_modify(|known| {
                    *known = match merge {
                        Merge::Count | Merge::Sum => *known + value,
                        Merge::Max => known.max(*value),
                        Merge::Min => known.min(*value),
                    };
                })
                .or_insert(*value);
        }
        all
    }

    fn answer(&mut self, askers: Vec<Member>) -> Vec<Member> {
        let mut done = Vec::new();
        for asker in askers {
            let Some(state) = self.members.get_mut(&asker) else { continue };
            state.missing = state.missing.saturating_sub(1);
            if state.missing == 0 {
                done.push(asker);
            }
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn told(store: &Store) -> Vec<(&str, f64)> {
        store.read().into_iter().collect()
    }

    fn gauge(key: &str, merge: Merge, value: f64) -> (String, Merge, f64) {
        (key.to_owned(), merge, value)
    }

    #[test]
    fn counts_stay_and_gauges_go_with_their_member() {
        let mut store = Store::new();
        let (one, two) = (store.join(), store.join());
        let figures = |value| {
            [
                gauge("count", Merge::Count, value),
                gauge("max", Merge::Max, value),
                gauge("min", Merge::Min, value),
                gauge("sum", Merge::Sum, value),
            ]
        };
        store.publish(one, figures(3.0));
        store.publish(two, figures(5.0));
        assert_eq!(told(&store), [("count", 8.0), ("max", 5.0), ("min", 3.0), ("sum", 8.0)]);
        store.publish(two, [gauge("count", Merge::Count, 1.0), gauge("sum", Merge::Sum, 0.0)]);
        assert_eq!(told(&store), [("count", 9.0), ("max", 3.0), ("min", 3.0), ("sum", 3.0)]);
        store.leave(one);
        assert_eq!(told(&store), [("count", 9.0), ("sum", 0.0)]);
        store.publish(one, figures(100.0));
        assert_eq!(told(&store), [("count", 9.0), ("sum", 0.0)]);
    }

    #[test]
    fn who_asks_hears_of_each_once() {
        let mut store = Store::new();
        let [one, two, three] = [store.join(), store.join(), store.join()];
        assert_eq!(store.ask(one), [two, three]);
        assert_eq!(store.ask(one), []);
        assert_eq!(store.ask(two), [one, three]);
        assert_eq!((store.missing(one), store.missing(two), store.missing(three)), (2, 2, 0));
        assert!(store.is_asked(one) && store.is_asked(two) && store.is_asked(three));
        assert_eq!(store.publish(three, []), []);
        assert!(!store.is_asked(three));
        assert_eq!(store.publish(two, []), [one]);
        assert_eq!(store.leave(one), [two]);
        assert_eq!(store.ask(three), [two]);
    }

    #[derive(Clone, Debug)]
    enum Deed {
        Join,
        Leave(usize),
        Publish(usize, Vec<(u8, u8, i8)>),
        Ask(usize),
    }

    fn deed() -> impl Strategy<Value = Deed> {
        let figures = prop::collection::vec((0..4_u8, 0..4_u8, any::<i8>()), 0..6);
        prop_oneof![
            Just(Deed::Join),
            (0..8_usize).prop_map(Deed::Leave),
            (0..8_usize, figures).prop_map(|(who, figures)| Deed::Publish(who, figures)),
            (0..8_usize).prop_map(Deed::Ask),
        ]
    }

    /// The plainest thing that can be said of it: all that was ever told, and who is to be heard of.
    #[derive(Default)]
    struct Model {
        members: Vec<Member>,
        counts: Vec<(String, f64)>,
        gauges: Vec<(Member, String, Merge, f64)>,
        waits: HashSet<(Member, Member)>,
    }

    impl Model {
        fn read(&self) -> BTreeMap<String, f64> {
            let mut all = BTreeMap::new();
            for (key, value) in &self.counts {
                *all.entry(key.clone()).or_insert(0.0) += value;
            }
            for name in 0..4 {
                for (letter, fold) in [('s', 0), ('x', 1), ('n', 2)] {
                    let key = format!("{letter}{name}");
                    let values = self.gauges.iter().filter(|gauge| gauge.1 == key).map(|gauge| gauge.3);
                    let values: Vec<f64> = values.collect();
                    let Some(&first) = values.first() else { continue };
                    let value = match fold {
                        0 => values.iter().sum(),
                        1 => values.iter().copied().fold(first, f64::max),
                        _ => values.iter().copied().fold(first, f64::min),
                    };
                    all.insert(key, value);
                }
            }
            all
        }

        fn done(&mut self, of: Member) -> Vec<Member> {
            let askers: HashSet<Member> =
                self.waits.iter().filter(|(_, asked)| *asked == of).map(|&(asker, _)| asker).collect();
            self.waits.retain(|&(_, asked)| asked != of);
            let mut done: Vec<Member> =
                askers.into_iter().filter(|asker| !self.waits.iter().any(|(other, _)| other == asker)).collect();
            done.sort();
            done
        }
    }

    proptest! {
        #[test]
        fn is_what_a_list_of_all_that_was_told_is(deeds in prop::collection::vec(deed(), 1..60)) {
            let (mut store, mut model) = (Store::new(), Model::default());
            for deed in deeds {
                let pick = |who: usize| model.members.get(who % model.members.len().max(1)).copied();
                match deed {
                    Deed::Join => model.members.push(store.join()),
                    Deed::Leave(who) => {
                        let Some(member) = pick(who) else { continue };
                        model.members.retain(|&other| other != member);
                        model.gauges.retain(|gauge| gauge.0 != member);
                        model.waits.retain(|&(asker, _)| asker != member);
                        let mut done = store.leave(member);
                        done.sort();
                        prop_assert_eq!(done, model.done(member));
                    }
                    Deed::Publish(who, figures) => {
                        let Some(member) = pick(who) else { continue };
                        let figures: Vec<(String, Merge, f64)> = figures
                            .into_iter()
                            .map(|(merge, name, value)| {
                                let (letter, merge) = [
                                    ('c', Merge::Count),
                                    ('s', Merge::Sum),
                                    ('x', Merge::Max),
                                    ('n', Merge::Min),
                                ][usize::from(merge)];
                                (format!("{letter}{name}"), merge, f64::from(value))
                            })
                            .collect();
                        model.gauges.retain(|gauge| gauge.0 != member);
                        for (key, merge, value) in &figures {
                            match merge {
                                Merge::Count => model.counts.push((key.clone(), *value)),
                                _ => model.gauges.push((member, key.clone(), *merge, *value)),
                            }
                        }
                        let mut done = store.publish(member, figures);
                        done.sort();
                        prop_assert_eq!(done, model.done(member));
                    }
                    Deed::Ask(who) => {
                        let Some(asker) = pick(who) else { continue };
                        let waits = &mut model.waits;
                        let others = model.members.iter().copied().filter(|&other| other != asker);
                        let mut asked: Vec<Member> = others.filter(|&other| waits.insert((asker, other))).collect();
                        asked.sort();
                        prop_assert_eq!(store.ask(asker), asked);
                    }
                }
                let read: BTreeMap<String, f64> =
                    store.read().into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
                prop_assert_eq!(read, model.read());
                for &member in &model.members {
                    let missing = model.waits.iter().filter(|(asker, _)| *asker == member).count();
                    prop_assert_eq!(store.missing(member), missing);
                    prop_assert_eq!(store.is_asked(member), model.waits.iter().any(|(_, asked)| *asked == member));
                }
            }
        }
    }
}
