//! What the program prints is what its published schemas say.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod place;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use jsonschema::Validator;
use place::{Place, waves};
use serde_json::{Map, Value as Json, json};
use tiltyard_engine::TradeRow;
use tiltyard_examples::EXAMPLES;
use tiltyard_model::MANIFEST_SECTION;
use tiltyard_tests::frames;
use wasmparser::{Parser, Payload};

/// The published schemas, read strictly: no field but those they list, no word but those they give as examples. Whoever
/// reads results must expect more; whoever adds to them must publish it.
struct Schemas {
    all: BTreeMap<String, Json>,
    strict: RefCell<BTreeMap<String, Validator>>,
}

impl Schemas {
    fn of(place: &Place) -> Self {
        let names = place.json(&["schema", "--json"]);
        let names = names["schemas"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned());
        let all = names.map(|name| (name.clone(), place.json(&["schema", &name]))).collect();
        Self { all, strict: RefCell::default() }
    }

    fn problems(&self, name: &str, document: &Json) -> Vec<String> {
        let mut strict = self.strict.borrow_mut();
        let validator = strict.entry(name.to_owned()).or_insert_with(|| {
            let mut schema = self.all[name].clone();
            close(&mut schema);
            jsonschema::draft202012::new(&schema).unwrap()
        });
        validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
    }

    #[track_caller]
    fn hold(&self, name: &str, document: &Json) {
        let problems = self.problems(name, document);
        assert!(problems.is_empty(), "{name}: {problems:#?}\n{document:#}");
    }
}

/// Calls this with every object of a document, from the inside outwards.
fn for_each_object(document: &mut Json, each: &mut impl FnMut(&mut Map<String, Json>)) {
    match document {
        Json::Array(items) => items.iter_mut().for_each(|item| for_each_object(item, each)),
        Json::Object(fields) => {
            fields.values_mut().for_each(|value| for_each_object(value, each));
            each(fields);
        }
        _ => {}
    }
}

fn close(schema: &mut Json) {
    for_each_object(schema, &mut |schema| {
        if schema.contains_key("properties") {
            schema.entry("additionalProperties").or_insert(Json::Bool(false));
        }
        if let Some(Json::Array(mut words)) = schema.remove("examples") {
            words.push(Json::Null);
            schema.insert("enum".to_owned(), Json::Array(words));
        }
    });
}

/// What it prints, whether it calls that a success or not.
fn printed(place: &Place, line: &str) -> Json {
    let output = place.run(&line.split(' ').collect::<Vec<_>>());
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{line}: {error}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn with_bars() -> Place {
    let place = Place::new();
    fs::write(place.path("bars.csv"), waves(1_500)).unwrap();
    place
}

/// The arguments that play so many instruments.
fn market(instruments: usize) -> String {
    let symbols = ["AUSDT", "BUSDT", "CUSDT", "DUSDT"];
    let market = symbols.iter().take(instruments).map(|symbol| format!(" --symbol {symbol} --data bars.csv"));
    format!("--interval 1h{}", market.collect::<String>())
}

/// Makes a strategy from a template, with this put for that, and builds it.
fn build(place: &Place, name: &str, template: &str, changes: &[(&str, &str)]) -> (Json, Json) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let guests = Path::new(env!("CARGO_BIN_EXE_tiltyard")).ancestors().nth(2).unwrap().join("guests");
    let sdk = root.join("guest-sdk");
    let made = printed(place, &format!("new {name} --template {template} --sdk {} --json", sdk.display()));
    fs::copy(root.join("Cargo.lock"), place.path(name).join("Cargo.lock")).unwrap();
    let file = place.path(name).join("src/lib.rs");
    let mut code = fs::read_to_string(&file).unwrap();
    for (that, this) in changes {
        assert!(code.contains(that), "{that}");
        code = code.replacen(that, this, 1);
    }
    fs::write(file, code).unwrap();
    (made, printed(place, &format!("build {name} --target-dir {} --out {name}.wasm --json", guests.display())))
}

/// The manifest as it stands in a component.
fn manifest(component: &[u8]) -> Json {
    let sections = Parser::new(0).parse_all(component).filter_map(|payload| match payload.unwrap() {
        Payload::CustomSection(section) if section.name() == MANIFEST_SECTION => Some(section.data().to_vec()),
        _ => None,
    });
    let sections: Vec<_> = sections.collect();
    assert_eq!(sections.len(), 1);
    serde_json::from_slice(&sections[0]).unwrap()
}

