//! Documents that stay text against the values that serde_json makes of the same text: whatever is asked by pointer,
//! as names, lengths and columns, the answers are the same.

#![no_main]

use std::ops::Range;

use arbitrary::Arbitrary;
use keelson_core::json::Limits;
use keelson_core::json::document::{Column, Document, Pointer, unescape};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

#[derive(Arbitrary, Debug)]
struct Plan<'a> {
    pointer: &'a str,
    limit: u8,
    text: &'a str,
}

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

fn value_at(document: &Document, range: Range<usize>) -> Value {
    serde_json::from_slice(&document.text()[range]).expect("a slice of a document is JSON")
}

/// As JavaScript orders them.
fn names(members: &serde_json::Map<String, Value>) -> Vec<&String> {
    let mut names: Vec<_> = members.keys().collect();
    names.sort_by_key(|name| match name.parse::<u32>() {
        Ok(number) if number < u32::MAX && number.to_string() == **name => u64::from(number),
        _ => u64::MAX,
    });
    names
}

fn compare(document: &Document, path: &str, value: &Value) {
    let pointer = Pointer::parse(&units(path)).expect("a path of escaped names is a pointer");
    let range = document.locate(&pointer).expect("what is in the value is in the text");
    assert_eq!(document.end(range.start), range.end);
    assert_eq!(value_at(document, range.clone()), *value, "at {path}");
    match value {
        Value::Array(elements) => {
            assert_eq!(document.length(&range), Some(elements.len()));
            for (index, element) in elements.iter().enumerate() {
                compare(document, &format!("{path}/{index}"), element);
            }
        }
        Value::Object(members) => {
            assert_eq!(document.length(&range), Some(members.len()));
            let told = document.members(&range).expect("an object has members");
            let told: Vec<_> = told.iter().map(|member| unescape(&document.text()[member.name.clone()])).collect();
            let due: Vec<_> = names(members).into_iter().map(|name| name.as_bytes()).collect();
            assert_eq!(told, due);
            for (name, member) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                compare(document, &format!("{path}/{name}"), member);
            }
        }
        _ => assert_eq!(document.length(&range), None),
    }
}

/// What a column of `path` is, whose segments `*` are stars.
fn column<'a>(value: Option<&'a Value>, path: &[&str], out: &mut Vec<Option<&'a Value>>) {
    let Some((first, rest)) = path.split_first() else { return out.push(value) };
    match (value, *first) {
        (Some(Value::Array(elements)), "*") => elements.iter().for_each(|child| column(Some(child), rest, out)),
        (Some(Value::Object(members)), "*") => {
            names(members).into_iter().for_each(|name| column(members.get(name), rest, out));
        }
        (_, "*") => {}
        (value, name) => column(value.and_then(|value| value.pointer(&format!("/{name}"))), rest, out),
    }
}

fn compare_column(document: &Document, pattern: &str, limit: usize, root: &Value) {
    let mut walk = Column::parse(&units(pattern)).expect("a pointer is a pattern");
    let mut told = Vec::new();
    loop {
        let mut out = vec![b'['];
        let count = walk.next(document, limit, &mut out);
        out.push(b']');
        let values: Vec<Value> = serde_json::from_slice(&out).expect("a portion of a column is JSON");
        assert_eq!(values.len(), count as usize);
        if count == 0 {
            break;
        }
        told.extend(values);
    }
    let path: Vec<_> = pattern.split('/').skip(1).collect();
    let mut due = Vec::new();
    column(Some(root), &path, &mut due);
    assert_eq!(told, due.into_iter().map(|value| value.cloned().unwrap_or_default()).collect::<Vec<_>>());
}

fuzz_target!(|plan: Plan<'_>| {
    let Ok(root) = serde_json::from_str::<Value>(plan.text) else { return };
    let document = Document::new(plan.text.into(), &Limits::default()).expect("what serde_json takes is JSON");
    compare(&document, "", &root);
    if let Ok(pointer) = Pointer::parse(&units(plan.pointer)) {
        let found = document.locate(&pointer).map(|range| value_at(&document, range));
        assert_eq!(found.as_ref(), root.pointer(plan.pointer), "at {}", plan.pointer);
        compare_column(&document, plan.pointer, plan.limit.into(), &root);
    }
});
