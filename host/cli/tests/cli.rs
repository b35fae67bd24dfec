//! The program as its users meet it.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod place;

use std::fs;
use std::path::Path;

use place::Place;
use serde_json::Value as Json;

#[test]
fn try_runs_every_example_and_says_the_same_twice() {
    let place = Place::new();
    let first = place.json(&["try", "--json"]);
    assert_eq!(first["market"], "synthetic");
    assert_eq!(first["runs"].as_array().unwrap().len(), tiltyard_examples::EXAMPLES.len());
    for run in first["runs"].as_array().unwrap() {
        assert_eq!(run["fault"], Json::Null);
        assert_eq!(run["cache"], "compiled");
        assert!(run["fuel"].as_u64().unwrap() > 2_000);
        assert!(run["metrics"]["fees"].as_f64().unwrap() > 0.0, "it traded");
    }
    assert_eq!(first["runs"][0]["metrics"]["trades"], 0, "buy and hold never sells");
    for run in first["runs"].as_array().unwrap().iter().filter(|run| !run["screen_agrees"].is_null()) {
        assert_eq!(run["screen_agrees"], true, "{run}");
    }
    assert_eq!(first["runs"][2]["screen_agrees"], true, "ma-cross is a signal");
    assert!(first["runs"][2]["metrics"]["trades"].as_u64().unwrap() > 10, "its averages cross");
    let second = place.json(&["try", "--json"]);
    for (first, second) in first["runs"].as_array().unwrap().iter().zip(second["runs"].as_array().unwrap()) {
        assert_eq!(second["cache"], "hit");
        for same in ["strategy", "digest", "fuel", "result", "metrics"] {
            assert_eq!(first[same], second[same], "{same}");
        }
    }
}

#[test]
fn try_says_that_its_market_is_synthetic() {
    let text = Place::new().ok(&["try", "--bars", "100"]);
    assert!(text.contains("SYNTHETIC") && text.contains("Prices are made up"), "{text}");
}

#[test]
fn demo_holds_a_tournament_of_every_example_and_says_the_same_twice() {
    let place = Place::new();
    let demo = || place.json(&["demo", "--bars", "600", "--json"]);
    let first = demo();
    assert!(first["runs"].as_u64().unwrap() >= 200 && first["synthetic"] == true, "{first}");
    let rows = first["ranking"].as_array().unwrap();
    for example in tiltyard_examples::EXAMPLES {
        assert!(rows.iter().any(|row| row["strategy"] == example.name), "{}", example.name);
    }
    assert!(rows.iter().all(|row| row["fault"].is_null()));
    let report = fs::read_to_string(place.path(first["report"].as_str().unwrap())).unwrap();
    assert!(report.contains("SYNTHETIC") || report.contains("synthetic"));
    assert_eq!(demo(), first);
}

/// Digests differ where the compiler does; everything else in the README's picture is what the program prints.
#[test]
fn the_readme_shows_what_demo_prints() {
    let masked = |text: &str| -> String {
        let is_digest = |word: &str| word.len() == 12 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        // Digests stand between spaces, hyphens, commas and full stops.
        let parts = text.split_inclusive([' ', '-', ',', '.']);
        parts.map(|part| if is_digest(part.trim_end_matches([' ', '-', ',', '.'])) { "DIGEST" } else { part }).collect()
    };
    let by_line = |text: &str| text.lines().map(masked).collect::<Vec<_>>().join("\n");
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md")).unwrap();
    let printed = by_line(&Place::new().ok(&["demo"]));
    assert!(by_line(&readme).contains(printed.trim_end()), "{printed}");
}

