//! Values as a text tells them, with members in order and duplicates kept; numbers are JavaScript's.

use std::fmt::{self, Formatter};

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

#[derive(Clone, Debug)]
pub enum Value {
    Null,
    Bool(bool),
    Number(f64),
    String(String),
    Array(Vec<Value>),
    Object(Vec<(String, Value)>),
}

/// As `Object.is` compares numbers: zeros have signs.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Number(a), Self::Number(b)) => a.to_bits() == b.to_bits(),
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Array(a), Self::Array(b)) => a == b,
            (Self::Object(a), Self::Object(b)) => a == b,
            _ => false,
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(element) = elements.next_element()? {
            array.push(element);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Vec::new();
        while let Some(member) = members.next_entry()? {
            object.push(member);
        }
        Ok(Value::Object(object))
    }
}

/// How a value is written, by a sequence of choices that wraps around.
pub struct Style<'a> {
    pub choices: &'a [u8],
    pub at: usize,
}

impl Style<'_> {
    fn choice(&mut self) -> u8 {
        self.at += 1;
        if self.choices.is_empty() { 0 } else { self.choices[self.at % self.choices.len()] }
    }

    fn space(&mut self, out: &mut String) {
        out.push_str([" ", "\n\t", "\r\n  "].get(usize::from(self.choice())).unwrap_or(&""));
    }

    pub fn write(&mut self, value: &Value, out: &mut String) {
        self.space(out);
        match value {
            Value::Null => out.push_str("null"),
            Value::Bool(value) => out.push_str(&value.to_string()),
            Value::Number(value) => self.write_number(*value, out),
            Value::String(value) => self.write_string(value, out),
            Value::Array(elements) => {
                out.push('[');
                for (at, element) in elements.iter().enumerate() {
                    out.push_str(if at == 0 { "" } else { "," });
                    self.write(element, out);
                }
                self.space(out);
                out.push(']');
            }
            Value::Object(members) => {
                out.push('{');
                for (at, (key, value)) in members.iter().enumerate() {
                    out.push_str(if at == 0 { "" } else { "," });
                    self.space(out);
                    self.write_string(key, out);
                    self.space(out);
                    out.push(':');
                    self.write(value, out);
                }
                self.space(out);
                out.push('}');
            }
        }
        self.space(out);
    }

    fn write_number(&mut self, value: f64, out: &mut String) {
        out.push_str(&match self.choice() {
            3 => format!("{value:e}"),
            4 => format!("{value:E}").replace('E', "E+").replace("+-", "-"),
            _ if value.abs() < 1e300 => format!("{value}"),
            _ => format!("{value:e}"),
        });
    }

    fn write_string(&mut self, value: &str, out: &mut String) {
        out.push('"');
        for unit in value.chars() {
            match unit {
                '"' | '\\' => out.extend(['\\', unit]),
                '\0'..' ' => out.push_str(&format!("\\u{:04X}", u32::from(unit))),
                _ if self.choice() == 5 => {
                    for half in unit.encode_utf16(&mut [0; 2]) {
                        out.push_str(&format!("\\u{half:04x}"));
                    }
                }
                _ => out.push(unit),
            }
        }
        out.push('"');
    }
}
