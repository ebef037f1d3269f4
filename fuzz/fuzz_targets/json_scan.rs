//! The scanner against the plainest reader of JSON: whatever the text, the pieces and the size of groups, both
//! judge alike, and what the sink is told is the document, token by token. Lines agree with `check` of each.

#![no_main]

use arbitrary::Arbitrary;
use keelson_core::json::lines::{Flow, LineSink, Lines};
use keelson_core::json::scan::{Scanner, check};
use keelson_core::json::text::{Units, Utf8Sanitizer, Utf16Decoder, narrow};
use keelson_core::json::{Container, Fault, Limits, Sink};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Plan<'a> {
    group: u8,
    pieces: [u8; 3],
    /// Bytes each, picked from `TELLING`, or as they are.
    picked: bool,
    text: &'a [u8],
}

/// What makes a difference to JSON, so that documents are found soon.
const TELLING: &[u8] = b"{}[]:,\"\"\\ubn0123e+-. \n\ra\x1f\xc3\xa9\xf0\x9f\x98\x80\xed\xa0\x80";
/// Deep enough for the model's recursion.
const MAX_DEPTH: u32 = 500;

/// Writes the document again, without white space between tokens.
#[derive(Default)]
struct Rebuild {
    text: Vec<u8>,
    open: Vec<Container>,
    bad_lines: usize,
}

impl Rebuild {
    fn separate(&mut self) {
        if !matches!(self.text.last(), None | Some(b'[' | b'{')) {
            self.text.push(b',');
        }
    }
}

impl Sink for Rebuild {
    fn open(&mut self, kind: Container, key: Option<&[u8]>) {
        self.separate();
        assert_eq!(key.is_some(), self.open.last() == Some(&Container::Object));
        if let Some(key) = key {
            self.text.extend_from_slice(key);
            self.text.push(b':');
        }
        self.open.push(kind);
        self.text.push(if kind == Container::Array { b'[' } else { b'{' });
    }

    fn close(&mut self) {
        let kind = self.open.pop().expect("a container is open");
        self.text.push(if kind == Container::Array { b']' } else { b'}' });
    }

    fn group(&mut self, within: Container, text: &[u8], count: u32) {
        assert_eq!(within, self.open.last().copied().unwrap_or(Container::Array));
        let mut reader = Reader { rest: text };
        assert_eq!(reader.list(within), Some(count));
        assert!(reader.rest.is_empty());
        self.separate();
        self.text.extend_from_slice(&strip(text));
    }
}

impl LineSink for Rebuild {
    fn bad_line(&mut self, _fault: &Fault) -> Flow {
        self.bad_lines += 1;
        Flow::Skip
    }
}

/// JSON read recursively, from a whole text.
struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn white(&mut self) {
        while let [b' ' | b'\t' | b'\r' | b'\n', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    fn takes(&mut self, token: &[u8]) -> bool {
        let found = self.rest.strip_prefix(token);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn one_of(&mut self, bytes: &[u8]) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        bytes.contains(&byte).then(|| self.rest = rest)?;
        Some(byte)
    }

    fn element(&mut self) -> Option<()> {
        self.white();
        if self.takes(b"[") {
            self.container(Container::Array, b"]")?;
        } else if self.takes(b"{") {
            self.container(Container::Object, b"}")?;
        } else if self.rest.first() == Some(&b'"') {
            self.string()?;
        } else if !self.takes(b"true") && !self.takes(b"false") && !self.takes(b"null") {
            self.number()?;
        }
        self.white();
        Some(())
    }

    fn container(&mut self, kind: Container, close: &[u8]) -> Option<()> {
        self.white();
        if self.takes(close) {
            return Some(());
        }
        self.list(kind)?;
        self.takes(close).then_some(())
    }

    fn list(&mut self, kind: Container) -> Option<u32> {
        let mut count = 0;
        loop {
            if kind == Container::Object {
                self.white();
                self.string()?;
                self.white();
                self.takes(b":").then_some(())?;
            }
            self.element()?;
            count += 1;
            if !self.takes(b",") {
                return Some(count);
            }
        }
    }

    fn string(&mut self) -> Option<()> {
        self.takes(b"\"").then_some(())?;
        loop {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            match byte {
                b'"' => return Some(()),
                0..0x20 => return None,
                b'\\' if self.one_of(b"\"\\/bfnrtu")? == b'u' => {
                    for _ in 0..4 {
                        self.one_of(b"0123456789abcdefABCDEF")?;
                    }
                }
                _ => {}
            }
        }
    }

    fn digits(&mut self) -> Option<()> {
        self.one_of(b"0123456789")?;
        while self.one_of(b"0123456789").is_some() {}
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        self.takes(b"-");
        if !self.takes(b"0") {
            self.digits()?;
        }
        if self.takes(b".") {
            self.digits()?;
        }
        if self.one_of(b"eE").is_some() {
            let _sign = self.one_of(b"+-");
            self.digits()?;
        }
        Some(())
    }
}

/// The text of a document without white space between tokens.
fn strip(text: &[u8]) -> Vec<u8> {
    let (mut inside, mut escaped) = (false, false);
    let keeps = |&&byte: &&u8| {
        if inside && escaped {
            escaped = false;
        } else if inside && byte == b'\\' {
            escaped = true;
        } else if byte == b'"' {
            inside = !inside;
        }
        inside || !b" \t\r\n".contains(&byte)
    };
    text.iter().filter(keeps).copied().collect()
}

/// Hands `items` out in pieces of these lengths, over and over.
fn in_pieces<T>(items: &[T], lengths: [u8; 3], mut take: impl FnMut(&[T])) {
    let mut rest = items;
    for length in lengths.into_iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at((usize::from(length) + 1).min(rest.len()));
        take(piece);
        rest = after;
    }
}

