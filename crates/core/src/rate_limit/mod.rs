//! Rate limits: one set of decisions over two stores, memory and Redis.
//!
//! All times are whole microseconds and all amounts whole units, both below 2^53, so that Rust's integers and Lua's
//! doubles hold the same numbers and divide them alike. Nothing here reads a clock or talks to anybody.
//!
//! Each file of `algorithm` has one algorithm in Rust, and beside it the same steps in Lua for a script that Redis
//! runs: the two cannot be one text, so they are written line by line alike and compared by a differential test.

mod algorithm;
mod arithmetic;
mod decide;
mod keys;
mod limit;
#[cfg(any(test, fuzzing))]
pub mod model;
mod operation;
pub mod script;
pub mod store;
#[cfg(test)]
mod tests;

pub use keys::wtf8;
pub use limit::{Algorithm, Limit, LimitError, MAX_LIMITS, MAX_TIME, MAX_UNITS, MAX_WINDOW};
pub use operation::{Check, Op, ROW, Row};
