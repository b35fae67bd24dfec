//! Reports in a real browser, headless and without a network. Skipped where none is installed.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{nothing, run, tournament};
use tiltyard_browser::{Browser, with_script};

#[test]
fn every_chart_is_drawn_and_no_page_is_wider_than_its_window() {
    let Some(browser) = Browser::find() else { return };
    for (name, html, charts) in [
        ("run", run(35_040).to_html().unwrap(), 2),
        ("tournament", tournament().to_html().unwrap(), 3),
        ("nothing", nothing().to_html().unwrap(), 0),
    ] {
        browser.assert_whole(name, &html, charts);
    }
}

#[test]
fn charts_are_drawn_under_the_policy_and_no_other_script_runs() {
    let Some(browser) = Browser::find() else { return };
    let html = tournament().to_html().unwrap();
    assert_eq!(browser.show(&html).console, [""; 0]);
    let hostile = "<script>document.documentElement.dataset.hostile = 'ran'</script>\
        <img src=x onerror=\"document.documentElement.dataset.hostile = 'ran'\"></body>";
    let shown = browser.show(&html.replace("</body>", hostile));
    assert_eq!(shown.attribute("data-charts"), Some("drawn 3"));
    assert_eq!(shown.attribute("data-hostile"), None);
    assert!(shown.console.iter().any(|line| line.contains("Content Security Policy")), "{:?}", shown.console);
}

#[test]
fn a_heading_sorts_the_leaderboard() {
    let Some(browser) = Browser::find() else { return };
    let click = "document.querySelectorAll('.sortable thead th')[5].querySelector('button').click();\
        document.documentElement.dataset.order = [...document.querySelectorAll('.sortable tbody tr')]\
        .map((row) => row.cells[0].textContent).join(' ');";
    let shown = browser.show(&with_script(&tournament().to_html().unwrap(), click));
    assert_eq!(shown.attribute("data-order"), Some("2 1 –"), "lowest Sharpe first, what has none last");
}
