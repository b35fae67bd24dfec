//! The published schema of the manifest says what the parser does, as far as a schema can.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::sync::LazyLock;

use jsonschema::Validator;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value as Json, json};
use tiltyard_model::{MANIFEST_SCHEMA, Manifest, ManifestError};

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let schema: Json = serde_json::from_str(MANIFEST_SCHEMA).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
});

fn parse(document: &Json) -> Result<Manifest, ManifestError> {
    Manifest::parse(document.to_string().as_bytes())
}

/// A manifest that says everything.
fn whole() -> Json {
    json!({
        "contract": "0.1.0",
        "name": "ma-cross",
        "version": "0.1.0",
        "description": "Two moving averages.",
        "instruments": ["BTCUSDT", "ETHUSDT"],
        "interval": "4h",
        "schedule": {"every_minutes": 30},
        "warm_up_bars": 200,
        "market_events": ["quotes", "trades"],
        "capabilities": ["book"],
        "host_stop": {"atr_multiple": 3.0, "atr_bars": 14},
        "parameters": [
            {"name": "fast", "kind": "integer", "default": 20, "min": 2, "max": 200, "step": 1, "role": "window", "help": "Bars."},
            {"name": "band", "kind": "real", "default": 0.1, "min": -1, "max": 1.0, "step": 0.1, "role": "threshold"},
            {"name": "short", "kind": "flag", "default": false, "role": "risk", "help": ""},
            {"name": "entry", "kind": "text", "default": "close > 1", "role": "other", "later": "versions"},
        ],
        "hypothesis": "Trends persist.",
        "falsified_by": "No edge after costs.",
        "colour": {"later": ["versions", 1, null], "add": {"fields": true}},
    })
}

/// The manifest with the value at this place replaced, or added.
fn with(place: &str, value: Json) -> Json {
    let mut document = whole();
    let (parent, name) = place.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap() {
        Json::Object(fields) => _ = fields.insert(name.to_owned(), value),
        Json::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        other => panic!("{parent} is {other}"),
    }
    document
}

fn without(place: &str) -> Json {
    let mut document = whole();
    remove(&mut document, place);
    document
}

fn remove(document: &mut Json, place: &str) {
    let (parent, name) = place.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap() {
        Json::Object(fields) => _ = fields.remove(name),
        Json::Array(items) => _ = items.remove(name.parse().unwrap()),
        other => panic!("{parent} is {other}"),
    }
}

#[test]
fn what_the_parser_takes_the_schema_takes() {
    let least = json!({
        "contract": "", "name": "a", "version": "0.0.0", "description": "d", "hypothesis": "h", "falsified_by": "f"
    });
    let number = |kind: &str, value: Json| json!({"name": "p", "kind": kind, "default": value, "min": value, "max": value, "step": 1, "role": "other"});
    for document in [
        whole(),
        least,
        with("/name", json!("a".repeat(64))),
        with("/version", json!("999999999.0.007")),
        with("/description", json!("Größe\tund 価格 \u{1f600}")),
        with("/instruments", json!("any")),
        with("/instruments", json!([""])),
        with("/interval", json!("any")),
        with("/interval", json!("366d")),
        with("/interval", json!("007s")),
        with("/schedule", json!("every_bar")),
        with("/schedule", json!("continuous")),
        with("/schedule/every_minutes", json!(1_440)),
        with("/warm_up_bars", json!(100_000)),
        with("/host_stop", Json::Null),
        with("/host_stop/atr_multiple", json!(1e-9)),
        with("/host_stop/atr_bars", json!(10_000)),
        with("/parameters", json!([])),
        with("/parameters/0", number("integer", json!(i64::MIN))),
        with("/parameters/0", number("integer", json!(i64::MAX))),
        with("/parameters/0", number("real", json!(f64::MAX))),
        with("/parameters/0/step", json!(i64::MAX)),
        with("/parameters/1/default", json!(1)),
        with("/parameters/1/name", json!("p_1-")),
        with("/parameters/3/default", json!("é".repeat(8_192))),
        without("/parameters/0/help"),
        without("/host_stop"),
    ] {
        parse(&document).unwrap();
        assert!(SCHEMA.is_valid(&document), "{document:#}");
    }
}

