//! The router against a model, and its parts against what is known of them.

mod pattern;
mod regex;
mod table;

use proptest::prelude::*;

use super::model::play;
use crate::choices::Choices;

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn does_what_the_model_does(bytes in prop::collection::vec(any::<u8>(), 0..1_000)) {
        play(Choices(&bytes));
    }
}
