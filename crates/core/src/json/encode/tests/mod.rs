#![allow(clippy::unwrap_used)]

mod decode;
mod value;

use proptest::prelude::*;

use super::{Container, Encoder, Form, Group, Options};
use decode::decode;
use value::{Style, Value};

/// An encoder with the shapes that it told, checked at each group.
struct Checked {
    encoder: Encoder,
    shapes: Vec<serde_json::Value>,
    compiled: usize,
}

impl Checked {
    fn new(warm_up: usize) -> Self {
        Self { encoder: Encoder::new(&Options { warm_up }), shapes: Vec::new(), compiled: 0 }
    }

    fn encode(&mut self, within: Container, text: &[u8], count: u32) -> Option<Group> {
        let form = self.encoder.encode(within, text, count);
        for (id, signature) in self.encoder.new_shapes() {
            assert_eq!(id as usize, self.shapes.len());
            self.shapes.push(serde_json::from_str(&signature).unwrap());
        }
        let Form::Compiled(group) = form else { return None };
        assert!(group.ints.len() <= text.len() + 2 * count as usize + 16);
        self.compiled += 1;
        Some(group)
    }

    /// Encodes the children of an array, and checks what JavaScript would make of them.
    fn array(&mut self, text: &str) -> Option<Group> {
        let expected: Vec<Value> = serde_json::from_str(&format!("[{text}]")).unwrap();
        let count = expected.len() as u32;
        let group = self.encode(Container::Array, text.as_bytes(), count)?;
        let rows: Vec<_> = decode(&self.shapes, &group, count, false).into_iter().map(|(_, value)| value).collect();
        assert_eq!(rows, expected);
        Some(group)
    }

    /// The same for the members of an object.
    fn object(&mut self, text: &str) -> Option<Group> {
        let Value::Object(expected) = serde_json::from_str(&format!("{{{text}}}")).unwrap() else { unreachable!() };
        let count = expected.len() as u32;
        let group = self.encode(Container::Object, text.as_bytes(), count)?;
        let members: Vec<_> =
            decode(&self.shapes, &group, count, true).into_iter().map(|(name, value)| (name.unwrap(), value)).collect();
        assert_eq!(members, expected);
        Some(group)
    }

    fn signature(&self, id: i32) -> String {
        self.shapes[id as usize].to_string()
    }
}

/// The signature of the first row.
fn signature(text: &str) -> String {
    let mut checked = Checked::new(0);
    let group = checked.array(text).unwrap();
    checked.signature(group.ints[1])
}

