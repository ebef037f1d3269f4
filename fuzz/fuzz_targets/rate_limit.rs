//! The limiter in memory against the model in the core: whatever is asked, and whenever, its answers are those that a
//! list of everything that was admitted gives, it knows the keys that it should, and `validate` holds.

#![no_main]

use keelson_core::choices::Choices;
use keelson_core::rate_limit::model::play;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| play(Choices(bytes)));