#[test]
fn what_the_parser_refuses_the_schema_refuses() {
    let mut refused = vec![json!(null), json!([]), json!("manifest"), json!({})];
    let places = |places: &[&str]| places.iter().map(|place| without(place)).collect::<Vec<_>>();
    refused.extend(places(&["/contract", "/name", "/version", "/description", "/hypothesis", "/falsified_by"]));
    refused.extend(places(&["/host_stop/atr_multiple", "/host_stop/atr_bars", "/schedule/every_minutes"]));
    for field in ["name", "kind", "default", "min", "max", "step", "role"] {
        refused.extend(places(&[&format!("/parameters/0/{field}"), &format!("/parameters/1/{field}")]));
    }
    refused.extend(places(&[
        "/parameters/2/default",
        "/parameters/2/role",
        "/parameters/3/default",
        "/parameters/3/kind",
    ]));
    let parameter = whole()["parameters"][0].clone();
    let many: Vec<Json> = (0..65)
        .map(|at| {
            let mut parameter = parameter.clone();
            parameter["name"] = json!(format!("p{at}"));
            parameter
        })
        .collect();
    for (place, values) in [
        ("/contract", vec![json!(null), json!(1)]),
        ("/name", ["", "A", "1a", "-a", "a_b", "ä", "a b", "a\n", &"a".repeat(65)].map(Json::from).to_vec()),
        (
            "/version",
            ["", "1", "1.2", "1.2.3.4", "1.2.x", "1..2", "v1.2.3", "+1.2.3", "1.-2.3", "1.2.1234567890"]
                .map(Json::from)
                .to_vec(),
        ),
        (
            "/description",
            ["", " ", "\t", "\u{3000}", "a\nb", "\u{1b}[2J", "\u{202e}", "\u{feff}a", "\u{7f}"]
                .map(Json::from)
                .to_vec(),
        ),
        ("/hypothesis", vec![json!(""), json!(" "), json!(null)]),
        ("/falsified_by", vec![json!(""), json!(["a"])]),
        ("/instruments", vec![json!([]), json!("BTCUSDT"), json!([1]), json!(null), json!(["a\nb"])]),
        (
            "/interval",
            ["", "1", "h", "0m", "-1h", "+1h", "1y", "367s", "1 h", "1.5h", "Any", "1000d", " 1h"]
                .map(Json::from)
                .to_vec(),
        ),
        ("/interval", vec![json!(60), json!(null)]),
        (
            "/schedule",
            vec![
                json!("often"),
                json!({}),
                json!({"every_minutes": 5, "x": 1}),
                json!({"every_hours": 1}),
                json!(null),
            ],
        ),
        ("/schedule/every_minutes", vec![json!(0), json!(1_441), json!(-1), json!(1.5), json!("5")]),
        ("/warm_up_bars", vec![json!(-1), json!(100_001), json!(0.5), json!("5"), json!(null)]),
        ("/capabilities", vec![json!("llm"), json!([1]), json!(null)]),
        ("/host_stop", vec![json!({}), json!(3), json!([]), json!(false)]),
        ("/host_stop/atr_multiple", vec![json!(0), json!(-1.5), json!("3.0"), json!(null)]),
        ("/host_stop/atr_bars", vec![json!(0), json!(10_001), json!(2.5)]),
        ("/host_stop/percent", vec![json!(1)]),
        ("/parameters", vec![json!({}), json!(null), json!([1]), json!(many)]),
        ("/parameters/0/name", ["", "A", "1", "_a", "a b", "ä", &"a".repeat(65)].map(Json::from).to_vec()),
        ("/parameters/0/kind", vec![json!("whole"), json!("Integer"), json!("flag"), json!("text"), json!(null)]),
        ("/parameters/0/default", vec![json!(20.5), json!("20"), json!(null), json!(true)]),
        ("/parameters/0/min", vec![json!(-1e19), json!(null)]),
        ("/parameters/0/max", vec![json!(9_223_372_036_854_775_808_u64), json!("1")]),
        ("/parameters/0/step", vec![json!(0), json!(-1), json!(0.5)]),
        ("/parameters/0/role", vec![json!("Window"), json!("lookback"), json!(null), json!("")]),
        ("/parameters/0/help", vec![json!(null), json!(1), json!("a\u{200b}b")]),
        ("/parameters/1/default", vec![json!("0.1"), json!(null), json!(false)]),
        ("/parameters/1/step", vec![json!(0), json!(-0.1), json!(0.0)]),
        ("/parameters/2/default", vec![json!(0), json!("false"), json!(null)]),
        ("/parameters/3/default", vec![json!(1), json!("a".repeat(16_385)), json!("a\nb"), json!(null)]),
        ("/colour", vec![json!("\u{1b}"), json!([["\r"]]), json!({"a": {"b": "\0"}}), json!({"a\n": 1})]),
        ("/a\u{1b}", vec![json!(1)]),
    ] {
        refused.extend(values.into_iter().map(|value| with(place, value)));
    }
    for document in refused {
        assert!(parse(&document).is_err(), "{document:#}");
        assert!(!SCHEMA.is_valid(&document), "{document:#}");
    }
}

