//! The contract as wasmtime sees it. Generated from `wit/`; [`convert`](crate::convert) makes the host's own types of
//! it.
#![allow(missing_docs, clippy::all, unreachable_pub, dead_code, reason = "generated code")]

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "everything",
    ownership: Borrowing { duplicate_if_necessary: true },
});
