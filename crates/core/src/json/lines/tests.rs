//! Lines against `check` of each line by itself, for any pieces and any size of groups.

use proptest::prelude::*;

use super::{Flow, LineSink, Lines};
use crate::json::scan::check;
use crate::json::{Container, Fault, FaultKind, Limits, Sink};

/// What was told: `Ok` a document's text, `Err` the line, position and kind of a fault.
type Told = Vec<Result<String, (u64, u64, FaultKind)>>;

#[derive(Default)]
struct Record {
    told: Told,
    /// The text of a document that is told in parts.
    parts: String,
    open: Vec<Container>,
    stops: bool,
    groups: usize,
}

impl Record {
    fn separate(&mut self) {
        if !self.parts.ends_with(['[', '{']) {
            self.parts.push(',');
        }
    }
}

impl Sink for Record {
    fn open(&mut self, kind: Container, key: Option<&[u8]>) {
        if !self.open.is_empty() {
            self.separate();
        }
        if let Some(key) = key {
            self.parts += &format!("{}:", String::from_utf8_lossy(key));
        }
        self.parts.push(if kind == Container::Array { '[' } else { '{' });
        self.open.push(kind);
    }

    fn close(&mut self) {
        self.parts.push(if self.open.pop() == Some(Container::Array) { ']' } else { '}' });
        if self.open.is_empty() {
            self.told.push(Ok(std::mem::take(&mut self.parts)));
        }
    }

    fn group(&mut self, within: Container, text: &[u8], count: u32) {
        let text = String::from_utf8_lossy(text);
        self.groups += 1;
        assert_eq!(within, self.open.last().copied().unwrap_or(Container::Array));
        if self.open.is_empty() {
            // The documents of these tests have no white space inside, so that lines are told apart by it.
            let documents: Vec<_> = text.split(" ,").map(|text| Ok(text.trim().to_owned())).collect();
            assert_eq!(documents.len(), count as usize);
            self.told.extend(documents);
        } else {
            self.separate();
            self.parts += text.trim();
        }
    }
}

impl LineSink for Record {
    fn bad_line(&mut self, fault: &Fault) -> Flow {
        self.told.push(Err((fault.line, fault.position, fault.kind)));
        if self.stops { Flow::Stop } else { Flow::Skip }
    }
}

fn read(text: &str, piece: usize, group: usize, limits: &Limits, max_line: Option<u64>, stops: bool) -> (Record, bool) {
    let mut lines = Lines::new(group, limits, max_line);
    let mut record = Record { stops, ..Record::default() };
    let mut fed = text.as_bytes().chunks(piece).map(|piece| lines.feed(piece, &mut record)).collect::<Vec<_>>();
    fed.push(lines.finish(&mut record));
    let ok = fed.iter().all(Result::is_ok);
    (record, ok)
}

/// Line by line, good ones and bad ones apart: groups tell good ones later than faults.
fn expected(text: &str, max_line: Option<u64>) -> (Told, Told) {
    let mut told = (Told::new(), Told::new());
    let mut position = 0;
    for (index, line) in text.split('\n').enumerate() {
        let units = |text: &str| text.encode_utf16().count() as u64;
        let number = index as u64 + 1;
        if let Some(max) = max_line.filter(|&max| line.len() as u64 > max) {
            told.1.push(Err((number, position + max, FaultKind::Line)));
        } else if !line.trim().is_empty() {
            match check(line.as_bytes(), &Limits::default()) {
                Ok(()) => told.0.push(Ok(line.trim().to_owned())),
                Err(fault) => told.1.push(Err((number, position + fault.position, fault.kind))),
            }
        }
        position += units(line) + 1;
    }
    told
}

fn line() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "1 ",
        "{\"a\":1} ",
        "[1,2,3] \r",
        "",
        "  \r",
        "[1,",
        "{\"a\":[1,2,{\"b\":[\"xyz\",\"xyz\"]}],\"c\":\"d\"} ",
        "\"text\" ",
        "\u{e9}",
        "[\"\u{1f600}\"] ",
        "[\"\u{1f600}\"]] ",
        "null\r\r ",
        "nul",
    ])
}

proptest! {
    #[test]
    fn lines_are_judged_one_by_one(
        lines in prop::collection::vec(line(), 0..12), piece in 1usize..60, group in 1usize..60,
    ) {
        let text = lines.join("\n");
        let (record, ok) = read(&text, piece, group, &Limits::default(), None, false);
        prop_assert!(ok);
        let (good, bad): (Told, Told) = record.told.into_iter().partition(Result::is_ok);
        prop_assert_eq!((good, bad), expected(&text, None));
    }

    #[test]
    fn long_lines_are_bad_lines(
        lines in prop::collection::vec("[0-9]{1,30}", 0..8), piece in 1usize..60, max in 1u64..30,
    ) {
        let text = lines.join(" \n");
        let (record, ok) = read(&text, piece, 7, &Limits::default(), Some(max), false);
        prop_assert!(ok);
        let (good, bad): (Told, Told) = record.told.into_iter().partition(Result::is_ok);
        prop_assert_eq!((good, bad), expected(&text, Some(max)));
    }
}

#[test]
fn stopping_tells_the_documents_before_and_returns_the_fault() {
    let text = "1 \n2 \nbad\n3 \n";
    for piece in 1..text.len() {
        let (record, ok) = read(text, piece, 1000, &Limits::default(), None, true);
        assert!(!ok);
        let (good, bad): (Told, Told) = record.told.into_iter().partition(Result::is_ok);
        assert_eq!(good, [Ok("1".to_owned()), Ok("2".to_owned())]);
        assert_eq!(bad, [Err((3, 6, FaultKind::Syntax))]);
    }
}

#[test]
fn limits_of_depth_and_keys_are_those_of_a_line_and_bytes_those_of_the_input() {
    let limits = Limits { max_bytes: None, max_depth: Some(1), max_keys: Some(1) };
    let (record, ok) = read("{\"a\":1} \n{\"b\":2} \n[[]] \n", 5, 1000, &limits, None, false);
    assert!(ok);
    assert_eq!(record.told[0], Err((3, 19, FaultKind::Depth)));
    assert_eq!(record.told.len(), 3);
    let limits = Limits { max_bytes: Some(5), ..Limits::default() };
    for piece in 1..7 {
        let (record, ok) = read("1 \n2 \n", piece, 1000, &limits, None, false);
        assert!(!ok);
        assert_eq!(record.told, [Ok("1".to_owned())]);
    }
}

#[test]
fn documents_gather_in_groups_and_flush_tells_them_early() {
    let text = "{\"id\":123} \n".repeat(1000);
    let (record, ok) = read(&text, 100, 1100, &Limits::default(), None, false);
    assert!(ok);
    assert_eq!((record.told.len(), record.groups), (1000, 11));
    let mut lines = Lines::new(1000, &Limits::default(), None);
    let mut record = Record::default();
    assert_eq!(lines.feed(b"1 \n2 \n3", &mut record), Ok(()));
    assert_eq!(record.told.len(), 0);
    lines.flush(&mut record);
    assert_eq!(record.told.len(), 2);
}