#[test]
fn what_no_schema_can_say_the_parser_still_refuses() {
    for document in [
        with("/parameters/0/default", json!(1)),
        with("/parameters/0/min", json!(201)),
        with("/parameters/1/name", json!("fast")),
        with("/parameters/3/default", json!("é".repeat(8_193))),
        with("/warm_up_bars", json!(10.0)),
        with("/colour", json!("a".repeat(Manifest::MAX_BYTES))),
    ] {
        assert!(SCHEMA.is_valid(&document), "{document:#}");
        assert!(parse(&document).is_err(), "{document:#}");
    }
}

/// Whether a schema could have said this too.
fn could_be_said(error: &ManifestError) -> bool {
    let unsayable = ["default is refused", "is above max", "finite and in order", "declared twice", "floating point"];
    match error {
        ManifestError::Json(problem) => !unsayable.iter().any(|text| problem.contains(text)),
        ManifestError::Content(problems) => {
            problems.iter().any(|problem| !unsayable.iter().any(|text| problem.contains(text)))
        }
    }
}

fn agree(document: &Json) -> Result<(), TestCaseError> {
    match parse(document) {
        Ok(manifest) => {
            prop_assert!(SCHEMA.is_valid(document), "taken, but not by the schema: {document:#}");
            let written = serde_json::to_value(manifest).unwrap();
            prop_assert!(SCHEMA.is_valid(&written), "written, but not by the schema: {written:#}");
        }
        Err(error) if could_be_said(&error) => {
            prop_assert!(!SCHEMA.is_valid(document), "refused, but not by the schema: {error}: {document:#}");
        }
        Err(_) => {}
    }
    Ok(())
}

fn places(document: &Json, at: &str, places: &mut Vec<String>) {
    let mut add = |name: &str, value: &Json| {
        let place = format!("{at}/{name}");
        places.push(place.clone());
        self::places(value, &place, places);
    };
    match document {
        Json::Object(fields) => fields.iter().for_each(|(name, value)| add(name, value)),
        Json::Array(items) => items.iter().enumerate().for_each(|(at, value)| add(&at.to_string(), value)),
        _ => {}
    }
}

/// What may stand anywhere; `None` takes away what stands there.
fn value() -> impl Strategy<Value = Option<Json>> {
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(1),
        json!(1.5),
        json!(-0.5),
        json!(1_440),
        json!(1_441),
        json!(10_001),
        json!(100_001),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!(" "),
        json!("any"),
        json!("1h"),
        json!("1.2.3"),
        json!("a-b"),
        json!("a_b"),
        json!("a\nb"),
        json!("window"),
        json!("integer"),
        json!("real"),
        json!("flag"),
        json!("text"),
        json!("continuous"),
        json!([]),
        json!(["a"]),
        json!({}),
        json!({"every_minutes": 5}),
        json!({"name": "p", "kind": "flag", "default": true, "role": "risk"}),
    ];
    prop_oneof![4 => select(values.to_vec()).prop_map(Some), 1 => Just(None)]
}

proptest! {
    #[test]
    fn schema_and_parser_agree_on_manifests_that_were_tampered_with(
        changes in prop::collection::vec((any::<Index>(), value()), 0..4)
    ) {
        let mut document = whole();
        for (index, value) in changes {
            let mut all = Vec::new();
            places(&document, "", &mut all);
            let place = &all[index.index(all.len())];
            // Of a kind serde also takes the position among its variants. That is no promise, so the schema does not say it.
            if place.ends_with("/kind") && value.as_ref().is_some_and(Json::is_number) {
                continue;
            }
            match value {
                Some(value) => *document.pointer_mut(place).unwrap() = value,
                None => remove(&mut document, place),
            }
        }
        agree(&document)?;
    }

    #[test]
    fn schema_and_parser_agree_on_texts(
        place in select(vec!["/name", "/version", "/interval", "/parameters/0/name", "/description", "/colour", "/instruments/0"]),
        text in prop_oneof![
            "[a-z0-9.+_ -]{0,12}",
            "[0-9]{0,10}\\.[0-9+]{0,10}\\.[0-9]{0,10}",
            "[+0]{0,2}[0-9]{0,4}[smhdy]?",
            any::<String>(),
            // Every border between what is shown and what is escaped.
            "[\u{0}-\u{a1}\u{61b}-\u{61d}\u{200a}-\u{2010}\u{2027}-\u{202f}\u{205f}-\u{2070}\u{fefe}-\u{ff00}]{1,2}",
        ]
    ) {
        agree(&with(place, json!(text)))?;
    }
}
