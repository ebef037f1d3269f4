//! The JSON encoder against serde_json: what a plain reader makes of the streams is what the text says, whatever was
//! encoded before. Text that is not JSON does no harm.

#![no_main]

#[path = "../../crates/core/src/json/encode/tests/decode.rs"]
mod decode;
#[path = "../../crates/core/src/json/encode/tests/value.rs"]
mod value;

use keelson_core::json::Container;
use keelson_core::json::encode::{Encoder, Form, Group, Options};
use libfuzzer_sys::fuzz_target;
use value::Value;

/// Bytes of rows before a shape is made, by the first byte of the input.
const WARM_UPS: [usize; 4] = [0, 20, 200, 8192];

fuzz_target!(|input: &[u8]| {
    let Some((first, texts)) = input.split_first() else { return };
    let mut options = Options::default();
    options.warm_up = WARM_UPS[usize::from(first % 4)];
    let mut encoder = Encoder::new(&options);
    let mut shapes = Vec::new();
    for text in texts.split(|byte| *byte == 0) {
        for within in [Container::Array, Container::Object] {
            check(&mut encoder, &mut shapes, within, text);
        }
    }
});

fn check(encoder: &mut Encoder, shapes: &mut Vec<serde_json::Value>, within: Container, text: &[u8]) {
    let named = within == Container::Object;
    let (open, close) = if named { (b"{", b"}") } else { (b"[", b"]") };
    let expected = match serde_json::from_slice(&[open, text, close].concat()) {
        Ok(Value::Array(elements)) => elements.into_iter().map(|element| (None, element)).collect(),
        Ok(Value::Object(members)) => members.into_iter().map(|(name, value)| (Some(name), value)).collect(),
        _ => Vec::new(),
    };
    let count = expected.len() as u32;
    let form = encoder.encode(within, text, count.max(1));
    for (id, signature) in encoder.new_shapes() {
        assert_eq!(id as usize, shapes.len());
        shapes.push(serde_json::from_str(&signature).unwrap_or_default());
    }
    // serde_json refuses lone surrogates, numbers beyond a double and deep nesting, which JavaScript does not.
    if let Form::Compiled(group) = form
        && count > 0
    {
        assert!(group.ints.len() <= text.len() + 2 * count as usize + 16);
        assert_eq!(decode::decode(shapes, &group, count, named), expected);
    }
}