#[test]
fn schemas_are_listed_and_valid_and_describe_every_field() {
    let place = Place::new();
    assert!(place.ok(&["schema"]).starts_with("backtest      Backtest\n"));
    let schemas = Schemas::of(&place);
    schemas.hold("schema", &place.json(&["schema", "--json"]));
    for (name, schema) in &schemas.all {
        jsonschema::meta::validate(schema).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{name}");
        assert!(schema["title"].is_string() && schema["description"].is_string(), "{name}");
        for_each_object(&mut schema.clone(), &mut |object| {
            for (field, schema) in object.get("properties").and_then(Json::as_object).into_iter().flatten() {
                let says = ["description", "$ref", "const"].iter().any(|keyword| schema.get(keyword).is_some());
                assert!(says, "{name}: {field} is not described");
            }
        });
    }
    let output = place.run(&["schema", "backtests"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("'backtest'"));
}

#[test]
fn a_definition_that_schemas_share_says_the_same_in_each() {
    let mut known: BTreeMap<&str, (&str, &Json)> = BTreeMap::new();
    let schemas = Schemas::of(&Place::new());
    for (name, schema) in &schemas.all {
        for (definition, text) in schema.get("$defs").and_then(Json::as_object).into_iter().flatten() {
            // Each stands for itself, and whatever it defines it uses.
            assert!(schema.to_string().contains(&format!("\"#/$defs/{definition}\"")), "{name}: {definition}");
            let (first, before) = *known.entry(definition).or_insert((name, text));
            assert_eq!(before, text, "{definition} in {first} and {name}");
        }
    }
}

#[test]
fn a_field_or_a_word_that_is_not_published_is_found() {
    let place = with_bars();
    let schemas = Schemas::of(&place);
    let document = printed(&place, &format!("backtest ma-cross.wasm {} --json", market(1)));
    let published = jsonschema::draft202012::new(&schemas.all["backtest"]).unwrap();
    for (place, value) in [
        ("/new", json!(1)),
        ("/metrics/new", json!(1)),
        ("/trades/0/new", json!(null)),
        ("/manifest/instruments/0/data/report/new", json!([])),
        ("/trades/0/exit_reason", json!("boredom")),
    ] {
        let mut more = document.clone();
        let (parent, name) = place.rsplit_once('/').unwrap();
        more.pointer_mut(parent).unwrap()[name] = value;
        assert_eq!(schemas.problems("backtest", &more).len(), 1, "{place}");
        assert!(published.is_valid(&more), "{place}: readers must expect more");
    }
    for (place, value) in [
        ("/metrics/sharpe", json!("NaN")),
        ("/metrics/fees", json!(null)),
        ("/trades/0/pnl_net", json!(null)),
        ("/trades/0/side", json!("buy")),
        ("/manifest/result", json!("d94625b466be")),
    ] {
        let mut wrong = document.clone();
        *wrong.pointer_mut(place).unwrap() = value;
        assert!(!published.is_valid(&wrong), "{place}");
    }
}

#[test]
fn backtests_are_what_the_schema_says() {
    let place = with_bars();
    let schemas = Schemas::of(&place);
    fs::write(place.path("risk.toml"), "name = \"careful\"\nlimits.max_drawdown = { most = 0.02 }\n").unwrap();
    fs::write(place.path("short.csv"), waves(30)).unwrap();
    let mut lines: Vec<String> = waves(1_500).lines().map(ToOwned::to_owned).collect();
    lines.drain(700..703);
    lines.swap(800, 801);
    fs::write(place.path("gaps.csv"), lines.join("\n")).unwrap();
    for example in EXAMPLES {
        let line = format!("backtest {}.wasm {} --json", example.name, market(example.instruments));
        schemas.hold("backtest", &printed(&place, &line));
    }
    fs::write(place.path("funding.csv"), "time,rate\n2024-01-02,0.0001\n2024-02-29T08:00:00Z,-0.0002\n").unwrap();
    let perpetual =
        " --kind perpetual --leverage 20 --maintenance 0.004 --liquidation-fee-bps 50 --funding funding.csv";
    let one = |strategy: &str, data: &str, more: &str| {
        let line = format!("backtest {strategy}.wasm --symbol BTCUSDT --interval 1h --data {data}.csv --json{more}");
        let document = printed(&place, &line);
        schemas.hold("backtest", &document);
        // A figure is null if and only if it is named among those that are not defined.
        let metrics = document["metrics"].as_object().unwrap();
        let absent: Vec<_> = metrics.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| name).collect();
        assert_eq!(absent, metrics["undefined"].as_object().unwrap().keys().collect::<Vec<_>>(), "{line}");
        document
    };
    let halted = one("ma-cross", "bars", " --risk risk.toml");
    assert_eq!(halted["halted"], "max-drawdown");
    assert!(halted["trades"].as_array().unwrap().iter().any(|trade| trade["exit_reason"] == "halt"));
    let held = one("buy-and-hold", "bars", "");
    assert!(held["trades"] == json!([]) && held["open"].as_array().unwrap().len() == 1);
    let delisted = one("buy-and-hold", "bars", " --delist-at-end --fee-bps -1");
    assert!(delisted["trades"][0]["exit_reason"] == "delisted" && delisted["open"] == json!([]));
    let funded = one("buy-and-hold", "bars", perpetual);
    assert!(funded["open"][0]["funding"].is_f64() && funded["manifest"]["margin"]["mode"] == "cross", "{funded}");
    let marked = one("ma-cross", "bars", &format!("{perpetual} --margin isolated --marks bars.csv"));
    assert!(marked["trades"].as_array().unwrap().iter().any(|trade| trade["exit_reason"] == "liquidation"));
    let idle = one("ma-cross", "short", "");
    assert!(idle["metrics"]["sharpe"].is_null() && idle["metrics"]["hit_rate"].is_null(), "{idle}");
    let poor = one("ma-cross", "bars", " --cash 0 --seed 18446744073709551615");
    assert!(poor["metrics"]["turnover"].is_null(), "{poor}");
    one(
        "ma-cross",
        "gaps",
        " --from 2024-01-20 --to 2024-02-20T05:00:00Z --latency-ms 5 --latency-jitter-ms 7 --stress --impact-bps 0.3",
    );
    place.ok(&["init"]);
    place.ok(&["data", "import", "bars.csv", "--symbol", "BTCUSDT"]);
    let kept = printed(&place, "backtest ma-cross --symbol BTCUSDT --interval 1h --json");
    assert!(kept["manifest"]["fee"].is_null(), "{kept}");
    schemas.hold("backtest", &kept);
    let mut short = halted;
    let row = TradeRow {
        symbol: "BTCUSDT".to_owned(),
        entry_time: -1,
        entry_price: 1.0,
        exit_time: 1,
        exit_price: 2.0,
        side: "short",
        quantity: 1e-8,
        fees: -0.1,
        pnl_gross: -1.0,
        funding: 0.0,
        pnl_net: -0.9,
        bars_held: 0,
        mae: 1.0,
        mfe: 0.0,
        exit_reason: "take_profit".to_owned(),
    };
    // Spot is not sold short; what is will be printed like this.
    short["trades"] = json!([row]);
    schemas.hold("backtest", &short);
}

