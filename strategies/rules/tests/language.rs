//! What the language says, how it is printed, and how it refuses.
#![allow(clippy::unwrap_used, reason = "a test may")]

use rules::language::{Expression, MAX_DEPTH, MAX_LENGTH, MAX_NODES};

fn parse(text: &str) -> Expression {
    Expression::parse(text).unwrap_or_else(|problem| panic!("{problem}"))
}

fn printed(text: &str) -> String {
    parse(text).to_string()
}

fn problem(text: &str) -> String {
    Expression::parse(text).unwrap_err().to_string()
}

#[test]
fn operators_hold_together_as_usual() {
    for (written, meant) in [
        ("close > 1 + 2 * 3 - 4 / -5", "close > ((1 + (2 * 3)) - (4 / (-5)))"),
        ("close - 1 - 2 > 0", "((close - 1) - 2) > 0"),
        (
            "close > 1 or open > 1 and not high > 1 and low > 1",
            "(close > 1) or (((open > 1) and (not (high > 1))) and (low > 1))",
        ),
        ("-close[1] < 0", "(-(close[1])) < 0"),
        ("close\n\t>\r\nopen", "close>open"),
        ("rsi(14) > 70", "rsi(close, 14) > 70"),
        ("macd(12, 26, 9) > macd_signal(close, 12, 26, 9)", "macd(close, 12, 26, 9) > macd_signal(12, 26, 9)"),
        ("close > 2.50e1", "close > 25"),
    ] {
        assert_eq!(parse(written), parse(meant), "{written}");
    }
    assert_ne!(parse("close - (1 - 2) > 0"), parse("close - 1 - 2 > 0"));
}

#[test]
fn is_printed_with_no_more_parentheses_than_needed() {
    assert_eq!(
        printed("((close)>(open))or((high>low)and(not(open>1)))"),
        "close > open or high > low and not open > 1"
    );
    assert_eq!(printed("(close-(open-low))*2>(high+low)[3]"), "(close - (open - low)) * 2 > (high + low)[3]");
    assert_eq!(printed("not(close>1 and open>1)"), "not (close > 1 and open > 1)");
    assert_eq!(printed("bollinger_upper(20,2.5)<close"), "bollinger_upper(close, 20, 2.5) < close");
    assert_eq!(printed("obv()>1e100-1e-7"), "obv() > 1e100 - 1e-7");
}

