//! The scanner against the plainest reader of JSON, for any text, any pieces and any size of groups.

mod classes;
mod faults;
mod model;

use proptest::prelude::*;

use super::{Scanner, check};
use crate::json::{Container, Fault, FaultKind, Limits, Sink};
use model::{children, is_json, strip};

/// Writes the document again from what it is told, without its white space.
#[derive(Default)]
struct Rebuild {
    text: Vec<u8>,
    open: Vec<Container>,
    groups: usize,
    /// Text of groups since a container was opened, with all around them.
    least_opened: Option<usize>,
    starts: Vec<usize>,
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
        self.starts.push(self.text.len());
        self.text.push(if kind == Container::Array { b'[' } else { b'{' });
    }

    fn close(&mut self) {
        let kind = self.open.pop().expect("a container is open");
        let length = self.text.len() - self.starts.pop().expect("a container is open");
        self.least_opened = Some(self.least_opened.map_or(length, |least| least.min(length)));
        self.text.push(if kind == Container::Array { b']' } else { b'}' });
    }

    fn group(&mut self, within: Container, text: &[u8], count: u32) {
        assert_eq!(within, self.open.last().copied().unwrap_or(Container::Array));
        assert_eq!(children(within, text), Some(count as usize), "{:?}", String::from_utf8_lossy(text));
        self.separate();
        self.text.extend_from_slice(&strip(text));
        self.groups += 1;
    }
}

/// Counts bytes, where the model of `Rebuild` would overflow its stack.
#[derive(Default)]
struct Sum {
    bytes: usize,
    open: usize,
    /// Whether a comma is due before the next child of the innermost open container.
    due: bool,
}

impl Sink for Sum {
    fn open(&mut self, _kind: Container, key: Option<&[u8]>) {
        self.bytes += 2 + usize::from(self.due) + key.map_or(0, |key| key.len() + 1);
        self.open += 1;
        self.due = false;
    }

    fn close(&mut self) {
        self.open -= 1;
        self.due = true;
    }

    fn group(&mut self, _within: Container, text: &[u8], _count: u32) {
        self.bytes += text.len() + usize::from(self.due);
        self.due = true;
    }
}

/// The rebuilt text, or the fault, of a text that arrives in pieces of these lengths, over and over.
fn scan(text: &[u8], pieces: &[usize], group_bytes: usize, limits: &Limits) -> Result<Rebuild, Fault> {
    let mut scanner = Scanner::new(group_bytes, limits);
    let mut sink = Rebuild::default();
    let mut rest = text;
    for &length in pieces.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at(length.min(rest.len()));
        scanner.feed(piece, &mut sink)?;
        rest = after;
    }
    scanner.finish(&mut sink)?;
    assert!(sink.open.is_empty());
    Ok(sink)
}

/// All that can be asked of one text.
fn examine(text: &[u8], pieces: &[usize], group_bytes: usize) {
    let limits = Limits::default();
    let whole = check(text, &limits);
    assert_eq!(whole.is_ok(), is_json(text), "{:?}", String::from_utf8_lossy(text));
    match (scan(text, pieces, group_bytes, &limits), whole) {
        (Ok(sink), Ok(())) => {
            assert_eq!(String::from_utf8_lossy(&sink.text), String::from_utf8_lossy(&strip(text)));
            assert!(sink.groups > 0 || sink.least_opened.is_some());
        }
        (Err(scanned), Err(checked)) => {
            let place = |fault: &Fault| (fault.kind, fault.position, fault.line, fault.column);
            assert_eq!(place(&scanned), place(&checked), "{:?}", String::from_utf8_lossy(text));
        }
        (scanned, checked) => panic!("{:?} against {checked:?}", scanned.map(|_| ())),
    }
}

fn white() -> impl Strategy<Value = String> {
    prop_oneof![4 => Just(String::new()), 1 => "[ \t\r\n]{1,3}"]
}

