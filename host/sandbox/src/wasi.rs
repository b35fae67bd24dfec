//! The little of WASI that a guest built with a standard library needs: inert, and the same every time.
//!
//! The environment is empty, clocks read market time, randomness follows from the run's seed, standard input is closed,
//! and what is printed becomes bounded log lines. Exit and sleep end the run. There is no file, socket or process.

use wasmtime::component::{ComponentType, Linker, Lower, Resource, ResourceType};
use wasmtime::{Result, StoreContextMut};

use tiltyard_model::Desk;

use crate::cell::{Cell, Stream};
use crate::fault::{FaultKind, Raised};
use crate::imports::charge;

/// What is provided, and the functions of each interface. Admission refuses everything else.
const PROVIDED: [(&str, &[&str]); 17] = [
    ("wasi:cli/environment", &["get-environment", "get-arguments", "initial-cwd"]),
    ("wasi:cli/exit", &["exit"]),
    ("wasi:cli/stdin", &["get-stdin"]),
    ("wasi:cli/stdout", &["get-stdout"]),
    ("wasi:cli/stderr", &["get-stderr"]),
    ("wasi:cli/terminal-input", &[]),
    ("wasi:cli/terminal-output", &[]),
    ("wasi:cli/terminal-stdin", &["get-terminal-stdin"]),
    ("wasi:cli/terminal-stdout", &["get-terminal-stdout"]),
    ("wasi:cli/terminal-stderr", &["get-terminal-stderr"]),
    ("wasi:clocks/monotonic-clock", &["now", "resolution", "subscribe-instant", "subscribe-duration"]),
    ("wasi:clocks/wall-clock", &["now", "resolution"]),
    ("wasi:io/error", &["[method]error.to-debug-string"]),
    ("wasi:io/poll", &["poll", "[method]pollable.block", "[method]pollable.ready"]),
    (
        "wasi:io/streams",
        &[
            "[method]input-stream.read",
            "[method]input-stream.blocking-read",
            "[method]input-stream.subscribe",
            "[method]output-stream.check-write",
            "[method]output-stream.write",
            "[method]output-stream.blocking-write-and-flush",
            "[method]output-stream.flush",
            "[method]output-stream.blocking-flush",
            "[method]output-stream.subscribe",
        ],
    ),
    ("wasi:random/insecure-seed", &["insecure-seed"]),
    ("wasi:random/random", &["get-random-bytes", "get-random-u64"]),
];

/// The version that is linked; a component built against another 0.2 finds it too.
const VERSION: &str = "0.2.6";

/// The functions provided of this interface, if it is one of those provided and of version 0.2.
pub(crate) fn functions(import: &str) -> Option<&'static [&'static str]> {
    let (name, version) = import.split_once('@')?;
    if !version.starts_with("0.2.") {
        return None;
    }
    PROVIDED.iter().find(|(provided, _)| *provided == name).map(|(_, functions)| *functions)
}

/// What the interface is for, in words, where that is worth telling.
pub(crate) fn asks_for(import: &str) -> Option<&'static str> {
    match import.split_once('@')?.0 {
        "wasi:cli/stdout" | "wasi:cli/stderr" => Some("log"),
        name if name.starts_with("wasi:clocks/") => Some("market time"),
        name if name.starts_with("wasi:random/") => Some("seeded random numbers"),
        _ => None,
    }
}

/// Why an interface is not provided, and what to do instead.
pub(crate) fn why_not(import: &str) -> &'static str {
    let area = import.split('/').next().unwrap_or_default();
    match area {
        "wasi:filesystem" => "a strategy has no files; take what it needs as parameters",
        "wasi:sockets" | "wasi:http" => "a strategy has no network; all it sees is the market",
        "wasi:clocks" | "wasi:random" | "wasi:io" | "wasi:cli" => {
            "only what Rust's standard library needs of it is provided; see the contract"
        }
        _ => "a strategy imports the contract and the little of WASI 0.2 that a standard library needs, nothing else",
    }
}

/// Standard input; every read finds it closed.
struct InputStream;
/// Standard output or error, told apart by the handle's number.
struct OutputStream;
/// Something to wait for; it is always ready.
struct Pollable;
/// An error of a stream. None is ever made.
struct IoError;
/// A terminal. There is none.
struct Terminal;

