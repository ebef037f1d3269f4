//! Reads groups as the generated functions do, in the plainest way.

use serde_json::Value as Signature;

use super::Group;
use super::value::Value;

pub struct Decoder<'a> {
    shapes: &'a [Signature],
    group: &'a Group,
    /// All of `raw`, for the words.
    words: Vec<Value>,
    raw: std::vec::IntoIter<Value>,
    ints: usize,
    doubles: usize,
    text: usize,
}

/// The rows of a group, with their names where there are such.
pub fn decode(shapes: &[Signature], group: &Group, count: u32, named: bool) -> Vec<(Option<String>, Value)> {
    let raw: Vec<Value> = match &*group.raw {
        [] => Vec::new(),
        text => serde_json::from_slice(text).expect("raw is an array"),
    };
    let words = raw.clone();
    let mut decoder = Decoder { shapes, group, words, raw: raw.into_iter(), ints: 0, doubles: 0, text: 0 };
    let names: Vec<_> = (0..count).map(|_| named.then(|| decoder.name())).collect();
    for _ in 0..decoder.count() {
        decoder.name();
    }
    let rows = decoder.rows(count as usize);
    assert_eq!(decoder.ints, group.ints.len());
    assert_eq!(decoder.doubles, group.doubles.len());
    assert_eq!(decoder.text, group.text.len());
    assert_eq!(decoder.raw.len(), 0);
    names.into_iter().zip(rows).collect()
}

impl Decoder<'_> {
    fn name(&mut self) -> String {
        match self.raw.next() {
            Some(Value::String(name)) => name,
            other => panic!("{other:?} is no name"),
        }
    }

    fn int(&mut self) -> i32 {
        self.ints += 1;
        self.group.ints[self.ints - 1]
    }

    fn count(&mut self) -> usize {
        usize::try_from(self.int()).expect("counts are not negative")
    }

    fn double(&mut self) -> Value {
        self.doubles += 1;
        Value::Number(self.group.doubles[self.doubles - 1])
    }

    fn rows(&mut self, count: usize) -> Vec<Value> {
        let mut rows = Vec::new();
        while rows.len() < count {
            let shape = &self.shapes[self.count()];
            let length = self.count();
            assert!(length > 0, "a run has rows");
            rows.extend((0..length).map(|_| self.value(shape)));
        }
        assert_eq!(rows.len(), count);
        rows
    }

    fn value(&mut self, signature: &Signature) -> Value {
        match signature {
            Signature::String(letter) => match letter.as_str() {
                "n" => Value::Null,
                "i" => Value::Number(f64::from(self.int())),
                "f" => self.double(),
                "b" => Value::Bool(self.int() == 1),
                "s" => match self.any() {
                    value @ (Value::String(_) | Value::Null) => value,
                    value => panic!("{value:?} is no text"),
                },
                "a" => self.any(),
                "r" => {
                    let count = self.count();
                    Value::Array(self.rows(count))
                }
                letter => panic!("{letter}?"),
            },
            Signature::Object(object) => {
                let (what, of) = object.iter().next().expect("a signature has a member");
                match what.as_str() {
                    "o" => Value::Object(of.as_array().unwrap().iter().map(|member| self.member(member)).collect()),
                    "m" => self.family(of.as_array().unwrap()),
                    "t" => Value::Array(of.as_array().unwrap().iter().map(|element| self.value(element)).collect()),
                    "l" => Value::Array((0..self.count()).map(|_| self.value(of)).collect()),
                    what => panic!("{what}?"),
                }
            }
            other => panic!("{other}?"),
        }
    }

    fn family(&mut self, members: &[Signature]) -> Value {
        let masks: Vec<_> = (0..members.len().div_ceil(30)).map(|_| self.int()).collect();
        let mut object = Vec::new();
        for (at, member) in members.iter().enumerate() {
            if masks[at / 30] >> (at % 30) & 1 == 1 {
                object.push(self.member(member));
            } else {
                assert_eq!(member[2], 1);
            }
        }
        Value::Object(object)
    }

    fn member(&mut self, member: &Signature) -> (String, Value) {
        (member[0].as_str().unwrap().to_owned(), self.value(&member[1]))
    }

    fn any(&mut self) -> Value {
        match self.int() {
            length @ 0..13 => {
                let start = self.text;
                self.text += length as usize;
                Value::String(self.group.text[start..self.text].iter().map(|unit| char::from(*unit)).collect())
            }
            -1 => self.raw.next().expect("raw has it"),
            -2 => Value::Null,
            -3 => Value::Bool(true),
            -4 => Value::Bool(false),
            -5 => Value::Number(f64::from(self.int())),
            -6 => self.double(),
            -7 => {
                let shape = &self.shapes[self.count()];
                self.value(shape)
            }
            -8 => {
                let count = self.count();
                Value::Array(self.rows(count))
            }
            word @ ..=-16 => self.words[(-16 - word) as usize].clone(),
            tag => panic!("tag {tag}"),
        }
    }
}
