//! Where a run stopped, and what came before.

use anyhow::Result;
use serde_json::{Value as Json, json};
use tiltyard_engine::{Entry, Event};
use tiltyard_market::format_time;

use crate::run::{MADE_UP, SavedRun, is_synthetic};

/// How many of the strategy's last doings are shown.
const DOINGS: usize = 20;
/// How many of the last bars, or of the last trades of a tape, are shown.
const BARS: usize = 3;

/// The fault or halt that ended a run, or its end; for people, or as one JSON object.
pub(super) fn report(saved: &SavedRun, as_json: bool) -> Result<String> {
    let is_stop = |entry: &Entry| matches!(entry.event, Event::Fault { .. } | Event::State { .. });
    let stop = saved.entries.iter().position(is_stop);
    let before = &saved.entries[..stop.unwrap_or(saved.entries.len())];
    let last = |count: usize, is: fn(&Event) -> bool| {
        let mut entries: Vec<&Entry> = before.iter().rev().filter(|entry| is(&entry.event)).take(count).collect();
        entries.reverse();
        entries
    };
    let bars = last(BARS, |event| matches!(event, Event::Bar { .. }));
    let prints = last(BARS, |event| matches!(event, Event::Print { .. }));
    let doings = last(DOINGS, is_doing);
    let fault = &saved.document["fault"];
    if as_json {
        let stop = stop.map(|at| &saved.entries[at]);
        let document = json!({"synthetic": is_synthetic(&saved.document), "stopped": stop, "fault": fault, "last_bars": bars, "last_prints": prints, "last_doings": doings});
        return Ok(serde_json::to_string_pretty(&document)?);
    }
    let mut lines: Vec<String> = is_synthetic(&saved.document).then(|| MADE_UP.to_owned()).into_iter().collect();
    lines.push(match stop.map(|at| &saved.entries[at]) {
        Some(Entry { time, event: Event::Fault { message, .. } }) => {
            format!("stopped by a fault at {}: {message}", format_time(*time))
        }
        Some(Entry { time, event: Event::State { cause, .. } }) => {
            format!("halted at {}: {cause}", format_time(*time))
        }
        _ => "it ran to its end".to_owned(),
    });
    let frames = fault["frames"].as_array().into_iter().flatten().filter_map(Json::as_str);
    lines.extend(frames.map(|frame| format!("  in {frame}")));
    let (what, market) = if prints.is_empty() { ("bars", bars) } else { ("trades of others", prints) };
    lines.push(format!("\nthe last {what}:"));
    lines.extend(market.into_iter().map(line).collect::<Result<Vec<_>>>()?);
    lines.push("\nthe last that was done and said:".to_owned());
    lines.extend(doings.into_iter().map(line).collect::<Result<Vec<_>>>()?);
    Ok(lines.join("\n"))
}

/// Whether it is something that the strategy did, said, or was told of its orders.
fn is_doing(event: &Event) -> bool {
    matches!(
        event,
        Event::Accepted { .. }
            | Event::Refused { .. }
            | Event::Executed(_)
            | Event::Updated(_)
            | Event::Replaced { .. }
            | Event::Line { .. }
            | Event::Metric { .. }
            | Event::Note { .. }
    )
}

fn line(entry: &Entry) -> Result<String> {
    Ok(format!("  {}  {}", format_time(entry.time), serde_json::to_string(&entry.event)?))
}