const STDOUT: u32 = 1;
const STDERR: u32 = 2;

/// Bytes that one write takes.
const WRITE: u64 = 64 << 10;

#[derive(ComponentType, Lower)]
#[component(variant)]
#[allow(dead_code, reason = "a stream here never fails, but the type must have the case")]
enum StreamError {
    #[component(name = "last-operation-failed")]
    LastOperationFailed(Resource<IoError>),
    #[component(name = "closed")]
    Closed,
}

#[derive(ComponentType, Lower)]
#[component(record)]
struct Datetime {
    #[component(name = "seconds")]
    seconds: u64,
    #[component(name = "nanoseconds")]
    nanoseconds: u32,
}

/// Refuses where nothing may be called, and charges for the call.
fn enter<D: Desk + Send + 'static>(
    cx: &mut StoreContextMut<'_, Cell<D>>,
    import: &'static str,
    bytes: usize,
) -> Result<()> {
    cx.data_mut().desk(import)?;
    charge(cx, bytes)
}

/// Market time as clocks tell it: never before 1970.
fn now<D: Desk + Send + 'static>(cx: &mut StoreContextMut<'_, Cell<D>>, import: &'static str) -> Result<(u64, u32)> {
    enter(cx, import, 0)?;
    let (seconds, nanos) = cx.data_mut().desk(import)?.now().split();
    Ok(u64::try_from(seconds).map_or((0, 0), |seconds| (seconds, nanos)))
}

/// Makes all of it known to the linker.
pub(crate) fn link<D: Desk + Send + 'static>(linker: &mut Linker<Cell<D>>) -> Result<()> {
    let name = |interface: &str| format!("{interface}@{VERSION}");
    link_cli(linker, name)?;
    link_io(linker, name)?;

    let mut clock = linker.instance(&name("wasi:clocks/monotonic-clock"))?;
    clock.func_wrap("now", |mut cx: StoreContextMut<'_, Cell<D>>, (): ()| {
        let (seconds, nanos) = now(&mut cx, "wasi:clocks/monotonic-clock.now")?;
        Ok((seconds.saturating_mul(1_000_000_000).saturating_add(u64::from(nanos)),))
    })?;
    clock.func_wrap("resolution", |mut cx: StoreContextMut<'_, Cell<D>>, (): ()| {
        enter(&mut cx, "wasi:clocks/monotonic-clock.resolution", 0)?;
        Ok((1_u64,))
    })?;
    for wait in ["subscribe-instant", "subscribe-duration"] {
        clock.func_wrap(wait, |_: StoreContextMut<'_, Cell<D>>, (_,): (u64,)| -> Result<(Resource<Pollable>,)> {
            Err(Raised(FaultKind::Sleep).into())
        })?;
    }
    let mut clock = linker.instance(&name("wasi:clocks/wall-clock"))?;
    clock.func_wrap("now", |mut cx: StoreContextMut<'_, Cell<D>>, (): ()| {
        let (seconds, nanoseconds) = now(&mut cx, "wasi:clocks/wall-clock.now")?;
        Ok((Datetime { seconds, nanoseconds },))
    })?;
    clock.func_wrap("resolution", |mut cx: StoreContextMut<'_, Cell<D>>, (): ()| {
        enter(&mut cx, "wasi:clocks/wall-clock.resolution", 0)?;
        Ok((Datetime { seconds: 0, nanoseconds: 1 },))
    })?;

    let mut random = linker.instance(&name("wasi:random/insecure-seed"))?;
    random.func_wrap("insecure-seed", |mut cx: StoreContextMut<'_, Cell<D>>, (): ()| {
        enter(&mut cx, "wasi:random/insecure-seed", 16)?;
        let random = &mut cx.data_mut().random;
        Ok(((random.next_u64(), random.next_u64()),))
    })?;
    let mut random = linker.instance(&name("wasi:random/random"))?;
    random.func_wrap("get-random-u64", |mut cx: StoreContextMut<'_, Cell<D>>, (): ()| {
        enter(&mut cx, "wasi:random/random.get-random-u64", 8)?;
        Ok((cx.data_mut().random.next_u64(),))
    })?;
    random.func_wrap("get-random-bytes", |mut cx: StoreContextMut<'_, Cell<D>>, (count,): (u64,)| {
        let limit = cx.data().limits.host_call_bytes;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if count > limit {
            return Err(Raised(FaultKind::HostCallBytes { limit }).into());
        }
        enter(&mut cx, "wasi:random/random.get-random-bytes", count)?;
        Ok((cx.data_mut().random.bytes(count),))
    })?;
    Ok(())
}