#[test]
fn kinds_are_the_narrowest_that_fit() {
    assert_eq!(signature("1,-7,2147483647"), r#""i""#);
    assert_eq!(signature("1.5,-0"), r#""f""#);
    assert_eq!(signature("-0"), r#""f""#);
    assert_eq!(signature("2147483648"), r#""f""#);
    assert_eq!(signature(r#""a",null,true"#), r#""a""#);
    assert_eq!(signature("[1,2]"), r#"{"t":["i","i"]}"#);
    assert_eq!(signature("[1.5,2,3,4,5]"), r#"{"l":"f"}"#);
    assert_eq!(signature("[[1,2.5],[1,2]]"), r#"{"t":[{"t":["i","f"]},{"t":["i","i"]}]}"#);
    assert_eq!(
        signature(r#"{"a":1,"b":"x","c":null,"d":false,"e":{"f":[1,"x",2,3,4]}}"#),
        r#"{"o":[["a","i"],["b","s"],["c","n"],["d","b"],["e",{"o":[["f",{"l":"a"}]]}]]}"#
    );
    assert_eq!(signature(r#"{"items":[{"a":1}]}"#), r#"{"o":[["items","r"]]}"#);
}

#[test]
fn rows_that_do_not_fit_widen_their_shape() {
    let mut checked = Checked::new(0);
    let group = checked.array(r#"{"a":1},{"a":2},{"a":2.5},{"a":3},{"a":null},{"b":1}"#).unwrap();
    assert_eq!(group.ints, [0, 1, 2, 1, 2, 2, 2, 3, 1, -2, 4, 1, 1]);
    assert_eq!(group.doubles, [2.5, 3.0]);
    assert_eq!(checked.signature(2), r#"{"o":[["a","f"]]}"#);
    assert_eq!(checked.signature(3), r#"{"o":[["a","a"]]}"#);
    assert_eq!(checked.array(r#"{"a":1}"#).unwrap().ints, [0, 3, 1, -5, 1]);
}

#[test]
fn short_latin1_is_text_and_the_rest_is_raw() {
    let mut checked = Checked::new(0);
    let twelve = "ÿ".repeat(12);
    let short = format!(r#""abc","twelve chars","é","{twelve}","""#);
    let group = checked.array(&short).unwrap();
    assert_eq!(group.ints, [0, 0, 5, 3, 12, 1, 12, 0]);
    assert!(group.raw.is_empty());
    let long = format!(r#""thirteen char","{twelve}ÿ","Ā","\n","😀""#);
    let group = checked.array(&long).unwrap();
    assert_eq!(group.ints, [0, 0, 5, -1, -1, -1, -1, -1]);
    assert_eq!(group.raw, format!("[{long}]").as_bytes());
    assert!(group.text.is_empty());
}

#[test]
fn strings_that_come_again_are_words() {
    let mut checked = Checked::new(0);
    let group = checked.array(r#""DE","DE","DE","x","x","x","\n","\n","\n","DE""#).unwrap();
    assert_eq!(group.ints, [2, 0, 10, 2, 2, -16, 1, 1, 1, -1, -1, -17, -16]);
    assert_eq!(group.raw, br#"["DE","\n","\n","\n"]"#);
    let group = checked.object(r#""a":"DE","b":"DE","c":"DE""#).unwrap();
    assert_eq!(group.ints, [1, 0, 3, 2, 2, -19]);
    assert_eq!(group.raw, br#"["a","b","c","DE"]"#);
}

#[test]
fn objects_that_no_literal_can_make_are_raw() {
    let mut checked = Checked::new(0);
    let good = r#"{"x":1},{"x":2},{"x":3},{"x":4},{"x":5},{"x":6},{"x":7}"#;
    for odd in [r#"{"a":1,"a":2}"#, r#"{"a":1,"\u0061":2}"#] {
        let group = checked.array(&format!("{good},{odd}")).unwrap();
        assert_eq!(group.raw, format!("[{odd}]").as_bytes());
    }
    let many: Vec<_> = (0..65).map(|at| format!(r#""k{at}":{at}"#)).collect();
    assert_eq!(checked.array(&format!("{{{}}}", many.join(","))), None);
    assert!(checked.array(&format!("{{{}}}", many[..64].join(","))).is_some());
}

#[test]
fn members_of_an_object_have_their_names_in_raw() {
    let mut checked = Checked::new(0);
    let group = checked.object(r#""a" : {"x":"a long long long string"}, "b\u0062":{"x":"s"}"#).unwrap();
    assert_eq!(group.raw, br#"["a","b\u0062","a long long long string"]"#);
}

#[test]
fn rows_are_text_until_their_shape_pays() {
    let mut checked = Checked::new(1000);
    let row = r#"{"a":1,"b":"text","c":[1,2,3]}"#;
    assert_eq!(checked.array(&[row; 10].join(",")), None);
    assert_eq!(checked.array(&[row; 10].join(",")), None);
    assert_eq!(checked.array(&[row; 50].join(",")).unwrap().ints[1..5], [0, 21, -1, -1]);
    assert_eq!(checked.shapes.len(), 2);
    assert_eq!(checked.array(&[row; 10].join(",")).unwrap().ints[..3], [1, 1, 10]);
}

#[test]
fn objects_with_many_sets_of_members_are_a_family() {
    let mut checked = Checked::new(100);
    let row = |at: usize| {
        let optional = ["a", "b", "c", "d", "e"].into_iter().enumerate().filter(|(bit, _)| at >> bit & 1 == 1);
        let members: Vec<_> = optional.map(|(bit, key)| format!(r#","{key}":{bit}"#)).collect();
        let last = if at.is_multiple_of(7) { r#","z":"last","b":[]"# } else { "" };
        format!(r#"{{"id":{at}{}{last}}}"#, members.concat())
    };
    for group in (0..200).map(row).collect::<Vec<_>>().chunks(40) {
        checked.array(&group.join(","));
    }
    let group = checked.array(&(0..40).map(row).collect::<Vec<_>>().join(",")).unwrap();
    let family = checked.signature(group.ints[1]);
    assert_eq!(group.ints[2], 40);
    assert!(family.starts_with(r#"{"m":[["id","i",0],["a","i",1],"#), "{family}");
    assert!(checked.shapes.len() < 24, "{}", checked.shapes.len());
}

/// Rows of a family with `optional` members, of which row `at` has those whose bits `present` tells.
fn relatives(optional: usize, rows: usize, present: impl Fn(usize) -> u64) -> Vec<String> {
    let row = |at: usize| {
        let bits = (0..optional).filter(|bit| present(at) >> bit & 1 == 1);
        let members: Vec<_> = bits.map(|bit| format!(r#","o{bit}":{bit}"#)).collect();
        format!(r#"{{"id":{at}{}}}"#, members.concat())
    };
    (0..rows).map(row).collect()
}

#[test]
fn families_of_too_many_combinations_are_text() {
    let scatter = |at: usize| (at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    // Few members in all combinations, many members in few, many in many.
    for (optional, combinations, is_compiled) in [(12, 4000, true), (50, 40, true), (20, 4000, false)] {
        let mut checked = Checked::new(100);
        let rows = relatives(optional, 4000, |at| scatter(at % combinations));
        let forms: Vec<_> = rows.chunks(400).map(|group| checked.array(&group.join(",")).is_some()).collect();
        assert_eq!(forms.last(), Some(&is_compiled), "{optional} members in {combinations} combinations");
    }
}

/// Rows that contradict the order found so far again and again once had it sorted for each.
#[test]
fn families_that_never_come_to_an_order_are_closed() {
    let mut checked = Checked::new(0);
    let mut rows: Vec<_> = (0..60).map(|at| format!(r#"{{"id":1,"x{at}":1}}"#)).collect();
    for round in 0..20 {
        rows.extend((0..59).rev().map(|at| format!(r#"{{"id":1,"x{}":1,"x{at}":1}}"#, (at + round) % 60)));
    }
    for group in rows.chunks(100) {
        checked.array(&group.join(","));
    }
    assert!(checked.encoder.schema.families.iter().all(|family| family.closed));
}

#[test]
fn signatures_are_bounded_by_the_code_that_they_make() {
    let any = (0..60).map(|at| format!(r#""k{at}":[1,"a",null,true]"#)).collect::<Vec<_>>().join(",");
    let other = any.replace("1,\"a\",null,true", "true,1,\"a\",null");
    let (mut checked, pair) = (Checked::new(0), format!("{{{any}}},{{{other}}}"));
    checked.array(&[pair.as_str(); 20].join(","));
    assert!(checked.shapes.iter().all(|shape| shape.to_string().matches("\"a\"").count() < 90));
    let names: Vec<_> = (0..60).map(|at| format!(r#""{}{at}":1"#, "name".repeat(20))).collect();
    let row = format!("{{{}}}", names.join(","));
    assert_eq!(Checked::new(0).array(&[row.as_str(); 20].join(",")), None);
}

#[test]
fn kinds_that_change_all_the_time_come_to_rest() {
    let mut checked = Checked::new(10);
    let row = |at: usize| {
        let member = |key: usize| format!(r#""k{key}":{}"#, if at / 8 == key { "null" } else { "1" });
        format!("{{{}}}", (0..30).map(member).collect::<Vec<_>>().join(","))
    };
    checked.array(&(0..40).map(row).collect::<Vec<_>>().join(","));
    let group = checked.array(&(40..250).map(row).collect::<Vec<_>>().join(",")).unwrap();
    assert_eq!(group.ints[2], 210);
    assert!(checked.shapes.len() < 8);
}

#[test]
fn odd_documents_make_few_shapes() {
    let mut checked = Checked::new(0);
    let texts: Vec<_> = (0..20_000).map(|at| format!(r#"{{"k{at}":1,"l{at}":[{at}]}}"#)).collect();
    for group in texts.chunks(1000) {
        checked.array(&group.join(","));
    }
    assert!(checked.shapes.len() <= 64);
    let mut nested = "[".repeat(20_000);
    nested.push_str(&"]".repeat(20_000));
    assert_eq!(checked.encode(Container::Array, nested.as_bytes(), 1), None);
}

#[test]
fn lone_surrogates_and_huge_numbers() {
    let mut checked = Checked::new(0);
    let text = b"{\"\xed\xa0\x80\":1e999,\"\\udc00\\u00e9\":\"\xed\xb0\x80\"}";
    let Form::Compiled(group) = checked.encoder.encode(Container::Array, text, 1) else { panic!("is compiled") };
    assert_eq!(group.doubles, [f64::INFINITY]);
    assert_eq!(group.raw, b"[\"\xed\xb0\x80\"]");
    assert_eq!(checked.encoder.schema.signatures[1], "{\"o\":[[\"\\ud800\",\"f\"],[\"\\udc00é\",\"s\"]]}");
}

/// A kind that widened on the way to the fault once kept its shape, whose rows were misread from then on.
#[test]
fn text_that_is_no_json_leaves_shapes_as_they_are() {
    let mut checked = Checked::new(0);
    checked.array(r#"{"a":true},[true],7"#).unwrap();
    for fault in [r#"{"a":/"#, r#"{"a":1,"#, "[/]", "[1,/]", "7.5.5", "{\"a\":{\"a\":/"] {
        checked.encode(Container::Array, fault.as_bytes(), 1);
        checked.array(r#"{"a":true},[true],7"#).unwrap();
    }
}

#[test]
fn text_that_is_no_json_does_no_harm() {
    let mut checked = Checked::new(0);
    for text in ["", "[", "{", "{\"a", "{\"a\\", "[1", "1,", "tru", "\"\\", "-", "{\"a\":1,", "[[[[}", "]", "{]}", "\0"]
    {
        for within in [Container::Array, Container::Object] {
            for count in 0..3 {
                checked.encoder.encode(within, text.as_bytes(), count);
            }
        }
    }
}

fn numbers() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<i32>().prop_map(f64::from),
        (-99_i32..1000).prop_map(f64::from),
        any::<f64>().prop_filter("finite", |value| value.is_finite()),
        (any::<i32>(), 0_i32..9).prop_map(|(digits, decimals)| f64::from(digits) / 10_f64.powi(decimals)),
        Just(-0.0),
    ]
}

fn strings() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ab]{0,2}",
        Just("again and again, and never short".to_owned()),
        "[a-z]{0,15}",
        "[a-zéÿĀ\u{1f600}\"\\\\\n]{0,14}",
        Just("twelve chars".to_owned())
    ]
}

fn keys() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-d]", 1 => "[0-9é\"\u{1f600}]{0,2}", 1 => Just("__proto__".to_owned())]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        numbers().prop_map(Value::Number),
        strings().prop_map(Value::String),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::vec((keys(), inner), 0..6).prop_map(Value::Object),
        ]
    })
}

/// Rows with the same members again and again, of which some change their value and some are left out.
fn records() -> impl Strategy<Value = Vec<Value>> {
    let templates = prop::collection::vec(values(), 1..4);
    let changes =
        prop::collection::vec((any::<prop::sample::Index>(), prop::option::of((0_usize..6, values()))), 1..40);
    (templates, changes).prop_map(|(templates, changes)| {
        let row = |(index, change): (prop::sample::Index, Option<(usize, Value)>)| {
            let mut value = index.get(&templates).clone();
            match (&mut value, change) {
                (Value::Object(members), Some((at, change))) if at < members.len() => members[at].1 = change,
                (Value::Object(members), Some((at, _))) if !members.is_empty() => {
                    members.remove(at % members.len());
                }
                (Value::Array(elements), Some((at, change))) if at < elements.len() => elements[at] = change,
                _ => {}
            }
            value
        };
        changes.into_iter().map(row).collect()
    })
}

proptest! {
    #[test]
    fn what_is_decoded_is_what_was_encoded(
        groups in prop::collection::vec(records(), 1..4),
        choices in prop::collection::vec(any::<u8>(), 0..50),
        warm_up in prop_oneof![Just(0_usize), Just(100)],
    ) {
        let mut checked = Checked::new(warm_up);
        let mut style = Style { choices: &choices, at: 0 };
        for rows in groups {
            let mut text = String::new();
            for (at, row) in rows.iter().enumerate() {
                text.push_str(if at == 0 { "" } else { "," });
                style.write(row, &mut text);
            }
            checked.array(&text);
            let mut text = String::new();
            style.write(&Value::Object(rows.into_iter().enumerate().map(|(at, row)| (format!("k{at}"), row)).collect()), &mut text);
            let text = text.trim();
            checked.object(&text[1..text.len() - 1]);
        }
    }

    #[test]
    fn numbers_are_javascripts(value in numbers(), choices in prop::collection::vec(any::<u8>(), 0..3)) {
        let mut text = String::new();
        Style { choices: &choices, at: 0 }.write(&Value::Number(value), &mut text);
        let text = text.trim().as_bytes();
        prop_assert_eq!(super::number::double(text).unwrap().to_bits(), value.to_bits());
        if let Some(int) = super::number::int(text) {
            prop_assert_eq!(f64::from(int).to_bits(), value.to_bits());
        }
    }

    #[test]
    fn any_bytes_do_no_harm(text in prop::collection::vec(prop::sample::select(&b"[]{},:\"\\u0a1.-en tr\xed\xa0"[..]), 0..60), count in 0_u32..4) {
        let mut encoder = Encoder::new(&Options { warm_up: 0 });
        encoder.encode(Container::Array, &text, count);
        encoder.encode(Container::Object, &text, count);
    }
}
