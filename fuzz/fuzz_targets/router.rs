//! The router against the model in the core: whatever is declared, released, compiled and looked up, the two agree
//! on every match, and `validate` finds nothing to object to in any table.

#![no_main]

use keelson_core::choices::Choices;
use keelson_core::router::model::play;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| play(Choices(bytes)));
