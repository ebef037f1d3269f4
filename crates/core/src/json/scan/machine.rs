//! The grammar: a state machine that can stop at any byte and go on when there are more.

use super::bytes::{skip_digits, skip_plain, skip_white};
use crate::json::fault::Problem;
use crate::json::{Container, Limits};

/// Where the machine is between two bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before an object's first member or its end.
    FirstName,
    /// After a comma of an object.
    Name,
    /// In a member's name.
    NameText,
    Colon,
    /// Before an array's first element or its end.
    FirstValue,
    Value,
    /// In a string that is a value.
    ValueText,
    Number(Digits),
    /// After a value.
    After,
}

/// Where in a number, by what has been read of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Digits {
    Minus,
    Zero,
    Integer,
    Point,
    Fraction,
    Exponent,
    Sign,
    Power,
}

/// A fault, by its place in the text at hand.
#[derive(Clone, Copy, Debug)]
pub(in crate::json) struct Halt {
    pub(in crate::json) at: usize,
    pub(in crate::json) problem: Problem,
}

/// Is told of containers and commas as the machine passes them, by their place in the text at hand.
pub(in crate::json) trait Stack {
    /// Open containers; 0 at the root.
    fn depth(&self) -> usize;
    /// The innermost container; at the root, an array.
    fn top(&self) -> Container;
    fn push(&mut self, kind: Container, at: usize);
    /// One more child is complete, and another follows.
    fn comma(&mut self, text: &[u8], at: usize);
    /// The innermost container ends, with its last child if it is not `empty`.
    fn pop(&mut self, text: &[u8], at: usize, empty: bool);
}

/// The state that outlives a piece of text, apart from the stack.
#[derive(Debug)]
pub(super) struct Machine {
    state: State,
    /// Where the last `run` was in the token that its text ended in, for the first time.
    token: usize,
    keys: u64,
    max_keys: u64,
    max_depth: u32,
}

impl Machine {
    pub(super) fn new(limits: &Limits) -> Self {
        let (max_keys, max_depth) = (limits.max_keys.unwrap_or(u64::MAX), limits.max_depth.unwrap_or(u32::MAX));
        Self { state: State::Value, token: 0, keys: 0, max_keys, max_depth }
    }

    /// Where the string or number is that the text of the last `run` ended in: its start, or that of the text.
    pub(super) fn token(&self) -> Option<usize> {
        matches!(self.state, State::NameText | State::ValueText | State::Number(_)).then_some(self.token)
    }

    /// Goes on at `text[at]` as far as the text tells, and says how far that is: all of it, or up to an escape or
    /// a literal that is cut off, which has to stand at the start of what the next call is given.
    pub(super) fn run(&mut self, text: &[u8], at: usize, stack: &mut impl Stack) -> Result<usize, Halt> {
        let mut run = Run { machine: self, text, at, stack };
        let mut state = run.machine.state;
        // Each step knows the states it can leave, so that the tests between two steps fold away.
        loop {
            if matches!(state, State::FirstName | State::Name) && !run.name(&mut state)? {
                break;
            }
            if state == State::NameText && !run.string(&mut state, State::Colon)? {
                break;
            }
            if state == State::Colon && !run.colon(&mut state)? {
                break;
            }
            if matches!(state, State::FirstValue | State::Value) && !run.value(&mut state)? {
                break;
            }
            if state == State::ValueText && !run.string(&mut state, State::After)? {
                break;
            }
            if let State::Number(digits) = state
                && !run.number(&mut state, digits)?
            {
                break;
            }
            if state == State::After && !run.after(&mut state)? {
                break;
            }
        }
        let at = run.at;
        self.state = state;
        Ok(at)
    }

    /// The text ends with `rest`, which `run` has left: whether the value is complete.
    pub(super) fn finish(&self, rest: &[u8], stack: &impl Stack) -> Result<(), Problem> {
        match self.state {
            State::FirstName => Err(Problem::NameOrBrace),
            State::Name => Err(Problem::Name),
            State::Colon => Err(Problem::Colon),
            State::FirstValue | State::Value => Err(Problem::End),
            State::NameText | State::ValueText => Err(match rest {
                [] => Problem::UnterminatedString,
                [_] => Problem::End,
                _ => Problem::UnicodeEscape,
            }),
            State::Number(Digits::Minus) => Err(Problem::MinusAlone),
            State::Number(Digits::Point) => Err(Problem::Fraction),
            State::Number(Digits::Exponent | Digits::Sign) => Err(Problem::Exponent),
            State::Number(_) | State::After if stack.depth() == 0 => Ok(()),
            State::Number(_) | State::After => Err(missing_comma(stack)),
        }
    }
}

