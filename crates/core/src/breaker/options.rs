//! What a breaker is told when it is made.

/// Which calls a breaker judges by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Span {
    /// The latest so many calls, 1 or more.
    Calls(usize),
    /// The calls of the latest `ms` milliseconds, kept in so many `slices`, 1 or more, and forgotten a slice at a time.
    Time {
        /// Milliseconds, above 0.
        ms: f64,
        /// Into how many parts they are divided.
        slices: usize,
    },
}

/// The options of a breaker. Times are milliseconds, rates are percent.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which calls it judges by.
    pub span: Span,
    /// At this share of failures it opens; above 0.
    pub failure_rate: f64,
    /// A call that took so long was slow; infinity: none is.
    pub slow_after: f64,
    /// At this share of slow calls it opens; above 0.
    pub slow_rate: f64,
    /// Of fewer calls nothing is concluded.
    pub min_calls: f64,
    /// For how long it is open.
    pub reset_timeout: f64,
    /// Calls that are let through to see whether it may close, 1 or more.
    pub probes: u32,
    /// The span of the figures, see [`super::Figures`]: milliseconds, above 0.
    pub figures_ms: f64,
    /// Into how many parts that is divided, 1 or more.
    pub figures_slices: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            span: Span::Time { ms: 10_000.0, slices: 10 },
            failure_rate: 50.0,
            slow_after: f64::INFINITY,
            slow_rate: 100.0,
            min_calls: 10.0,
            reset_timeout: 30_000.0,
            probes: 1,
            figures_ms: 10_000.0,
            figures_slices: 10,
        }
    }
}