fn string() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[a-z ]{0,6}",
        1 => "[\u{7f}-\u{24f}\u{2028}\u{1f600}]",
        1 => r#"\\["\\/bfnrt]"#,
        1 => r"\\u[0-9a-fA-F]{4}",
        1 => "[a-z]{7,40}",
    ];
    prop::collection::vec(part, 0..4).prop_map(|parts| format!("\"{}\"", parts.concat()))
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        string(),
        r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?",
        prop::sample::select(vec!["true", "false", "null"]).prop_map(str::to_owned),
    ]
}

fn document() -> impl Strategy<Value = String> {
    let spaced = (white(), scalar(), white()).prop_map(|(before, value, after)| before + &value + &after);
    spaced.prop_recursive(6, 80, 8, |inner| {
        let member =
            (white(), string(), white(), inner.clone()).prop_map(|(a, key, b, value)| format!("{a}{key}{b}:{value}"));
        prop_oneof![
            (white(), prop::collection::vec(inner, 0..8)).prop_map(|(space, children)| match children.len() {
                0 => format!("{space}[{space}]{space}"),
                _ => format!("{space}[{}]{space}", children.join(",")),
            }),
            (white(), prop::collection::vec(member, 0..8)).prop_map(|(space, children)| match children.len() {
                0 => format!("{space}{{{space}}}{space}"),
                _ => format!("{space}{{{}}}{space}", children.join(",")),
            }),
        ]
    })
}

/// A byte that makes a difference to JSON.
fn telling() -> impl Strategy<Value = u8> {
    prop::sample::select(b"{}[]:,\"\\ue0123456789+-.trufalsn \n\r\t\x00\x1f\x7f\xc3\xa9\xff".to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn documents_are_told_whole(
        text in document(), pieces in prop::collection::vec(1usize..40, 1..5), group in 1usize..200,
    ) {
        prop_assert!(is_json(text.as_bytes()));
        examine(text.as_bytes(), &pieces, group);
    }

    #[test]
    fn damaged_documents_are_judged_alike(
        text in document(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), 0u8..3, telling()), 1..4),
        pieces in prop::collection::vec(1usize..40, 1..5),
        group in 1usize..200,
    ) {
        let mut text = text.into_bytes();
        for (place, how, byte) in damage {
            let at = place.index(text.len() + 1);
            match how {
                0 => text.insert(at, byte),
                1 if at < text.len() => text[at] = byte,
                2 if at < text.len() => { text.remove(at); }
                _ => text.truncate(at),
            }
        }
        examine(&text, &pieces, group);
    }

    #[test]
    fn any_bytes_are_judged_alike(
        text in prop::collection::vec(telling(), 0..24), piece in 1usize..5, group in 1usize..9,
    ) {
        examine(&text, &[piece], group);
    }
}

#[test]
fn every_cut_in_two_and_every_group_size() {
    let text = "  {\"a\\u00e9\\ud800\\n\": [1, -0.5e+10, true ,false,null,\"\u{e9}\u{1f600}\"], \"b\":{ \"c\":[[],{}, [ ]]} } \n";
    for cut in 1..text.len() {
        for group in [1, 2, 3, 5, 8, 13, 21, 34, 55, 89] {
            examine(text.as_bytes(), &[cut, text.len()], group);
            examine(text.as_bytes(), &[cut], group);
        }
    }
}

#[test]
fn small_documents_are_one_group_and_large_ones_are_opened() {
    let sink = scan(b" [1,2] ", &[100], 65_536, &Limits::default()).expect("is JSON");
    assert_eq!((sink.groups, sink.least_opened), (1, None));
    let large = format!("[{}]", vec!["{\"id\":12345678,\"name\":\"some name\"}"; 10_000].join(","));
    let sink = scan(large.as_bytes(), &[10_000], 65_536, &Limits::default()).expect("is JSON");
    assert_eq!(sink.groups, 6);
    assert!(sink.least_opened.is_some_and(|length| length > 65_536));
}

