//! The algorithms of keelson in pure Rust: no Node-API, no I/O, no clock of their own.
//!
//! Every structure takes time as an argument, so that tests advance it by hand.

pub mod cache;
pub mod json;
pub mod router;
pub mod timer;
