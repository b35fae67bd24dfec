use std::fmt::Write as _;

/// Frames as Binance's streams of spot or of a perpetual would be recorded from 2024-08-08T23:54:14Z on: a snapshot of the depth, then
/// every 100 ms a change of it, the best bid and ask after it, and 50 ms later a trade at one of the two. The price goes up and down.
#[must_use]
pub fn frames(instants: i64, perpetual: bool) -> String {
    const BEGIN: i64 = 1_723_161_254_000;
    let cents = |cents: i64| format!("{}.{:02}", cents / 100, cents % 100);
    let bid = |at: i64| 10_000 + ((at / 7) % 60 - 30).abs();
    let mut text = String::new();
    let mut push = |ms: i64, stream: &str, data: String| {
        // Writing to a String does not fail.
        _ = writeln!(text, "{}000000 {{\"stream\":\"btcusdt@{stream}\",\"data\":{data}}}", BEGIN + ms);
    };
    let snapshot = [cents(bid(0)), cents(bid(0) + 1)];
    push(
        0,
        "depth",
        format!(r#"{{"lastUpdateId":0,"bids":[["{}","1.501"]],"asks":[["{}","1.501"]]}}"#, snapshot[0], snapshot[1]),
    );
    for at in 0..instants {
        let (ms, time, update) = (at * 100, BEGIN + at * 100, at + 1);
        // What only futures have.
        let previous = if perpetual { format!(r#""pu":{at},"T":{time},"#) } else { String::new() };
        let kind = if perpetual { r#""X":"MARKET","# } else { "" };
        let [old_bid, old_ask, new_bid, new_ask] = [bid(at - 1), bid(at - 1) + 1, bid(at), bid(at) + 1].map(cents);
        let gone = |old: &str, new: &str| if old == new { String::new() } else { format!(r#"["{old}","0"],"#) };
        let [bids, asks] = [(&old_bid, &new_bid), (&old_ask, &new_ask)]
            .map(|(old, new)| format!(r#"[{}["{new}","1.501"]]"#, gone(old, new)));
        push(
            ms,
            "depth",
            format!(
                r#"{{"e":"depthUpdate","E":{time},"s":"BTCUSDT",{previous}"U":{update},"u":{update},"b":{bids},"a":{asks}}}"#
            ),
        );
        push(
            ms,
            "bookTicker",
            format!(r#"{{"u":{update},"s":"BTCUSDT","b":"{new_bid}","B":"1.501","a":"{new_ask}","A":"1.501"}}"#),
        );
        let (sold, traded) = (at % 2 == 0, time + 50);
        let price = if sold { &new_bid } else { &new_ask };
        push(
            ms + 50,
            "trade",
            format!(
                r#"{{"e":"trade","E":{traded},"s":"BTCUSDT","t":{update},"p":"{price}","q":"2.003","T":{traded},{kind}"m":{sold}}}"#
            ),
        );
    }
    text
}
