//! How much of everything a component may have, counted while it is read.

use wasmparser::{
    CompositeInnerType, Encoding, FuncToValidate, FuncType, FuncValidatorAllocations, FunctionBody, OperatorsReader,
    Payload, SubType, ValidatorResources,
};

use super::Refusal;
use super::scan::invalid;
use crate::engine::{CORE_INSTANCES, MEMORIES, TABLES};

/// How much of everything a component may have. Whoever compiles must never be the one to find out.
///
/// The defaults leave room for guests that carry the runtime of a scripting language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdmissionLimits {
    /// Bytes of the file. Default 32 MiB.
    pub bytes: usize,
    /// Core functions, of all modules together. Default 100,000.
    pub functions: u32,
    /// Bytes of one function's body. Default 1 MiB.
    pub function_bytes: usize,
    /// Local variables of one function, its parameters not counted. Default 5,000.
    pub locals: u32,
    /// Blocks within blocks of one function. Default 1,000.
    pub nesting: u32,
    /// Types, of all modules and components together. Default 20,000.
    pub types: u32,
    /// Bytes of the types of components; every interface that is imported or exported is described there, and copied
    /// for every instance. Default 64 KiB.
    pub component_type_bytes: usize,
    /// Types of components and instances within each other. Default 50.
    pub type_nesting: usize,
    /// Parameters of one core function or block. Default 100.
    pub parameters: usize,
    /// Results of one core function or block. Default 16.
    pub results: usize,
    /// Globals, of all modules together. Default 5,000.
    pub globals: u32,
    /// Imports of core modules, together. Default 5,000.
    pub imports: u32,
    /// Imports of components and instances of components, together. Default 100.
    pub instances: u32,
    /// Aliases and canonical functions, together. Default 10,000.
    pub aliases: u32,
    /// Exports, of all modules and components together. Default 100,000.
    pub exports: u32,
    /// Segments of data and of elements, together. Default 100,000.
    pub segments: u32,
    /// Linear memory that one memory has from the start, in bytes. Default 64 MiB.
    pub memory_bytes: u64,
    /// Elements that one table has from the start. Default 20,000.
    pub table_elements: u64,
    /// Modules and components nested in the component. Default 64.
    pub modules: u32,
    /// Components within components. Default 4.
    pub depth: usize,
}

impl Default for AdmissionLimits {
    fn default() -> Self {
        Self {
            bytes: 32 << 20,
            functions: 100_000,
            function_bytes: 1 << 20,
            locals: 5_000,
            nesting: 1_000,
            types: 20_000,
            component_type_bytes: 64 << 10,
            type_nesting: 50,
            parameters: 100,
            results: 16,
            globals: 5_000,
            imports: 5_000,
            instances: 100,
            aliases: 10_000,
            exports: 100_000,
            segments: 100_000,
            memory_bytes: 64 << 20,
            table_elements: 20_000,
            modules: 64,
            depth: 4,
        }
    }
}

/// Counts against the limits, before the validator spends time on what is too much.
pub(super) struct Count<'a> {
    limits: &'a AdmissionLimits,
    open: usize,
    modules: u32,
    pub(super) functions: u32,
    types: u32,
    component_type_bytes: usize,
    aliases: u32,
    globals: u32,
    imports: u32,
    exports: u32,
    segments: u32,
    core_instances: u32,
    instances: u32,
    memories: u32,
    tables: u32,
}

impl<'a> Count<'a> {
    pub(super) fn new(limits: &'a AdmissionLimits) -> Self {
        Self {
            limits,
            open: 0,
            modules: 0,
            functions: 0,
            types: 0,
            component_type_bytes: 0,
            aliases: 0,
            globals: 0,
            imports: 0,
            exports: 0,
            segments: 0,
            core_instances: 0,
            instances: 0,
            memories: 0,
            tables: 0,
        }
    }

    /// Modules and components that have begun and not ended.
    pub(super) fn depth(&self) -> usize {
        self.open
    }

