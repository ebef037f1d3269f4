//! The pool: random games against the model, and each policy by example.

use proptest::prelude::*;

use super::model::{Choices, play};
use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn the_pool_keeps_its_promises(choices in proptest::collection::vec(any::<u8>(), 0..600)) {
        play(Choices(&choices));
    }
}
