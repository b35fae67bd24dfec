//! Pages in a real browser, headless and without a network, for tests of what people see.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "only tests use it")]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A browser that is installed.
#[derive(Debug)]
pub struct Browser(PathBuf);

/// A page after its scripts ran.
#[derive(Debug)]
pub struct Shown {
    dom: String,
    /// What the browser wrote to its console: messages, errors of scripts, refusals of the policy.
    pub console: Vec<String>,
}

impl Browser {
    /// `TILTYARD_CHROMIUM`, or one in the path. Says that a test is skipped if there is none.
    #[must_use]
    pub fn find() -> Option<Self> {
        let names = ["chromium", "chromium-browser", "google-chrome", "chrome-headless-shell"];
        let path = env::var_os("PATH").unwrap_or_default();
        let in_path = || {
            env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name))).find(|file| file.is_file())
        };
        let found = env::var_os("TILTYARD_CHROMIUM").map(PathBuf::from).or_else(in_path);
        if found.is_none() {
            #[expect(clippy::print_stderr, reason = "a test that tests nothing says so")]
            {
                eprintln!("skipped: no browser; install chromium or set TILTYARD_CHROMIUM to one");
            }
        }
        found.map(Self)
    }

    /// A page in a window of usual size.
    #[must_use]
    pub fn show(&self, html: &str) -> Shown {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("report.html"), html).unwrap();
        self.open(folder.path(), "report.html")
    }

    /// Asserts that a report is whole, on a phone and on a screen: so many charts are drawn, the page is not wider than its window,
    /// and the console is empty.
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    pub fn assert_whole(&self, name: &str, html: &str, charts: u32) {
        for width in [375, 1_280] {
            let shown = self.framed(html, width);
            let told = shown.attribute("data-told").expect("the page tells").split(',').map(str::to_owned);
            let told: Vec<String> = told.collect();
            assert_eq!(told[0], format!("drawn {charts}"), "{name} at {width}");
            let [drawings, window, page] = [1, 2, 3].map(|at: usize| told[at].parse::<u32>().unwrap());
            assert!(drawings >= charts, "{name} at {width}: {drawings} drawings in {charts} charts");
            assert!(window == width && page <= window, "{name}: a page of {page} in a window of {window}");
            assert_eq!(shown.console, [""; 0], "{name} at {width}");
        }
    }

    /// A page in a frame of this width, which tells its parent how it is: a window cannot be as narrow as a phone.
    fn framed(&self, html: &str, width: u32) -> Shown {
        let frame = format!(
            "<!doctype html><iframe src=\"report.html\" style=\"border: 0; width: {width}px; height: 900px\"></iframe>\
             <script>addEventListener('message', (event) => {{ document.documentElement.dataset.told = event.data; }});</script>"
        );
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("frame.html"), frame).unwrap();
        fs::write(folder.path().join("report.html"), with_script(html, TELL)).unwrap();
        self.open(folder.path(), "frame.html")
    }

    fn open(&self, folder: &Path, page: &str) -> Shown {
        let output = Command::new(&self.0)
            // The browser's own sandbox needs rights that containers do not give; the page is ours.
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"])
            .args(["--disable-background-networking", "--proxy-server=127.0.0.1:9", "--no-first-run"])
            .arg(format!("--user-data-dir={}", folder.join("profile").display()))
            .args(["--window-size=1400,900", "--virtual-time-budget=20000", "--enable-logging=stderr", "--dump-dom"])
            .arg(format!("file://{}", folder.join(page).display()))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let dom = String::from_utf8_lossy(&output.stdout).into_owned();
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !dom.is_empty(), "{log}");
        let console = log.lines().filter(|line| line.contains(":CONSOLE:")).map(str::to_owned);
        Shown { dom, console: console.collect() }
    }
}

impl Shown {
    /// The value of an attribute of the page's root.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let root = self.dom.split("<html").nth(1)?.split('>').next()?;
        root.split(&format!("{name}=\"")).nth(1)?.split('"').next()
    }
}

/// A report with a script of the test at its end, which its policy has to be told of.
///
/// # Panics
/// If the page has no policy.
#[must_use]
pub fn with_script(html: &str, script: &str) -> String {
    let begin = html.find("script-src ").unwrap();
    // Quotation marks are escaped there, with semicolons: the directive ends where the next begins.
    let end = begin + html[begin..].find("; style-src").unwrap();
    let mut page = html.to_owned();
    page.replace_range(begin..end, "script-src 'unsafe-inline'");
    page.replace("</body>", &format!("<script>{script}</script></body>"))
}

/// Tells charts, drawings, the window's width and the page's, again and again until the browser has had enough.
const TELL: &str = "setInterval(() => { const root = document.documentElement; \
    const drawings = document.querySelectorAll('.chart .main-svg').length; \
    parent.postMessage([root.dataset.charts, drawings, innerWidth, root.scrollWidth].join(), '*'); }, 100);";

#[cfg(test)]
mod tests {
    use super::Browser;

    #[test]
    fn what_a_script_does_wrong_is_in_the_console() {
        let Some(browser) = Browser::find() else { return };
        let page = "<!doctype html><html data-mine=\"yes\"><body><script>nothing()</script></body></html>";
        let shown = browser.show(page);
        assert!(shown.console.len() == 1 && shown.console[0].contains("nothing is not defined"), "{shown:?}");
        assert_eq!(shown.attribute("data-mine"), Some("yes"));
        assert_eq!(browser.show("<!doctype html><p>well").console, [""; 0]);
    }
}