    pub(super) fn take(&mut self, payload: &Payload<'_>, bytes: &[u8]) -> Result<(), Refusal> {
        let limits = self.limits;
        match payload {
            Payload::Version { encoding, .. } => {
                self.open += 1;
                add("modules and components", &mut self.modules, 1, limits.modules)?;
                // The outermost component is not within another; a module adds no depth of its own.
                let within = self.open - 1 - usize::from(*encoding == Encoding::Module && self.open > 1);
                if within > limits.depth {
                    return Err(above("components within components", within as u64, limits.depth as u64));
                }
            }
            Payload::End(_) => self.open = self.open.saturating_sub(1),
            Payload::FunctionSection(section) => {
                add("functions", &mut self.functions, section.count(), limits.functions)?;
            }
            Payload::TypeSection(section) => {
                add("types", &mut self.types, section.count(), limits.types)?;
                for group in section.clone() {
                    for function in group.map_err(|error| invalid(&error))?.types().filter_map(as_function) {
                        most("parameters of one function", function.params().len(), limits.parameters)?;
                        most("results of one function", function.results().len(), limits.results)?;
                    }
                }
            }
            Payload::CoreTypeSection(section) => add("types", &mut self.types, section.count(), limits.types)?,
            Payload::ComponentTypeSection(section) => {
                add("types", &mut self.types, section.count(), limits.types)?;
                let section = &bytes[section.range()];
                self.component_type_bytes += section.len();
                most("bytes of component types", self.component_type_bytes, limits.component_type_bytes)?;
                // The reader follows types within types by recursion. Every level is a declaration of a type, 1, that is
                // a component, 0x41, or an instance, 0x42; so there are no more levels than such pairs.
                let levels = section.windows(2).filter(|pair| matches!(pair, [1, 0x41 | 0x42])).count();
                most("types within types", levels, limits.type_nesting)?;
            }
            Payload::ComponentAliasSection(section) => {
                add("aliases and canonical functions", &mut self.aliases, section.count(), limits.aliases)?;
            }
            Payload::ComponentCanonicalSection(section) => {
                if self.open > 1 {
                    return Err(Refusal::Composed);
                }
                add("aliases and canonical functions", &mut self.aliases, section.count(), limits.aliases)?;
            }
            Payload::ComponentInstanceSection(section) => {
                add("instances", &mut self.instances, section.count(), limits.instances)?;
            }
            Payload::GlobalSection(section) => {
                add("globals", &mut self.globals, section.count(), limits.globals)?;
            }
            Payload::ImportSection(section) => {
                add("imports", &mut self.imports, section.count(), limits.imports)?;
            }
            Payload::ComponentImportSection(section) => {
                add("instances", &mut self.instances, section.count(), limits.instances)?;
            }
            Payload::ExportSection(section) => {
                add("exports", &mut self.exports, section.count(), limits.exports)?;
            }
            Payload::ComponentExportSection(section) => {
                add("exports", &mut self.exports, section.count(), limits.exports)?;
            }
            Payload::ElementSection(section) => {
                add("segments", &mut self.segments, section.count(), limits.segments)?;
            }
            Payload::DataSection(section) => {
                add("segments", &mut self.segments, section.count(), limits.segments)?;
            }
            Payload::InstanceSection(section) => {
                // Most of these only gather exports; the pool has room for as many real ones.
                add("core instances", &mut self.core_instances, section.count(), CORE_INSTANCES * 4)?;
            }
            Payload::MemorySection(section) => {
                add("memories", &mut self.memories, section.count(), MEMORIES)?;
                for memory in section.clone() {
                    let pages = memory.map_err(|error| invalid(&error))?.initial;
                    if pages.saturating_mul(64 << 10) > limits.memory_bytes {
                        return Err(above("bytes of memory", pages.saturating_mul(64 << 10), limits.memory_bytes));
                    }
                }
            }
            Payload::TableSection(section) => {
                add("tables", &mut self.tables, section.count(), TABLES)?;
                for table in section.clone() {
                    let elements = table.map_err(|error| invalid(&error))?.ty.initial;
                    if elements > limits.table_elements {
                        return Err(above("table elements", elements, limits.table_elements));
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Validates a function's body, watching its size, locals and nesting.
    pub(super) fn function(
        &self,
        function: FuncToValidate<ValidatorResources>,
        body: &FunctionBody<'_>,
        allocations: FuncValidatorAllocations,
    ) -> Result<FuncValidatorAllocations, Refusal> {
        let limits = self.limits;
        if body.range().len() > limits.function_bytes {
            let what = "bytes in one function";
            return Err(above(what, body.range().len() as u64, limits.function_bytes as u64));
        }
        let mut locals = 0_u64;
        for group in body.get_locals_reader().map_err(|error| invalid(&error))? {
            locals += u64::from(group.map_err(|error| invalid(&error))?.0);
            if locals > u64::from(limits.locals) {
                return Err(above("locals in one function", locals, u64::from(limits.locals)));
            }
        }
        let mut validator = function.into_validator(allocations);
        let mut reader = body.get_binary_reader();
        validator.read_locals(&mut reader).map_err(|error| invalid(&error))?;
        let mut operators = OperatorsReader::new(reader);
        while !operators.eof() {
            let (operator, offset) = operators.read_with_offset().map_err(|error| invalid(&error))?;
            validator.op(offset, &operator).map_err(|error| invalid(&error))?;
            if validator.control_stack_height() > limits.nesting {
                let height = u64::from(validator.control_stack_height());
                return Err(above("blocks within blocks", height, u64::from(limits.nesting)));
            }
        }
        operators.finish().map_err(|error| invalid(&error))?;
        Ok(validator.into_allocations())
    }
}

fn add(what: &'static str, so_far: &mut u32, more: u32, limit: u32) -> Result<(), Refusal> {
    *so_far = so_far.saturating_add(more);
    if *so_far > limit { Err(above(what, u64::from(*so_far), u64::from(limit))) } else { Ok(()) }
}

fn most(what: &'static str, count: usize, limit: usize) -> Result<(), Refusal> {
    if count > limit { Err(above(what, count as u64, limit as u64)) } else { Ok(()) }
}

fn as_function(ty: &SubType) -> Option<&FuncType> {
    match &ty.composite_type.inner {
        CompositeInnerType::Func(function) => Some(function),
        _ => None,
    }
}

pub(super) fn above(what: &'static str, count: u64, limit: u64) -> Refusal {
    Refusal::StaticLimit { what, count, limit }
}
