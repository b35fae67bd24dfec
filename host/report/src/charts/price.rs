use plotly::common::{Direction, Line, Marker, MarkerSymbol, Mode};
use plotly::{Candlestick, Layout, Scatter, Trace};
use tiltyard_engine::{OpenRow, TradeRow};

use super::{COLOURS, Chart, GAIN, LOSS, milliseconds, time_axis, value_axis};
use crate::format::{amount, count, exact, span};
use crate::run::InstrumentBars;
use crate::text::{label, name};
use crate::thin;

/// Round trips that are marked on a chart.
const MARKED: usize = 500;
/// Positions still open that are marked on a chart.
const OPEN: usize = 50;

/// The bars of an instrument as candles, with entries and exits on them.
pub(crate) fn price(instrument: &InstrumentBars, trades: &[TradeRow], open: &[OpenRow]) -> Chart {
    let (bars, each) = thin::candles(&instrument.bars);
    let column = |field: fn(&tiltyard_model::Bar) -> f64| bars.iter().map(field).collect::<Vec<f64>>();
    let times = bars.iter().map(|bar| milliseconds(bar.open_time)).collect();
    let candles = Candlestick::new(
        times,
        column(|bar| bar.open),
        column(|bar| bar.high),
        column(|bar| bar.low),
        column(|bar| bar.close),
    )
    .name("Price")
    .increasing(Direction::Increasing { line: Line::new().color(GAIN).width(1.0) })
    .decreasing(Direction::Decreasing { line: Line::new().color(LOSS).width(1.0) });

    let own: Vec<&TradeRow> = trades.iter().filter(|trade| trade.symbol == instrument.symbol).collect();
    let marked = largest(&own);
    let mut traces: Vec<Box<dyn Trace>> = vec![Box::new(candles)];
    let entries = |side: &str| marked.iter().filter(|trade| trade.side == side).map(|trade| entry(trade)).collect();
    let exits =
        |won: bool| marked.iter().filter(|trade| (trade.pnl_net > 0.0) == won).map(|trade| exit(trade)).collect();
    let held = open.iter().filter(|row| row.symbol == instrument.symbol).take(OPEN).map(still_open).collect();
    traces.extend(marks("Long entry", MarkerSymbol::TriangleUp, COLOURS[0], entries("long")));
    traces.extend(marks("Short entry", MarkerSymbol::TriangleDown, COLOURS[3], entries("short")));
    traces.extend(marks("Exit with a profit", MarkerSymbol::Circle, GAIN, exits(true)));
    traces.extend(marks("Exit with a loss", MarkerSymbol::X, LOSS, exits(false)));
    traces.extend(marks("Still open", MarkerSymbol::DiamondOpen, COLOURS[1], held));

    let layout = Layout::new().show_legend(true).x_axis(time_axis()).y_axis(value_axis("Price"));
    let heading = format!("Trades on the price of {}", name(&instrument.symbol));
    let described = format!("Price of {} over time with entries and exits", name(&instrument.symbol));
    let bars = count(instrument.bars.len() as u64);
    let interval = span(instrument.interval);
    let drawn = match each {
        1 => format!("{bars} bars of {interval}."),
        each => format!("Thinned from {bars} bars of {interval}: each candle is {each} consecutive bars."),
    };
    let left_out = (marked.len() < own.len()).then(|| {
        let all = count(own.len() as u64);
        format!("Of {all} trades, the {MARKED} with the largest profit or loss are marked.")
    });
    Chart::new(&heading, &described, traces, &layout).with_notes([drawn].into_iter().chain(left_out))
}

/// The trades that made or lost most, in their order.
fn largest<'a>(trades: &[&'a TradeRow]) -> Vec<&'a TradeRow> {
    let mut ranked: Vec<(usize, &TradeRow)> = trades.iter().copied().enumerate().collect();
    ranked.sort_by(|(_, a), (_, b)| b.pnl_net.abs().total_cmp(&a.pnl_net.abs()));
    ranked.truncate(MARKED);
    ranked.sort_by_key(|(at, _)| *at);
    ranked.into_iter().map(|(_, trade)| trade).collect()
}

/// A place on the chart, and what is said there.
struct Mark {
    time: i64,
    price: f64,
    text: String,
}

fn entry(trade: &TradeRow) -> Mark {
    let text = format!("{} {} at {}", trade.side, exact(Some(trade.quantity)), exact(Some(trade.entry_price)));
    Mark { time: trade.entry_time, price: trade.entry_price, text }
}

fn exit(trade: &TradeRow) -> Mark {
    let (price, net) = (exact(Some(trade.exit_price)), amount(Some(trade.pnl_net)));
    let text = format!("{} closed at {price}, {net} net ({})", trade.side, label(&trade.exit_reason));
    Mark { time: trade.exit_time, price: trade.exit_price, text }
}

fn still_open(row: &OpenRow) -> Mark {
    let text = format!("{} {} at {}", row.side, exact(Some(row.quantity)), exact(Some(row.entry_price)));
    Mark { time: row.entry_time, price: row.entry_price, text }
}

fn marks(name: &str, symbol: MarkerSymbol, colour: &'static str, marks: Vec<Mark>) -> Option<Box<dyn Trace>> {
    if marks.is_empty() {
        return None;
    }
    let texts = marks.iter().map(|mark| mark.text.clone()).collect();
    let (times, prices) = marks.iter().map(|mark| (mark.time, mark.price)).unzip();
    let marker = Marker::new().symbol(symbol).size(9).color(colour);
    Some(Scatter::<i64, f64>::new(times, prices).name(name).mode(Mode::Markers).marker(marker).hover_text_array(texts))
}