#[test]
fn runs_on_tapes_are_what_the_schemas_say() {
    let place = Place::new();
    let schemas = Schemas::of(&place);
    fs::write(place.path("spot.txt"), frames(900, false)).unwrap();
    let odd = frames(900, true).replacen("depthUpdate", "kline", 1);
    fs::write(place.path("perpetual.txt"), odd).unwrap();
    for more in [
        "spot.txt",
        "spot.txt --to 2024-08-08T23:55:00Z --latency-ms 5",
        "perpetual.txt --kind perpetual --leverage 3 --fee-bps 0",
    ] {
        let line = format!("backtest market-maker --symbol BTCUSDT --tape {more} --save run.jsonl --json");
        schemas.hold("backtest", &printed(&place, &line));
        schemas.hold("replay", &printed(&place, "replay run.jsonl --json"));
        let stopped = printed(&place, "replay run.jsonl --debug --json");
        schemas.hold("replay-debug", &stopped);
        assert_eq!(stopped["last_prints"].as_array().unwrap().len(), 3, "{stopped}");
    }
}

#[test]
fn strategies_made_from_templates_are_what_the_schemas_say_and_so_is_their_end() {
    let place = with_bars();
    let schemas = Schemas::of(&place);
    // Holds from some bar on, and panics while it does.
    let falls = [
        ("warm_up_bars: 500", "warm_up_bars: 5"),
        ("self.closes.push(", "assert!(self.closes.len() < 900, \"the sky is falling\");\n        self.closes.push("),
        ("if bar.close >", "if self.closes.len() > 600 || bar.close >"),
    ];
    for (name, template, changes) in
        [("rises", "signal", &[][..]), ("dips", "strategy", &[]), ("falls", "signal", &falls)]
    {
        let (made, built) = build(&place, name, template, changes);
        schemas.hold("new", &made);
        schemas.hold("build", &built);
        schemas.hold("manifest", &manifest(&fs::read(place.path(&format!("{name}.wasm"))).unwrap()));
        schemas.hold(
            "backtest",
            &printed(&place, &format!("backtest {name}.wasm {} --json --save {name}.jsonl", market(1))),
        );
        schemas.hold("replay-debug", &printed(&place, &format!("replay {name}.jsonl --debug --json")));
        schemas.hold("try", &printed(&place, &format!("try {name}.wasm --json")));
    }
    let faulted = printed(&place, &format!("backtest falls.wasm {} --json", market(1)));
    assert_eq!(faulted["fault"]["kind"]["fault"], "panic");
    assert!(faulted["trades"].as_array().unwrap().last().unwrap()["exit_reason"] == "fault", "{faulted}");
    let warmup = printed(&place, &format!("probe warmup falls.wasm {} --from 2024-01-20 --json", market(1)));
    assert!(warmup["passed"] == false && warmup["comparisons"][0]["difference"].is_string(), "{warmup}");
    schemas.hold("probe", &warmup);
}

