//! What the contract looks like from inside a guest. Generated; nothing of it shows in a strategy's code.
#![allow(missing_docs, clippy::all, unreachable_pub, reason = "generated code")]
// The canonical ABI passes pointers into linear memory. The generator writes that code, and it upholds the ABI.
#![allow(unsafe_code, clippy::undocumented_unsafe_blocks, reason = "generated code")]

pub mod strategy {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "strategy",
        pub_export_macro: true,
        export_macro_name: "export_strategy",
        default_bindings_module: "tiltyard_sdk::glue::strategy",
        runtime_path: "wit_bindgen::rt",
        with: { "tiltyard:strategy/types@0.1.0": tiltyard_sdk_bindings::tiltyard::strategy::types },
    });
}

pub mod tape {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "tape-events",
        pub_export_macro: true,
        export_macro_name: "export_tape",
        default_bindings_module: "tiltyard_sdk::glue::tape",
        runtime_path: "wit_bindgen::rt",
        with: { "tiltyard:strategy/types@0.1.0": tiltyard_sdk_bindings::tiltyard::strategy::types },
    });
}

pub use strategy::tiltyard::strategy::{account, journal, market, orders, timers};
pub use tiltyard_sdk_bindings as signal;
pub use tiltyard_sdk_bindings::tiltyard::strategy::types;
