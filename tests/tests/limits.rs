//! Limits of runs, of compilation, and of what is believed of the cache.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tiltyard_model::{InstrumentIndex, Nanos, Value};
use tiltyard_sandbox::{
    AdmissionLimits, Cache, CacheError, CacheOutcome, CompileError, CompileLimits, FaultKind, Limits, LoadError, Mode,
    PoolLimits, Refusal, Scope, StartError, admit,
};
use tiltyard_tests::{CURIOUS, Ground, Played, Tape, Wat, bars, signature, start};

const WORKER: &str = env!("CARGO_BIN_EXE_compile-worker");

fn example(name: &str) -> &'static [u8] {
    tiltyard_examples::example(name).expect("an example of that name").component
}

#[test]
fn a_run_has_the_fuel_it_is_given_and_no_more() {
    let ground = Ground::new(WORKER);
    let component = ground.load(example("ma-cross")).unwrap();
    let run = |limits: &Limits| Played::run(&component, &start(&[]), &bars(100), limits).unwrap();
    let free = run(&Limits { fuel_per_run: None, ..Limits::default() });
    let enough = Limits { fuel_per_run: Some(free.fuel), ..Limits::default() };
    assert_eq!(signature(&run(&enough)), signature(&free));
    let half = Limits { fuel_per_run: Some(free.fuel / 2), ..Limits::default() };
    let stopped = run(&half);
    assert_eq!(stopped.fault.unwrap().kind, FaultKind::OutOfFuel { scope: Scope::Run, limit: free.fuel / 2 });
    assert_eq!(stopped.fuel, free.fuel / 2);
}

#[test]
fn host_calls_cost_fuel_in_proportion_to_their_work() {
    let ground = Ground::new(WORKER);
    let import = r#"(import "tiltyard:strategy/journal@0.1.0" "log" (func $log (param i32 i32 i32)))"#;
    let fuel = |bytes: u32| {
        let on_bar = format!("(call $log (i32.const 1) (i32.const 4096) (i32.const {bytes}))");
        let guest = Wat { imports: import, on_bar: &on_bar, ..Wat::default() }.component();
        let component = ground.load(&guest).unwrap();
        Played::run(&component, &start(&[]), &bars(1), &Limits::default()).unwrap().fuel
    };
    assert_eq!(fuel(1_000) - fuel(0), 1_000);
}

#[test]
fn a_deadline_stops_what_fuel_does_not() {
    let ground = Ground::new(WORKER);
    let component = ground.load(&Wat { on_bar: "(loop (br 0))", ..Wat::default() }.component()).unwrap();
    let limits = Limits { fuel_per_call: u64::MAX, fuel_per_run: None, deadline_ticks: Some(2), ..Limits::default() };
    let done = AtomicBool::new(false);
    let played = thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                ground.sandbox.tick();
                thread::sleep(Duration::from_millis(1));
            }
        });
        let played = Played::run(&component, &start(&[]), &bars(1), &limits).unwrap();
        done.store(true, Ordering::Relaxed);
        played
    });
    assert_eq!(played.fault.unwrap().kind, FaultKind::Deadline { ticks: 2 });
}

#[test]
fn without_a_deadline_ticks_do_not_matter() {
    let ground = Ground::new(WORKER);
    let component = ground.load(example("buy-and-hold")).unwrap();
    let before = Played::run(&component, &start(&[]), &bars(50), &Limits::default()).unwrap();
    (0..1_000).for_each(|_| ground.sandbox.tick());
    let after = Played::run(&component, &start(&[]), &bars(50), &Limits::default()).unwrap();
    assert_eq!(signature(&before), signature(&after));
    assert_eq!(after.fault, None);
}

#[test]
fn columns_have_fuel_for_every_bar() {
    let ground = Ground::new(WORKER);
    let component = ground.sandbox.load(example("ma-cross"), Mode::Screen).unwrap();
    let limits = Limits { fuel_per_call: 2_000, ..Limits::default() };
    let mut tape = Tape::new(1, 0.0);
    let mut instance = component.start(&mut tape, &start(&[]), &limits).unwrap();
    assert_eq!(instance.on_columns(&mut tape, &bars(4_096)).unwrap().len(), 4_096);
}