#[test]
fn the_other_verbs_print_what_their_schemas_say() {
    let place = with_bars();
    let schemas = Schemas::of(&place);
    schemas.hold("try", &place.json(&["try", "--bars", "300", "--json"]));
    schemas.hold("try", &place.json(&["try", "--bars", "1", "--json"]));
    schemas.hold("profiles", &place.json(&["profiles", "--json"]));
    schemas.hold("probe", &printed(&place, &format!("probe lookahead ma-cross.wasm {} --cuts 2 --json", market(1))));
    printed(&place, &format!("backtest ma-cross.wasm {} --json --save run.jsonl", market(1)));
    let saved = fs::read_to_string(place.path("run.jsonl")).unwrap();
    fs::write(place.path("forged.jsonl"), saved.replace("\"halted\":null", "\"halted\":\"max-drawdown\"")).unwrap();
    fs::write(place.path("other.csv"), waves(1_400)).unwrap();
    for (line, identical) in [
        ("run.jsonl", true),
        ("run.jsonl --log-only", true),
        ("run.jsonl --data other.csv", false),
        ("forged.jsonl --log-only", false),
    ] {
        let document = printed(&place, &format!("replay {line} --json"));
        schemas.hold("replay", &document);
        assert_eq!(document["identical"], identical, "{line}");
    }
    schemas.hold("replay-debug", &printed(&place, "replay run.jsonl --debug --json"));
    fs::write(place.path("risk.toml"), "name = \"careful\"\nlimits.max_drawdown = { most = 0.02 }\n").unwrap();
    printed(&place, &format!("backtest ma-cross.wasm {} --risk risk.toml --json --save halted.jsonl", market(1)));
    let halted = printed(&place, "replay halted.jsonl --debug --json");
    assert!(halted["stopped"]["state"].is_object(), "{halted}");
    schemas.hold("replay-debug", &halted);
}

#[test]
fn market_data_is_what_the_schema_says() {
    let place = with_bars();
    let schemas = Schemas::of(&place);
    schemas.hold("init", &place.json(&["init", "--dry-run", "--json"]));
    schemas.hold("init", &place.json(&["init", "--json"]));
    let mut lines: Vec<String> = waves(300).lines().map(ToOwned::to_owned).collect();
    lines.drain(70..73);
    lines.swap(80, 81);
    fs::write(place.path("gaps.csv"), lines.join("\n")).unwrap();
    for line in [
        "list",
        "check --file gaps.csv",
        "import gaps.csv --symbol BTCUSDT --dry-run",
        "import gaps.csv --symbol BTCUSDT",
        "import bars.csv --symbol BTCUSDT",
        "resample BTCUSDT --from 1h --to 4h",
        "synth --symbols 2 --bars 50 --seed 18446744073709551615",
        "export SYN1-USD --venue synthetic --interval 1h --out syn1.parquet",
        "export BTCUSDT --interval 4h --out btc.csv.gz",
        "list",
        "check",
    ] {
        schemas.hold("data", &printed(&place, &format!("data {line} --json")));
    }
    // Whatever was damaged is a problem, and the rest is told as before.
    let kept = place.path("data/binance/BTCUSDT/1h.parquet");
    let whole = fs::read(&kept).unwrap();
    fs::write(kept, &whole[..whole.len() / 2]).unwrap();
    for verb in ["list", "check"] {
        let document = printed(&place, &format!("data {verb} --json"));
        schemas.hold("data", &document);
        let counts = ["series", "problems"].map(|part| document[part].as_array().unwrap().len());
        assert_eq!(counts, [3, 1], "{document}");
    }
}