#[test]
fn problems_point_at_the_column() {
    for (text, shown) in [
        (
            "close > sma(close,)",
            "column 19: expected a number for `bars` after `,`, found `)`; write `sma(x, bars)`; \
             at ^ in: close > sma(close,^)",
        ),
        (
            "close > sma(close)",
            "column 18: expected `,` and a number for `bars` after `close`, found `)`; write `sma(x, bars)`; \
             at ^ in: close > sma(close^)",
        ),
        (
            "close > sma(close, 20, 3)",
            "column 22: expected `)` after `20`, found `,`; write `sma(x, bars)`; at ^ in: close > sma(close, 20^, 3)",
        ),
        (
            "close > sma(close, open)",
            "column 20: expected a number for `bars` after `,`, found `open`; write `sma(x, bars)`; \
             at ^ in: close > sma(close, ^open)",
        ),
        (
            "close > vwap(close, 24)",
            "column 14: expected a number for `bars` after `(`, found `close`; write `vwap(bars)`; \
             at ^ in: close > vwap(^close, 24)",
        ),
        (
            "close > sma(20, close)",
            "column 13: `20` never changes; write `sma(x, bars)` with a series such as `close` for `x`; \
             at ^ in: close > sma(^20, close)",
        ),
        (
            "close > smma(close, 20)",
            "column 9: unknown name `smma`; the nearest known ones are `sma`, `ema`, `wma`; \
             at ^ in: close > ^smma(close, 20)",
        ),
        ("close > sma", "column 9: `sma` is a function; write `sma(x, bars)`; at ^ in: close > ^sma"),
        (
            "close(1) > 2",
            "column 1: `close` is a series, not a function; write `close`, or `close[1]` for the bar before; \
             at ^ in: ^close(1) > 2",
        ),
        (
            "crosses_above(close)",
            "column 20: expected an operator or `,` after `close`, found `)`; write `crosses_above(a, b)`; \
             at ^ in: crosses_above(close^)",
        ),
        ("", "column 1: expected a condition, found the end; write one such as `close > open`; at ^ in: ^"),
        (
            "close >",
            "column 8: expected a number after `>`, found the end; write one such as `close`; at ^ in: close >^",
        ),
        ("(close > 1", "column 11: expected an operator or `)` after `1`, found the end; at ^ in: (close > 1^"),
        ("close > 1)", "column 10: expected an operator or the end after `1`, found `)`; at ^ in: close > 1^)"),
        ("close > 1 &&", "column 11: `&` is not of this language; write `and`; at ^ in: close > 1 ^&&"),
        ("close = 1", "column 7: `=` is not of this language; write `==`; at ^ in: close ^= 1"),
        ("close > .5", "column 9: expected a digit before the point; write `0.5`, not `.5`; at ^ in: close > ^.5"),
        ("close > 5.", "column 10: expected a digit after the point; at ^ in: close > 5^."),
        (
            "close > 20bars",
            "column 11: expected an operator or a blank after the number `20`; at ^ in: close > 20^bars",
        ),
        ("close > 1e200", "column 9: `1e200` is too large; numbers go up to 1e100; at ^ in: close > ^1e200"),
        ("1 < close < 2", "column 11: comparisons do not chain; write `a < b and b < c`; at ^ in: 1 < close ^< 2"),
        ("close[0.5] > 1", "column 7: bars ago must be a whole number from 0 to 1000; at ^ in: close[^0.5] > 1"),
        (
            "sma(close, 2000) > 1",
            "column 12: `bars` of `sma` must be a whole number from 1 to 1000; at ^ in: sma(close, ^2000) > 1",
        ),
        (
            "bollinger_lower(20, 0) > 1",
            "column 21: `width` of `bollinger_lower` must be more than 0 and at most 100; \
             at ^ in: bollinger_lower(20, ^0) > 1",
        ),
    ] {
        assert_eq!(problem(text), shown, "{text}");
    }
}

#[test]
fn a_type_error_says_what_has_which_type() {
    for (text, shown) in [
        (
            "sma(close, 20)",
            "column 1: `sma(close, 20)` is a number, but a rule takes a condition, such as `close > open`; \
             at ^ in: ^sma(close, 20)",
        ),
        (
            "close and open > 1",
            "column 1: `close` is a number, but `and` takes a condition, such as `close > open`; \
             at ^ in: ^close and open > 1",
        ),
        (
            "close > 1 and volume",
            "column 15: `volume` is a number, but `and` takes a condition, such as `close > open`; \
             at ^ in: close > 1 and ^volume",
        ),
        (
            "(close > 1) + 2 > 3",
            "column 1: `(close > 1)` is a condition, but `+` takes a number, such as `close`; \
             at ^ in: ^(close > 1) + 2 > 3",
        ),
        (
            "not close",
            "column 5: `close` is a number, but `not` takes a condition, such as `close > open`; at ^ in: not ^close",
        ),
        (
            "-(close > 1) > 0",
            "column 2: `(close > 1)` is a condition, but `-` takes a number, such as `close`; at ^ in: -^(close > 1) > 0",
        ),
        (
            "sma(close > open, 20) > 0",
            "column 5: `close > open` is a condition, but `sma` takes a number, such as `close`; \
             at ^ in: sma(^close > open, 20) > 0",
        ),
        (
            "crosses_below(close, open > 1)",
            "column 22: `open > 1` is a condition, but `crosses_below` takes a number, such as `close`; \
             at ^ in: crosses_below(close, ^open > 1)",
        ),
        (
            "(close > open)[1]",
            "column 1: `(close > open)` is a condition; `[bars]` takes numbers, as in `close[1] > open[1]`; \
             at ^ in: ^(close > open)[1]",
        ),
    ] {
        assert_eq!(problem(text), shown, "{text}");
    }
}

