//! Native threads that work on documents while JavaScript does something else.
//!
//! The main thread pushes text to a [`Job`] and takes [`Op`]s from it, both bounded; a [`Pool`] of threads does a
//! portion of a job at a time, so that a few threads serve any number of jobs in the order of their priority.

mod inflate;
mod job;
mod machine;
mod op;
mod pool;
#[cfg(test)]
mod tests;

pub use job::Job;
pub use machine::{Goal, Piece, Plan};
pub use op::{Compiled, Op, Opened, Text};
pub use pool::Pool;