fn scan(text: &[u8], plan: &Plan, limits: &Limits) {
    let mut scanner = Scanner::new(usize::from(plan.group) + 1, limits);
    let mut sink = Rebuild::default();
    // A scanner that has failed keeps saying so.
    in_pieces(text, plan.pieces, |piece| drop(scanner.feed(piece, &mut sink)));
    let place = |fault: Fault| (fault.kind, fault.position, fault.line, fault.column);
    let told = scanner.finish(&mut sink).map_err(place);
    let judged = check(text, limits);
    assert_eq!(told, judged.clone().map_err(place));
    match judged {
        Ok(()) => assert_eq!(sink.text, strip(text)),
        Err(fault) if fault.message.starts_with("Containers") => return,
        Err(_) => {}
    }
    let mut reader = Reader { rest: text };
    assert_eq!(reader.element().is_some() && reader.rest.is_empty(), told.is_ok());
}

fn lines(text: &[u8], plan: &Plan, limits: &Limits) {
    let mut lines = Lines::new(usize::from(plan.group) + 1, limits, None);
    let mut sink = Rebuild::default();
    in_pieces(text, plan.pieces, |piece| lines.feed(piece, &mut sink).expect("bad lines are skipped"));
    lines.finish(&mut sink).expect("bad lines are skipped");
    let blank = |line: &[u8]| line.iter().all(|byte| b" \t\r".contains(byte));
    let (mut good, mut bad) = (Vec::new(), 0);
    for line in text.split(|&byte| byte == b'\n').filter(|line| !blank(line)) {
        match check(line, limits) {
            Ok(()) => good.push(strip(line)),
            Err(_) => bad += 1,
        }
    }
    assert_eq!(sink.text, good.join(&b','));
    assert_eq!(sink.bad_lines, bad);
}

fn conversions(text: &[u8], plan: &Plan) {
    let mut sanitizer = Utf8Sanitizer::default();
    let mut clean = Vec::new();
    in_pieces(text, plan.pieces, |piece| clean.extend_from_slice(&sanitizer.sanitize(piece)));
    clean.extend_from_slice(sanitizer.finish());
    assert_eq!(clean, String::from_utf8_lossy(text).as_bytes());

    let units: Vec<u16> = text.chunks(2).map(|pair| pair.iter().fold(0, |unit, &b| unit << 8 | u16::from(b))).collect();
    let (mut decoder, mut out) = (Utf16Decoder::default(), Vec::new());
    in_pieces(&units, plan.pieces, |piece| decoder.decode(piece, &mut out));
    decoder.finish(&mut out);
    let back = match narrow(&out) {
        Units::Latin1(bytes) => bytes.into_iter().map(u16::from).collect(),
        Units::Utf16(wide) => wide,
    };
    assert_eq!(back, units);
    // No claim on what is not well-formed, but that it is read.
    let _units = narrow(text);
}

fuzz_target!(|plan: Plan| {
    let pick = |&byte: &u8| if plan.picked { TELLING[usize::from(byte) % TELLING.len()] } else { byte };
    let text: Vec<u8> = plan.text.iter().map(pick).collect();
    let limits = Limits { max_depth: Some(MAX_DEPTH), ..Limits::default() };
    scan(&text, &plan, &limits);
    lines(&text, &plan, &limits);
    conversions(&text, &plan);
});