#[test]
fn long_and_broken_lines_are_cut_to_the_place() {
    assert_eq!(
        problem("close > 1\nand colse > 2\nor open > 3"),
        "line 2, column 5: unknown name `colse`; the nearest known ones are `close`, `volume`, `open`; \
         at ^ in: and ^colse > 2"
    );
    let text = format!("{} and ä and {}", ["close > 1"; 9].join(" and "), ["close > 1"; 9].join(" and "));
    assert_eq!(
        problem(&text),
        "column 127: `ä` is not of this language; take it out; \
         at ^ in: …ose > 1 and close > 1 and close > 1 and ^ä and close > 1 and close > 1 and close…"
    );
}

#[test]
fn sizes_are_bounded() {
    let conditions = |count: usize| vec!["close > 1"; count].join(" and ");
    // Three nodes each, and one for each `and`.
    assert!(Expression::parse(&conditions(MAX_NODES / 4)).is_ok());
    assert!(problem(&conditions(MAX_NODES / 4 + 1)).contains("more than 256 numbers, series, functions and operators"));

    let nested = |depth: usize| format!("{}close > 1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Expression::parse(&nested(MAX_DEPTH - 1)).is_ok());
    assert!(problem(&nested(MAX_DEPTH + 1)).contains("nested more than 32 deep"));
    assert!(problem(&"not ".repeat(1_000)).contains("nested more than 32 deep"));
    assert!(problem(&format!("{}close > 1", "-".repeat(1_000))).contains("nested more than 32 deep"));

    let long = format!("close > 1{}", " ".repeat(MAX_LENGTH));
    assert!(problem(&long).contains("16393 bytes are too many; at most 16384 are taken"));
}

#[test]
fn what_is_long_when_printed_is_still_taken() {
    let widest = "bollinger_middle(low, 100, 1.2345678901234567e-100)[100] == 1.2345678901234567e-100";
    let text = vec![widest; MAX_NODES / 6].join(" and ");
    let expression = parse(&text);
    assert_eq!(parse(&expression.to_string()), expression);
}

#[test]
fn the_bars_that_are_needed_add_up() {
    for (text, bars) in [
        ("1 > 2", 0),
        ("close > open", 1),
        ("close > close[3]", 4),
        ("sma(close, 20) > 0", 20),
        ("sma(close, 20)[3] > 0", 23),
        ("crosses_above(sma(close, 20), 0)", 21),
        ("sma(sma(close, 20), 10) > 0", 29),
        ("highest(high, 20)[1] > 0 and close > sma(close, 50)", 50),
        // First values at 20, 15, 15, 28 and 34 bars, and seven time constants.
        ("ema(close, 20) > 0", 20 + 74),
        ("rsi(14) > 0", 15 + 98),
        ("atr(14) > 0", 15 + 98),
        ("adx(14) > 0", 28 + 196),
        ("macd(12, 26, 9) > 0", 34 + 95 + 35),
        ("stoch_d(14, 3, 3) > 0", 18),
        ("obv() > 0", 1),
    ] {
        assert_eq!(parse(text).needs(), bars, "{text}");
    }
    assert_eq!(
        problem("close > ema(close, 300)"),
        "column 9: `ema(close, 300)` needs 1354 bars before it means anything, and gets 1000; look at fewer; \
         at ^ in: close > ^ema(close, 300)"
    );
    assert!(problem("sma(close, 900)[200] > 0").contains("needs 1100 bars"));
}
