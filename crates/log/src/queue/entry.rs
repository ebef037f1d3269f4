//! Lines of JSON, made of their parts.

use std::io::Write;

use chrono::DateTime;

/// How the time of a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timestamp {
    /// Milliseconds since 1970, as a number.
    Epoch,
    /// ISO 8601 in UTC down to milliseconds, as a text.
    Iso,
}

/// Members of the metadata that are told beside it too, if they are there.
const LIFTED: [&[u8]; 3] = [b"requestId", b"userId", b"service"];

/// What a line tells.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Milliseconds since 1970.
    pub time: f64,
    /// How that is written.
    pub timestamp: Timestamp,
    /// A word of letters.
    pub level: &'static str,
    /// Any text in UTF-8.
    pub message: &'a [u8],
    /// JSON without white space between its tokens, as `JSON.stringify` makes it.
    pub metadata: Option<&'a [u8]>,
    /// Which members of the metadata are to be told beside it too: 1 `requestId`, 2 `userId`, 4 `service`.
    pub lifts: u32,
    /// Further members: JSON, each with a comma before it.
    pub more: &'a [u8],
}

/// What a line tells, but for its texts, which are elsewhere one behind the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    time: f64,
    timestamp: Timestamp,
    level: &'static str,
    lifts: u32,
    message: usize,
    metadata: Option<usize>,
}

impl Head {
    /// With its texts.
    pub(crate) fn entry<'a>(&self, texts: &'a [u8]) -> Entry<'a> {
        let Self { time, timestamp, level, lifts, .. } = *self;
        let (message, rest) = texts.split_at(self.message);
        let (metadata, more) = rest.split_at(self.metadata.unwrap_or(0));
        Entry { time, timestamp, level, message, metadata: self.metadata.map(|_| metadata), lifts, more }
    }
}

impl Entry<'_> {
    pub(crate) fn head(&self) -> Head {
        let Self { time, timestamp, level, lifts, .. } = *self;
        Head { time, timestamp, level, lifts, message: self.message.len(), metadata: self.metadata.map(<[u8]>::len) }
    }

    /// As [`Head::entry`] wants them.
    pub(crate) fn texts(&self) -> [&[u8]; 3] {
        [self.message, self.metadata.unwrap_or_default(), self.more]
    }

    /// Appends the line with its line feed.
    pub fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(b"{\"timestamp\":");
        self.write_time(to);
        to.extend_from_slice(b",\"level\":\"");
        to.extend_from_slice(self.level.as_bytes());
        to.extend_from_slice(b"\",\"message\":\"");
        write_text(self.message, to);
        to.push(b'"');
        if let Some(metadata) = self.metadata {
            to.extend_from_slice(b",\"metadata\":");
            to.extend_from_slice(metadata);
            if self.lifts != 0 {
                write_lifted(metadata, self.lifts, to);
            }
        }
        to.extend_from_slice(self.more);
        to.extend_from_slice(b"}\n");
    }

    fn write_time(&self, to: &mut Vec<u8>) {
        let millis = self.time as i64;
        let iso = match self.timestamp {
            Timestamp::Epoch => None,
            Timestamp::Iso => DateTime::from_timestamp_millis(millis),
        };
        _ = match iso {
            Some(time) => write!(to, "\"{}\"", time.format("%Y-%m-%dT%H:%M:%S%.3fZ")),
            None => write!(to, "{millis}"),
        };
    }
}

/// A text without its quotes, escaped as `JSON.stringify` does it.
fn write_text(text: &[u8], to: &mut Vec<u8>) {
    let (mut plain, mut place) = (0, 0);
    while place < text.len() {
        if let Some(word) = text[place..].first_chunk()
            && !has_special(u64::from_ne_bytes(*word))
        {
            place += size_of::<u64>();
            continue;
        }
        let end = text.len().min(place + size_of::<u64>());
        while place < end {
            if is_special(text[place]) {
                to.extend_from_slice(&text[plain..place]);
                write_escaped(text[place], to);
                plain = place + 1;
            }
            place += 1;
        }
    }
    to.extend_from_slice(&text[plain..]);
}

fn is_special(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

/// Whether any of eight bytes is special. After "Bit Twiddling Hacks" of S. E. Anderson, "Determine if a word has a byte less
/// than n" and "has a zero byte".
fn has_special(word: u64) -> bool {
    const ONES: u64 = u64::MAX / 255;
    const TOPS: u64 = ONES << 7;
    let has_less = |word: u64, than: u8| word.wrapping_sub(ONES * u64::from(than)) & !word & TOPS;
    let has = |byte: u8| has_less(word ^ (ONES * u64::from(byte)), 1);
    (has_less(word, b' ') | has(b'"') | has(b'\\')) != 0
}

fn write_escaped(byte: u8, to: &mut Vec<u8>) {
    let short = match byte {
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        8 => b'b',
        12 => b'f',
        b'"' | b'\\' => byte,
        _ => {
            // Writing to memory does not fail.
            _ = write!(to, "\\u{byte:04x}");
            return;
        }
    };
    to.extend_from_slice(&[b'\\', short]);
}

fn write_lifted(metadata: &[u8], lifts: u32, to: &mut Vec<u8>) {
    let mut found: [&[u8]; LIFTED.len()] = [&[]; LIFTED.len()];
    let mut left = lifts;
    let mut members = Members::of(metadata);
    // They tend to be among the first: the others need not be looked at.
    while left != 0
        && let Some((name, value)) = members.next_member()
    {
        if let Some(place) = LIFTED.iter().position(|lifted| *lifted == name) {
            found[place] = value;
            left &= !(1 << place);
        }
    }
    for (name, value) in LIFTED.iter().zip(found).filter(|(_, value)| !value.is_empty()) {
        for part in [b",\"", *name, b"\":", value] {
            to.extend_from_slice(part);
        }
    }
}

/// Members of an object as it is written: their names without quotes, escaped as they are, and their values.
struct Members<'a> {
    rest: &'a [u8],
}

