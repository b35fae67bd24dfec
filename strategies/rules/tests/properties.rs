//! What holds of any text, any expression and any bars.
#![allow(clippy::unwrap_used, reason = "a test may")]

use proptest::prelude::*;
use rules::language::{Expression, MAX_BARS, Problem, Program};
use rules::{Params, Rules};
use tiltyard_sdk::{Bar, Signal as _};
use tiltyard_sdk_testing::Market;

/// A number in the language, with as many parentheses as may be.
fn number() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => prop::sample::select(vec!["open", "high", "low", "close", "volume"]).prop_map(str::to_owned),
        1 => (0.0..1e6).prop_map(|number: f64| number.to_string()),
        1 => prop::sample::select(vec!["0", "1", "1e100", "2.5e-300", "0.1"]).prop_map(str::to_owned),
        2 => (prop::sample::select(vec!["rsi", "atr", "adx", "vwap", "plus_di", "donchian_upper"]), 1..12)
            .prop_map(|(name, bars)| format!("{name}({bars})")),
        1 => (prop::sample::select(vec!["macd", "macd_hist", "stoch_k", "stoch_d"]), 1..9, 1..9, 1..9)
            .prop_map(|(name, a, b, c)| format!("{name}({a}, {b}, {c})")),
        1 => Just("obv()".to_owned()),
    ];
    leaf.prop_recursive(5, 24, 2, |inner| {
        let operator = prop::sample::select(vec!["+", "-", "*", "/"]);
        let over = prop::sample::select(vec!["sma", "ema", "wma", "stdev", "zscore", "highest", "lowest", "rsi"]);
        prop_oneof![
            (inner.clone(), operator, inner.clone()).prop_map(|(a, operator, b)| format!("({a}) {operator} ({b})")),
            // The language gives these another structure, which has to hold as well.
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} - {b}")),
            inner.clone().prop_map(|of| format!("-({of})")),
            (inner.clone(), 0..9).prop_map(|(of, bars)| format!("({of})[{bars}]")),
            (over, inner.clone(), 1..12).prop_map(|(name, of, bars)| format!("{name}({of} + 0, {bars})")),
            (inner, 1..12, 0.1..4.0)
                .prop_map(|(of, bars, width)| format!("bollinger_lower(({of}) * 1, {bars}, {width})")),
        ]
    })
}

fn condition() -> impl Strategy<Value = String> {
    let comparison = prop::sample::select(vec!["<", "<=", ">", ">=", "==", "!="]);
    let cross = prop::sample::select(vec!["crosses_above", "crosses_below"]);
    let leaf = prop_oneof![
        3 => (number(), comparison, number()).prop_map(|(a, comparison, b)| format!("{a} {comparison} {b}")),
        1 => (cross, number(), number()).prop_map(|(name, a, b)| format!("{name}({a}, {b})")),
    ];
    leaf.prop_recursive(4, 8, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) or ({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) and {b}")),
            inner.prop_map(|of| format!("not ({of})")),
        ]
    })
}

/// A valid expression with a piece taken out, put in or repeated.
fn mutated() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "(", ")", "[", "]", ",", "and", "not ", "-", "1e", "sma(", "[1]", " ", "\n", "é", "close", "..", "== ", "9"
        ])
        .prop_map(str::to_owned),
        "\\PC{0,3}",
    ];
    (condition(), any::<prop::sample::Index>(), 0..12_usize, piece, 0..3_usize).prop_map(
        |(text, at, out, piece, times)| {
            // Valid expressions are ASCII.
            let at = at.index(text.len());
            let end = (at + out).min(text.len());
            format!("{}{}{}", &text[..at], piece.repeat(times), &text[end..])
        },
    )
}

/// A price or volume of any kind that a bar can hold.
fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => 0.01..1e5,
        2 => prop::sample::select(vec![0.0, 1.0, f64::MIN_POSITIVE, 1e-9, 7.9e28, f64::MAX, -1.0, 1e100]),
        1 => prop::num::f64::ANY,
    ]
}

