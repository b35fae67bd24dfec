//! The files that hostile guests come as, and what they are made of.

use crate::guest::{Wat, core_module, leb128};

/// A guest that does this on every bar.
pub(crate) fn on_bar(body: &str) -> Vec<u8> {
    Wat { on_bar: body, ..Wat::default() }.component()
}

/// A guest that does this on every bar, with these imports and items.
pub(crate) fn with(imports: &str, items: &str, body: &str) -> Vec<u8> {
    Wat { imports, items, on_bar: body, ..Wat::default() }.component()
}

pub(crate) const LOG: &str = r#"(import "tiltyard:strategy/journal@0.1.0" "log" (func $log (param i32 i32 i32)))"#;
pub(crate) const TARGET: &str =
    r#"(import "tiltyard:strategy/orders@0.1.0" "target" (func $target (param i32 f64 i32 i32 i64 f64 i32)))"#;
/// Takes the address of a request: its quantity stands at 48, its label at 128, all else may be zero.
pub(crate) const SUBMIT: &str = r#"(import "tiltyard:strategy/orders@0.1.0" "submit" (func $submit (param i32 i32)))"#;
pub(crate) const CLOSE: &str = r#"(import "tiltyard:strategy/orders@0.1.0" "close" (func $close (param i32 i32)))"#;
pub(crate) const HISTORY: &str =
    r#"(import "tiltyard:strategy/market@0.1.0" "history" (func $history (param i32 i32 i32)))"#;
pub(crate) const EQUITY: &str = r#"(import "tiltyard:strategy/account@0.1.0" "equity" (func $equity (result f64)))"#;
pub(crate) const TIMER: &str = r#"(import "tiltyard:strategy/timers@0.1.0" "set" (func $set (param i64 i32)))"#;
pub(crate) const STDOUT: &str = r#"(import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))"#;
pub(crate) const DROP: &str =
    r#"(import "wasi:io/streams@0.2.0" "[resource-drop]output-stream" (func $drop (param i32)))"#;
pub(crate) const RANDOM: &str =
    r#"(import "wasi:random/random@0.2.0" "get-random-bytes" (func $random (param i64 i32)))"#;
pub(crate) const FILES: &str =
    r#"(import "wasi:filesystem/preopens@0.2.0" "get-directories" (func $directories (param i32)))"#;

/// The component with every `from` in its bytes replaced by a `to` of the same length.
pub(crate) fn patched(component: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = component.to_vec();
    let at: Vec<usize> = (0..bytes.len() - from.len()).filter(|at| bytes[*at..].starts_with(from.as_bytes())).collect();
    assert!(!at.is_empty(), "`{from}` is in the component");
    at.iter().for_each(|at| bytes[*at..at + to.len()].copy_from_slice(to.as_bytes()));
    bytes
}

pub(crate) fn half(file: &[u8]) -> Vec<u8> {
    file[..file.len() / 2].to_vec()
}

/// One byte in a hundred is another.
pub(crate) fn corrupt(mut file: Vec<u8>) -> Vec<u8> {
    file.iter_mut().skip(99).step_by(100).for_each(|byte| *byte ^= 0x55);
    file
}

/// A function for each level, each of which calls the next one twice: 2⁴⁰ calls without a loop.
pub(crate) fn call_tree() -> String {
    let level = |at: usize| format!("(func $level{at} (call $level{next}) (call $level{next}))", next = at + 1);
    (0..40).map(level).collect::<String>() + "(func $level40)"
}

/// A component around a module of these items; no strategy, but it is refused for what is in it.
pub(crate) fn in_component(items: &str) -> Vec<u8> {
    core_module(&format!("(component (core module {items}))"))
}

/// A component whose types are nested so deep that a reader that recurses would overflow its stack.
pub(crate) fn nested_types(depth: usize) -> Vec<u8> {
    // One type: a component (0x41) of one declaration, a type (1): a component of one declaration…
    let mut types = vec![1];
    (0..depth).for_each(|_| types.extend([0x41, 1, 1]));
    let mut file = b"\0asm\x0d\0\x01\0\x07".to_vec();
    leb128(&mut file, types.len());
    file.extend(types);
    file
}

pub(crate) fn exports(count: usize) -> String {
    (0..count).map(|at| format!("(export \"e{at}\" (func))")).collect()
}

pub(crate) fn declared(json: &str) -> Vec<u8> {
    Wat { declared: Some(json), ..Wat::default() }.component()
}
