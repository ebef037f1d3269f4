//! What a pool is told when it is made.

/// The options of a pool. Times are milliseconds; infinity turns a limit off.
#[derive(Clone, Debug)]
pub struct Options {
    /// Connections at most, closing ones included.
    pub max: u32,
    /// Connections that idle timeouts leave, and that are opened without being asked for.
    pub min: u32,
    /// How long a connection may be unused.
    pub idle_timeout: f64,
    /// How long a connection may live.
    pub max_lifetime: f64,
    /// From 0 to 1: up to that share of the lifetime is taken off.
    pub lifetime_jitter: f64,
    /// How often a connection may be lent.
    pub max_uses: f64,
    /// Whether the connection used last is lent first.
    pub lifo: bool,
    /// A connection not known to be well for so long is validated before it is lent.
    pub validate_after: f64,
    /// How long a validation may take.
    pub validate_timeout: f64,
    /// An idle connection not known to be well for so long is validated in the background.
    pub probe_interval: f64,
    /// A lease that lasts longer is reported.
    pub leak_after: f64,
    /// Acquires that may wait beyond those for which there is a place, or a connection on its way.
    pub max_queue: f64,
    /// Connections that may be opening at once.
    pub max_opening: u32,
    /// How long opening may take.
    pub open_timeout: f64,
    /// The longest wait after the first failure to open.
    pub backoff_min: f64,
    /// The longest wait after any number of failures.
    pub backoff_max: f64,
    /// Whether acquires get an answer at once in an outage.
    pub fail_fast: bool,
    /// Consecutive failures to open that make an outage.
    pub failure_threshold: f64,
    /// Of everything random, and of the hashes of keys.
    pub seed: u64,
}

impl Default for Options {
    /// Ten connections, and nothing else: no timeouts, no bounds, no backoff.
    fn default() -> Self {
        Self {
            max: 10,
            min: 0,
            idle_timeout: f64::INFINITY,
            max_lifetime: f64::INFINITY,
            lifetime_jitter: 0.0,
            max_uses: f64::INFINITY,
            lifo: true,
            validate_after: f64::INFINITY,
            validate_timeout: f64::INFINITY,
            probe_interval: f64::INFINITY,
            leak_after: f64::INFINITY,
            max_queue: f64::INFINITY,
            max_opening: u32::MAX,
            open_timeout: f64::INFINITY,
            backoff_min: 0.0,
            backoff_max: 0.0,
            fail_fast: false,
            failure_threshold: 1.0,
            seed: 0,
        }
    }
}