fn link_cli<D: Desk + Send + 'static>(linker: &mut Linker<Cell<D>>, name: impl Fn(&str) -> String) -> Result<()> {
    let mut environment = linker.instance(&name("wasi:cli/environment"))?;
    environment.func_wrap("get-environment", |mut cx: StoreContextMut<'_, Cell<D>>, (): ()| {
        enter(&mut cx, "wasi:cli/environment.get-environment", 0)?;
        Ok((Vec::<(String, String)>::new(),))
    })?;
    environment.func_wrap("get-arguments", |mut cx: StoreContextMut<'_, Cell<D>>, (): ()| {
        enter(&mut cx, "wasi:cli/environment.get-arguments", 0)?;
        Ok((Vec::<String>::new(),))
    })?;
    environment.func_wrap("initial-cwd", |mut cx: StoreContextMut<'_, Cell<D>>, (): ()| {
        enter(&mut cx, "wasi:cli/environment.initial-cwd", 0)?;
        Ok((None::<String>,))
    })?;
    linker.instance(&name("wasi:cli/exit"))?.func_wrap(
        "exit",
        |_: StoreContextMut<'_, Cell<D>>, (status,): (Result<(), ()>,)| -> Result<()> {
            Err(Raised(FaultKind::Exit { code: u8::from(status.is_err()) }).into())
        },
    )?;
    linker.instance(&name("wasi:cli/stdin"))?.func_wrap(
        "get-stdin",
        |mut cx: StoreContextMut<'_, Cell<D>>, (): ()| {
            enter(&mut cx, "wasi:cli/stdin.get-stdin", 0)?;
            Ok((Resource::<InputStream>::new_own(0),))
        },
    )?;
    for (interface, function, handle) in
        [("wasi:cli/stdout", "get-stdout", STDOUT), ("wasi:cli/stderr", "get-stderr", STDERR)]
    {
        linker.instance(&name(interface))?.func_wrap(
            function,
            move |mut cx: StoreContextMut<'_, Cell<D>>, (): ()| {
                enter(&mut cx, interface, 0)?;
                Ok((Resource::<OutputStream>::new_own(handle),))
            },
        )?;
    }
    for (interface, resource) in
        [("wasi:cli/terminal-input", "terminal-input"), ("wasi:cli/terminal-output", "terminal-output")]
    {
        linker.instance(&name(interface))?.resource(resource, ResourceType::host::<Terminal>(), |_, _| Ok(()))?;
    }
    for (interface, function) in [
        ("wasi:cli/terminal-stdin", "get-terminal-stdin"),
        ("wasi:cli/terminal-stdout", "get-terminal-stdout"),
        ("wasi:cli/terminal-stderr", "get-terminal-stderr"),
    ] {
        linker.instance(&name(interface))?.func_wrap(
            function,
            move |mut cx: StoreContextMut<'_, Cell<D>>, (): ()| {
                enter(&mut cx, interface, 0)?;
                Ok((None::<Resource<Terminal>>,))
            },
        )?;
    }
    Ok(())
}

