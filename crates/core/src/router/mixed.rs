//! The native matcher of segments that mix regexes with text, such as `:from(\d+)-:to(\d+)`.

use regex_automata::dfa::onepass;
use regex_automata::nfa::thompson::WhichCaptures;
use regex_automata::nfa::thompson::pikevm::{self, PikeVM};
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::{Anchored, Input};

use super::error::Problem;
use super::programs;

/// What the faster engine's table may take, in bytes.
const ONE_PASS_LIMIT: usize = 1 << 18;

/// The most states of a regex that the slower engine runs: for each unit of a path it may look at all of them, and a
/// path of 16 kB must not take a tenth of a second.
const MOST_STATES: usize = 256;

/// One regex with a group for each parameter, and the memory that matching it takes.
pub(super) struct Matcher {
    engine: Engine,
    slots: Vec<Option<NonMaxUsize>>,
    text: Vec<u8>,
}

/// Both are linear. The first is several times as fast, where each next character leaves no choice.
enum Engine {
    OnePass(onepass::DFA, onepass::Cache),
    Simulation(PikeVM, pikevm::Cache),
}

impl Engine {
    fn search(&mut self, text: &[u8], slots: &mut [Option<NonMaxUsize>]) -> bool {
        let input = Input::new(text).anchored(Anchored::Yes);
        match self {
            // An anchored search fails for no other reason than that nothing matches.
            Self::OnePass(dfa, cache) => matches!(dfa.try_search_slots(cache, &input, slots), Ok(Some(_))),
            Self::Simulation(vm, cache) => vm.search_slots(cache, &input, slots).is_some(),
        }
    }
}

impl Matcher {
    /// The matcher of a translated regex of `parameters` groups, anchored at both ends.
    pub(super) fn new(regex: &str, parameters: usize) -> Result<Self, Problem> {
        let nfa = programs::nfa(regex, WhichCaptures::All)?;
        let config = onepass::Config::new().size_limit(Some(ONE_PASS_LIMIT));
        let engine = if let Ok(dfa) = onepass::Builder::new().configure(config).build_from_nfa(nfa.clone()) {
            let cache = dfa.create_cache();
            Engine::OnePass(dfa, cache)
        } else {
            if nfa.states().len() > MOST_STATES {
                return Err(Problem::RegexTooLarge);
            }
            let vm = PikeVM::new_from_nfa(nfa).map_err(|_| Problem::RegexTooLarge)?;
            let cache = vm.create_cache();
            Engine::Simulation(vm, cache)
        };
        Ok(Self { engine, slots: vec![None; 2 * (parameters + 1)], text: Vec::new() })
    }

    /// How many parameters there are.
    pub(super) fn parameters(&self) -> usize {
        self.slots.len() / 2 - 1
    }

    /// Whether the whole of `text` matches; then `spans` has the start and the end of
    /// each in units of `text`. It must have room for all. Linear in the length of `text`.
    pub(super) fn run(&mut self, text: &[u16], spans: &mut [i32]) -> bool {
        self.text.clear();
        for c in char::decode_utf16(text.iter().copied()) {
            let c = c.unwrap_or(char::REPLACEMENT_CHARACTER);
            self.text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        if !self.engine.search(&self.text, &mut self.slots) {
            return false;
        }
        for (span, slot) in spans.iter_mut().zip(&self.slots[2..]) {
            *span = slot.map_or(0, |slot| slot.get() as i32);
        }
        if self.text.len() > text.len() {
            to_units(&self.text, &mut spans[..self.slots.len() - 2]);
        }
        true
    }
}

/// Turns ascending offsets of bytes into offsets of UTF-16 units.
fn to_units(text: &[u8], offsets: &mut [i32]) {
    let (mut bytes, mut units) = (0, 0);
    for offset in offsets {
        for byte in &text[bytes..*offset as usize] {
            // A character counts with its first byte: for two units with four bytes, else for one.
            units += match byte {
                0x80..0xc0 => 0,
                0xf0.. => 2,
                _ => 1,
            };
        }
        bytes = *offset as usize;
        *offset = units;
    }
}
