//! Newline-delimited JSON.
use super::{Fault, Limits, Sink};
/// stub
pub enum Flow {
    /// s
    Skip,
    /// s
    Stop,
}
/// stub
pub trait LineSink: Sink {
    /// s
    fn bad_line(&mut self, fault: Fault) -> Flow;
}
/// stub
pub struct Lines;
impl Lines {
    /// stub
    pub fn new(_: usize, _: &Limits) -> Self {
        Self
    }
    /// s
    pub fn feed(&mut self, _: &[u8], _: &mut impl LineSink) -> Result<(), Fault> {
        Ok(())
    }
    /// s
    pub fn finish(&mut self, _: &mut impl LineSink) -> Result<(), Fault> {
        Ok(())
    }
}
