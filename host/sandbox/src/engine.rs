use std::hash::{Hash, Hasher};

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tiltyard_model::Digest;
use wasmparser::WasmFeatures;
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OperatorCost, PoolingAllocationConfig, VariableOperatorCost,
    WasmBacktraceDetails,
};

/// How a component is compiled and called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// One call a bar, NaNs canonical: the truth, bit-identical on every machine.
    Event,
    /// Whole chunks of columns, NaNs as the processor leaves them: fast, for a first look.
    Screen,
}

/// How many instances can live at one time, and how large each may be. Address space is reserved for all of them;
/// memory is used only as it is touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolLimits {
    /// Instances alive at one time. Default 256.
    pub instances: u32,
    /// Largest linear memory of any instance, in bytes; [`Limits::memory_bytes`](crate::Limits::memory_bytes) may ask
    /// for less. Default 64 MiB.
    pub memory_bytes: usize,
    /// Largest table of any instance. Default 20,000.
    pub table_elements: usize,
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self { instances: 256, memory_bytes: 64 << 20, table_elements: 20_000 }
    }
}

/// Core modules instantiated within one component: a Rust component that uses WASI has three.
pub(crate) const CORE_INSTANCES: u32 = 20;
/// Linear memories of one component. Compilers emit one; linked parts may keep their own.
pub(crate) const MEMORIES: u32 = 4;
/// Tables of one component.
pub(crate) const TABLES: u32 = 16;
/// Stack that a guest's calls may use on the host's own stack, in bytes. Threads that call instances need twice this.
const WASM_STACK: usize = 512 << 10;

/// WebAssembly as strategies may use it: what compilers emit by default today. No threads, no memory64, no garbage
/// collection, no exceptions, no relaxed SIMD: each is either a way to be non-deterministic or one nobody needs yet. No tail
/// calls: allowing them makes every call into a guest a quarter slower.
pub(crate) const FEATURES: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::CALL_INDIRECT_OVERLONG)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::BULK_MEMORY_OPT)
    .union(WasmFeatures::SIMD)
    .union(WasmFeatures::FLOATS)
    .union(WasmFeatures::EXTENDED_CONST)
    // Not for guests: wasmtime's own adapters between composed components need it, and without it its compiler panics.
    .union(WasmFeatures::MULTI_MEMORY)
    .union(WasmFeatures::COMPONENT_MODEL);

/// The configuration that compiled code depends on. The compiling child and the running host must agree on all of it.
fn compile_config(mode: Mode) -> Config {
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .operator_cost(operator_cost())
        .epoch_interruption(true)
        .cranelift_nan_canonicalization(mode == Mode::Event)
        .relaxed_simd_deterministic(true)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .wasm_tail_call(false)
        .wasm_wide_arithmetic(false)
        .wasm_custom_page_sizes(false)
        .wasm_multi_memory(true)
        .max_wasm_stack(WASM_STACK)
        .memory_init_cow(true)
        // Function names come from the name section; line tables are neither needed nor trusted.
        .wasm_backtrace_details(WasmBacktraceDetails::Disable);
    config
}

/// What WebAssembly's operators cost in fuel: wasmtime's table (1 for most, 1 for each byte or element of a bulk
/// operation), but growing costs what it costs the host. Another table is another [`engine_version`].
fn operator_cost() -> OperatorCost {
    let variable = VariableOperatorCost { memory_grow_per_page: 100, ..VariableOperatorCost::new() };
    OperatorCost { MemoryGrow: 200, TableGrow: 200, variable, ..OperatorCost::default() }
}

/// The engine that only compiles.
pub(crate) fn compiling_engine(mode: Mode) -> wasmtime::Result<Engine> {
    Engine::new(&compile_config(mode))
}

/// The engine that runs, with a pool of instances.
pub(crate) fn running_engine(mode: Mode, limits: &PoolLimits) -> wasmtime::Result<Engine> {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(limits.instances)
        .total_core_instances(limits.instances.saturating_mul(CORE_INSTANCES))
        .total_memories(limits.instances.saturating_mul(MEMORIES))
        .total_tables(limits.instances.saturating_mul(TABLES))
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .max_memory_size(limits.memory_bytes)
        .table_elements(limits.table_elements)
        // What a run touched is found by the kernel's page map and reset in place, up to 2 MiB: three times faster
        // to start than giving the pages back. Beyond that they are given back.
        .pagemap_scan(Enabled::Auto)
        .linear_memory_keep_resident(2 << 20)
        .table_keep_resident(64 << 10);
    let mut config = compile_config(mode);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config)
}

/// What compiled code must match to be loaded: wasmtime's version, its settings and the processor's features.
pub(crate) fn compatibility(engine: &Engine) -> Digest {
    struct Sha(Sha256);

    impl Hasher for Sha {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update((bytes.len() as u64).to_le_bytes());
            self.0.update(bytes);
        }

        fn finish(&self) -> u64 {
            let digest = self.0.clone().finalize();
            digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
        }
    }

    let mut sha = Sha(Sha256::new());
    engine_version().hash(&mut sha);
    engine.precompile_compatibility_hash().hash(&mut sha);
    Digest(sha.0.finalize().into())
}

/// Names what fuel figures and results depend on: the runtime and the table of operator costs.
#[must_use]
pub fn engine_version() -> &'static str {
    concat!(
        "tiltyard-sandbox ",
        env!("CARGO_PKG_VERSION"),
        ", wasmtime ",
        env!("WASMTIME_VERSION"),
        ", operator costs 1"
    )
}

#[cfg(test)]
mod tests {
    use super::{Mode, PoolLimits, compatibility, compiling_engine, running_engine};

    #[test]
    fn what_the_child_compiles_the_host_can_load() {
        for mode in [Mode::Event, Mode::Screen] {
            let running = running_engine(mode, &PoolLimits::default()).unwrap();
            assert_eq!(compatibility(&compiling_engine(mode).unwrap()), compatibility(&running));
        }
    }

    #[test]
    fn modes_do_not_share_compiled_code() {
        let compatibility = |mode| compatibility(&compiling_engine(mode).unwrap());
        assert_ne!(compatibility(Mode::Event), compatibility(Mode::Screen));
    }
}
