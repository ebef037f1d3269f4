//! Lines of the log against serde_json: whatever they are made of, each is one line of JSON that has all of it. Metadata is any
//! JSON, or bytes that are none, of which a line must be made all the same.

#![no_main]

use arbitrary::Arbitrary;
use keelson_log::{Entry, Timestamp};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};

#[derive(Arbitrary, Debug)]
enum Json {
    Null,
    Flag(bool),
    Number(i64),
    Text(String),
    List(Vec<Json>),
    Members(Vec<(Name, Json)>),
}

#[derive(Arbitrary, Debug)]
enum Name {
    RequestId,
    UserId,
    Service,
    Other(String),
}

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    message: String,
    metadata: Option<Json>,
    lifts: bool,
    bytes: &'a [u8],
}

/// Deeper than that serde_json reads nothing.
const DEPTH: usize = 100;

fn value(json: Json, depth: usize) -> Value {
    match json {
        Json::Flag(flag) => flag.into(),
        Json::Number(number) => number.into(),
        Json::Text(text) => text.into(),
        Json::List(items) if depth > 0 => items.into_iter().map(|item| value(item, depth - 1)).collect(),
        Json::Members(members) if depth > 0 => {
            let members = members.into_iter().map(|(name, json)| (text(name), value(json, depth - 1)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        _ => Value::Null,
    }
}

fn text(name: Name) -> String {
    match name {
        Name::RequestId => "requestId".to_owned(),
        Name::UserId => "userId".to_owned(),
        Name::Service => "service".to_owned(),
        Name::Other(name) => name,
    }
}

fuzz_target!(|input: Input| {
    let Input { message, metadata, lifts, bytes } = input;
    let metadata = metadata.map(|metadata| value(metadata, DEPTH));
    let json = metadata.as_ref().map(Value::to_string);
    let entry = Entry {
        time: 1.0,
        timestamp: Timestamp::Epoch,
        level: "info",
        message: message.as_bytes(),
        metadata: json.as_deref().map(str::as_bytes),
        lifts: if lifts { 7 } else { 0 },
        more: b"",
    };
    let mut line = Vec::new();
    entry.write(&mut line);
    assert_eq!(line.iter().position(|&byte| byte == b'\n'), Some(line.len() - 1));
    let found: Value = serde_json::from_slice(&line).expect("JSON");
    let mut expected = json!({ "timestamp": 1, "level": "info", "message": message });
    if let Some(metadata) = metadata {
        for name in ["requestId", "userId", "service"].into_iter().filter(|_| lifts) {
            if let Some(value) = metadata.get(name) {
                expected[name] = value.clone();
            }
        }
        expected["metadata"] = metadata;
    }
    assert_eq!(found, expected);
    Entry { metadata: Some(bytes), ..entry }.write(&mut line);
});
