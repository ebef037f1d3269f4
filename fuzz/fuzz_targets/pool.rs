//! The connection pool against the model in the core: whatever is acquired, reported and ordered, and whenever, the
//! model has nothing to object to, everybody is served or told, and `validate` holds.

#![no_main]

use keelson_core::choices::Choices;
use keelson_core::pool::model::play;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| play(Choices(bytes)));
