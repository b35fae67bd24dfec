/// What one instance may use. The defaults suit a backtest; a user need not touch them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Fuel for one event, or for each bar of a chunk of columns. One unit is about one WebAssembly instruction; host
    /// calls charge for their work. Default 20 million: some ten milliseconds.
    pub fuel_per_call: u64,
    /// Fuel for each call that happens rarely: instantiation, `describe`, `init`, a chunk of warm-up, `save`,
    /// `restore`. Default 1 billion.
    pub fuel_per_start: u64,
    /// Fuel for the whole life of the instance, or `None` for a daemon that runs for months. Default 200 billion.
    pub fuel_per_run: Option<u64>,
    /// Linear memory in bytes, all memories together. Default 64 MiB.
    pub memory_bytes: usize,
    /// Table elements, all tables together. Default 20,000.
    pub table_elements: usize,
    /// Bytes that one call may hand from guest to host. Default 1 MiB.
    pub host_call_bytes: usize,
    /// Handles to host resources held at one time. Default 1,000.
    pub handles: usize,
    /// Journal lines, metrics and annotations in a run, standard output and error included; `None` for no limit.
    /// Default 100,000.
    pub log_lines: Option<u64>,
    /// Journal bytes in a run; `None` for no limit. Default 16 MiB.
    pub log_bytes: Option<u64>,
    /// Requests to `orders` and settings of timers in one call. Default 1,000.
    pub requests_per_call: u32,
    /// The same in a run; `None` for no limit. Default 1 million.
    pub requests_per_run: Option<u64>,
    /// Timers waiting at one time. Default 1,000.
    pub timers: u32,
    /// Bars that one call of `history` may return. Default 10,000.
    pub history_bars: u32,
    /// Epoch ticks that one call may last; who ticks decides how long that is (see
    /// [`Sandbox::tick`](crate::Sandbox::tick)). `None`, the default, in a backtest: a wall clock has no say there.
    pub deadline_ticks: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fuel_per_call: 20_000_000,
            fuel_per_start: 1_000_000_000,
            fuel_per_run: Some(200_000_000_000),
            memory_bytes: 64 << 20,
            table_elements: 20_000,
            host_call_bytes: 1 << 20,
            handles: 1_000,
            log_lines: Some(100_000),
            log_bytes: Some(16 << 20),
            requests_per_call: 1_000,
            requests_per_run: Some(1_000_000),
            timers: 1_000,
            history_bars: 10_000,
            deadline_ticks: None,
        }
    }
}
