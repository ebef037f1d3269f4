//! The plainest model of a document: the tree that its text is written from.

use std::ops::Range;

use proptest::prelude::*;
use proptest::sample::select;

/// A value with its text yet to be written.
#[derive(Clone, Debug)]
pub(super) enum Tree {
    /// What it is, as text.
    Scalar(String),
    Array(Vec<Tree>),
    Object(Vec<(Name, Tree)>),
}

/// UTF-16 units, and which of them are written as escapes.
#[derive(Clone, Debug)]
pub(super) struct Name(Vec<u16>, u32);

/// A written value.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) text: Range<usize>,
    pub(super) children: Children,
}

#[derive(Debug)]
pub(super) enum Children {
    None,
    Array(Vec<Node>),
    /// The units of the names, and the values.
    Object(Vec<(Vec<u16>, Node)>),
}

/// Writes trees, with white space by turns.
pub(super) struct Writer {
    text: Vec<u8>,
    spaces: u64,
}

impl Writer {
    fn space(&mut self) {
        self.spaces = self.spaces.rotate_left(1);
        if self.spaces & 1 == 1 {
            self.text.push(b" \n\r\t"[self.spaces as usize >> 1 & 3]);
        }
    }

    fn token(&mut self, Name(units, escapes): &Name) {
        self.text.push(b'"');
        // Escapes are by whole characters, so that the rest is text that can be written.
        for (place, unit) in char::decode_utf16(units.iter().copied()).enumerate() {
            let escape = escapes >> (place % 32) & 1 == 1;
            match unit {
                Ok(char) if !escape && char >= ' ' && char != '"' && char != '\\' => {
                    self.text.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                }
                Ok(char) => {
                    for unit in char.encode_utf16(&mut [0; 2]) {
                        self.text.extend_from_slice(format!("\\u{unit:04X}").as_bytes());
                    }
                }
                Err(lone) if escape => {
                    self.text.extend_from_slice(format!("\\u{:04x}", lone.unpaired_surrogate()).as_bytes());
                }
                Err(lone) => {
                    let unit = lone.unpaired_surrogate();
                    self.text.extend([0xed, 0x80 | (unit >> 6 & 0x3f) as u8, 0x80 | (unit & 0x3f) as u8]);
                }
            }
        }
        self.text.push(b'"');
    }

    fn comma(&mut self, place: usize) {
        self.space();
        if place > 0 {
            self.text.push(b',');
            self.space();
        }
    }

    fn write(&mut self, tree: &Tree) -> Node {
        let start = self.text.len();
        let children = match tree {
            Tree::Scalar(text) => {
                self.text.extend_from_slice(text.as_bytes());
                Children::None
            }
            Tree::Array(elements) => {
                self.text.push(b'[');
                let mut nodes = Vec::new();
                for (place, element) in elements.iter().enumerate() {
                    self.comma(place);
                    nodes.push(self.write(element));
                }
                self.space();
                self.text.push(b']');
                Children::Array(nodes)
            }
            Tree::Object(members) => {
                self.text.push(b'{');
                let mut nodes = Vec::new();
                for (place, (name, value)) in members.iter().enumerate() {
                    self.comma(place);
                    self.token(name);
                    self.space();
                    self.text.push(b':');
                    self.space();
                    nodes.push((name.0.clone(), self.write(value)));
                }
                self.space();
                self.text.push(b'}');
                Children::Object(nodes)
            }
        };
        Node { text: start..self.text.len(), children }
    }
}

/// A member as the model has it: the units of its name, and its value.
pub(super) type ModelMember<'a> = (&'a [u16], &'a Node);

impl Node {
    pub(super) fn child(&self, name: &[u16]) -> Option<&Self> {
        match &self.children {
            Children::None => None,
            Children::Array(nodes) => {
                nodes.iter().enumerate().find(|(at, _)| units(&at.to_string()) == name).map(|it| it.1)
            }
            Children::Object(members) => members.iter().rev().find(|member| member.0 == name).map(|it| &it.1),
        }
    }

