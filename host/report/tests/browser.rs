//! Reports in a real browser, headless and without a network. Skipped where none is installed.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{nothing, run, tournament};

/// A browser: `TILTYARD_CHROMIUM`, or one in the path.
fn chromium() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome", "chrome-headless-shell"];
    let path = env::var_os("PATH").unwrap_or_default();
    let in_path =
        || env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name))).find(|file| file.is_file());
    let found = env::var_os("TILTYARD_CHROMIUM").map(PathBuf::from).or_else(in_path);
    if found.is_none() {
        #[expect(clippy::print_stderr, reason = "a test that tests nothing says so")]
        {
            eprintln!("skipped: no browser; install chromium or set TILTYARD_CHROMIUM to one");
        }
    }
    found
}

/// The page as a browser has it after its scripts ran.
fn rendered(chromium: &Path, html: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("report.html"), html).unwrap();
    dumped(chromium, folder.path(), "report.html")
}

/// What the page tells its parent when it is in a frame of this width: a window cannot be as narrow as a phone.
fn framed(chromium: &Path, html: &str, width: u32) -> Vec<String> {
    let frame = format!(
        "<!doctype html><iframe src=\"report.html\" style=\"border: 0; width: {width}px; height: 900px\"></iframe>\
         <script>addEventListener('message', (event) => {{ document.documentElement.dataset.told = event.data; }});</script>"
    );
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("frame.html"), frame).unwrap();
    fs::write(folder.path().join("report.html"), with_script(html, TELL)).unwrap();
    let dom = dumped(chromium, folder.path(), "frame.html");
    attribute(&dom, "data-told").expect("the page tells").split(',').map(str::to_owned).collect()
}

fn dumped(chromium: &Path, folder: &Path, page: &str) -> String {
    let output = Command::new(chromium)
        // The browser's own sandbox needs rights that containers do not give; the page is ours.
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"])
        .args(["--disable-background-networking", "--proxy-server=127.0.0.1:9", "--no-first-run"])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .args(["--window-size=1400,900", "--virtual-time-budget=20000", "--dump-dom"])
        .arg(format!("file://{}", folder.join(page).display()))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && !dom.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    dom
}

/// The page with a script of the test at its end, which the policy has to be told of.
fn with_script(html: &str, script: &str) -> String {
    let end = html.find("script-src ").unwrap();
    let policy_end = end + html[end..].find(';').unwrap();
    let mut page = html.to_owned();
    page.replace_range(end..policy_end, "script-src 'unsafe-inline'");
    page.replace("</body>", &format!("<script>{script}</script></body>"))
}

/// Tells charts, drawings, the window's width and the page's, again and again until the browser has had enough.
const TELL: &str = "setInterval(() => { const root = document.documentElement; \
    const drawings = document.querySelectorAll('.chart .main-svg').length; \
    parent.postMessage([root.dataset.charts, drawings, innerWidth, root.scrollWidth].join(), '*'); }, 100);";

/// The value of an attribute of the page's root.
fn attribute<'a>(dom: &'a str, name: &str) -> Option<&'a str> {
    let root = dom.split("<html").nth(1)?.split('>').next()?;
    root.split(&format!("{name}=\"")).nth(1)?.split('"').next()
}

#[test]
fn every_chart_is_drawn_and_no_page_is_wider_than_its_window() {
    let Some(chromium) = chromium() else { return };
    for (name, html, charts) in [
        ("run", run(35_040).to_html().unwrap(), 2),
        ("tournament", tournament().to_html().unwrap(), 3),
        ("nothing", nothing().to_html().unwrap(), 0),
    ] {
        for width in [375, 1_280] {
            let told = framed(&chromium, &html, width);
            assert_eq!(told[0], format!("drawn {charts}"), "{name} at {width}");
            let [drawings, window, page] = [1, 2, 3].map(|at: usize| told[at].parse::<u32>().unwrap());
            assert!(drawings >= charts, "{name} at {width}: {drawings} drawings in {charts} charts");
            assert!(window == width && page <= window, "{name}: a page of {page} in a window of {window}");
        }
    }
}

#[test]
fn charts_are_drawn_under_the_policy_and_no_other_script_runs() {
    let Some(chromium) = chromium() else { return };
    let hostile = "<script>document.documentElement.dataset.hostile = 'ran'</script>\
        <img src=x onerror=\"document.documentElement.dataset.hostile = 'ran'\"></body>";
    let html = tournament().to_html().unwrap().replace("</body>", hostile);
    let dom = rendered(&chromium, &html);
    assert_eq!(attribute(&dom, "data-charts"), Some("drawn 3"));
    assert_eq!(attribute(&dom, "data-hostile"), None);
}

#[test]
fn a_heading_sorts_the_leaderboard() {
    let Some(chromium) = chromium() else { return };
    let click = "document.querySelectorAll('.sortable thead th')[5].querySelector('button').click();\
        document.documentElement.dataset.order = [...document.querySelectorAll('.sortable tbody tr')]\
        .map((row) => row.cells[0].textContent).join(' ');";
    let dom = rendered(&chromium, &with_script(&tournament().to_html().unwrap(), click));
    assert_eq!(attribute(&dom, "data-order"), Some("2 1 –"), "lowest Sharpe first, what has none last");
}
