//! JavaScript's regex syntax, rewritten for the `regex` family of crates so that what both can say means what it
//! means in JavaScript (with its `u` flag, as far as a character outside of the BMP is one character).
//!
//! - `\d`, `\w` and `\b` are ASCII, `\s` is JavaScript's list, `.` leaves out its four line terminators;
//! - a class holds no nested classes and no set operations, and a `{` that begins no quantifier is text;
//! - groups, named ones too, do not capture: a parameter is captured as a whole;
//! - a `^` or `$` at the ends of the regex, or of one of its outermost alternatives, says what is so anyway.
//!
//! One pass without recursion; the engine's own parser bounds how deeply groups nest.

use super::error::Problem;

/// A regex is wrong at a unit of its own, counted from 0.
pub(super) type Wrong = (usize, Problem);

const DIGIT: &str = "0-9";
const WORD: &str = "0-9A-Za-z_";
const SPACE: &str = r"\t-\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}";
/// A class without members.
const NOTHING: &str = r"[a&&b]";
/// What `.` is not, beside being a class.
const NOT_TERMINATOR: &str = r"[^\n\r\x{2028}\x{2029}]";

/// The regex of the crates that means what `regex` means in JavaScript.
pub(super) fn translate(regex: &[u16]) -> Result<String, Wrong> {
    let mut chars = Vec::with_capacity(regex.len());
    let mut position = 0;
    for decoded in char::decode_utf16(regex.iter().copied()) {
        let c = decoded.map_err(|_| (position, Problem::LoneSurrogate))?;
        chars.push((position, c));
        position += c.len_utf16();
    }
    let mut translator =
        Translator { chars, at: 0, depth: 0, repeatable: false, out: String::with_capacity(2 * regex.len()) };
    translator.run()?;
    Ok(translator.out)
}

/// Writes `c` so that it stands for itself, in a class or out of one.
pub(super) fn push_literal(out: &mut String, c: char) {
    if c.is_ascii() && !c.is_ascii_alphanumeric() {
        out.push_str(&format!("\\x{:02x}", u32::from(c)));
    } else {
        out.push(c);
    }
}

