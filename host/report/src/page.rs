//! What every report has around its own: the head of the page, its two scripts, and the policy that allows no other.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plotly::Plot;
use sha2::{Digest as _, Sha256};

use crate::text;

/// The script that draws charts, as plotly brings it; without the one for formulas beside it, two megabytes that no report
/// needs.
static PLOTLY: LazyLock<Script> = LazyLock::new(|| {
    let sources = Plot::offline_js_sources();
    let source = sources.split_once('>').and_then(|(_, rest)| rest.split_once("</script>")).map(|(source, _)| source);
    Script::new(source.expect("plotly embeds its script in a script element of its own"))
});

/// The script that gives charts their look and sorts tables.
static REPORT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("../assets/report.js")));

/// A script of the page.
pub(crate) struct Script {
    pub(crate) source: String,
    /// How the policy names it.
    digest: String,
}

impl Script {
    fn new(source: &str) -> Self {
        let digest = format!("'sha256-{}'", STANDARD.encode(Sha256::digest(source)));
        Self { source: source.to_owned(), digest }
    }
}

/// What the templates need for the page itself.
pub(crate) struct Page {
    pub(crate) title: String,
    /// Whether the market was made up.
    pub(crate) synthetic: bool,
    /// Which program wrote it.
    pub(crate) generator: &'static str,
    pub(crate) style: &'static str,
    pub(crate) plotly: &'static Script,
    pub(crate) script: &'static Script,
}

impl Page {
    pub(crate) fn new(title: &str, synthetic: bool) -> Self {
        Self {
            title: text::name(title),
            synthetic,
            generator: concat!("Tiltyard ", env!("CARGO_PKG_VERSION")),
            style: include_str!("../assets/report.css"),
            plotly: &PLOTLY,
            script: &REPORT,
        }
    }

    /// The Content-Security-Policy: nothing is loaded, no form is sent, and no script runs but these two, so that markup of a
    /// stranger would stay without effect even if it got into the page. Styles have to be free, since charts set them.
    pub(crate) fn policy(&self) -> String {
        format!(
            "default-src 'none'; script-src {} {}; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'",
            self.plotly.digest, self.script.digest
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{PLOTLY, REPORT};

    #[test]
    fn the_scripts_are_whole_and_end_no_element() {
        assert!(PLOTLY.source.trim_start().starts_with("/**\n* plotly.js v"), "{}", &PLOTLY.source[..80]);
        assert!(PLOTLY.source.trim_end().ends_with('}') || PLOTLY.source.trim_end().ends_with(';'));
        assert!((4_000_000..5_000_000).contains(&PLOTLY.source.len()), "{}", PLOTLY.source.len());
        for script in [&PLOTLY, &REPORT] {
            let source = script.source.to_lowercase();
            // What a browser hashes is what it reads, and it reads line ends and NULs its own way.
            assert!(!source.contains("</script") && !source.contains("<!--") && !source.contains(['\r', '\0']));
        }
    }
}