#[test]
fn a_wrong_number_of_targets_is_a_broken_contract() {
    let ground = Ground::new(WORKER);
    let component = ground.load(&Wat { world: "signal", ..Wat::default() }.component()).unwrap();
    let mut tape = Tape::new(1, 0.0);
    let mut instance = component.start(&mut tape, &start(&[]), &Limits::default()).unwrap();
    let fault = instance.on_columns(&mut tape, &bars(3)).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Contract { detail: "0 targets for 3 bars".to_owned() });
}

#[test]
fn state_survives_from_one_instance_to_the_next() {
    let ground = Ground::new(WORKER);
    let on_bar = "(f64.store (i32.const 80) (local.get $close))";
    let component = ground.load(&Wat { world: "stateful", on_bar, ..Wat::default() }.component()).unwrap();
    let mut tape = Tape::new(1, 0.0);
    let mut instance = component.start(&mut tape, &start(&[]), &Limits::default()).unwrap();
    let bar = bars(1).get(0).unwrap();
    instance.on_bar(&mut tape, InstrumentIndex(0), &bar).unwrap();
    let saved = instance.save(&mut tape).unwrap().unwrap();
    assert_eq!(saved, bar.close.to_le_bytes());
    let mut next = component.start(&mut tape, &start(&[]), &Limits::default()).unwrap();
    assert!(next.restore(&mut tape, &saved).unwrap());
    assert_eq!(next.save(&mut tape).unwrap().unwrap(), saved);

    let stateless = ground.load(example("ma-cross")).unwrap();
    let mut instance = stateless.start(&mut tape, &start(&[]), &Limits::default()).unwrap();
    assert_eq!(instance.save(&mut tape).unwrap(), None);
    assert!(!instance.restore(&mut tape, &saved).unwrap());
}

#[test]
fn a_strategy_may_refuse_parameters_that_its_manifest_allows() {
    let ground = Ground::new(WORKER);
    let component = ground.load(example("ma-cross")).unwrap();
    let start = start(&[("fast", Value::Integer(60)), ("slow", Value::Integer(50))]);
    let error = component.start(&mut Tape::new(1, 0.0), &start, &Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "the strategy refuses parameter `fast`: 60 must be less than slow, 50");
    let mut two = tiltyard_tests::start(&[]);
    two.instruments.push(two.instruments[0].clone());
    let error = component.start(&mut Tape::new(2, 0.0), &two, &Limits::default()).unwrap_err();
    assert!(matches!(error, StartError::RefusedInstruments { .. }), "{error}");
}