#[test]
fn tournaments_are_what_the_schema_says() {
    let place = Place::new();
    let schemas = Schemas::of(&place);
    schemas.hold("demo", &place.json(&["demo", "--bars", "300", "--json"]));
    place.ok(&["init"]);
    place.ok(&["data", "synth", "--bars", "2000"]);
    let run = "tournament run --strategy ma-cross --strategy falls --symbol SYN1-USD --symbol SYN2-USD --interval 1h --venue \
               synthetic --holdout-months 0 --sample 3 --walk rolling --train-days 30 --test-days 10 --json";
    build(&place, "falls", "signal", &[("self.closes.push(bar.close);", "panic!(\"down\");")]);
    fs::rename(place.path("falls.wasm"), place.path("strategies/falls.wasm")).unwrap();
    schemas.hold("tournament", &printed(&place, &format!("{run} --dry-run")));
    schemas.hold("tournament", &printed(&place, "tournament list --json"));
    let held = printed(&place, run);
    assert!(held["ranking"].as_array().unwrap().iter().any(|row| row["verdict"] == "faulted"), "{held}");
    schemas.hold("tournament", &held);
    schemas.hold("tournament", &printed(&place, "tournament show --json"));
    schemas.hold("tournament", &printed(&place, "tournament list --json"));
    fs::write(place.path("bad.toml"), "name = 3\n").unwrap();
    schemas.hold("config", &printed(&place, "config check bad.toml --json"));
}

#[test]
fn what_risk_tells_is_what_the_schemas_say() {
    let place = with_bars();
    let schemas = Schemas::of(&place);
    let order = json!({
        "order": {"symbol": "BTCUSDT", "side": "buy", "type": "market", "quantity": 1},
        "account": {"equity": 1_000, "cash": 1_000}, "marks": {"BTCUSDT": 60_000},
    });
    fs::write(place.path("order.json"), order.to_string()).unwrap();
    place.ok(&["init"]);
    let show = || schemas.hold("risk", &place.json(&["risk", "show", "--strategy", "grid", "--json"]));
    show();
    let refused = printed(&place, "risk check order.json --json");
    assert!(refused["violations"].as_array().unwrap().len() > 3, "{refused}");
    schemas.hold("risk", &refused);
    for (verb, line) in [
        ("pause", "pause --strategy grid"),
        ("halt", "halt --strategy grid --reason tired"),
        ("halt", "halt --reason tired --dry-run"),
        ("flatten", "flatten --reason tired"),
        ("kill", "kill"),
        ("kill", "kill"),
        ("resume", "resume --strategy grid --reason rested"),
        ("resume", "resume --reason rested"),
    ] {
        schemas.hold(verb, &printed(&place, &format!("{line} --json")));
        show();
    }
    schemas.hold("risk", &printed(&place, "risk check order.json --json"));
    // A profile with everything, in what a run depends on.
    let own = fs::read_to_string(place.path("risk.toml")).unwrap();
    let over = "[[override]]\nstrategy = 'ma-cross'\ninstrument = 'AUSDT'\nlimits.price_collar = { most = 0.2 }\n";
    fs::write(place.path("risk.toml"), format!("looser_overrides = true\n{own}{over}")).unwrap();
    let run = printed(&place, &format!("backtest ma-cross.wasm {} --risk account --json", market(1)));
    assert!(run["metrics"]["broken"]["notional-symbol"].as_u64().unwrap() > 0, "{run}");
    schemas.hold("backtest", &run);
}

#[test]
fn inspections_are_what_the_schema_says() {
    let place = Place::new();
    let schemas = Schemas::of(&place);
    for example in EXAMPLES {
        schemas.hold("manifest", &manifest(example.component));
        let document = printed(&place, &format!("inspect {}.wasm --json", example.name));
        assert_eq!(document["admitted"], true);
        schemas.hold("inspect", &document);
        schemas.hold("manifest", &document["component"]["manifest"]);
    }
    let whole = EXAMPLES[0].component;
    for (name, bytes) in [("empty", &b""[..]), ("module", b"\0asm\x01\0\0\0"), ("cut", &whole[..whole.len() / 2])] {
        fs::write(place.path("refused.wasm"), bytes).unwrap();
        let document = printed(&place, "inspect refused.wasm --json");
        assert_eq!(document["admitted"], false, "{name}");
        schemas.hold("inspect", &document);
    }
}
