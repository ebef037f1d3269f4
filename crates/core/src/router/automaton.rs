//! The table of a whole parameter's regex: see [`flatten`](mod@super::flatten) for the layout.
//!
//! A walk takes one step for each byte, whatever the regex, and [`LIMIT`] bounds the table; so no regex makes
//! requests slow, and one that would need too large a table is refused when it is declared.

use std::collections::HashMap;

use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson::WhichCaptures;
use regex_automata::util::alphabet::Unit;
use regex_automata::util::primitives::StateID;
use regex_automata::{Anchored, Input};

use super::error::Problem;
use super::programs;

/// The largest dense automaton that the crate may build, in bytes of 4 a transition.
const LIMIT: usize = 2 << 20;
/// What building it may take on top, in bytes.
const WORKSPACE: usize = 1 << 20;
/// Integers before the classes, and up to the states.
pub(super) const CLASSES: usize = 3;
pub(super) const STATES: usize = CLASSES + 256;

/// The automaton of a translated regex.
pub(super) fn build(regex: &str) -> Result<Box<[i32]>, Problem> {
    let nfa = programs::nfa(regex, WhichCaptures::None)?;
    let config = dense::Config::new()
        .start_kind(StartKind::Anchored)
        .accelerate(false)
        .dfa_size_limit(Some(LIMIT))
        .determinize_size_limit(Some(WORKSPACE));
    let dfa = dense::Builder::new().configure(config).build_from_nfa(&nfa).map_err(|_| Problem::RegexTooLarge)?;
    Ok(explore(&dfa))
}

/// The states that can be reached and from which a match can, numbered from 1; 0 is dead.
fn explore(dfa: &dense::DFA<Vec<u32>>) -> Box<[i32]> {
    let classes = dfa.byte_classes();
    // One byte of each class, and no more: the last class is that of the end.
    let bytes: Vec<u8> = classes.representatives(0..=u8::MAX).filter_map(Unit::as_u8).collect();
    // Without a look at what comes before the parameter, no start can fail.
    let start = dfa.start_state_forward(&Input::new("").anchored(Anchored::Yes)).ok();
    let mut states: Vec<StateID> = start.into_iter().collect();
    let mut numbers: HashMap<StateID, usize> = states.iter().map(|state| (*state, 0)).collect();
    let mut edges: Vec<usize> = Vec::new();
    let mut next = 0;
    while let Some(state) = states.get(next).copied() {
        next += 1;
        edges.extend(bytes.iter().map(|byte| {
            let to = dfa.next_state(state, *byte);
            *numbers.entry(to).or_insert_with(|| {
                states.push(to);
                states.len() - 1
            })
        }));
    }
    let accepts: Vec<bool> = states.iter().map(|state| dfa.is_match_state(dfa.next_eoi_state(*state))).collect();
    let (live, count) = number_live(&accepts, &edges, bytes.len());
    let stride = bytes.len() + 1;
    let mut table = vec![0; STATES + (count + 1) * stride];
    table[0] = (live.first().copied().unwrap_or(0) * stride) as i32;
    table[1] = stride as i32;
    table[2] = count as i32 + 1;
    for byte in 0..=u8::MAX {
        table[CLASSES + usize::from(byte)] = i32::from(classes.get(byte));
    }
    for (state, number) in live.iter().enumerate().filter(|(_, number)| **number > 0) {
        let row = &mut table[STATES + number * stride..][..stride];
        for (to, edge) in row.iter_mut().zip(&edges[state * bytes.len()..][..bytes.len()]) {
            *to = (live[*edge] * stride) as i32;
        }
        row[stride - 1] = i32::from(accepts[state]);
    }
    table.into()
}

/// New numbers from 1 for the states from which a match can be reached, 0 for the others; and how many there are.
fn number_live(accepts: &[bool], edges: &[usize], classes: usize) -> (Vec<usize>, usize) {
    let mut sources: Vec<Vec<usize>> = vec![Vec::new(); accepts.len()];
    for (state, targets) in edges.chunks(classes).enumerate() {
        for target in targets {
            // One class after the other mostly leads to the same state.
            if sources[*target].last() != Some(&state) {
                sources[*target].push(state);
            }
        }
    }
    let mut live = accepts.to_vec();
    let mut open: Vec<usize> = (0..accepts.len()).filter(|state| accepts[*state]).collect();
    while let Some(state) = open.pop() {
        for source in &sources[state] {
            if !std::mem::replace(&mut live[*source], true) {
                open.push(*source);
            }
        }
    }
    let mut count = 0;
    let number = |is_live: &bool| {
        count += usize::from(*is_live);
        if *is_live { count } else { 0 }
    };
    (live.iter().map(number).collect(), count)
}