fn bars() -> impl Strategy<Value = Vec<Bar>> {
    let bar = (value(), value(), value(), value(), value());
    let bar = bar.prop_map(|(open, high, low, close, volume)| Bar { open_time: 0, open, high, low, close, volume });
    prop::collection::vec(bar, 1..48)
}

/// What holds of whatever is read.
fn check(text: &str) -> Result<(), TestCaseError> {
    match Expression::parse(text) {
        Ok(expression) => {
            prop_assert!(expression.needs() <= MAX_BARS);
            let printed = expression.to_string();
            let again = Expression::parse(&printed);
            prop_assert_eq!(again.as_ref(), Ok(&expression), "printed as {}", printed);
            prop_assert_eq!(again.unwrap().to_string(), printed);
        }
        Err(problem) => {
            prop_assert!(problem.column() >= 1);
            let shown = problem.to_string();
            prop_assert!(shown.len() <= Problem::MAX_LENGTH, "{} bytes: {shown}", shown.len());
            prop_assert!(!shown.contains(char::is_control), "{shown:?}");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}|[\\x00-\\x7f]{0,60}|[a-z0-9()\\[\\],.<>=+*/ -]{0,200}|(.|\n){0,400}") {
        check(&text)?;
    }

    #[test]
    fn any_words_of_the_language_are_read_or_refused(
        words in prop::collection::vec(prop::sample::select(vec![
            "close", "open", "sma", "rsi", "(", ")", "[", "]", ",", "and", "or", "not", "-", "+", "*", "/", "<", ">=", "==",
            "20", "0.5", "1e3", "crosses_above", "bollinger_upper", "volume", "obv", "atr",
        ]), 0..300),
    ) {
        check(&words.join(" "))?;
    }

    #[test]
    fn valid_expressions_print_to_themselves(text in condition()) {
        if let Err(problem) = Expression::parse(&text) {
            // What is put together at random goes over limits, but is never mistaken.
            let problem = problem.to_string();
            let over = ["nested more", "more than", "needs"].iter().any(|limit| problem.contains(limit));
            prop_assert!(over, "{text}: {problem}");
        }
        check(&text)?;
    }

    #[test]
    fn mutated_expressions_are_read_or_refused(text in mutated()) {
        check(&text)?;
    }

    #[test]
    fn evaluation_never_panics_and_does_not_depend_on_company(
        texts in prop::collection::vec(condition(), 1..4),
        bars in bars(),
    ) {
        let expressions: Vec<_> = texts.iter().filter_map(|text| Expression::parse(text).ok()).collect();
        let mut together = Program::default();
        let conditions: Vec<_> = expressions.iter().map(|expression| together.add(expression).unwrap()).collect();
        let mut alone: Vec<_> = expressions
            .iter()
            .map(|expression| {
                let mut program = Program::default();
                let condition = program.add(expression).unwrap();
                (program, condition)
            })
            .collect();
        for bar in &bars {
            together.update(bar);
            for ((program, condition), shared) in alone.iter_mut().zip(&conditions) {
                program.update(bar);
                prop_assert_eq!(program.holds(*condition), together.holds(*shared));
            }
        }
    }

    #[test]
    fn targets_are_those_that_the_rules_allow(
        rules in prop::array::uniform5(prop_oneof![1 => Just(String::new()), 4 => condition(), 1 => mutated()]),
        size in 0.01..=1.0,
        bars in bars(),
    ) {
        let [entry, exit, filter, short_entry, short_exit] = rules;
        let params = Params { entry, exit, filter, short_entry, short_exit, size };
        let start = Market::closes(&[]).minutes(1).start(params);
        if let Ok(mut strategy) = Rules::new(&start) {
            for bar in &bars {
                let target = strategy.target(bar);
                prop_assert!(target.is_nan() || [0.0, size, -size].contains(&target));
            }
        }
    }
}
