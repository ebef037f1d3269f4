//! When a file gets another name, which, and what becomes of it then.

pub(crate) mod names;
pub(crate) mod period;
pub(crate) mod schedule;
pub(crate) mod tidy;
pub(crate) mod wall;
