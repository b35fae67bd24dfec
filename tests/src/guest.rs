//! Guests made on the spot: a core module in text, turned into a component of the contract.

use std::error::Error;
use std::path::PathBuf;

use tiltyard_model::MANIFEST_SECTION;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Worlds for tests: the least a strategy exports, with imports that the real contract gives and others that it never
/// will. What a module does not import does not become an import of its component.
const WORLDS: &str = r#"
package tiltyard:guests;

world bare {
    import tiltyard:strategy/market@0.1.0;
    import tiltyard:strategy/account@0.1.0;
    import tiltyard:strategy/orders@0.1.0;
    import tiltyard:strategy/timers@0.1.0;
    import tiltyard:strategy/journal@0.1.0;
    import wasi:filesystem/preopens@0.2.0;
    import wasi:cli/stdout@0.2.0;
    import wasi:random/random@0.2.0;
    import single: func();
    export tiltyard:strategy/lifecycle@0.1.0;
    export tiltyard:strategy/bar-events@0.1.0;
}

world signal {
    export tiltyard:strategy/lifecycle@0.1.0;
    export tiltyard:strategy/signals@0.1.0;
}

world trading-signal {
    import tiltyard:strategy/orders@0.1.0;
    export tiltyard:strategy/lifecycle@0.1.0;
    export tiltyard:strategy/signals@0.1.0;
}

world stateful {
    export tiltyard:strategy/lifecycle@0.1.0;
    export tiltyard:strategy/bar-events@0.1.0;
    export tiltyard:strategy/state@0.1.0;
}

world both {
    export tiltyard:strategy/lifecycle@0.1.0;
    export tiltyard:strategy/bar-events@0.1.0;
    export tiltyard:strategy/signals@0.1.0;
}

world mute {
    export tiltyard:strategy/lifecycle@0.1.0;
}

world other {
    export run: func();
}
"#;

const WASI: [&str; 4] = [
    "package wasi:filesystem@0.2.0;\ninterface preopens { get-directories: func() -> list<u32>; }",
    "package wasi:random@0.2.0;\ninterface random { get-random-bytes: func(len: u64) -> list<u8>; }",
    "package wasi:io@0.2.0;\ninterface streams { resource output-stream { check-write: func() -> u64; } }",
    "package wasi:cli@0.2.0;\ninterface stdout { use wasi:io/streams@0.2.0.{output-stream}; get-stdout: func() -> output-stream; }",
];

/// The folder of the contract's WIT.
#[must_use]
pub fn contract() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../wit")
}

/// Makes a component of a core module that has the imports and exports of this world, one of the contract's or of the
/// tests', and puts the manifest into it, if there is one.
///
/// # Errors
/// When the module does not fit the world.
pub fn componentize(core: &[u8], world: &str, manifest: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut resolve = Resolve::default();
    let (contract, _) = resolve.push_dir(contract())?;
    for (at, package) in WASI.iter().enumerate() {
        resolve.push_str(format!("wasi-{at}.wit"), package)?;
    }
    let tests = resolve.push_str("guests.wit", WORLDS)?;
    let world =
        resolve.select_world(&[tests], Some(world)).or_else(|_| resolve.select_world(&[contract], Some(world)))?;
    let mut core = core.to_vec();
    if !manifest.is_empty() {
        push_custom_section(&mut core, MANIFEST_SECTION, manifest.as_bytes());
    }
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8)?;
    Ok(ComponentEncoder::default().module(&core)?.validate(true).encode()?)
}

/// A manifest under this name, with nothing special about it.
#[must_use]
pub fn manifest(name: &str) -> String {
    format!(
        r#"{{"contract":"0.1.0","name":"{name}","version":"0.1.0","description":"A guest.","hypothesis":"None.","falsified_by":"Nothing."}}"#
    )
}

/// A guest in WebAssembly text; what is not said is harmless.
#[derive(Debug, Clone, Copy)]
pub struct Wat<'a> {
    /// The world it is a component of.
    pub world: &'a str,
    /// Imports of the core module.
    pub imports: &'a str,
    /// Pages of linear memory: least and, after a blank, most.
    pub pages: &'a str,
    /// Anything else at the top level: globals, tables, functions.
    pub items: &'a str,
    /// Body of `cabi_realloc`, which has `$old $old_len $align $len` and returns a pointer.
    pub realloc: &'a str,
    /// Body of `describe`, which returns the address of a pointer and a length. At 16 those of the manifest stand.
    pub describe: &'a str,
    /// Body of `init`; returns the address of its result. At 32 stands "all well".
    pub init: &'a str,
    /// Body of `on-bar`. In a signal it leaves an `f64`.
    pub on_bar: &'a str,
    /// Body of `on-step`.
    pub on_step: &'a str,
    /// Body of `on-columns`, which has the number of bars in `$bars` and returns the address of a pointer and a length.
    pub on_columns: &'a str,
    /// The manifest in the custom section; empty for none.
    pub declared: Option<&'a str>,
}

