//! The circuit breaker against the model in the core: whatever is called and ordered, and whenever, its answers are those
//! that a list of everything that happened gives.

#![no_main]

use keelson_core::breaker::model::play;
use keelson_core::choices::Choices;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| play(Choices(bytes)));