#[test]
fn try_takes_components_and_parameters() {
    let place = Place::new();
    let trades = |fast: &str| {
        place.json(&["try", "ma-cross.wasm", "--param", fast, "--json"])["runs"][0]["metrics"]["trades"]
            .as_u64()
            .unwrap()
    };
    assert!(trades("fast=3") > trades("fast=40"));
    assert_eq!(
        place.fails(&["try", "ma-cross.wasm", "--param", "fast=9999"]),
        "error: ma-cross.wasm: parameter `fast` = 9999 is out of bounds; it takes 2 to 200\n"
    );
    assert_eq!(
        place.fails(&["try", "ma-cross.wasm", "--param", "speed=1"]),
        "error: ma-cross.wasm: unknown parameter `speed`; the strategy declares fast, slow, short\n"
    );
    assert_eq!(
        place.fails(&["try", "ma-cross.wasm", "--param", "fast"]),
        "error: ma-cross.wasm: `fast` is not of the form NAME=VALUE\n"
    );
    assert_eq!(
        place.fails(&["try", "ma-cross.wasm", "--param", "fast=60"]),
        "error: ma-cross.wasm: the strategy refuses parameter `fast`: 60 must be less than slow, 50\n"
    );
}

#[test]
fn inspect_tells_people_and_programs() {
    let place = Place::new();
    let text = place.ok(&["inspect", "ma-cross.wasm"]);
    for part in ["ma-cross 0.1.0 (signal strategy)", "3 × ATR(14)", "no network", "Bars in the fast average."] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let document = place.json(&["inspect", "buy-and-hold.wasm", "--json"]);
    assert_eq!(document["admitted"], true);
    let component = &document["component"];
    assert_eq!(component["manifest"]["name"], "buy-and-hold");
    assert_eq!(component["size"], fs::metadata(place.path("buy-and-hold.wasm")).unwrap().len());
    assert_eq!(component["digest"].as_str().unwrap().len(), 64);
    assert!(!place.path("cache").exists(), "inspect compiles nothing");
}

#[test]
fn inspect_refuses_with_a_reason_and_a_remedy() {
    let place = Place::new();
    let whole = fs::read(place.path("ma-cross.wasm")).unwrap();
    fs::write(place.path("cut.wasm"), &whole[..whole.len() / 2]).unwrap();
    fs::write(place.path("module.wasm"), b"\0asm\x01\0\0\0").unwrap();
    fs::write(place.path("empty.wasm"), b"").unwrap();
    assert_eq!(
        place.fails(&["inspect", "nothing.wasm"]),
        "error: nothing.wasm: No such file or directory (os error 2)\n"
    );
    assert_eq!(
        place.fails(&["inspect", "."]),
        "error: . is not a file; give the `.wasm` file that `tiltyard build` wrote\n"
    );
    assert!(place.fails(&["inspect", "cut.wasm"]).contains("the file ends early, at byte"));
    assert!(place.fails(&["inspect", "module.wasm"]).contains("this is a core WebAssembly module, not a component"));
    assert!(place.fails(&["inspect", "empty.wasm"]).contains("this is not WebAssembly"));
    let output = place.run(&["inspect", "module.wasm", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let document: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&document["admitted"], &document["refusal"]), (&Json::Bool(false), &Json::from("core_module")));
}

#[test]
fn build_makes_the_same_component_as_the_embedded_one() {
    let place = Place::new();
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../strategies/ma-cross");
    let crate_folder = crate_folder.to_str().unwrap();
    // Where the embedded one was built, so that only what differs is built again.
    let guests = Path::new(env!("CARGO_BIN_EXE_tiltyard")).ancestors().nth(2).unwrap().join("guests");
    let guests = guests.to_str().unwrap();
    let document = place.json(&["build", crate_folder, "--target-dir", guests, "--out", "built.wasm", "--json"]);
    let embedded = place.json(&["inspect", "ma-cross.wasm", "--json"]);
    assert_eq!(document["component"]["digest"], embedded["component"]["digest"]);
    assert!(place.path("built.wasm").is_file());
    let error = place.fails(&["build", "nowhere"]);
    assert_eq!(error, "error: nowhere has no Cargo.toml; give the folder of a strategy crate\n");
}

#[test]
fn a_cache_that_cannot_be_used_is_named() {
    let place = Place::new();
    fs::write(place.path("file"), "").unwrap();
    let error = place.fails(&["try", "--cache", "file"]);
    assert!(error.starts_with("error: file in the cache of compiled code cannot be used; give a folder"), "{error}");
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let place = Place::new();
    for args in [&["inspect"][..], &["nonsense"], &["try", "--bars", "0"], &[]] {
        assert_eq!(place.run(args).status.code(), Some(2), "{args:?}");
    }
}