    /// As JavaScript orders them.
    pub(super) fn members(&self) -> Option<Vec<ModelMember<'_>>> {
        let Children::Object(all) = &self.children else { return None };
        let mut names: Vec<ModelMember<'_>> = Vec::new();
        for (name, node) in all {
            match names.iter_mut().find(|it| it.0 == name) {
                Some(known) => known.1 = node,
                None => names.push((name, node)),
            }
        }
        let number = |name: &[u16]| {
            let text = String::from_utf16_lossy(name);
            let number = text.parse::<u32>().ok().filter(|number| *number < u32::MAX && number.to_string() == text);
            number.map_or(u64::MAX, u64::from)
        };
        names.sort_by_key(|member| number(member.0));
        Some(names)
    }

    pub(super) fn length(&self) -> Option<usize> {
        match &self.children {
            Children::None => None,
            Children::Array(nodes) => Some(nodes.len()),
            Children::Object(_) => self.members().map(|members| members.len()),
        }
    }

    /// The values of a column, `None` for a missing one.
    pub(super) fn column<'a>(&'a self, pattern: &[Option<Vec<u16>>], out: &mut Vec<Option<&'a Self>>) {
        let star = pattern.iter().position(Option::is_none);
        let mut node = Some(self);
        for name in &pattern[..star.unwrap_or(pattern.len())] {
            node = node.and_then(|node| node.child(name.as_deref().unwrap_or_default()));
        }
        match (star, node) {
            (None, node) => out.push(node),
            (Some(_), None) => {}
            (Some(star), Some(Self { children: Children::Array(nodes), .. })) => {
                nodes.iter().for_each(|node| node.column(&pattern[star + 1..], out));
            }
            (Some(star), Some(node)) => {
                let members = node.members().unwrap_or_default();
                members.iter().for_each(|member| member.1.column(&pattern[star + 1..], out));
            }
        }
    }
}

pub(super) fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

pub(super) fn written(path: &[Vec<u16>]) -> Vec<u16> {
    let mut out = Vec::new();
    for name in path {
        out.push(u16::from(b'/'));
        for unit in name {
            match *unit {
                0x7e => out.extend(units("~0")),
                0x2f => out.extend(units("~1")),
                unit => out.push(unit),
            }
        }
    }
    out
}

pub(super) fn name() -> impl Strategy<Value = Vec<u16>> {
    let odd = vec!["", "a", "b", "a\"", "a\\", "é", "~", "/", "~1", "*", "-", "01", "__proto__", "a\u{0}", "😀", "\n"];
    let lone = vec![vec![0xd83d], vec![0xde00], vec![0xde00, 0xd83d], vec![0xd83d, 0xd83d, 0xde00]];
    prop_oneof![
        4 => select(odd).prop_map(units),
        4 => (0_u32..60).prop_map(|number| units(&number.to_string())),
        4 => (0_u32..60).prop_map(|number| units(&format!("k{number}"))),
        1 => select(vec!["4294967294", "4294967295", "4294967296", "99999999999999999999"]).prop_map(units),
        1 => select(lone),
    ]
}

pub(super) fn tree() -> impl Strategy<Value = Tree> {
    let text = "[a-z]{0,8}".prop_map(|text| format!("\"{text}\""));
    let long = (0_usize..400).prop_map(|length| format!("\"{}\\\"\\\\\"", "[,{".repeat(length / 3)));
    let other = select(vec!["null", "true", "false", "0", "-0", "1e999", "12.5", "[]", "{}", "[ ]", "{\n}"]);
    let scalar = prop_oneof![3 => text, 1 => long, 3 => other.prop_map(str::to_owned)].prop_map(|text| match &*text {
        "[]" | "[ ]" => Tree::Array(Vec::new()),
        "{}" | "{\n}" => Tree::Object(Vec::new()),
        _ => Tree::Scalar(text),
    });
    scalar.prop_recursive(5, 400, 70, |inner| {
        let name = (name(), any::<u32>()).prop_map(|(name, escapes)| Name(name, escapes));
        let member = (name, inner.clone()).boxed();
        let record = prop::collection::vec(inner.clone(), 1..4).prop_map(|values| {
            let names = ["a", "b", "k1"].map(|name| Name(units(name), 0));
            Tree::Object(names.into_iter().zip(values).collect())
        });
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..70).prop_map(Tree::Array),
            prop::collection::vec(record, 0..70).prop_map(Tree::Array),
            prop::collection::vec(member.clone(), 0..6).prop_map(Tree::Object),
            prop::collection::vec(member, 0..90).prop_map(Tree::Object),
        ]
    })
}

pub(super) fn write(tree: &Tree, spaces: u64) -> (Vec<u8>, Node) {
    let mut writer = Writer { text: Vec::new(), spaces };
    writer.space();
    let root = writer.write(tree);
    writer.space();
    (writer.text, root)
}

pub(super) fn pattern() -> impl Strategy<Value = Vec<Option<Vec<u16>>>> {
    let star = units("*");
    let part = prop_oneof![
        3 => Just(None),
        1 => name().prop_filter_map("a star", move |name| (name != star).then_some(Some(name))),
        2 => select(vec!["a", "b", "0", "1"]).prop_map(|name| Some(units(name))),
    ];
    prop::collection::vec(part, 0..4)
}