#[test]
fn a_strategy_trades_what_its_manifest_says_and_nothing_else() {
    let ground = Ground::new(WORKER);
    let start_with = |field: &str| {
        let json = tiltyard_tests::manifest("guest").replacen('{', &format!("{{{field},"), 1);
        let (data, body) = describing(&json);
        let guest = Wat { items: &data, describe: &body, declared: Some(&json), ..Wat::default() };
        let component = ground.load(&guest.component()).unwrap();
        component.start(&mut Tape::new(1, 0.0), &start(&[]), &Limits::default()).map(|_| ())
    };
    assert_eq!(start_with(r#""instruments":["TEST","MORE"],"interval":"1h""#), Ok(()));
    assert!(matches!(start_with(r#""instruments":["MORE"]"#), Err(StartError::Instrument { .. })));
    let error = start_with(r#""interval":"4h""#).unwrap_err();
    assert_eq!(error.to_string(), "the strategy takes bars of 4h, not of 1h");
}

/// Items and body of a `describe` that says this.
fn describing(json: &str) -> (String, String) {
    let data = format!("(data (i32.const 8192) \"{}\")", json.replace('"', "\\22"));
    let body = format!(
        "(i32.store (i32.const 16) (i32.const 8192)) (i32.store (i32.const 20) (i32.const {})) (i32.const 16)",
        json.len()
    );
    (data, body)
}

#[test]
fn an_instance_gets_no_more_than_the_pool_has() {
    let ground = Ground::new(WORKER);
    let component = ground.load(example("ma-cross")).unwrap();
    let limits = Limits { memory_bytes: 128 << 20, ..Limits::default() };
    let error = component.start(&mut Tape::new(1, 0.0), &start(&[]), &limits).unwrap_err();
    assert!(matches!(error, StartError::Limits { what: "bytes of memory", .. }), "{error}");
}

#[test]
fn long_lines_that_are_printed_go_on_in_the_next() {
    let ground = Ground::new(WORKER);
    let component = ground.load(CURIOUS).unwrap();
    let rant = start(&[("act", Value::Text("rant".to_owned()))]);
    let played = Played::run(&component, &rant, &bars(1), &Limits::default()).unwrap();
    let said: String = played.tape.lines().iter().map(|line| line.strip_prefix("Info: ").unwrap()).collect();
    assert_eq!(said, "Größe! ".repeat(1_000));
    assert!(played.tape.lines().iter().all(|line| line.len() <= 2_100));
}

#[test]
fn what_a_strategy_need_not_export_is_not_missed() {
    let ground = Ground::new(WORKER);
    let component = ground.load(&Wat::default().component()).unwrap();
    let mut tape = Tape::new(1, 0.0);
    let mut instance = component.start(&mut tape, &start(&[]), &Limits::default()).unwrap();
    let fuel = instance.fuel_used();
    instance.on_timer(&mut tape, tiltyard_model::TimerId(1), Nanos(0)).unwrap();
    assert_eq!(instance.save(&mut tape).unwrap(), None);
    assert_eq!(instance.fuel_used(), fuel);
}

fn cached_entry(ground: &Ground) -> PathBuf {
    let engine = fs::read_dir(ground.cache()).unwrap().next().unwrap().unwrap().path();
    fs::read_dir(engine).unwrap().next().unwrap().unwrap().path()
}

#[test]
fn a_cache_entry_that_is_not_what_it_should_be_is_built_again() {
    let ground = Ground::new(WORKER);
    let bytes = example("ma-cross");
    let component = ground.load(bytes).unwrap();
    assert_eq!(component.cache_outcome(), &CacheOutcome::Compiled);
    let result = signature(&Played::run(&component, &start(&[]), &bars(100), &Limits::default()).unwrap());
    let entry = cached_entry(&ground);
    let good = fs::read(&entry).unwrap();
    let flipped = |at: usize| {
        let mut bad = good.clone();
        bad[at] ^= 1;
        bad
    };
    for (what, bad) in [
        ("not one of this cache", flipped(0)),
        ("another component", flipped(8)),
        ("another engine", flipped(40)),
        ("checksum", flipped(72)),
        ("checksum", flipped(good.len() / 2)),
        ("checksum", flipped(good.len() - 1)),
        ("checksum", good[..good.len() - 1].to_vec()),
        ("cut short", good[..50].to_vec()),
        ("cut short", Vec::new()),
    ] {
        fs::write(&entry, bad).unwrap();
        let component = ground.load(bytes).unwrap();
        let CacheOutcome::Rebuilt(why) = component.cache_outcome() else { panic!("used: {what}") };
        assert!(why.contains(what), "{why}");
        assert_eq!(signature(&Played::run(&component, &start(&[]), &bars(100), &Limits::default()).unwrap()), result);
        assert_eq!(ground.load(bytes).unwrap().cache_outcome(), &CacheOutcome::Hit);
        assert!(fs::read(&entry).unwrap() == good, "the entry is what it was, byte for byte");
    }
}

#[test]
fn the_entry_of_another_component_under_this_name_is_not_used() {
    let ground = Ground::new(WORKER);
    ground.load(example("buy-and-hold")).unwrap();
    let foreign = fs::read(cached_entry(&ground)).unwrap();
    fs::remove_file(cached_entry(&ground)).unwrap();
    ground.load(example("ma-cross")).unwrap();
    fs::write(cached_entry(&ground), foreign).unwrap();
    let component = ground.load(example("ma-cross")).unwrap();
    assert!(matches!(component.cache_outcome(), CacheOutcome::Rebuilt(why) if why.contains("another component")));
}

#[test]
fn an_entry_that_others_could_have_written_is_not_used() {
    let ground = Ground::new(WORKER);
    ground.load(example("ma-cross")).unwrap();
    let entry = cached_entry(&ground);
    for path in [entry.as_path(), entry.parent().unwrap()] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
        let component = ground.load(example("ma-cross")).unwrap();
        assert!(matches!(component.cache_outcome(), CacheOutcome::Rebuilt(why) if why.contains("delete it")));
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
    }
    assert_eq!(ground.load(example("ma-cross")).unwrap().cache_outcome(), &CacheOutcome::Hit);
}

#[test]
fn a_cache_that_others_can_write_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let error = Cache::open(folder.path()).unwrap_err();
    assert!(matches!(error, CacheError::Unsafe { mode: 0o777, .. }), "{error}");
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(Cache::open(file), Err(CacheError::Io { .. } | CacheError::Unsafe { .. })));
}

/// A guest that takes a compiler several seconds.
fn laborious() -> Vec<u8> {
    let sum = "(i64.rotl (i64.mul (i64.add (local.get 0) (local.get 1)) (local.get 0)) (local.get 1))";
    let body: String = (0..60).map(|_| format!("(local.set 0 {sum}) (local.set 1 {sum})")).collect();
    let function = format!("(func (param i64 i64) (result i64) {body} (local.get 0))");
    Wat { items: &function.repeat(10_000), ..Wat::default() }.component()
}

fn compile_error(worker: &str, limits: CompileLimits, guest: &[u8]) -> CompileError {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Ground::<Tape>::sandbox_at(worker, PoolLimits::default(), limits, &folder.path().join("cache"));
    match sandbox.load(guest, Mode::Event) {
        Err(LoadError::Compile(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn compilation_has_limits_of_memory_and_time() {
    let limits = CompileLimits::default();
    let error = compile_error(WORKER, CompileLimits { memory_bytes: 24 << 20, ..limits.clone() }, CURIOUS);
    assert!(matches!(error, CompileError::Died { .. } | CompileError::Refused { .. }), "{error}");
    let error = compile_error(WORKER, CompileLimits { cpu_seconds: 1, ..limits.clone() }, &laborious());
    assert!(matches!(error, CompileError::Cpu { limit_seconds: 1 }), "{error}");
    let error = compile_error(WORKER, CompileLimits { wall: Duration::from_millis(1), ..limits.clone() }, CURIOUS);
    assert!(matches!(error, CompileError::Wall { .. }), "{error}");
    let error = compile_error(WORKER, CompileLimits { output_bytes: 1_000, ..limits.clone() }, CURIOUS);
    assert!(matches!(error, CompileError::Output { limit_bytes: 1_000 }), "{error}");
    let error = compile_error("/nowhere/compile-worker", limits, CURIOUS);
    assert!(matches!(error, CompileError::Process { .. }), "{error}");
}

#[test]
fn a_child_that_does_something_else_is_not_believed() {
    // `true` ends well and writes nothing; what it did not write is not loaded.
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Ground::<Tape>::sandbox_at(
        "/bin/true",
        PoolLimits::default(),
        CompileLimits::default(),
        &folder.path().join("cache"),
    );
    assert!(matches!(sandbox.load(CURIOUS, Mode::Event), Err(LoadError::Link(_))));
}

#[test]
fn admission_runs_and_compiles_nothing() {
    let admission = admit(example("ma-cross"), &AdmissionLimits::default()).unwrap();
    assert_eq!(admission.manifest.name, "ma-cross");
    assert!(admission.is_signal());
    assert!(!admission.asks_for().contains(&"orders"));
    let admission = admit(example("buy-and-hold"), &AdmissionLimits::default()).unwrap();
    assert_eq!(admission.asks_for(), ["log", "orders"]);
    let small = AdmissionLimits { functions: 10, ..AdmissionLimits::default() };
    let refusal = admit(example("ma-cross"), &small).unwrap_err();
    assert!(matches!(refusal, Refusal::StaticLimit { what: "functions", limit: 10, .. }), "{refusal}");
}