impl<'a> Members<'a> {
    /// Of what is no object there are none.
    fn of(json: &'a [u8]) -> Self {
        Self { rest: json.strip_prefix(b"{").unwrap_or_default() }
    }

    fn next_member(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        let name = self.rest.get(..string_end(self.rest)?)?;
        let after = self.rest.get(name.len()..)?.strip_prefix(b":")?;
        let value = after.get(..value_end(after)?)?;
        self.rest = after.get(value.len() + 1..).unwrap_or_default();
        Some((name.get(1..name.len() - 1)?, value))
    }
}

/// Where a string ends that begins here, its quotes included.
fn string_end(json: &[u8]) -> Option<usize> {
    let mut place = 1;
    loop {
        place += memchr::memchr2(b'"', b'\\', json.get(place..)?)?;
        if json[place] == b'"' {
            return Some(place + 1);
        }
        place += 2;
    }
}

/// Where a value ends that begins here.
fn value_end(json: &[u8]) -> Option<usize> {
    let (mut place, mut depth) = (0, 0);
    loop {
        match json.get(place)? {
            b'"' => {
                place += string_end(&json[place..])?;
                if depth == 0 {
                    return Some(place);
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' | b',' if depth == 0 => return Some(place),
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(place + 1);
                }
            }
            _ => {}
        }
        place += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::{Entry, Timestamp};

    const PLAIN: Entry = Entry {
        time: 1_795_707_723_071.0,
        timestamp: Timestamp::Epoch,
        level: "info",
        message: b"m",
        metadata: None,
        lifts: 7,
        more: b"",
    };

    fn line(entry: Entry) -> String {
        let mut line = Vec::new();
        entry.write(&mut line);
        String::from_utf8(line).expect("text")
    }

    #[test]
    fn members_are_in_the_order_of_the_original() {
        assert_eq!(line(PLAIN), "{\"timestamp\":1795707723071,\"level\":\"info\",\"message\":\"m\"}\n");
        let metadata = br#"{"service":"s","a":{"requestId":[1,"]"]},"userId":{"b":[1,2]},"requestId":"r\"}"}"#;
        let entry = Entry { timestamp: Timestamp::Iso, metadata: Some(metadata), more: b",\"x\":1", ..PLAIN };
        let lifted = r#""requestId":"r\"}","userId":{"b":[1,2]},"service":"s""#;
        let metadata = std::str::from_utf8(metadata).expect("text");
        assert_eq!(
            line(entry),
            format!(
                "{{\"timestamp\":\"2026-11-26T15:42:03.071Z\",\"level\":\"info\",\"message\":\"m\",\"metadata\":{metadata},{lifted},\"x\":1}}\n"
            )
        );
        let metadata = Some(&b"{\"userId\":1}"[..]);
        assert!(line(Entry { metadata, lifts: 0, ..PLAIN }).ends_with("{\"userId\":1}}\n"));
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        let name = prop_oneof!["requestId|userId|service", ".*"];
        leaf.prop_recursive(4, 40, 6, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                proptest::collection::btree_map(name.clone(), inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_line_is_json_with_all_that_it_was_made_of(message in "\\PC*|(?s).*", metadata in values(), time in 0_u64..1 << 53) {
            let text = metadata.to_string();
            let entry = Entry { time: time as f64, message: message.as_bytes(), metadata: Some(text.as_bytes()), ..PLAIN };
            let line = line(entry);
            prop_assert_eq!(line.find('\n'), Some(line.len() - 1));
            let mut expected = json!({ "timestamp": time, "level": "info", "message": message, "metadata": metadata });
            if let Value::Object(members) = &metadata {
                for name in ["requestId", "userId", "service"] {
                    if let Some(value) = members.get(name) {
                        expected[name] = value.clone();
                    }
                }
            }
            prop_assert_eq!(serde_json::from_str::<Value>(&line).expect("JSON"), expected);
        }

        /// What is no JSON gives some line, and no panic.
        #[test]
        fn any_bytes_are_borne(metadata in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut line = Vec::new();
            Entry { metadata: Some(&metadata), ..PLAIN }.write(&mut line);
            let mut braced = b"{\"".to_vec();
            braced.extend(metadata);
            Entry { metadata: Some(&braced), ..PLAIN }.write(&mut line);
        }
    }
}