#[test]
fn opened_containers_have_at_least_a_group_of_text() {
    let inner = format!("[{}]", vec!["[1,2,3]"; 40].join(","));
    let text = format!("{{\"a\":1,\"b\":{inner},\"c\":[{}],\"d\":[]}}", [inner.as_str(); 9].join(","));
    for group in [10, 100, 300, 1000, 3000] {
        let sink = scan(text.as_bytes(), &[64], group, &Limits::default()).expect("is JSON");
        assert!(sink.least_opened.is_none_or(|length| length > group), "{group}: {:?}", sink.least_opened);
    }
}

#[test]
fn nesting_of_any_depth_takes_no_stack_and_linear_time() {
    let depth = 300_000;
    for (open, close) in [("[", "]"), ("{\"\":", "}"), ("[0,{\"a\":", "}]")] {
        let text = format!("{}1{}", open.repeat(depth), close.repeat(depth));
        assert_eq!(check(text.as_bytes(), &Limits::default()), Ok(()));
        let mut scanner = Scanner::new(65_536, &Limits::default());
        let mut sink = Sum::default();
        for piece in text.as_bytes().chunks(4096) {
            scanner.feed(piece, &mut sink).expect("is JSON");
        }
        scanner.finish(&mut sink).expect("is JSON");
        assert_eq!(sink.open, 0);
        assert_eq!(sink.bytes, text.len());
    }
}

#[test]
fn tokens_of_megabytes_in_small_pieces_take_linear_time() {
    let blank = " ".repeat(1_000_000);
    for text in [format!("\"{}\"", "x".repeat(1_000_000)), format!("[1{}]", "0".repeat(1_000_000)), blank + "1"] {
        let sink = scan(text.as_bytes(), &[7], 65_536, &Limits::default()).expect("is JSON");
        assert_eq!(sink.text.len(), strip(text.as_bytes()).len());
    }
}

/// The longest group.
#[derive(Default)]
struct Longest(usize);

impl Sink for Longest {
    fn open(&mut self, _kind: Container, _key: Option<&[u8]>) {}

    fn close(&mut self) {}

    fn group(&mut self, _within: Container, text: &[u8], _count: u32) {
        self.0 = self.0.max(text.len());
    }
}

#[test]
fn groups_and_the_buffer_have_little_white_space_however_much_there_is() {
    let white = " ".repeat(3_000_000);
    let text = format!("[1,{white}2,{white}{{{white}\"a\"{white}:{white}3{white}}}{white}]{white}");
    for piece in [100, 65_536, text.len()] {
        let (mut scanner, mut sink) = (Scanner::new(65_536, &Limits::default()), Longest::default());
        for piece in text.as_bytes().chunks(piece) {
            scanner.feed(piece, &mut sink).expect("is JSON");
            assert!(scanner.buffer.len() < 1_000_000);
        }
        scanner.finish(&mut sink).expect("is JSON");
        assert!(sink.0 < 1_000_000, "{}", sink.0);
    }
}

#[test]
fn limits_are_exact() {
    let text = br#"[{"a":1,"b":[{"a":2}]},{}]"#;
    let limits = |bytes, depth, keys| Limits { max_bytes: Some(bytes), max_depth: Some(depth), max_keys: Some(keys) };
    let kind = |limits: &Limits| {
        let whole = check(text, limits).err();
        assert_eq!(whole.as_ref().map(|fault| fault.position), scan(text, &[3], 4, limits).err().map(|f| f.position));
        whole.map(|fault| (fault.kind, fault.position))
    };
    assert_eq!(kind(&limits(26, 4, 3)), None);
    assert_eq!(kind(&limits(25, 4, 3)), Some((FaultKind::Bytes, 25)));
    assert_eq!(kind(&limits(26, 3, 3)), Some((FaultKind::Depth, 13)));
    assert_eq!(kind(&limits(26, 4, 2)), Some((FaultKind::Keys, 14)));
    assert_eq!(check(b"1", &limits(1, 0, 0)), Ok(()));
    assert_eq!(check(b"[]", &limits(2, 0, 0)).err().map(|fault| fault.kind), Some(FaultKind::Depth));
}