fn link_io<D: Desk + Send + 'static>(linker: &mut Linker<Cell<D>>, name: impl Fn(&str) -> String) -> Result<()> {
    let mut error = linker.instance(&name("wasi:io/error"))?;
    error.resource("error", ResourceType::host::<IoError>(), |_, _| Ok(()))?;
    error.func_wrap(
        "[method]error.to-debug-string",
        |mut cx: StoreContextMut<'_, Cell<D>>, (_,): (Resource<IoError>,)| {
            enter(&mut cx, "wasi:io/error.to-debug-string", 0)?;
            Ok((String::new(),))
        },
    )?;

    let mut poll = linker.instance(&name("wasi:io/poll"))?;
    poll.resource("pollable", ResourceType::host::<Pollable>(), |_, _| Ok(()))?;
    poll.func_wrap("[method]pollable.block", |mut cx: StoreContextMut<'_, Cell<D>>, (_,): (Resource<Pollable>,)| {
        enter(&mut cx, "wasi:io/poll.block", 0)
    })?;
    poll.func_wrap("[method]pollable.ready", |mut cx: StoreContextMut<'_, Cell<D>>, (_,): (Resource<Pollable>,)| {
        enter(&mut cx, "wasi:io/poll.ready", 0)?;
        Ok((true,))
    })?;
    poll.func_wrap("poll", |mut cx: StoreContextMut<'_, Cell<D>>, (all,): (Vec<Resource<Pollable>>,)| {
        enter(&mut cx, "wasi:io/poll.poll", all.len() * 4)?;
        Ok(((0..all.len() as u32).collect::<Vec<u32>>(),))
    })?;

    let mut streams = linker.instance(&name("wasi:io/streams"))?;
    streams.resource("input-stream", ResourceType::host::<InputStream>(), |_, _| Ok(()))?;
    streams.resource("output-stream", ResourceType::host::<OutputStream>(), |_, _| Ok(()))?;
    for read in ["[method]input-stream.read", "[method]input-stream.blocking-read"] {
        streams.func_wrap(read, |mut cx: StoreContextMut<'_, Cell<D>>, (_, _): (Resource<InputStream>, u64)| {
            enter(&mut cx, "wasi:io/streams.read", 0)?;
            Ok((Err::<Vec<u8>, _>(StreamError::Closed),))
        })?;
    }
    streams.func_wrap(
        "[method]input-stream.subscribe",
        |mut cx: StoreContextMut<'_, Cell<D>>, (_,): (Resource<InputStream>,)| {
            enter(&mut cx, "wasi:io/streams.subscribe", 0)?;
            Ok((Resource::<Pollable>::new_own(0),))
        },
    )?;
    streams.func_wrap(
        "[method]output-stream.subscribe",
        |mut cx: StoreContextMut<'_, Cell<D>>, (_,): (Resource<OutputStream>,)| {
            enter(&mut cx, "wasi:io/streams.subscribe", 0)?;
            Ok((Resource::<Pollable>::new_own(0),))
        },
    )?;
    streams.func_wrap(
        "[method]output-stream.check-write",
        |mut cx: StoreContextMut<'_, Cell<D>>, (_,): (Resource<OutputStream>,)| {
            enter(&mut cx, "wasi:io/streams.check-write", 0)?;
            Ok((Ok::<u64, StreamError>(WRITE),))
        },
    )?;
    for write in ["[method]output-stream.write", "[method]output-stream.blocking-write-and-flush"] {
        streams.func_wrap(
            write,
            |mut cx: StoreContextMut<'_, Cell<D>>, (stream, bytes): (Resource<OutputStream>, Vec<u8>)| {
                enter(&mut cx, "wasi:io/streams.write", bytes.len())?;
                let stream = if stream.rep() == STDERR { Stream::Err } else { Stream::Out };
                cx.data_mut().print(stream, &bytes)?;
                Ok((Ok::<(), StreamError>(()),))
            },
        )?;
    }
    for flush in ["[method]output-stream.flush", "[method]output-stream.blocking-flush"] {
        streams.func_wrap(flush, |mut cx: StoreContextMut<'_, Cell<D>>, (_,): (Resource<OutputStream>,)| {
            enter(&mut cx, "wasi:io/streams.flush", 0)?;
            Ok((Ok::<(), StreamError>(()),))
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{functions, why_not};

    #[test]
    fn only_what_is_listed_of_version_0_2_is_provided() {
        assert!(functions("wasi:cli/exit@0.2.0").is_some());
        assert!(functions("wasi:cli/exit@0.2.11").is_some());
        for import in ["wasi:cli/exit@0.3.0", "wasi:cli/exit", "wasi:filesystem/types@0.2.0", "wasi:cli/run@0.2.0"] {
            assert!(functions(import).is_none(), "{import}");
        }
        assert!(why_not("wasi:sockets/tcp@0.2.0").contains("network"));
    }
}