impl Default for Wat<'_> {
    fn default() -> Self {
        Self {
            world: "bare",
            imports: "",
            pages: "2",
            items: "",
            realloc: "(call $bump (local.get $align) (local.get $len))",
            describe: "(i32.const 16)",
            init: "(i32.const 32)",
            on_bar: "",
            on_step: "",
            on_columns: "",
            declared: None,
        }
    }
}

/// Where the manifest stands in memory.
const MANIFEST_AT: usize = 1024;

impl Wat<'_> {
    /// The component.
    ///
    /// # Panics
    /// When the text is not WebAssembly, or does not fit its world: a mistake in the test.
    #[must_use]
    pub fn component(&self) -> Vec<u8> {
        let declared = self.declared.map_or_else(|| manifest("guest"), str::to_owned);
        componentize(&self.core(), self.world, &declared).unwrap_or_else(|error| panic!("{error:#}"))
    }

    fn core(&self) -> Vec<u8> {
        let manifest = manifest("guest");
        let events = format!(
            r#"(func (export "tiltyard:strategy/bar-events@0.1.0#on-bar")
                    (param $instrument i32) (param $time i64) (param $open f64) (param $high f64) (param $low f64)
                    (param $close f64) (param $volume f64) {on_bar})
               (func (export "tiltyard:strategy/bar-events@0.1.0#on-step") (param $time i64) {on_step})"#,
            on_bar = self.on_bar,
            on_step = self.on_step,
        );
        let signals = format!(
            r#"(func (export "tiltyard:strategy/signals@0.1.0#on-bar")
                    (param $time i64) (param $open f64) (param $high f64) (param $low f64) (param $close f64)
                    (param $volume f64) (result f64) {on_bar})
               (func (export "tiltyard:strategy/signals@0.1.0#on-columns")
                    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (param $bars i32) (result i32) {on_columns})"#,
            on_bar = if self.on_bar.is_empty() { "(f64.const 0)" } else { self.on_bar },
            on_columns = if self.on_columns.is_empty() { "(i32.const 64)" } else { self.on_columns },
        );
        let state = r#"(func (export "tiltyard:strategy/state@0.1.0#save") (result i32)
                           (i32.store (i32.const 64) (i32.const 80)) (i32.store (i32.const 68) (i32.const 8)) (i32.const 64))
                       (func (export "tiltyard:strategy/state@0.1.0#restore") (param $at i32) (param $len i32) (result i32)
                           (i64.store (i32.const 80) (i64.load (local.get $at)))
                           (i32.store8 (i32.const 96) (i32.const 0)) (i32.const 96))"#;
        let exports = match self.world {
            "signal" | "trading-signal" => signals,
            "stateful" => events + state,
            "both" => events + &signals,
            "mute" => String::new(),
            "other" => r#"(func (export "run"))"#.to_owned(),
            _ => events,
        };
        let lifecycle = format!(
            r#"(func (export "tiltyard:strategy/lifecycle@0.1.0#describe") (result i32) {describe})
               (func (export "tiltyard:strategy/lifecycle@0.1.0#init")
                    (param i32 i32 i32 i32 i32 i32 i32 i32 i64) (result i32) {init})
               (func (export "tiltyard:strategy/lifecycle@0.1.0#warm-up")
                    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32))"#,
            describe = self.describe,
            init = self.init,
        );
        let lifecycle = if self.world == "other" { String::new() } else { lifecycle };
        let data = format!(
            r#"(data (i32.const 16) "{}{}") (data (i32.const {MANIFEST_AT}) "{}")"#,
            little_endian(MANIFEST_AT),
            little_endian(manifest.len()),
            manifest.replace('"', "\\22"),
        );
        core_module(&format!(
            r#"(module {imports}
                (memory (export "memory") {pages})
                (global $next (mut i32) (i32.const 65536))
                (func $bump (param $align i32) (param $len i32) (result i32)
                    (global.set $next (i32.and
                        (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
                        (i32.sub (i32.const 0) (local.get $align))))
                    (global.get $next)
                    (global.set $next (i32.add (global.get $next) (local.get $len))))
                (func (export "cabi_realloc") (param $old i32) (param $old_len i32) (param $align i32) (param $len i32)
                    (result i32) {realloc})
                {items} {lifecycle} {exports} {data})"#,
            imports = self.imports,
            pages = self.pages,
            realloc = self.realloc,
            items = self.items,
        ))
    }
}

/// Assembles a core module.
///
/// # Panics
/// When the text is not WebAssembly: a mistake in the test.
#[must_use]
pub fn core_module(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn little_endian(number: usize) -> String {
    (number as u32).to_le_bytes().iter().map(|byte| format!("\\{byte:02x}")).collect()
}

fn push_custom_section(module: &mut Vec<u8>, name: &str, content: &[u8]) {
    let mut section = Vec::new();
    leb128(&mut section, name.len());
    section.extend(name.as_bytes());
    section.extend(content);
    module.push(0);
    leb128(module, section.len());
    module.extend(section);
}

/// Appends a number as WebAssembly writes it.
pub(crate) fn leb128(bytes: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}