fn missing_comma(stack: &impl Stack) -> Problem {
    match (stack.depth(), stack.top()) {
        (0, _) => Problem::AfterValue,
        (_, Container::Array) => Problem::CommaOrBracket,
        (_, Container::Object) => Problem::CommaOrBrace,
    }
}

/// One run over one piece of text. The steps answer whether there is more to read.
struct Run<'a, S> {
    machine: &'a mut Machine,
    text: &'a [u8],
    at: usize,
    stack: &'a mut S,
}

impl<S: Stack> Run<'_, S> {
    #[inline(always)]
    fn peek(&mut self) -> Option<u8> {
        self.at = skip_white(self.text, self.at);
        self.text.get(self.at).copied()
    }

    fn halt<T>(&self, problem: Problem) -> Result<T, Halt> {
        Err(Halt { at: self.at, problem })
    }

    #[inline(always)]
    fn name(&mut self, state: &mut State) -> Result<bool, Halt> {
        match self.peek() {
            None => return Ok(false),
            Some(b'"') => {
                self.machine.keys += 1;
                if self.machine.keys > self.machine.max_keys {
                    return self.halt(Problem::Keys(self.machine.max_keys));
                }
                *state = State::NameText;
            }
            Some(b'}') if *state == State::FirstName => {
                self.stack.pop(self.text, self.at, true);
                *state = State::After;
            }
            _ if *state == State::FirstName => return self.halt(Problem::NameOrBrace),
            _ => return self.halt(Problem::Name),
        }
        self.at += 1;
        Ok(true)
    }

    #[inline(always)]
    fn colon(&mut self, state: &mut State) -> Result<bool, Halt> {
        match self.peek() {
            None => return Ok(false),
            Some(b':') => *state = State::Value,
            _ => return self.halt(Problem::Colon),
        }
        self.at += 1;
        Ok(true)
    }

    #[inline(always)]
    fn value(&mut self, state: &mut State) -> Result<bool, Halt> {
        let Some(byte) = self.peek() else { return Ok(false) };
        *state = match byte {
            b'"' => State::ValueText,
            b'{' => self.push(Container::Object)?,
            b'[' => self.push(Container::Array)?,
            b'-' | b'0'..=b'9' => match number_end(self.text, self.at) {
                Some(end) => {
                    self.at = end;
                    *state = State::After;
                    return Ok(true);
                }
                None if byte == b'-' => State::Number(Digits::Minus),
                None if byte == b'0' => State::Number(Digits::Zero),
                None => State::Number(Digits::Integer),
            },
            b't' => return self.literal(state, b"true"),
            b'f' => return self.literal(state, b"false"),
            b'n' => return self.literal(state, b"null"),
            b']' if *state == State::FirstValue => {
                self.stack.pop(self.text, self.at, true);
                State::After
            }
            _ => return self.halt(Problem::Token),
        };
        self.at += 1;
        Ok(true)
    }

    #[inline(always)]
    fn push(&mut self, kind: Container) -> Result<State, Halt> {
        if self.stack.depth() >= self.machine.max_depth as usize {
            return self.halt(Problem::Depth(self.machine.max_depth));
        }
        self.stack.push(kind, self.at);
        Ok(match kind {
            Container::Array => State::FirstValue,
            Container::Object => State::FirstName,
        })
    }

    #[inline(always)]
    fn literal(&mut self, state: &mut State, word: &[u8]) -> Result<bool, Halt> {
        let rest = &self.text[self.at..];
        if rest.starts_with(word) {
            self.at += word.len();
            *state = State::After;
            return Ok(true);
        }
        let same = rest.iter().zip(word).take_while(|(byte, due)| byte == due).count();
        if same == rest.len() {
            return Ok(false);
        }
        self.at += same;
        self.halt(Problem::Token)
    }

    /// From inside a string to behind its quote.
    #[inline(always)]
    fn string(&mut self, state: &mut State, next: State) -> Result<bool, Halt> {
        let start = self.at;
        loop {
            self.at = skip_plain(self.text, self.at);
            match self.text.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    *state = next;
                    return Ok(true);
                }
                Some(b'\\') => match self.escape()? {
                    0 => return Ok(self.rest(start)),
                    length => self.at += length,
                },
                None => return Ok(self.rest(start)),
                Some(_) => return self.halt(Problem::ControlCharacter),
            }
        }
    }

    /// The text ends in a token that it has from `start` on: there is nothing more to read.
    #[cold]
    fn rest(&mut self, start: usize) -> bool {
        self.machine.token = start;
        false
    }

    /// The length of the escape at hand; 0 while it is cut off.
    fn escape(&mut self) -> Result<usize, Halt> {
        match self.text.get(self.at + 1) {
            None => Ok(0),
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(2),
            Some(b'u') => {
                let digits = self.text[self.at + 2..].iter().take(4);
                match digits.clone().position(|byte| !byte.is_ascii_hexdigit()) {
                    Some(index) => Err(Halt { at: self.at + 2 + index, problem: Problem::UnicodeEscape }),
                    None => Ok(if digits.len() == 4 { 6 } else { 0 }),
                }
            }
            Some(_) => Err(Halt { at: self.at + 1, problem: Problem::Escape }),
        }
    }

    /// A number with a fault or at the end of the text: what `number_end` left, state by state.
    #[cold]
    fn number(&mut self, state: &mut State, mut digits: Digits) -> Result<bool, Halt> {
        let start = self.at;
        loop {
            if matches!(digits, Digits::Integer | Digits::Fraction | Digits::Power) {
                self.at = skip_digits(self.text, self.at);
            }
            let Some(&byte) = self.text.get(self.at) else {
                *state = State::Number(digits);
                return Ok(self.rest(start));
            };
            digits = match (digits, byte) {
                (Digits::Minus, b'0') => Digits::Zero,
                (Digits::Minus, b'1'..=b'9') => Digits::Integer,
                (Digits::Minus, _) => return self.halt(Problem::MinusAlone),
                (Digits::Zero, b'0'..=b'9') => return self.halt(Problem::LeadingZero),
                (Digits::Zero | Digits::Integer, b'.') => Digits::Point,
                (Digits::Point, b'0'..=b'9') => Digits::Fraction,
                (Digits::Point, _) => return self.halt(Problem::Fraction),
                (Digits::Zero | Digits::Integer | Digits::Fraction, b'e' | b'E') => Digits::Exponent,
                (Digits::Exponent, b'+' | b'-') => Digits::Sign,
                (Digits::Exponent | Digits::Sign, b'0'..=b'9') => Digits::Power,
                (Digits::Exponent | Digits::Sign, _) => return self.halt(Problem::Exponent),
                _ => {
                    *state = State::After;
                    return Ok(true);
                }
            };
            self.at += 1;
        }
    }

    #[inline(always)]
    fn after(&mut self, state: &mut State) -> Result<bool, Halt> {
        let Some(byte) = self.peek() else { return Ok(false) };
        match (byte, self.stack.top()) {
            _ if self.stack.depth() == 0 => return self.halt(Problem::AfterValue),
            (b',', kind) => {
                self.stack.comma(self.text, self.at);
                *state = if kind == Container::Object { State::Name } else { State::Value };
            }
            (b'}', Container::Object) | (b']', Container::Array) => self.stack.pop(self.text, self.at, false),
            _ => return self.halt(missing_comma(self.stack)),
        }
        self.at += 1;
        Ok(true)
    }
}

/// The end of the number at `at`, if all of it is here and it has no fault.
#[inline(always)]
fn number_end(text: &[u8], at: usize) -> Option<usize> {
    let start = at + usize::from(text[at] == b'-');
    let mut end = skip_digits(text, start);
    if end == start || (text[start] == b'0' && end > start + 1) {
        return None;
    }
    if *text.get(end)? == b'.' {
        let point = end;
        end = skip_digits(text, point + 1);
        if end == point + 1 {
            return None;
        }
    }
    if let b'e' | b'E' = *text.get(end)? {
        let start = end + 1 + usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        end = skip_digits(text, start);
        if end == start || end == text.len() {
            return None;
        }
    }
    Some(end)
}