/// What an escape stands for.
enum Escape {
    Char(char),
    /// Members of a class, and whether it is all others that are meant.
    Set(&'static str, bool),
    /// `\b` or `\B`.
    Boundary(char),
}

struct Translator {
    /// With the unit at which each begins.
    chars: Vec<(usize, char)>,
    at: usize,
    depth: usize,
    /// Whether what stands before can be repeated. The crates repeat more than JavaScript does.
    repeatable: bool,
    out: String,
}

impl Translator {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).map(|(_, c)| *c)
    }

    /// The error `problem` at the char `at`.
    fn wrong(&self, at: usize, problem: Problem) -> Wrong {
        (self.chars.get(at).or(self.chars.last()).map_or(0, |(position, _)| *position), problem)
    }

    fn run(&mut self) -> Result<(), Wrong> {
        while let Some(c) = self.peek(0) {
            match c {
                '\\' => self.escape_outside()?,
                '[' => self.class()?,
                '(' => self.group()?,
                '{' => self.brace()?,
                '^' | '$' => self.anchor(c),
                '*' | '+' | '?' => self.quantifier(1, &c.to_string())?,
                _ => self.plain(c),
            }
        }
        Ok(())
    }

    /// What needs no look ahead.
    fn plain(&mut self, c: char) {
        self.at += 1;
        self.repeatable = c != '|';
        match c {
            ')' => self.depth = self.depth.saturating_sub(1),
            '.' => return self.out.push_str(NOT_TERMINATOR),
            '|' => {}
            _ => return push_literal(&mut self.out, c),
        }
        self.out.push(c);
    }

    /// A quantifier of `length` characters, and the '?' that makes it lazy.
    fn quantifier(&mut self, length: usize, text: &str) -> Result<(), Wrong> {
        if !self.repeatable {
            return Err(self.wrong(self.at, Problem::Regex(format!("nothing before {text} can be repeated"))));
        }
        self.repeatable = false;
        self.at += length;
        self.out.push_str(text);
        if self.peek(0) == Some('?') {
            self.at += 1;
            self.out.push('?');
        }
        Ok(())
    }

    fn escape_outside(&mut self) -> Result<(), Wrong> {
        let escape = self.escape(false)?;
        self.repeatable = !matches!(escape, Escape::Boundary(_));
        match escape {
            Escape::Char(c) => push_literal(&mut self.out, c),
            Escape::Set(members, others) => self.set(members, others),
            Escape::Boundary(c) => self.out.push_str(&format!("(?-u:\\{c})")),
        }
        Ok(())
    }

    fn set(&mut self, members: &str, others: bool) {
        self.out.push_str(if others { "[^" } else { "[" });
        self.out.push_str(members);
        self.out.push(']');
    }

    /// The escape at hand.
    fn escape(&mut self, in_class: bool) -> Result<Escape, Wrong> {
        let start = self.at;
        let Some(c) = self.peek(1) else { return Err(self.wrong(start, Problem::Escape("\\".to_owned()))) };
        self.at += 2;
        Ok(match c {
            'd' | 'D' => Escape::Set(DIGIT, c == 'D'),
            'w' | 'W' => Escape::Set(WORD, c == 'W'),
            's' | 'S' => Escape::Set(SPACE, c == 'S'),
            'b' if in_class => Escape::Char('\x08'),
            'b' | 'B' if !in_class => Escape::Boundary(c),
            't' => Escape::Char('\t'),
            'n' => Escape::Char('\n'),
            'v' => Escape::Char('\x0b'),
            'f' => Escape::Char('\x0c'),
            'r' => Escape::Char('\r'),
            '0' if !self.peek(0).is_some_and(|next| next.is_ascii_digit()) => Escape::Char('\0'),
            '1'..='9' | 'k' => return Err(self.wrong(start, Problem::Backreference)),
            'p' | 'P' => return Err(self.wrong(start, Problem::UnicodeProperty)),
            'c' | 'x' | 'u' => Escape::Char(self.coded(start, c)?),
            // JavaScript takes any other letter for itself, but says that it is a mistake where it has the u flag.
            c if c.is_alphanumeric() => return Err(self.wrong(start, Problem::Escape(format!("\\{c}")))),
            c => Escape::Char(c),
        })
    }

    /// The character that `\c`, `\x` or `\u` names by its number.
    fn coded(&mut self, start: usize, kind: char) -> Result<char, Wrong> {
        let problem = Problem::Escape(format!("\\{kind}"));
        let found = match kind {
            'c' => {
                let letter = self.peek(0).filter(char::is_ascii_alphabetic);
                self.at += 1;
                letter.and_then(|letter| char::from_u32(u32::from(letter) % 32))
            }
            'x' => self.hex(2).and_then(char::from_u32),
            _ if self.peek(0) == Some('{') => {
                let length = self.chars[self.at..].iter().position(|(_, c)| *c == '}').filter(|length| *length < 8);
                self.at += 1;
                let code = length.and_then(|length| self.hex(length - 1));
                self.at += 1;
                code.and_then(char::from_u32)
            }
            _ => self.hex(4).and_then(|high| self.surrogates(high)),
        };
        found.ok_or_else(|| self.wrong(start, problem))
    }

    /// The character of a `\u` whose number is `high`, which may want a second one for its other half.
    fn surrogates(&mut self, high: u32) -> Option<char> {
        let mut pair = [high as u16, 0];
        if (0xd800..0xdc00).contains(&high) && self.peek(0) == Some('\\') && self.peek(1) == Some('u') {
            self.at += 2;
            pair[1] = self.hex(4)? as u16;
            return char::decode_utf16(pair).next()?.ok();
        }
        char::from_u32(high)
    }

    /// The next `digits` characters as a number.
    fn hex(&mut self, digits: usize) -> Option<u32> {
        let mut number = 0;
        for _ in 0..digits {
            number = number * 16 + self.peek(0)?.to_digit(16)?;
            self.at += 1;
        }
        (digits > 0).then_some(number)
    }

    fn class(&mut self) -> Result<(), Wrong> {
        let start = self.at;
        self.at += 1;
        self.repeatable = true;
        let negated = self.peek(0) == Some('^');
        self.at += usize::from(negated);
        if self.peek(0) == Some(']') {
            self.at += 1;
            self.out.push_str(if negated { r"(?s:.)" } else { NOTHING });
            return Ok(());
        }
        self.out.push_str(if negated { "[^" } else { "[" });
        loop {
            match self.peek(0) {
                None => return Err(self.wrong(start, Problem::UnclosedClass)),
                Some(']') => break,
                Some(_) => self.members()?,
            }
        }
        self.at += 1;
        self.out.push(']');
        Ok(())
    }

    /// A character, a range, or an escape of a class.
    fn members(&mut self) -> Result<(), Wrong> {
        let start = self.at;
        let first = self.member()?;
        let range = self.peek(0) == Some('-') && self.peek(1).is_some_and(|next| next != ']');
        if !range {
            self.push_member(&first);
            return Ok(());
        }
        self.at += 1;
        let last = self.member()?;
        match (&first, &last) {
            (Escape::Char(low), Escape::Char(high)) if low > high => return Err(self.wrong(start, Problem::Range)),
            (Escape::Char(low), Escape::Char(high)) => {
                push_literal(&mut self.out, *low);
                self.out.push('-');
                push_literal(&mut self.out, *high);
            }
            // With a set at either end, the '-' is one of the members.
            _ => {
                self.push_member(&first);
                push_literal(&mut self.out, '-');
                self.push_member(&last);
            }
        }
        Ok(())
    }

    fn member(&mut self) -> Result<Escape, Wrong> {
        match self.peek(0) {
            Some('\\') => self.escape(true),
            c => {
                self.at += 1;
                Ok(Escape::Char(c.unwrap_or_default()))
            }
        }
    }

    fn push_member(&mut self, member: &Escape) {
        match member {
            Escape::Char(c) | Escape::Boundary(c) => push_literal(&mut self.out, *c),
            Escape::Set(members, others) => self.set(members, *others),
        }
    }

    fn group(&mut self) -> Result<(), Wrong> {
        let start = self.at;
        self.at += 1;
        self.depth += 1;
        self.repeatable = false;
        self.out.push_str("(?:");
        if self.peek(0) != Some('?') {
            return Ok(());
        }
        match (self.peek(1), self.peek(2)) {
            (Some(':'), _) => self.at += 2,
            (Some('=' | '!'), _) | (Some('<'), Some('=' | '!')) => return Err(self.wrong(start, Problem::Lookaround)),
            (Some('<'), _) => match self.name_length() {
                Some(length) => self.at += length + 3,
                None => return Err(self.wrong(start, Problem::Group)),
            },
            _ => return Err(self.wrong(start, Problem::Group)),
        }
        Ok(())
    }

    /// How long the name of the group at hand is, at its '?'; `None` if it is no name.
    fn name_length(&self) -> Option<usize> {
        let name = &self.chars[self.at + 2..];
        let length = name.iter().position(|(_, c)| *c == '>')?;
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
        let is_name = name[..length].iter().all(|(_, c)| is_part(*c));
        (length > 0 && is_name && !name[0].1.is_numeric()).then_some(length)
    }

    /// A quantifier in braces, or text that looks like the start of one.
    fn brace(&mut self) -> Result<(), Wrong> {
        let rest = &self.chars[self.at + 1..];
        let end = rest.iter().position(|(_, c)| !c.is_ascii_digit() && *c != ',').unwrap_or(rest.len());
        let content: String = rest[..end].iter().map(|(_, c)| *c).collect();
        let closed = rest.get(end).is_some_and(|(_, c)| *c == '}');
        let is_quantifier =
            closed && !content.is_empty() && !content.starts_with(',') && content.matches(',').count() < 2;
        if is_quantifier {
            return self.quantifier(end + 2, &format!("{{{content}}}"));
        }
        self.plain('{');
        Ok(())
    }

    fn anchor(&mut self, c: char) {
        // Text is never written as '|', so that one at the end begins an alternative.
        let at_end = match c {
            '^' => self.out.is_empty() || self.out.ends_with('|'),
            _ => self.peek(1).is_none_or(|next| next == '|'),
        };
        self.at += 1;
        self.repeatable = false;
        if self.depth > 0 || !at_end {
            self.out.push_str(if c == '^' { r"\A" } else { r"\z" });
        }
    }
}
